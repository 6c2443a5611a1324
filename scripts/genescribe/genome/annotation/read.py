"""Read an annotation, GFF3 or GTF of any dialect, into one gene model.

``read_annotation`` is the door; the rules of reading stand where they are carried out:
levels and biotypes in ``biotypes``, features without a known gene in ``orphans``, several lines
under one gene id in ``draft``, the order of pieces and stop codons in ``gene_models``.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from genescribe.errors import AnnotationError
from genescribe.files import open_binary
from genescribe.genome.annotation.draft import Draft, Row, Warnings
from genescribe.genome.annotation.gene_models import build_genes
from genescribe.genome.annotation.gff3 import read_gff3
from genescribe.genome.annotation.gtf import read_gtf
from genescribe.genome.gff import (
    BOM,
    COLUMNS,
    PHASES,
    STRANDS,
    parse_feature,
    starts_fasta,
    text_lines,
)
from genescribe.records import Gene

log = logging.getLogger(__name__)

_SHOWN_TYPES = 10
_VERSION = re.compile(r"##gff-version\s+(\d)")
_GFF3_PAIR = re.compile(r'[^\s;="]+\s*=')
_GTF_PAIR = re.compile(r'[^\s;="]+\s+"')


@dataclass(frozen=True, slots=True)
class Annotation:
    """What an annotation file says.

    ``dialect`` is ``gff3`` or ``gtf`` (GFF1 and GFF2 count as GTF). ``genes`` stand in the order
    of their first lines. ``circular`` holds the seqids whose region is marked ``Is_circular``.
    ``has_fasta`` tells of a FASTA section behind the features.
    """

    path: Path
    dialect: str
    genes: list[Gene]
    circular: frozenset[str]
    has_fasta: bool
    line_ending: bytes

    def for_decoration(self) -> Annotation:
        """Return what decorating needs, much less than what extraction does."""
        if self.dialect == "gtf":  # which is written again as GFF3, transcripts and all
            return self
        return replace(self, genes=[replace(gene, transcripts=()) for gene in self.genes])


def read_annotation(path: str | Path) -> Annotation:
    """Read GFF3 or GTF, plain, gzip or bgzip.

    Raises AnnotationError, with file and line, for what is illegal or would have to be guessed,
    and for a file without genes; FormatError and InputError for files that cannot be opened or
    decompressed. Logs a warning for each kind of fault that was repaired.

    >>> import genescribe
    >>> annotation = genescribe.read_annotation("examples/example.gff3")
    >>> annotation.dialect, len(annotation.genes), annotation.genes[0].gene_id
    ('gff3', 53, 'exg_00010')
    """
    path = Path(path)
    with open_binary(path) as handle:
        dialect = sniff_dialect(handle)
    warnings, facts = Warnings(path), FileFacts()
    draft = Draft(path, warnings)
    with _collector_paused(), open_binary(path) as handle:
        rows = features(handle, path, facts, warnings)
        (read_gff3 if dialect == "gff3" else read_gtf)(rows, draft)
        genes = build_genes(draft)
    if not genes:
        raise AnnotationError(path, None, _no_genes(draft))
    if draft.ignored:
        log.info("%s: passed over features that are no genes: %s", path, _counts(draft))
    warnings.log()
    return Annotation(
        path, dialect, genes, frozenset(draft.circular), facts.has_fasta, facts.line_ending
    )


def sniff_dialect(handle: BinaryIO) -> str:
    """Return ``gff3`` or ``gtf``, by the first column 9 that is clearly one of them.

    Where none is, the version line decides. GFF2 and GFF1 read like GTF: a bare value in column
    9, as AUGUSTUS writes it too, is not allowed in GFF3.
    """
    version = ""
    for _, line in text_lines(handle):
        if starts_fasta(line):
            break
        if match := _VERSION.match(line.removeprefix(BOM)):
            version = match[1]
        columns = line.split("\t")
        if line.startswith("#") or len(columns) < COLUMNS:
            continue
        attributes = columns[8].strip()
        if _GFF3_PAIR.match(attributes):
            return "gff3"
        if _GTF_PAIR.match(attributes):
            return "gtf"
    return "gff3" if version == "3" else "gtf"


@dataclass
class FileFacts:
    """What is known of a file after its lines were read."""

    has_fasta: bool = False
    line_ending: bytes = b"\n"


def features(handle: BinaryIO, path: Path, facts: FileFacts, warnings: Warnings) -> Iterator[Row]:
    """Yield the features of a file up to its FASTA section; AnnotationError for bad lines."""
    strands, phases = STRANDS, PHASES
    seqid = ""
    for number, line in text_lines(handle):
        if number == 1:
            line = _first_line(line, path, facts)
        if line[0] in "#>":
            if starts_fasta(line):
                facts.has_fasta = True
                break
            continue
        columns = line.split("\t")
        if len(columns) != COLUMNS:
            if not line.strip():
                continue
            feature = parse_feature(line, number, path)
            warnings.add("surplus or missing empty columns", number)
            _, seqid, _, kind, start, end, _, strand, phase, attributes = feature
            yield number, seqid, kind, start, end, strand, phase, attributes
            continue
        try:
            start, end = int(columns[3]) - 1, int(columns[4])
            strand = strands[columns[6]]
            phase = phases[columns[7]]
        except (ValueError, KeyError):
            start = end = -1
        if start < 0 or end <= start:
            parse_feature(line, number, path)  # says what is wrong
        if columns[0] != seqid:
            seqid = parse_feature(line, number, path).seqid
        if strand != columns[6]:
            warnings.add("strand 1 or -1 read as + or -", number)
        yield number, seqid, columns[2], start, end, strand, phase, columns[8].strip()


def _first_line(line: str, path: Path, facts: FileFacts) -> str:
    line = line.removeprefix(BOM)
    if line.endswith("\r\n"):
        facts.line_ending = b"\r\n"
    if line.startswith(">"):
        raise AnnotationError(
            path, 1, "this is FASTA, not GFF3 or GTF; are genome and annotation swapped?"
        )
    if line.startswith("LOCUS "):
        raise AnnotationError(path, 1, "this is GenBank format; convert it to GFF3 first")
    if "\r" in line.rstrip("\r\n"):
        raise AnnotationError(
            path, 1, "lines end in a bare carriage return; convert them: tr '\\r' '\\n'"
        )
    if "\0" in line:
        raise AnnotationError(path, 1, "this is a binary file, not GFF3 or GTF text")
    return line


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector: it would walk the growing millions of pieces over and over."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _counts(draft: Draft) -> str:
    shown = [f"{kind} ({n})" for kind, n in draft.ignored.most_common(_SHOWN_TYPES)]
    more = len(draft.ignored) - len(shown)
    return ", ".join(shown) + (f" and {more} more types" if more > 0 else "")


def _no_genes(draft: Draft) -> str:
    if not draft.ignored:
        return "there are no features in this file; check that it is the right one"
    return f"there are no genes, transcripts or CDS in this file, only {_counts(draft)}"
