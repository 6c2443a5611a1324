"""From coordinates to the sense strand: strands, exons, reading frame, circles, flanks.

All functions take pieces in transcription order and give sequences 5' to 3'.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genescribe.genome.fasta import Genome
from genescribe.nucleotides import reverse_complement
from genescribe.records import Segment


def splice(genome: Genome, seqid: str, pieces: Iterable[Segment], limit: int | None = None) -> str:
    """Join ``pieces`` of one sequence, at most the first ``limit`` nt; nothing beyond is read.

    Each piece is read on its own strand (trans-splicing). One that runs past an end of the
    sequence goes on at the other: the caller knows that the sequence is circular.
    """
    parts: list[str] = []
    for start, end, strand, _ in pieces:
        if limit is not None:
            length = min(end - start, limit)
            limit -= length
            start, end = (end - length, end) if strand == "-" else (start, start + length)
        part = _fetch_circular(genome, seqid, start, end)
        parts.append(reverse_complement(part) if strand == "-" else part)
        if limit == 0:
            break
    return "".join(parts)


def _fetch_circular(genome: Genome, seqid: str, start: int, end: int) -> str:
    length = genome.lengths[seqid]
    if start >= 0 and end <= length:
        return genome.fetch(seqid, start, end)
    start, span = start % length, end - start
    before = genome.fetch(seqid, start, min(start + span, length))
    return before + genome.fetch(seqid, 0, span - len(before))


def spliced_length(pieces: Iterable[Segment]) -> int:
    """Return the nt in ``pieces`` together."""
    return sum(piece.end - piece.start for piece in pieces)


def in_frame(cds: Sequence[Segment]) -> list[Segment]:
    """Return CDS pieces without the nt before the first whole codon.

    The phase of the first piece tells their number (GFF3 specification, column 8); a start
    exon shorter than its phase is dropped and the rest taken from the next.
    """
    surplus = max(cds[0].phase, 0) if cds else 0
    pieces: list[Segment] = []
    for piece in cds:
        trim = min(surplus, piece.end - piece.start)
        surplus -= trim
        if trim == piece.end - piece.start:
            continue
        pieces.append(_trim_start(piece, trim) if trim else piece)
    return pieces


def _trim_start(piece: Segment, trim: int) -> Segment:
    """Return ``piece`` without its first ``trim`` nt; a negative ``trim`` lengthens it."""
    if piece.strand == "-":
        return piece._replace(end=piece.end - trim)
    return piece._replace(start=piece.start + trim)


def _trim_end(piece: Segment, trim: int) -> Segment:
    if piece.strand == "-":
        return piece._replace(start=piece.start + trim)
    return piece._replace(end=piece.end - trim)


def with_flanks(
    pieces: Sequence[Segment], flank: int, length: int, circular: bool
) -> list[Segment]:
    """Return ``pieces`` with ``flank`` nt more at the 5' and the 3' end.

    On a linear sequence of ``length`` nt they stop at its ends; on a circular one they go on
    past the origin, but never so far that any position is read twice.
    """
    flanked = list(pieces)
    if circular:
        flank = min(flank, max(0, length - spliced_length(pieces)) // 2)
    flanked[0] = _trim_start(flanked[0], -flank)
    flanked[-1] = _trim_end(flanked[-1], -flank)
    if not circular:
        flanked = [
            piece._replace(start=max(piece.start, 0), end=min(piece.end, length))
            for piece in flanked
        ]
    return flanked
