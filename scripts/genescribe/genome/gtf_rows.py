"""Finding again, gene by gene, the lines of a GTF from which the gene models were read.

Only the places of the lines are kept in memory: a human annotation has three million of them.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Mapping, Sequence
from typing import BinaryIO, NamedTuple

from genescribe.genome.biotypes import Level, Levels
from genescribe.genome.column9 import remove
from genescribe.genome.genes_gtf import gtf_ids
from genescribe.genome.gff import BOM, COLUMNS, decode_line, parse_gtf_attributes, starts_fasta
from genescribe.records import Gene, Segment

_LEVELS = Levels()


class GtfRow(NamedTuple):
    """What a GTF line says besides the place of its feature."""

    source: str
    type: str
    score: str
    attributes: Mapping[str, Sequence[str]]


NO_ROW = GtfRow(".", "", ".", {})


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
        column = columns[COLUMNS - 1]
        level = _LEVELS[kind]
        attributes = parse_gtf_attributes(column)
        if not any(attributes.values()):  # a bare id
            attributes = {f"{level.value}_id": [_ids(column)[0]]}
        row = GtfRow(source, kind, score, attributes)
        if level is Level.GENE:
            self._gene = self._gene or row
            return
        transcript_id = _ids(column)[1] or nameless
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
            gene_id, transcript_id = _ids(columns[COLUMNS - 1])
            position = positions.get(gene_id, positions.get(transcript_id))
            if position is not None:
                _extend(self._extents[position], begin, end)


def _told_of(level: str, row: GtfRow) -> GtfRow:
    """Return what a line says of the gene or transcript it belongs to (``gene_name``, say)."""
    attributes = {key: value for key, value in row.attributes.items() if key.startswith(level)}
    return GtfRow(row.source, "", ".", attributes)


def _extend(extents: array[int], begin: int, end: int) -> None:
    if extents and extents[-1] == begin:
        extents[-1] = end
    else:
        extents.extend((begin, end))


def _ids(column: str) -> tuple[str, str]:
    """Return (gene_id, transcript_id); a column 9 of one bare value may be either."""
    ids = gtf_ids(column)
    bare = column.partition(";")[0].strip(' "')
    return ids if any(ids) else (bare, bare)
