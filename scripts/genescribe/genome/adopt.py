"""Where features go whose gene the file does not name, so that no gene is lost or doubled.

Three kinds come here: transcripts without a gene (they are genes of their own), coding or exon
lines whose Parent is never defined, and CDS lines without Parent (Prokka, PATRIC). They join an
existing gene on the same strand that contains them if one of these, in this order, holds:

1. their names say so: one id is the other with something before or after it
   (``YAL069W_mRNA`` and ``YAL069W``), or both carry the same locus_tag;
2. exactly one of the genes around them has nothing below it in the file;
3. they name a Parent, and exactly one gene is around them.

Otherwise they are a gene of their own, called by the missing Parent or by their own ID. Rule 2
leaves out pseudogenes for CDS lines without Parent: PATRIC lists the open reading frames inside
a pseudogene as genes of their own, with products.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from genescribe.genome.biotypes import PSEUDOGENE
from genescribe.genome.draft import Draft, DraftGene, DraftTranscript, first_value
from genescribe.genome.gff import parse_gff3_attributes
from genescribe.records import Segment


class GeneIndex:
    """The genes of a file by place: which of them contain a stretch on a strand?"""

    def __init__(self, genes: list[DraftGene]) -> None:
        self._genes: dict[str, list[DraftGene]] = defaultdict(list)
        for gene in sorted(genes, key=lambda gene: gene.start):
            self._genes[gene.seqid].append(gene)
        self._starts = {
            seqid: [gene.start for gene in genes] for seqid, genes in self._genes.items()
        }
        self._longest = {
            seqid: max(gene.end - gene.start for gene in genes)
            for seqid, genes in self._genes.items()
        }

    def around(self, seqid: str, start: int, end: int, strand: str) -> list[DraftGene]:
        """Return the genes that contain start..end on that strand (or on an unknown one)."""
        starts = self._starts.get(seqid, [])
        last = bisect_right(starts, start)
        first = bisect_right(starts, end - self._longest.get(seqid, 0) - 1)
        return [
            gene
            for gene in self._genes.get(seqid, [])[first:last]
            if gene.end >= end and (gene.strand == strand or "." in gene.strand + strand)
        ]


def find_homes(draft: Draft, orphans: list[DraftTranscript]) -> None:
    """Give every transcript without a gene its gene, an existing one or a new one."""
    if not orphans:
        return
    index = GeneIndex(list(draft.genes.values()))
    empty = {gene.gene_id for gene in draft.genes.values() if not gene.transcripts}
    new_genes: dict[str, DraftGene] = {}
    for node in orphans:
        if not node.defined and _has_another_parent(draft, node):
            draft.oddities.note("one of several Parents is never defined", node.line)
            continue
        if node.has_parent:
            draft.oddities.note("Parent is never defined", node.line)
        start, end = node.span()
        home = _home(index.around(node.seqid, start, end, node.strand), empty, node)
        if home is not None:
            draft.oddities.note("features joined to a gene by name and place", node.line)
        elif not node.defined and not node.has_parent and not node.cds:
            raise draft.error(
                node.line,
                "this feature has no Parent and no gene has its name, so nothing says what it "
                "belongs to; add Parent= in column 9",
            )
        else:
            home = _new_gene(draft, new_genes, node, start, end)
        home.transcripts.append(node)


def _has_another_parent(draft: Draft, node: DraftTranscript) -> bool:
    for parent in (node.co_parents or set()) - {node.transcript_id}:
        other = draft.transcripts.get(("", parent))
        if parent in draft.genes or (other is not None and other.defined):
            return True
    return False


def _home(around: list[DraftGene], empty: set[str], node: DraftTranscript) -> DraftGene | None:
    named_for = node.parents if node.defined and node.parents else (node.transcript_id,)
    locus_tag = first_value(parse_gff3_attributes(node.attributes), ("locus_tag",))
    named = [
        gene
        for gene in around
        if any(names_agree(name, gene.gene_id) for name in named_for)
        or (locus_tag and gene.locus_tag == locus_tag)
    ]
    if named:
        return max(named, key=lambda gene: len(gene.gene_id))
    if node.defined and not node.has_parent:
        return None  # a transcript that claims no gene, such as a snoRNA in a host's intron
    idle = [gene for gene in around if gene.gene_id in empty]
    if not node.has_parent:
        idle = [gene for gene in idle if gene.stated_biotype != PSEUDOGENE]
    if len(idle) == 1:
        return idle[0]
    return around[0] if len(around) == 1 and node.has_parent else None


def names_agree(one: str, other: str) -> bool:
    """Tell whether one id is the other with something before or after a separator.

    >>> names_agree("YAL069W_mRNA", "YAL069W"), names_agree("g12.t1", "g1")
    (True, False)
    """
    long, short = sorted((one, other), key=len, reverse=True)
    if long == short:
        return True
    before = long.endswith(short) and not long[-len(short) - 1].isalnum()
    after = long.startswith(short) and not long[len(short)].isalnum()
    return bool(short) and (before or after)


def _new_gene(
    draft: Draft, new_genes: dict[str, DraftGene], node: DraftTranscript, start: int, end: int
) -> DraftGene:
    """Return the gene of its own that a transcript becomes, or an earlier one it shares."""
    pairs = parse_gff3_attributes(node.attributes)
    missing = node.parents[0] if node.defined and node.parents else node.transcript_id
    gene_id = first_value(pairs, ("geneID", "gene_id")) or missing
    gene = new_genes.get(gene_id)
    if gene is not None and (gene.seqid, gene.strand) != (node.seqid, node.strand):
        gene_id, gene = node.transcript_id, None
    if gene is None:
        if gene_id in draft.genes:
            gene_id = f"{gene_id}@{node.seqid}:{start + 1}-{end}"
        span = Segment(start, end, node.strand)
        gene = DraftGene(gene_id, node.seqid, node.strand, "", [span], [])
        gene.describe(pairs)
        if gene.name == gene.product:
            gene.name = ""  # Bakta repeats the product in Name
        new_genes[gene_id] = draft.genes[gene_id] = gene
    first = gene.parts[0]
    gene.parts = [Segment(min(first.start, start), max(first.end, end), node.strand)]
    gene.lines.extend(node.lines)
    return gene
