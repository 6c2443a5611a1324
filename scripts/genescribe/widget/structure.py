"""A gene's transcripts as a drawing: inline SVG that follows the page's colours."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from genescribe.pages.svg import add, drawing, shorten, source, write
from genescribe.records import Gene, Segment, Transcript

WIDTH = 720
LABEL_WIDTH = 150
LABEL_CHARACTERS = 22
ROW_HEIGHT = 22
MOST_TRANSCRIPTS = 12


def draw(gene: Gene) -> str:
    """Return the SVG of a gene: a row per transcript, exons thin, coding parts thick.

    Positions in its words are 1-based and closed.
    """
    shown = gene.transcripts[:MOST_TRANSCRIPTS]
    height = 30 + ROW_HEIGHT * len(shown)
    hidden = len(gene.transcripts) - len(shown)
    more = f", {hidden} more not drawn" if hidden else ""
    label = (
        f"{gene.gene_id}, {gene.seqid}:{gene.start + 1}-{gene.end} ({gene.strand}): "
        f"{len(gene.transcripts)} transcripts{more}"
    )
    svg = drawing(WIDTH, height, kind="structure", aria_label=label)
    for number, transcript in enumerate(shown):
        _row(svg, gene, transcript, 14 + ROW_HEIGHT * number)
    write(svg, LABEL_WIDTH, height - 6, f"{gene.start + 1:,}", "start")
    write(svg, WIDTH - 8, height - 6, f"{gene.end:,}", "end")
    return source(svg)


def _x(gene: Gene, position: int) -> float:
    """Return where a 0-based boundary stands in the drawing."""
    length = max(1, gene.end - gene.start)
    return round(LABEL_WIDTH + (position - gene.start) * (WIDTH - LABEL_WIDTH - 8) / length, 1)


def _row(svg: ET.Element, gene: Gene, transcript: Transcript, middle: int) -> None:
    name = transcript.transcript_id
    what = f"{name}, {transcript.biotype}, exons: {len(transcript.exons)}"
    row = add(svg, "g", what=what)
    write(row, 0, middle + 4, shorten(name, LABEL_CHARACTERS), "start")
    edges = [edge for piece in transcript.exons for edge in (piece.start, piece.end)]
    left, right = _x(gene, min(edges)), _x(gene, max(edges))
    add(row, "line", kind="intron", x1=left, x2=right, y1=middle, y2=middle)
    for kind, pieces, height in (("exon", transcript.exons, 7), ("CDS", transcript.cds, 13)):
        for piece in pieces:
            _box(row, gene, piece, kind, middle, height)
    _arrow(row, transcript.exons[0].strand, left, right, middle)


def _box(row: ET.Element, gene: Gene, piece: Segment, kind: str, middle: int, height: int) -> None:
    left, right = _x(gene, piece.start), _x(gene, piece.end)
    add(
        row, "rect", kind=kind.lower(), x=left, y=middle - height / 2,
        width=max(1.0, right - left), height=height, what=f"{kind} {piece.start + 1}-{piece.end}",
    )  # fmt: skip


def _arrow(row: ET.Element, strand: str, left: float, right: float, middle: int) -> None:
    """Draw an arrow head beyond the 3' end: direction must not hang on colour."""
    if strand not in ("+", "-"):
        return
    ahead = 1 if strand == "+" else -1
    tip = (right if ahead > 0 else left) + 7 * ahead
    back = tip - 6 * ahead
    course = f"{back:g},{middle - 4} {tip:g},{middle} {back:g},{middle + 4}"
    add(row, "polyline", kind="direction", points=course)
