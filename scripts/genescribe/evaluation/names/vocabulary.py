"""Words of product names: which are one another's spelling, and which say little.

By hand, from the naming guidelines of UniProt and NCBI ("International Protein Nomenclature
Guidelines", 2020), the Enzyme Nomenclature of IUBMB, and the usage of RefSeq, UniProt, RAST and
Prokka. What was mined stands in ``synonyms.tsv``.
"""

from __future__ import annotations

import re


def _list(text: str) -> list[str]:
    return text.split()


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


AMINO_ACIDS = {
    "alanyl": "alanine", "arginyl": "arginine", "asparaginyl": "asparagine",
    "aspartyl": "aspartate", "cysteinyl": "cysteine", "glutaminyl": "glutamine",
    "glutamyl": "glutamate", "glycyl": "glycine", "histidyl": "histidine",
    "isoleucyl": "isoleucine", "leucyl": "leucine", "lysyl": "lysine", "methionyl": "methionine",
    "phenylalanyl": "phenylalanine", "prolyl": "proline", "seryl": "serine",
    "threonyl": "threonine", "tryptophanyl": "tryptophan", "tyrosyl": "tyrosine",
    "valyl": "valine",
}  # fmt: skip
"""Residues as adjectives."""
CODES = {
    "ala": "alanine", "arg": "arginine", "asn": "asparagine", "asp": "aspartate",
    "cys": "cysteine", "gln": "glutamine", "glu": "glutamate", "gly": "glycine",
    "his": "histidine", "ile": "isoleucine", "leu": "leucine", "lys": "lysine",
    "met": "methionine", "phe": "phenylalanine", "pro": "proline", "ser": "serine",
    "thr": "threonine", "trp": "tryptophan", "tyr": "tyrosine", "val": "valine",
    "fmet": "methionine", "ini": "methionine", "sec": "selenocysteine", "pyl": "pyrrolysine",
}  # fmt: skip
"""Three-letter codes, read so only behind ``tRNA``."""
ISOTYPES = {*AMINO_ACIDS.values(), "selenocysteine", "pyrrolysine"}
GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρστυφχψω",
        _list(
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi "
            "rho sigma tau upsilon phi chi psi omega"
        ),
        strict=False,
    )
) | {"ς": "sigma", "ω": "omega"}
GREEK_NAMES = {*GREEK.values(), "sigma"}
ROMAN = {
    roman: str(number)
    for number, roman in enumerate(_list("i ii iii iv v vi vii viii ix x xi xii xiii"), 1)
}

NOISE = re.compile(
    r"\(fragment\)|\bprecursor\b|\bpartial\b|,? ?\b(mitochondrial|chloroplastic|chloroplast|"
    r"amyloplastic|plastid|cytoplasmic|cytosolic|peroxisomal|glyoxysomal|apicoplast)\b"
    r"(?! (ribosom|export|membrane|import|inner|carrier|protein|outer|process|trna))|"
    r"\bisoform \w+\b|\bvariant\b|\(?\btc \d[\w.]*\)?|"
    r"\b(qin|rac|dlp12|cp4-6|e14|cps-53) prophage;?|"
    r"\b(from|of) (pro)?phage( origin)?\b|\bgene product\b|\bauthentic frameshift\b|"
    r"\[similarity\]|\bhth-type\b|\(?\bpseudogene\)?|\bfragment\b|\[organism[^]]*\]|"
    r"\bwith [\w-]+ activity$"
)
"""Says where the protein ends up or how whole the record is, not what the protein does."""
HEDGE = re.compile(
    r"\b(putative|probable|probably|predicted|possible|possibly|potential|hypothetical|conserved|"
    r"likely|inferred|presumed|uncertain)\b"
)
FAMILY = re.compile(
    r"\b((super|sub)?family( (member|protein))?|domain[- ]containing|containing protein|"
    r"domain( protein)?|motif|repeats?|fold|like|homologu?e?s?|homology|related|paralogu?e?)\b"
)
"""Says that the name is of a family or a part, of which this may be any member."""

WORDS = {
    "synthetase": "synthase", "transaminase": "aminotransferase", "methylase": "methyltransferase",
    "acetylase": "acetyltransferase", "transacetylase": "acetyltransferase",
    "transacylase": "acyltransferase", "sensory": "sensor", "regulatory": "regulator",
    "proteinase": "peptidase", "protease": "peptidase", "anhydrase": "anhydrase",
    "exporter": "efflux", "export": "efflux", "extrusion": "efflux",
    "importer": "transporter", "import": "transporter", "uptake": "transporter",
    "adenyltransferase": "adenylyltransferase", "pseudouridylate": "pseudouridine",
    "transcarbamylase": "carbamoyltransferase",
    "transcarbamoylase": "carbamoyltransferase", "deoxyribonucleic": "dna", "ribonucleic": "rna",
    "ribonuclease": "rnase", "deoxyribonuclease": "dnase", "biogenesis": "biosynthesis",
    "synthesis": "biosynthesis", "assembly": "assembly", "flagella": "flagellar",
    "flagellum": "flagellar", "fimbria": "fimbrial", "pilus": "pili", "pilin": "pilin",
    "ubiquinone": "quinone", "h+": "proton", "na+": "sodium", "k+": "potassium",
    "molybdenum": "molybdate", "kd": "kda", "pyrophosphate": "diphosphate",
    "pyrophosphatase": "diphosphatase", "pyrophosphokinase": "diphosphokinase",
    "pyrophosphorylase": "diphosphorylase", "biosysnthesis": "biosynthesis",
    "sulphate": "sulfate", "iron": "iron", "mercuric": "mercury", "cupric": "copper",
    "cuprous": "copper", "formation": "biosynthesis", "resolving": "resolvase",
    "catalyzing": "", "biosynthetic": "biosynthesis", "maturating": "maturation",
    "metalloprotease": "metallopeptidase", "metalloproteinase": "metallopeptidase",
    "essential": "", "switching": "switch", "regulation": "regulator",
    "aldoketo": "aldoketo", "phosphodehydrogenase": "phosphodehydrogenase",
}  # fmt: skip
FILLERS = _set(
    "protein proteins the of for and in a an with to or by from on as is that this which enzyme "
    "involved contributes required subunit subunits chain component polypeptide complex system "
    "specific dependent activity class group bifunctional multifunctional product putatively "
    "associated other l d s r n o p c cis trans dual sp member general bacterial "
    "function role homolog kda isoform isozyme form catalytic main "
    "cell gene factor mediated based containing linked part step twocomponent e z en yl enyl si re "
    "component components type monomer homodimer phage prophage plasmid hypothetical"
)
"""Words without which a name says the same."""
GENERIC = _set(
    "membrane integral inner outer transmembrane cytoplasmic periplasmic secreted exported "
    "lipoprotein enzyme transporter permease boundatp boundsolute abc mfs efflux uptake regulator "
    "transcriptional transcription repressor activator responseregulator sensorkinase sensor "
    "kinase transferase hydrolase oxidoreductase dehydrogenase reductase oxidase synthase ligase "
    "lyase isomerase phosphatase peptidase esterase methyltransferase acetyltransferase "
    "glycosyltransferase aminotransferase acyltransferase helicase atpase gtpase nuclease "
    "binding dna rna nucleotide nad nadp fad sam plp metal zinc iron sulfur signal "
    "transduction phage tail transposase biosynthesis metabolism resistance multidrug drug "
    "alpha beta antiporter symporter channel porin receptor chaperone toxin antitoxin "
    "phosphohydrolase phosphoesterase fimbrial flagellar lipid carbohydrate sugar "
    "aminoacid amino acid decarboxylase carboxylase dioxygenase monooxygenase "
    "phosphodiesterase amidohydrolase deaminase amidase lipase thioesterase"
)
"""Words that name many functions: what is made of them alone identifies no gene."""

SOFT = _set(
    "nad nadp nadph nadh fad fmn flavodoxin atp gtp sam plp dna rna binding membrane inner "
    "integral periplasmic preprotein transcriptional translational translation abc"
)
"""Cofactors and the like: a name that leaves them out, and has no other, is as good."""

ROLES = {"permease", "boundatp", "boundsolute"}
"""Parts of an ABC transporter."""
FAMILIES = {"mfs", "sdr", "gnat", "had", "rnd", "aaa", "tetr", "lysr", "gntr", "marr", "laci"}
"""Families by themselves, whether they are called so or not."""
CHAPERONES = {"groel", "groes", "dnak", "dnaj", "grpe", "htpg", "uvra", "uvrb", "uvrc"}
"""Symbols that the phrases above put for names."""

KINDS = {
    "oxidoreductase": r"(dehydrogenase|reductase|oxidase|oxygenase|peroxidase|dismutase|catalase)$",
    "transferase": r"(transferase|kinase|transketolase|transaldolase|phosphorylase)$",
    "hydrolase": r"(phosphatase|esterase|peptidase|lipase|nuclease|hydrolase|amidase|amylase|"
    r"glucosidase|galactosidase|deaminase|diphosphatase|lactamase|rnase|dnase)$",
    "lyase": r"(aldolase|hydratase|dehydratase|decarboxylase|lyase)$",
    "isomerase": r"(epimerase|racemase|mutase|isomerase)$",
    "ligase": r"(synthase|carboxylase|ligase)$",
    "transporter": r"(permease|antiporter|symporter|efflux|uptake|boundatp|boundsolute|abc|mfs|"
    r"channel|porter|pts|transporter|translocase|exporter|rnd)$",
    "regulator": r"(repressor|activator|responseregulator|regulator)$",
    "peptidase": r"(peptidase|protease)$",
    "nuclease": r"(nuclease|rnase|dnase)$",
    "kinase": r"kinase$",
    "methyltransferase": r"methyltransferase$",
    "acyltransferase": r"(acyl|acetyl)transferase$",
    "glycosyltransferase": r"(glucosyl|galactosyl|glycosyl|mannosyl|ribosyl|fucosyl|"
    r"rhamnosyl)transferase$",
    "dehydrogenase": r"dehydrogenase$",
    "reductase": r"reductase$",
    "phosphatase": r"phosphatase$",
    "aminotransferase": r"aminotransferase$",
    "phosphohydrolase": r"(phosphohydrolase|phosphatase|phosphodiesterase|phosphoesterase)$",
    "atpase": r"(atpase|boundatp|helicase)$",
    "sensorkinase": r"sensorkinase$",
}
"""Kinds of protein, and the words that name one of the kind: "transferase" is a "kinase" told less
precisely."""
