"""Orphan features: finding the gene that the file does not name, so that none is lost or doubled.

Three kinds are orphans: transcripts without a gene, coding or exon lines whose Parent is never
defined, and CDS lines without Parent (Prokka, PATRIC). They join an existing gene on the same
strand that contains them if one of these, in this order, holds:

1. names say so: one id is the other with something before or after it (``YAL069W_mRNA`` and
   ``YAL069W``), or both carry the same locus_tag;
2. exactly one of the genes around them has no pieces in the file;
3. they name a Parent, and exactly one gene is around them.

Otherwise they are a gene of their own, called by the missing Parent or by their own ID; missing
Parents that share a piece are transcripts of one gene. A
transcript joins by rule 1 only: a snoRNA in the intron of its host is a gene of its own. Rule 2
leaves out pseudogenes for CDS lines without Parent: PATRIC lists the open reading frames inside
a pseudogene as genes of their own, with products.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from genescribe.genome.annotation.draft import Draft, DraftGene, DraftTranscript
from genescribe.genome.biotypes import PSEUDOGENE, first_value
from genescribe.genome.gff import parse_gff3_attributes
from genescribe.records import Segment

_ADD_PARENT = "add Parent= in column 9"


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


def assign_orphans(draft: Draft, orphans: list[DraftTranscript]) -> None:
    """Assign every transcript without a gene to one, of the file or new."""
    if not orphans:
        return
    new_genes: dict[str, DraftGene] = {}
    assigned: dict[str, DraftGene] = {}
    without_line: list[DraftTranscript] = []
    index = GeneIndex(list(draft.genes.values()))
    for node in orphans:
        if node.defined:
            _assign(draft, node, _gene_by_name(index, node), new_genes)
        elif _has_another_parent(draft, node):
            draft.warnings.add("one of several Parents is never defined", node.line)
        else:
            without_line.append(node)
    index = GeneIndex(list(draft.genes.values()))
    without_pieces = {gene.gene_id for gene in draft.genes.values() if not _has_pieces(gene)}
    for node in without_line:
        gene = _gene_by_name(index, node) or _gene_by_place(draft, index, without_pieces, node)
        gene = gene or next(filter(None, map(assigned.get, node.co_parents or ())), None)
        if gene is None and not node.cds and not node.has_parent:
            raise draft.error(node.line, f"no gene has the name of this exon; {_ADD_PARENT}")
        assigned[node.transcript_id] = _assign(draft, node, gene, new_genes)


def _assign(
    draft: Draft,
    node: DraftTranscript,
    gene: DraftGene | None,
    new_genes: dict[str, DraftGene],
) -> DraftGene:
    if node.has_parent:
        draft.warnings.add("Parent is never defined", node.line)
    if gene is not None:
        draft.warnings.add("feature joined to a gene by name and place", node.line)
    else:
        gene = _new_gene(draft, new_genes, node)
    gene.transcripts.append(node)
    if new_genes.get(gene.gene_id) is gene:
        start, end = node.span()
        gene.parts = [Segment(min(gene.start, start), max(gene.end, end), gene.strand)]
        gene.lines = sorted({*gene.lines, *node.lines})
    return gene


def _has_pieces(gene: DraftGene) -> bool:
    return any(any(True for _ in node.pieces()) for node in gene.transcripts)


def _has_another_parent(draft: Draft, node: DraftTranscript) -> bool:
    for parent in (node.co_parents or set()) - {node.transcript_id}:
        other = draft.transcripts.get(("", parent))
        if parent in draft.genes or (other is not None and other.defined):
            return True
    return False


def _gene_by_name(index: GeneIndex, node: DraftTranscript) -> DraftGene | None:
    """Return the gene around a transcript whose id or locus_tag agrees with it, if any."""
    names = node.parents if node.defined and node.parents else (node.transcript_id,)
    locus_tag = first_value(parse_gff3_attributes(node.attributes), ("locus_tag",))
    named = [
        gene
        for gene in index.around(node.seqid, *node.span(), node.strand)
        if any(names_agree(name, gene.gene_id) for name in names)
        or (locus_tag and gene.locus_tag == locus_tag)
    ]
    return max(named, key=lambda gene: len(gene.gene_id), default=None)


def _gene_by_place(
    draft: Draft, index: GeneIndex, without_pieces: set[str], node: DraftTranscript
) -> DraftGene | None:
    """Return the gene around pieces by rules 2 and 3; AnnotationError if several fit."""
    around = index.around(node.seqid, *node.span(), node.strand)
    candidates = [gene for gene in around if gene.gene_id in without_pieces]
    if not node.has_parent:
        candidates = [gene for gene in candidates if gene.stated_biotype != PSEUDOGENE]
        if len(candidates) > 1:
            one, other, *_ = (gene.gene_id for gene in candidates)
            raise draft.error(
                node.line, f'this feature may belong to "{one}" or "{other}"; {_ADD_PARENT}'
            )
    if len(candidates) == 1:
        return candidates[0]
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


def _new_gene(draft: Draft, new_genes: dict[str, DraftGene], node: DraftTranscript) -> DraftGene:
    """Return the gene of its own that a transcript becomes, or an earlier one it shares."""
    start, end = node.span()
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
    return gene
