"""Every transcript and CDS against ``gffread -w`` and ``-x``, on real annotations.

Whatever differs stands in the tables below with its explanation; a new difference fails.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from genescribe.files import open_binary
from genescribe.genome.annotation import read_annotation
from genescribe.genome.fasta import Genome
from genescribe.records import View
from support.transcripts import transcript_sequences

YEAST = "yeast_genbank/GCA_000146045.2_R64_genomic"
ECOLI = "ecoli_k12/GCF_000005845.2_genomic"
WORM = "mcb185_1pct/C.elegans"
FLY = "mcb185_1pct/D.melanogaster"

CASES = [
    (f"{YEAST}.fna.gz", f"{YEAST}.gff.gz"),
    (f"{YEAST}.fna.gz", "yeast_genbank/R64_gffread.gtf.gz"),
    (f"{ECOLI}.fna.gz", f"{ECOLI}.gff.gz"),
    ("cglutamicum/NC_020519.1.fasta.gz", "cglutamicum/NC_020519.1.gff3.gz"),
    ("mcb185_1pct/A.thaliana.fa.gz", "mcb185_1pct/A.thaliana.gff.gz"),
    (f"{WORM}.fa.gz", f"{WORM}.gff.gz"),
    (f"{FLY}.fa.gz", f"{FLY}.gff.gz"),
    ("maker_embl/maker.fa.gz", "maker_embl/maker.gff3"),
    ("maker_embl/maker.fa.gz", "maker_embl/augustus.gff3"),
    ("prokka_embl/prokka.fa.gz", "prokka_embl/prokka.gff3.gz"),
    ("braker_example/genome.fa.gz", "braker_example/braker_test3.gtf.gz"),
    ("braker_example/genome.fa.gz", "braker_example/augustus.hints_test3.gtf.gz"),
    ("tbrucei_chr1/genome.fasta.gz", "tbrucei_chr1/annotation.gff3.gz"),
    ("lmajor_chr1/L_major.1.fasta", "lmajor_chr1/L_major.1.gff3"),
    ("fly_dm6_small/dm6.small.fa.gz", "fly_dm6_small/dm6.small.gtf"),
    ("small_pairs/gffread/genome.fa", "small_pairs/gffread/annotation.gff"),
    ("small_pairs/gffread/genome.fa", "small_pairs/gffread/transcripts.gtf"),
    ("small_pairs/volvox/volvox.fa", "small_pairs/volvox/volvox.gff3"),
    ("small_pairs/volvox/volvox.fa", "small_pairs/volvox/volvox.gtf"),
    ("small_pairs/evm/genome.fasta", "small_pairs/evm/gene_predictions.gff3"),
]

# Same transcript, other sequence.
DIFFERENT = {
    (f"{WORM}.gff.gz", View.TRANSCRIPT): {
        # The excerpt ends between two lines of one exon: the CDS line is there, the exon line
        # is not. gffread takes the CDS for an exon; here exons are exons wherever there are any.
        "Transcript:T25D3.4a.1",
        "Transcript:T17A3.2.1",
    },
    (f"{FLY}.gff.gz", View.TRANSCRIPT): {
        # The excerpt lacks the transcripts' own lines; gffread then drops exons shared with
        # other transcripts and takes introns for exons (gffread -W shows which).
        "FBtr0304059",
        "FBtr0309036",
        "FBtr0309037",
        "FBtr0309038",
        "FBtr0345997",
    },
}

# Transcripts of gffread that are none here.
ONLY_GFFREAD = {
    # The excerpt lacks the transcripts' own lines, and their exons are those of siblings that
    # have theirs: nothing says which gene they belong to.
    f"{WORM}.gff.gz": {"Transcript:F56C11.1.1"},
    f"{FLY}.gff.gz": {
        "FBtr0078144",
        "FBtr0299837",
        "FBtr0308253",
        "FBtr0308254",
        "FBtr0308255",
    },
}

# Transcripts here that gffread leaves out.
ONLY_HERE = {
    # Further proteins of a gene without transcripts. gffread 0.12.7 corrupts its memory over
    # them and aborts, so that they are kept from it.
    f"{ECOLI}.gff.gz": {
        "cds-NP_416402.2",
        "cds-YP_009518751.1",
        "cds-YP_009518752.1",
        "cds-YP_010051172.1",
        "cds-YP_010051180.1",
        "cds-YP_010051194.1",
        "cds-YP_010051209.1",
        "cds-YP_010051217.1",
        "cds-YP_010283915.1",
        "cds-YP_010283916.1",
    },
    # The excerpt begins inside a gene: the transcript's, or the protein's, own line is missing,
    # and the CDS lines stand for it.
    "mcb185_1pct/A.thaliana.gff.gz": {
        "AT2G01440.1-Protein",
        "AT3G01610.1-Protein",
        "AT5G01720.1-Protein",
    },
    f"{FLY}.gff.gz": {"FBtr0333962"},
    # Features without ID: two primary transcripts without parts, and a CDS without a parent.
    "small_pairs/volvox/volvox.gff3": {"Apple1", "Gene:hga", "Gene:hgb"},
}

Sequences = dict[str, list[str]]


def of_gffread(gffread: str, option: str, fasta: Path, annotation: Path) -> Sequences:
    """Run gffread and return its sequences by transcript id, sorted where an id repeats."""
    out = annotation.with_suffix(f".{option}")
    subprocess.run([gffread, option, out, "-g", fasta, annotation], check=True, capture_output=True)
    found: Sequences = defaultdict(list)
    if out.exists():  # not written if there is nothing to write
        for record in out.read_text().split(">")[1:]:
            header, _, letters = record.partition("\n")
            found[header.split()[0]].append(letters.replace("\n", "").upper())
    return {name: sorted(sequences) for name, sequences in found.items()}


def introns(annotation: Path) -> set[str]:
    """Return the IDs of intron features: gffread takes them for transcripts."""
    lines = annotation.read_text(errors="replace").splitlines()
    return {
        match[1]
        for line in lines
        if "\tintron\t" in line and (match := re.search(r"\bID=([^;\s]+)", line))
    }


def unpack(source: Path, target: Path, without: Iterable[str] = ()) -> Path:
    """Write a plain copy, without the lines of the features that have the IDs ``without``."""
    dropped = [f"ID={name};".encode() for name in without]
    with open_binary(source) as handle, target.open("wb") as out:
        out.writelines(
            line for line in handle if not (dropped and any(name in line for name in dropped))
        )
    return target


@pytest.mark.parametrize(("fasta", "annotation"), CASES, ids=[case[1] for case in CASES])
def test_same_sequences_as_gffread(
    test_data: Path, tmp_path: Path, need, fasta: str, annotation: str
) -> None:
    gffread = need("gffread")
    genomes = test_data / "genomes"
    plain = unpack(genomes / fasta, tmp_path / "genome.fa")
    only_here = ONLY_HERE.get(annotation, set())
    models = unpack(
        genomes / annotation,
        tmp_path / ("models.gtf" if "gtf" in annotation else "models.gff3"),
        without=only_here if annotation.startswith("ecoli") else (),
    )
    ours = read_annotation(genomes / annotation)
    with Genome.open(genomes / fasta, tmp_path / "work") as genome:
        for view, option in ((View.TRANSCRIPT, "-w"), (View.CDS, "-x")):
            here: Sequences = defaultdict(list)
            for _, transcript, sequence in transcript_sequences(ours, genome, view):
                here[transcript.transcript_id].append(sequence)
            here = {name: sorted(sequences) for name, sequences in here.items()}
            there = of_gffread(gffread, option, plain, models)
            different = {name for name in here.keys() & there.keys() if here[name] != there[name]}
            assert different == DIFFERENT.get((annotation, view), set())
            assert there.keys() - here.keys() - introns(models) <= ONLY_GFFREAD.get(
                annotation, set()
            )
            assert here.keys() - there.keys() <= only_here
            assert len(here.keys() & there.keys()) > 0 or not there
    shutil.rmtree(tmp_path)
