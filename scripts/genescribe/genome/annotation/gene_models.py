"""From drafts to records: pieces in transcription order, biotypes, products."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from genescribe.genome.annotation.draft import Draft, DraftGene, DraftTranscript
from genescribe.genome.biotypes import UNKNOWN, biotype_of_type, gene_biotype
from genescribe.records import Gene, Segment, Transcript


def build_genes(draft: Draft) -> list[Gene]:
    """Return the genes of a draft in the order of their first lines; empties the draft."""
    drafts = sorted(draft.genes.values(), key=lambda gene: gene.lines[0])
    draft.transcripts.clear()
    draft.others.clear()
    genes = []
    for gene in drafts:
        genes.append(_gene(draft, gene))
        gene.transcripts.clear()
    draft.genes.clear()
    return genes


def _gene(draft: Draft, gene: DraftGene) -> Gene:
    transcripts: list[Transcript] = []
    product = ""
    for node in gene.transcripts:
        transcripts.extend(_transcripts(draft, gene, node))
        product = product or node.product or ""
    start, end = gene.start, gene.end
    if any(p.start < start or p.end > end for t in transcripts for p in t.exons):
        draft.warnings.add("gene is shorter than its transcripts", gene.lines[0])
    biotype = gene_biotype(gene.stated_biotype, [t.biotype for t in transcripts])
    return Gene(
        gene_id=gene.gene_id,
        seqid=gene.seqid,
        start=start,
        end=end,
        strand=gene.strand,
        biotype=biotype,
        name=gene.name,
        product=gene.product or product or gene.description,
        parts=tuple(gene.parts),
        transcripts=tuple(transcripts),
        lines=tuple(gene.lines),
    )


def _transcripts(draft: Draft, gene: DraftGene, node: DraftTranscript) -> list[Transcript]:
    """Return one transcript, or one for each protein where CDS of several ids overlap."""
    proteins = split_proteins(node.cds, node.cds_ids)
    if len(proteins) < 2:
        return [_transcript(draft, gene, node, node.transcript_id, node.cds)]
    return [
        _transcript(draft, gene, node, cds_id if index else node.transcript_id, cds)
        for index, (cds_id, cds) in enumerate(proteins.items())
    ]


def split_proteins(cds: Sequence[Segment], ids: Sequence[str]) -> dict[str, list[Segment]]:
    """Group CDS pieces by ID where one ID stands for one protein; {} where they are one CDS.

    Some programs give every piece of a CDS an ID of its own. IDs tell proteins apart only
    where one of them is used for several pieces, or where pieces of different IDs overlap.
    """
    groups: dict[str, list[Segment]] = {}
    for cds_id, piece in zip(ids, cds, strict=False):
        groups.setdefault(cds_id, []).append(piece)
    if len(groups) < 2:
        return {}
    ordered = sorted(cds)
    overlap = any(a.end > b.start for a, b in pairwise(ordered))
    return groups if overlap or len(groups) < len(cds) else {}


def _transcript(
    draft: Draft, gene: DraftGene, node: DraftTranscript, name: str, pieces: Sequence[Segment]
) -> Transcript:
    length = draft.circular.get(node.seqid, -1)
    in_file_order = gene.spliced_in_trans
    cds = in_transcription_order(pieces, length, in_file_order)
    if node.stops and cds:
        cds = with_stop_codon(cds, in_transcription_order(node.stops, length, in_file_order))
    if node.exons:
        exons = in_transcription_order(node.exons, length, in_file_order)
        exons = _merged(draft, node, exons)
    elif node.utrs:
        exons = joined(in_transcription_order([*cds, *node.utrs], length, False))
    elif cds:  # where a ribosome slips back, two pieces share bases that the RNA has once
        exons = joined([Segment(piece.start, piece.end, piece.strand) for piece in cds])
    else:
        exons = []
    _check_strands(draft, gene, node, exons, cds)
    if not exons:
        exons = [Segment(node.start, node.end, node.strand)]
    coding = bool(cds)
    stated = biotype_of_type(node.stated_biotype, False)
    biotype = stated or biotype_of_type(node.type, coding) or gene.stated_biotype or UNKNOWN
    return Transcript(name, biotype, tuple(exons), tuple(cds))


def in_transcription_order(
    pieces: Sequence[Segment], length: int, in_file_order: bool
) -> list[Segment]:
    """Sort pieces 5' to 3'.

    Trans-spliced pieces (of a gene marked so, or on both strands) stay in the order of the file.
    ``length`` is that of a circular sequence, else -1: pieces that meet at its origin
    are turned so that the ones before the origin come first.
    """
    if len(pieces) < 2:
        return list(pieces)
    strand = pieces[0].strand
    if in_file_order or any(piece.strand != strand for piece in pieces):
        return list(pieces)
    ordered = sorted(pieces)
    if length > 0 and ordered[0].start == 0 and ordered[-1].end == length:
        gaps = [b.start - a.end for a, b in pairwise(ordered)]
        turn = gaps.index(max(gaps)) + 1
        ordered = ordered[turn:] + ordered[:turn]
    if strand == "-":
        ordered.reverse()
    return ordered


def _merged(draft: Draft, node: DraftTranscript, exons: list[Segment]) -> list[Segment]:
    """Join exons of one transcript that overlap; bases would be read twice otherwise."""
    for a, b in pairwise(exons):
        if a.start < b.end and b.start < a.end and a.strand == b.strand:
            draft.warnings.add("overlapping exons of one transcript were joined", node.line)
            return joined(exons)
    return exons


def joined(pieces: Sequence[Segment]) -> list[Segment]:
    """Join pieces in transcription order that touch or overlap on one strand."""
    result = [pieces[0]]
    for piece in pieces[1:]:
        last = result[-1]
        touch = piece.start <= last.end and last.start <= piece.end
        if touch and piece.strand == last.strand:
            result[-1] = Segment(
                min(last.start, piece.start), max(last.end, piece.end), last.strand
            )
        else:
            result.append(piece)
    return result


def with_stop_codon(cds: Sequence[Segment], stops: Sequence[Segment]) -> list[Segment]:
    """Add stop codon pieces that the CDS does not include (GTF 2.2 leaves them out).

    A piece that touches the last CDS piece lengthens it; one behind an intron becomes a piece
    of its own, with the phase that the bases of the codon before it leave. A "stop codon" before
    the end of the CDS is left alone.
    """
    result = list(cds)
    seen = 0  # bases of the stop codon so far
    for stop in stops:
        size = stop.end - stop.start
        last = result[-1]
        if any(p.start <= stop.start and stop.end <= p.end for p in result):
            pass
        elif stop.strand == "+" and last.start <= stop.start <= last.end:
            result[-1] = last._replace(end=max(last.end, stop.end))
        elif stop.strand == "-" and last.start <= stop.end <= last.end:
            result[-1] = last._replace(start=min(last.start, stop.start))
        elif (stop.start >= last.end) == (stop.strand == "+"):
            result.append(Segment(stop.start, stop.end, stop.strand, -seen % 3))
        seen += size
    return result


def _check_strands(
    draft: Draft,
    gene: DraftGene,
    node: DraftTranscript,
    exons: Sequence[Segment],
    cds: Sequence[Segment],
) -> None:
    """Raise AnnotationError if a CDS lies on the other strand of its exons or transcript."""
    strands = {piece.strand for piece in exons} | {piece.strand for piece in cds}
    if node.defined and len(gene.parts) == 1:
        strands.add(node.strand)
    if len(strands - {".", "?"}) < 2:
        return
    exon_strands = {piece.strand for piece in exons}
    trans_spliced = len(exon_strands) > 1 or not node.defined
    fits = all(
        any(e.start <= c.start and c.end <= e.end and e.strand == c.strand for e in exons)
        for c in cds
    )
    if not (trans_spliced and fits):
        raise draft.error(
            node.line,
            f'"{node.transcript_id}" has pieces on both strands that do not fit together '
            "(transcript, exons and CDS must agree unless it is trans-spliced); correct column 7",
        )
    if not gene.spliced_in_trans:
        draft.warnings.add("pieces on both strands, read as trans-spliced", node.line)
