"""A gene's transcripts as a drawing: inline SVG that follows the page's colours."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from genescribe.records import Gene, Segment, Transcript

WIDTH = 720
LABEL_WIDTH = 150
ROW_HEIGHT = 22
MOST_TRANSCRIPTS = 12


def draw(gene: Gene) -> Markup:
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
    rows = Markup("").join(
        _row(gene, transcript, 14 + ROW_HEIGHT * number) for number, transcript in enumerate(shown)
    )
    return Markup(
        '<svg class="structure" role="img" aria-label="{label}" viewBox="0 0 {width} {height}">'
        "{rows}{axis}</svg>"
    ).format(label=label, width=WIDTH, height=height, rows=rows, axis=_axis(gene, height - 6))


def _x(gene: Gene, position: int) -> float:
    """Return where a 0-based boundary stands in the drawing."""
    length = max(1, gene.end - gene.start)
    return round(LABEL_WIDTH + (position - gene.start) * (WIDTH - LABEL_WIDTH - 8) / length, 1)


def _row(gene: Gene, transcript: Transcript, middle: int) -> Markup:
    name = transcript.transcript_id
    short = name if len(name) <= 22 else name[:21] + "…"
    return Markup(
        '<g><title>{name}, {biotype}, exons: {exons}</title><text x="0" y="{base}">{short}</text>'
        "{introns}{pieces}{direction}</g>"
    ).format(
        name=name,
        biotype=transcript.biotype,
        exons=len(transcript.exons),
        base=middle + 4,
        short=short,
        introns=_line(gene, transcript, middle),
        pieces=Markup("").join(_boxes(gene, transcript, middle)),
        direction=_arrow(gene, transcript, middle),
    )


def _line(gene: Gene, transcript: Transcript, middle: int) -> Markup:
    start = min(piece.start for piece in transcript.exons)
    end = max(piece.end for piece in transcript.exons)
    return Markup('<line class="intron" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
        _x(gene, start), _x(gene, end), middle, middle
    )


def _boxes(gene: Gene, transcript: Transcript, middle: int) -> Iterator[Markup]:
    for kind, pieces, height in (("exon", transcript.exons, 7), ("cds", transcript.cds, 13)):
        for piece in pieces:
            yield _box(gene, piece, kind, middle, height)


def _box(gene: Gene, piece: Segment, kind: str, middle: int, height: int) -> Markup:
    left = _x(gene, piece.start)
    return Markup(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{} {}-{}</title></rect>'
    ).format(
        kind,
        left,
        middle - height / 2,
        max(1.0, round(_x(gene, piece.end) - left, 1)),
        height,
        "CDS" if kind == "cds" else "exon",
        piece.start + 1,
        piece.end,
    )


def _arrow(gene: Gene, transcript: Transcript, middle: int) -> Markup:
    """Return an arrow head beyond the 3' end: direction must not hang on colour."""
    strand = transcript.exons[0].strand
    if strand not in ("+", "-"):
        return Markup("")
    ahead = 1 if strand == "+" else -1
    edges = [edge for piece in transcript.exons for edge in (piece.start, piece.end)]
    tip = _x(gene, max(edges) if ahead > 0 else min(edges)) + 7 * ahead
    points = f"{tip - 6 * ahead},{middle - 4} {tip},{middle} {tip - 6 * ahead},{middle + 4}"
    return Markup('<polyline class="direction" points="{}"/>').format(points)


def _axis(gene: Gene, base: int) -> Markup:
    return Markup(
        '<text x="{left}" y="{base}">{start}</text>'
        '<text x="{right}" y="{base}" text-anchor="end">{end}</text>'
    ).format(
        left=LABEL_WIDTH,
        right=WIDTH - 8,
        base=base,
        start=f"{gene.start + 1:,}",
        end=f"{gene.end:,}",
    )
