"""Finding again, gene by gene, the lines of a GTF from which the gene models were read.

Only the places of the lines are kept in memory: a human annotation has three million of them.
"""

from __future__ import annotations

import os
import re
from array import array
from collections.abc import Collection, Sequence
from typing import BinaryIO, NamedTuple

from genescribe.files import decode_line
from genescribe.genome.annotation.gtf import bare_id, gtf_ids
from genescribe.genome.biotypes import Level, Levels
from genescribe.genome.decoration.column9 import remove
from genescribe.genome.gff import BOM, COLUMNS, parse_gtf_attributes, starts_fasta
from genescribe.records import Gene, Segment

_LEVELS = Levels()
_PIECE = re.compile(r'(?:[^;"]|"[^"]*"?)+')


class GtfRow(NamedTuple):
    """What a GTF line says besides the place of its feature; ``pieces`` are its attributes."""

    source: str
    type: str
    score: str
    pieces: Sequence[str]

    def attributes(self, known: Collection[str] = ()) -> dict[str, list[str]]:
        """Return the attributes but for the pieces that are ``known`` already."""
        return parse_gtf_attributes("; ".join([one for one in self.pieces if one not in known]))


NO_ROW = GtfRow(".", "", ".", ())


class GeneRows:
    """The rows of one gene. What has no line of its own gets what its first line tells of it."""

    def __init__(self, gene: Gene, lines: Sequence[str]) -> None:
        self._gene: GtfRow | None = None
        self._transcripts: dict[str, GtfRow] = {}
        self._pieces: dict[tuple[str, Level, str, int], GtfRow] = {}
        self._first: dict[str, GtfRow] = {}
        nameless = gene.gene_id  # where lines without transcript_id belong
        if len(gene.transcripts) == 1:
            nameless = gene.transcripts[0].transcript_id
        for line in lines:
            self._add(remove(line).rstrip().split("\t"), nameless)

    def _add(self, columns: list[str], nameless: str) -> None:
        source, kind, start, end, score = columns[1:6]
        level = _LEVELS[kind]
        gene_id, transcript_id = gtf_ids(columns[-1])
        pieces = _split(columns[-1])
        if not gene_id and not transcript_id:
            transcript_id = bare_id(columns[-1])
            pieces = [f'{level.value}_id "{transcript_id}"']
        row = GtfRow(source, kind, score, pieces)
        if level is Level.GENE:
            self._gene = self._gene or row
            return
        transcript_id = transcript_id or nameless
        self._first.setdefault(transcript_id, row)
        if level is Level.TRANSCRIPT:
            self._transcripts.setdefault(transcript_id, row)
        else:
            self._pieces.setdefault((transcript_id, level, "start", int(start) - 1), row)
            self._pieces.setdefault((transcript_id, level, "end", int(end)), row)

    def gene(self) -> GtfRow:
        """Return the row of the gene."""
        return self._gene or _told_of("gene", next(iter(self._first.values()), NO_ROW))

    def transcript(self, transcript_id: str) -> GtfRow:
        """Return the row of a transcript."""
        row = self._transcripts.get(transcript_id)
        return row or _told_of("transcript", self._first.get(transcript_id, NO_ROW))

    def piece(self, transcript_id: str, level: Level, place: Segment) -> GtfRow:
        """Return the row of an exon or CDS piece; a stop codon may have moved one of its ends."""
        row = self._pieces.get((transcript_id, level, "start", place.start))
        row = row or self._pieces.get((transcript_id, level, "end", place.end))
        return row or NO_ROW._replace(source=self._first.get(transcript_id, NO_ROW).source)


class GtfLines:
    """Where the lines of each gene are in an open, plain GTF file, decorated or not.

    ``comments`` are the lines before the first feature.
    """

    def __init__(self, handle: BinaryIO, genes: Sequence[Gene]) -> None:
        self.comments: list[str] = []
        self._handle = handle
        self._genes = genes
        self._extents = [array("q") for _ in genes]  # offsets in bytes: begin, end, begin, ...
        self._scan()

    def rows(self, position: int) -> GeneRows:
        """Return the rows of the gene at ``position`` in the list of genes."""
        extents = self._extents[position]
        raw = b"".join(
            os.pread(self._handle.fileno(), end - begin, begin)
            for begin, end in zip(extents[::2], extents[1::2], strict=True)
        )
        lines = decode_line(raw).split("\n")
        return GeneRows(self._genes[position], [line for line in lines if line])

    def _scan(self) -> None:
        positions = {t.transcript_id: n for n, g in enumerate(self._genes) for t in g.transcripts}
        positions.update((gene.gene_id, n) for n, gene in enumerate(self._genes))
        begin = end = 0
        features = False
        for raw in self._handle:
            begin, end = end, end + len(raw)
            line = decode_line(raw)
            if starts_fasta(line):
                break
            columns = line.rstrip().split("\t")
            if len(columns) < COLUMNS or line[0] == "#":
                if not features:
                    self.comments.append(line.removeprefix(BOM).rstrip())
                continue
            features = True
            if _LEVELS[columns[2]] is Level.OTHER:
                continue
            gene_id, transcript_id = gtf_ids(columns[-1])
            position = positions.get(gene_id or transcript_id or bare_id(columns[-1]))
            if position is None:  # TSEBRA renames the genes of transcripts but not their lines
                position = positions.get(transcript_id)
            if position is not None:
                _extend(self._extents[position], begin, end)


def _told_of(level: str, row: GtfRow) -> GtfRow:
    """Return what a line says of the gene or transcript it belongs to (``gene_name``, say)."""
    return GtfRow(row.source, "", ".", [one for one in row.pieces if one.startswith(level)])


def _extend(extents: array[int], begin: int, end: int) -> None:
    if extents and extents[-1] == begin:
        extents[-1] = end
    else:
        extents.extend((begin, end))


def _split(column: str) -> list[str]:
    """Return the attributes of a column 9, as they stand there."""
    all_quoted = column.count(";") == column.count('";')
    if all_quoted and column.count(";") == column.count("; ") + 1:
        return column[:-1].split("; ")  # the usual layout, fast
    pieces = column.split(";")
    if not all_quoted and any(piece.count('"') % 2 for piece in pieces):
        pieces = _PIECE.findall(column)  # a value contains a semicolon
    return [stripped for piece in pieces if (stripped := piece.strip())]
