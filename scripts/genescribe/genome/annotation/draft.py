"""The gene models of one file while it is being read, before they become records.

Readers of either dialect fill a ``Draft``; ``gene_models`` turns it into ``Gene`` records. Pieces
are kept under the id of their parent, because children may come before their parents.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from genescribe.errors import AnnotationError
from genescribe.genome.biotypes import Attributes, Level, first_value, stated_biotype
from genescribe.records import Segment

log = logging.getLogger(__name__)

NAME_KEYS = ("gene_name", "gene", "gene_symbol", "symbol", "Name")

Row = tuple[int, str, str, int, int, str, int, str]
"""One feature: line number, seqid, type, start, end, strand, phase, column 9."""


class PieceCache(dict[tuple[int, int, str, int], Segment]):
    """Pieces by value: isoforms share most exons, so that memory halves."""

    def __missing__(self, values: tuple[int, int, str, int]) -> Segment:
        if len(self) > 1 << 12:  # isoforms stand close to each other
            self.clear()
        piece = self[values] = Segment._make(values)
        return piece


class Warnings:
    """What was repaired or passed over, to be logged once per kind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: dict[str, tuple[int, int]] = {}  # what -> (count, first line)

    def add(self, what: str, line: int) -> None:
        """Count one more ``what``, found at ``line``."""
        count, first = self._seen.get(what, (0, line))
        self._seen[what] = (count + 1, min(first, line))

    def log(self) -> None:
        """Log one warning per kind, with its first line and count."""
        for what, (count, line) in self._seen.items():
            times = "once" if count == 1 else f"{count} times"
            log.warning("%s:%d: %s (%s)", self.path, line, what, times)


@dataclass(slots=True, eq=False)
class DraftTranscript:
    """Pieces that share a parent; ``defined`` once a line of its own has been read.

    ``attributes`` is column 9 of the first line, kept where no line defines the transcript.
    ``lines`` are the lines that carry attributes should it turn out to be a gene of its own.
    """

    transcript_id: str
    seqid: str
    line: int
    strand: str
    attributes: str
    defined: bool = False
    has_parent: bool = True
    type: str = ""
    start: int = -1
    end: int = -1
    parents: tuple[str, ...] = ()
    stated_biotype: str = ""
    product: str | None = None
    lines: list[int] = field(default_factory=list)
    exons: list[Segment] = field(default_factory=list)
    cds: list[Segment] = field(default_factory=list)
    cds_ids: list[str] = field(default_factory=list)
    utrs: list[Segment] | None = None
    stops: list[Segment] | None = None
    co_parents: set[str] | None = None

    def pieces(self) -> Iterator[Segment]:
        """Yield every piece, of whatever kind."""
        for kind in (self.exons, self.cds, self.utrs or (), self.stops or ()):
            yield from kind

    def define(self, draft: Draft, row: Row) -> None:
        """Take over the line of the transcript itself; further lines of it widen it."""
        number, _, kind, start, end, strand, _, attributes = row
        if self.defined:
            draft.warnings.add("transcript lines share an ID, read as one transcript", number)
            self.start, self.end = min(self.start, start), max(self.end, end)
            self.strand = self.strand if self.strand == strand else "."
            self.lines.append(number)
            return
        self.defined, self.type, self.line, self.lines = True, kind, number, [number]
        self.start, self.end, self.strand, self.attributes = start, end, strand, attributes

    def add_other_piece(self, level: Level, piece: Segment) -> None:
        """Add a UTR (of use only where there are no exons) or a piece of a stop codon."""
        if level is Level.STOP_CODON:
            self.stops = [*(self.stops or ()), piece]
        elif not self.exons:
            self.utrs = [*(self.utrs or ()), piece]

    def span(self) -> tuple[int, int]:
        """Return start and end over its own line and all pieces."""
        starts = [piece.start for piece in self.pieces()]
        ends = [piece.end for piece in self.pieces()]
        if self.defined:
            starts.append(self.start)
            ends.append(self.end)
        return min(starts), max(ends)


@dataclass(slots=True, eq=False)
class DraftGene:
    """A gene: its lines (none where the file has no gene line) and its transcripts."""

    gene_id: str
    seqid: str
    strand: str
    type: str
    parts: list[Segment]
    lines: list[int]
    parents: tuple[str, ...] = ()
    stated_biotype: str = ""
    name: str = ""
    product: str = ""
    description: str = ""
    locus_tag: str = ""
    spliced_in_trans: bool = False
    transcripts: list[DraftTranscript] = field(default_factory=list)

    def describe(self, pairs: Attributes) -> None:
        """Take name, biotype and product from the attributes of a gene line."""
        self.stated_biotype = stated_biotype(self.type, pairs)
        self.name = first_value(pairs, NAME_KEYS)
        self.product = ",".join(pairs.get("product", ()))
        self.description = ",".join(pairs.get("description", ()))
        self.locus_tag = first_value(pairs, ("locus_tag",))
        self.spliced_in_trans = "part" in pairs or "trans-splicing" in pairs.get("exception", ())

    @property
    def start(self) -> int:
        """Leftmost position of its parts."""
        return min(part.start for part in self.parts)

    @property
    def end(self) -> int:
        """Rightmost position of its parts."""
        return max(part.end for part in self.parts)


@dataclass(slots=True, eq=False)
class DraftOther:
    """A feature that is no part of a gene model but may stand between gene and parts."""

    line: int
    parents: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Draft:
    """All that was read from one file. ``circular`` maps seqids to the end of their region."""

    path: Path
    warnings: Warnings
    genes: dict[str, DraftGene] = field(default_factory=dict)
    transcripts: dict[tuple[str, str], DraftTranscript] = field(default_factory=dict)
    others: dict[str, DraftOther] = field(default_factory=dict)
    circular: dict[str, int] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)

    def error(self, line: int, message: str) -> AnnotationError:
        """Return the error to raise about a line of this file."""
        return AnnotationError(self.path, line, message)

    def add_gene(self, gene: DraftGene) -> None:
        """Add a gene line; further lines of one id are parts of one gene, or refused.

        GFF3 lets one feature stand on several lines under one id, and a careless merge of two
        files gives the same picture. They are one gene only where the file says so: every line
        is marked as trans-spliced (``exception=trans-splicing``, or ``part=`` as NCBI writes),
        or they meet at the origin of a circular sequence. GENCODE keeps the two copies of
        pseudoautosomal genes apart by ``_PAR_Y`` in the id; copies that share it are refused.
        """
        known = self.genes.setdefault(gene.gene_id, gene)
        if known is gene:
            return
        line, first = gene.lines[0], known.lines[0]
        if known.seqid != gene.seqid:
            raise self.error(
                line,
                f'gene "{gene.gene_id}" is on {gene.seqid} but line {first} has it on '
                f"{known.seqid}; give each copy its own id",
            )
        marked = known.spliced_in_trans and gene.spliced_in_trans
        if not marked and not self._meet_at_origin(known, gene):
            raise self.error(
                line,
                f'gene id "{gene.gene_id}" is used again (first on line {first}); give each gene '
                "its own id, or mark the parts of a trans-spliced gene with part=",
            )
        known.parts += gene.parts
        known.lines += gene.lines

    def _meet_at_origin(self, one: DraftGene, other: DraftGene) -> bool:
        length = self.circular.get(one.seqid)
        ends = {one.end, other.end}
        return length in ends and 0 in {one.start, other.start} and one.strand == other.strand
