"""A GFF3 from the gene models of a GTF: gene > transcript > exon and CDS.

The structure comes from the gene models; source, score and other attributes come from the line
of the GTF that a feature was read from. Those lines are found again gene by gene; only their places
are kept in memory, because a human annotation has three million of them.
"""

from __future__ import annotations

import logging
import os
import re
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from genescribe.files import BUFFER_BYTES, decode_line, encode_line
from genescribe.genome.annotation.gtf import bare_id, gtf_ids
from genescribe.genome.biotypes import PSEUDOGENE, Attributes, Level, Levels
from genescribe.genome.decoration.column9 import GFF3, Addition, add, remove
from genescribe.genome.gff import BOM, COLUMNS, encode_value, parse_gtf_attributes, starts_fasta
from genescribe.records import Gene, Segment, Transcript

log = logging.getLogger(__name__)

_encoded = lru_cache(maxsize=1 << 12)(encode_value)  # ids and keys come again line after line

# GFF3 specification, "Column 9": keys in upper case are reserved; these three mean in a GTF what
# they mean in GFF3. ID and Parent are ours to set.
_FREE_UPPER_CASE = frozenset({"Name", "Note", "Alias"})
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_RNA_TERMS = frozenset({"tRNA", "rRNA", "snRNA", "snoRNA", "scaRNA", "miRNA", "ncRNA", "lnc_RNA"})
# Biotypes of Ensembl and GENCODE whose term in the Sequence Ontology is another word.
_OTHER_RNA_TERMS = {
    "lncRNA": "lnc_RNA",
    "lincRNA": "lnc_RNA",
    "Mt_tRNA": "tRNA",
    "Mt_rRNA": "rRNA",
}

_LEVELS = Levels()
_PIECE = re.compile(r'(?:[^;"]|"[^"]*"?)+')


def write_gff3(
    genes: Sequence[Gene], gtf: Path, additions: Mapping[str, Addition], out: Path
) -> None:
    """Write the genes of a plain ``gtf`` as GFF3, in its order, with ``additions`` by gene id.

    Attributes that repeat those of the parent are left out. Phases follow from the first CDS
    piece and the lengths: other frames occur in GTF but are illegal in GFF3. Each kind of change
    is logged once.
    """
    writer = _Writer(gene.gene_id for gene in genes)
    with gtf.open("rb", buffering=BUFFER_BYTES) as handle, out.open("wb", BUFFER_BYTES) as target:
        lines = GtfLines(handle, genes)
        target.write(b"##gff-version 3\n")
        for comment in lines.comments:
            target.write(encode_line(_as_comment(comment)))
        for position, gene in enumerate(genes):
            text = writer.gene(gene, lines.rows(position), additions[gene.gene_id])
            target.write(encode_line(text))
    for what, count in writer.changes.items():
        log.info("%s: for GFF3, %s (%d times)", gtf.name, what, count)


class _Writer:
    """Keeps what must not repeat between genes: the IDs; and counts what was changed."""

    def __init__(self, gene_ids: Iterable[str]) -> None:
        self.changes: Counter[str] = Counter()
        self._used = set(gene_ids)

    def gene(self, gene: Gene, rows: GeneRows, addition: Addition) -> str:
        """Return all lines of one gene; the gene's own lines carry ``addition``."""
        row = rows.gene()
        column = self._column9([("ID", gene.gene_id), ("Name", gene.name)], row.attributes())
        kind = row.type
        if kind.lower() in ("", "gene"):
            kind = PSEUDOGENE if PSEUDOGENE in gene.biotype else "gene"
        lines = [
            add(_line(gene.seqid, row, kind, part, column), addition, GFF3) for part in gene.parts
        ]
        for transcript in gene.transcripts:
            lines.extend(self._transcript(gene, transcript, rows, frozenset(row.pieces)))
        return "".join(lines)

    def _transcript(
        self, gene: Gene, transcript: Transcript, rows: GeneRows, known: frozenset[str]
    ) -> Iterator[str]:
        """Yield the lines of a transcript and its pieces; its gene has the attributes ``known``."""
        name = transcript.transcript_id
        row = rows.transcript(name)
        own_id = self._unique(name)
        attributes = row.attributes(known)
        names = attributes.get("transcript_name", [])[:1]
        fixed = [("ID", own_id), ("Parent", gene.gene_id), *(("Name", one) for one in names)]
        column = self._column9(fixed, attributes)
        kind = _transcript_type(transcript, row.type)
        for span in _spans(gene, transcript.exons):
            yield _line(gene.seqid, row, kind, span, column)
        known = known.union(row.pieces)
        for exon in transcript.exons:
            piece = rows.piece(name, Level.EXON, exon)
            column = self._column9([("Parent", own_id)], piece.attributes(known))
            yield _line(gene.seqid, piece, "exon", exon, column)
        cds_id = self._unique(f"{own_id}.CDS") if transcript.cds else ""
        for cds in self._in_phase(transcript.cds):
            piece = rows.piece(name, Level.CDS, cds)
            fixed = [("ID", cds_id), ("Parent", own_id)]
            column = self._column9(fixed, piece.attributes(known))
            yield _line(gene.seqid, piece, "CDS", cds, column)

    def _unique(self, wanted: str) -> str:
        """Return ``wanted``, or where another feature has that ID, ``wanted`` with a number."""
        feature_id, number = wanted, 0
        while feature_id in self._used:
            number += 1
            feature_id = f"{wanted}.{number}"
        if number:
            self.changes["IDs that another feature has already got a number"] += 1
        self._used.add(feature_id)
        return feature_id

    def _in_phase(self, cds: Sequence[Segment]) -> Iterator[Segment]:
        """Yield CDS pieces with the phases that their lengths give (GFF3, "phase")."""
        phase = max(cds[0].phase, 0) if cds else 0
        for piece in cds:
            if piece.phase not in (phase, -1):
                self.changes["frames that contradict the lengths of the CDS were corrected"] += 1
            yield piece._replace(phase=phase)
            phase = (phase - (piece.end - piece.start)) % 3

    def _column9(self, fixed: Sequence[tuple[str, str]], attributes: Attributes) -> str:
        """Return column 9: ``fixed``, then ``attributes`` under legal keys."""
        pieces = {key: [value] for key, value in fixed if value}
        taken = frozenset(pieces)
        for key, values in attributes.items():
            if key == "part":  # numbers the lines of one feature, which here share a column 9
                continue
            if values and (legal := self._legal_key(key)) not in taken:
                pieces.setdefault(legal, []).extend(values)
        return ";".join(f"{key}={','.join(map(_encoded, pieces[key]))}" for key in pieces)

    def _legal_key(self, key: str) -> str:
        if key[0].isupper() and key not in _FREE_UPPER_CASE:
            self.changes[f"attribute {key} was written as {key.lower()}"] += 1
            key = key.lower()
        return _encoded(key)


def _line(seqid: str, row: GtfRow, kind: str, place: Segment, column: str) -> str:
    score = row.score if _NUMBER.fullmatch(row.score) else "."
    phase = place.phase if place.phase >= 0 else "."
    return (
        f"{seqid}\t{row.source or '.'}\t{kind}\t{place.start + 1}\t{place.end}\t{score}\t"
        f"{place.strand}\t{phase}\t{column}\n"
    )


def _spans(gene: Gene, exons: Sequence[Segment]) -> list[Segment]:
    """Return what a transcript covers: one span for each strand and part of its gene."""
    groups: dict[tuple[str, int], list[Segment]] = {}
    for exon in exons:
        within = (n for n, part in enumerate(gene.parts) if part.start <= exon.start < part.end)
        groups.setdefault((exon.strand, next(within, 0)), []).append(exon)
    return [
        Segment(min(e.start for e in group), max(e.end for e in group), strand)
        for (strand, _), group in groups.items()
    ]


def _transcript_type(transcript: Transcript, stated: str) -> str:
    """Return the Sequence Ontology term of a transcript; GTF calls nearly all ``transcript``."""
    if stated.lower() not in ("", "transcript"):
        return stated
    if transcript.cds:
        return "mRNA"
    if PSEUDOGENE in transcript.biotype:
        return "pseudogenic_transcript"
    term = _OTHER_RNA_TERMS.get(transcript.biotype, transcript.biotype)
    return term if term in _RNA_TERMS else "transcript"


def _as_comment(line: str) -> str:
    """Return a header line of a GTF as a comment; its directives have no meaning in GFF3."""
    if not line or line.startswith("##gff-version"):
        return ""
    return f"# {line.lstrip('#').strip()}\n" if line.startswith("##") else f"{line}\n"


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
        return self._gene or _row_above("gene", next(iter(self._first.values()), NO_ROW))

    def transcript(self, transcript_id: str) -> GtfRow:
        """Return the row of a transcript."""
        row = self._transcripts.get(transcript_id)
        return row or _row_above("transcript", self._first.get(transcript_id, NO_ROW))

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


def _row_above(level: str, row: GtfRow) -> GtfRow:
    """Return what a line says of the gene or transcript above it (``gene_name``, say)."""
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
