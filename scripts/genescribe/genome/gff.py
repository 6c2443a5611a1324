"""GFF3 and GTF at the level of lines: columns, attributes, reserved characters.

Knows one line at a time and nothing of genes. Text is UTF-8; bytes that are not UTF-8 pass
through unchanged as surrogate escapes (PEP 383). Coordinates are 0-based half-open as soon as
they leave this module.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote

from genescribe.errors import AnnotationError
from genescribe.files import ENCODING, ENCODING_ERRORS

BOM = "\ufeff"
COLUMNS = 9
STRANDS = {"+": "+", "-": "-", ".": ".", "?": "?", "1": "+", "-1": "-"}  # 1, -1: IMG, BioPerl
PHASES = {"0": 0, "1": 1, "2": 2, ".": -1}

# GFF3 specification, "Column 9": the characters that must be written as %XX in values.
_RESERVED = re.compile(r"[\x00-\x1f\x7f%;=&,]")
# A pair ends at a semicolon; after a quoted value JGI's GFF1 leaves it out.
GTF_PAIR = re.compile(
    r"""\s*(?P<key>[^\s;"=]+)
        (?:\s+"(?P<quoted>[^"]*)"\s*;?
          |(?:\s+(?P<bare>[^\s;"][^;"]*))?\s*(?:;|$))""",
    re.VERBOSE,
)


class Feature(NamedTuple):
    """One feature line: ``start``/``end`` 0-based half-open, ``phase`` 0-2 or -1.

    ``attributes`` is column 9 as it stands in the file, without the white space around it.
    """

    line: int
    seqid: str
    source: str
    type: str
    start: int
    end: int
    score: str
    strand: str
    phase: int
    attributes: str


def starts_fasta(line: str) -> bool:
    """Tell whether a line ends the features: ``##FASTA``, or a bare FASTA header."""
    return line.startswith(">") or line.startswith("##FASTA")


def text_lines(handle: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield (1-based line number, text with its line ending) for all lines of a file.

    A byte order mark at the start stays part of the first line, so that the numbers and bytes
    are those of the file. The handle is closed afterwards.
    """
    with io.TextIOWrapper(handle, ENCODING, ENCODING_ERRORS, newline="\n") as lines:
        yield from enumerate(lines, start=1)


def parse_feature(line: str, number: int, path: Path) -> Feature:
    """Split one feature line into its columns, checked; AnnotationError says what is wrong.

    Surplus empty columns at the end of the line (MITOS writes them) are ignored.
    """
    columns = line.rstrip().split("\t")
    if len(columns) == COLUMNS - 1:
        columns.append("")  # rstrip took an empty column 9, or it was never written
    if len(columns) != COLUMNS:
        raise AnnotationError(path, number, _explain_columns(line, len(columns)))
    seqid, source, kind, start_text, end_text, score, strand, phase_text, attributes = columns
    start, end = _coordinates(start_text, end_text, number, path)
    if not seqid or seqid != seqid.strip():
        raise AnnotationError(
            path, number, f"sequence name {seqid!r} has white space around it; remove it"
        )
    if strand not in STRANDS:
        raise AnnotationError(
            path, number, f"strand {strand!r} is none of + - . ?; correct column 7"
        )
    if phase_text not in PHASES:
        raise AnnotationError(
            path, number, f"phase {phase_text!r} is none of 0 1 2 .; correct column 8"
        )
    return Feature(
        number,
        seqid,
        source,
        kind,
        start,
        end,
        score,
        STRANDS[strand],
        PHASES[phase_text],
        attributes.strip(),
    )


def _coordinates(start_text: str, end_text: str, number: int, path: Path) -> tuple[int, int]:
    try:
        start, end = int(start_text), int(end_text)
    except ValueError:
        raise AnnotationError(
            path,
            number,
            f"start {start_text!r} and end {end_text!r} are not both whole numbers; "
            "correct columns 4 and 5",
        ) from None
    if start < 1:
        raise AnnotationError(
            path, number, f"start {start} is below 1; GFF counts from 1, correct column 4"
        )
    if end < start:
        raise AnnotationError(
            path, number, f"end {end} is before start {start}; swap columns 4 and 5"
        )
    return start - 1, end


def _explain_columns(line: str, columns: int) -> str:
    if columns == 1 and len(line.split()) >= COLUMNS:
        return "columns are separated by spaces; GFF needs tabs between its 9 columns"
    return f"found {columns} tab-separated columns instead of 9; is this file GFF3 or GTF?"


def parse_gff3_attributes(column: str) -> dict[str, list[str]]:
    """Return key -> decoded values of a GFF3 column 9; repeated keys add up, in file order.

    Pieces without ``=`` become keys without values; a piece with an empty key is dropped.
    """
    attributes: dict[str, list[str]] = {}
    clean = unquoted if '"' in column else str.strip
    encoded = "%" in column
    for piece in column.split(";"):
        key, _, value = piece.partition("=")
        key = decode_value(key.strip())
        if not key or key == ".":
            continue
        values = attributes.setdefault(key, [])
        for text in value.split(",") if "," in value else (value,):
            if text := clean(text):
                values.append(decode_value(text) if encoded else text)
    return attributes


def parse_gtf_attributes(column: str) -> dict[str, list[str]]:
    """Return key -> values of a GTF column 9; repeated keys add up, in file order.

    Quoted values may contain ``;``, ``=`` and ``#``. A column that is one bare value
    (``g1.t1``, as AUGUSTUS and BRAKER write it) becomes a key without values.
    """
    attributes: dict[str, list[str]] = {}
    for pair in GTF_PAIR.finditer(column):
        quoted, bare = pair["quoted"], pair["bare"]
        values = attributes.setdefault(pair["key"], [])
        if quoted:
            values.append(quoted)
        elif bare and bare.strip():
            values.append(bare.strip())
    return attributes


def decode_value(text: str) -> str:
    """Undo percent-encoding; other characters, ``+`` too, stand for themselves."""
    return unquote(text, ENCODING, ENCODING_ERRORS) if "%" in text else text


def encode_value(text: str) -> str:
    """Percent-encode the characters that GFF3 reserves in column 9, and no others."""
    return _RESERVED.sub(lambda match: f"%{ord(match[0]):02X}", text)


def unquoted(text: str) -> str:
    """Return a value without white space and one pair of double quotes around it."""
    text = text.strip()
    if text[:1] == '"' == text[-1:] and len(text) > 1:
        return text[1:-1].strip()
    return text
