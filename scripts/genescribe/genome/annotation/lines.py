"""From the lines of a file to its features, fast, and the rest of what a file tells.

The hot loop of reading: three million lines of a human annotation pass through ``features``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from genescribe.errors import AnnotationError
from genescribe.genome.annotation.draft import Oddities, Row
from genescribe.genome.gff import (
    BOM,
    COLUMNS,
    PHASES,
    STRANDS,
    parse_feature,
    starts_fasta,
    text_lines,
)

_VERSION = re.compile(r"##gff-version\s+(\d)")
_GFF3_PAIR = re.compile(r'[^\s;="]+\s*=')
_GTF_PAIR = re.compile(r'[^\s;="]+\s+"')


@dataclass
class FileFacts:
    """What is known of a file after its lines were read."""

    has_fasta: bool = False
    line_ending: bytes = b"\n"


def features(handle: BinaryIO, path: Path, facts: FileFacts, oddities: Oddities) -> Iterator[Row]:
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
            oddities.note("surplus or missing empty columns", number)
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
            oddities.note("strand 1 or -1 read as + or -", number)
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
