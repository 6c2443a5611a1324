"""How records stand in files: a dataclass as a line of a table, or as a line of JSON.

Tables are UTF-8, tab-separated, with a header line and ``\\n`` line endings. In text cells a tab,
newline, carriage return or backslash is written ``\\t``, ``\\n``, ``\\r``, ``\\\\``; a text that
begins with ``=``, ``+``, ``-``, ``@`` or ``'`` gets a leading ``'``, so that no spreadsheet takes
it for a formula. Bytes that are not UTF-8 pass through as lone surrogates (PEP 383).
"""

from __future__ import annotations

import gzip
import io
import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from genescribe.errors import FormatError, Remedy
from genescribe.files import (
    ENCODING,
    ENCODING_ERRORS,
    atomic_path,
    decode_line,
    encode_line,
    open_binary,
)

Record = TypeVar("Record")

_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_UNESCAPES = {escaped: raw for raw, escaped in _ESCAPES.items()}
_TO_ESCAPE = re.compile(r"[\\\t\n\r]")
_ESCAPED = re.compile(r"\\[\\tnr]")
_FORMULA_STARTS = ("=", "+", "-", "@", "'")


# ---- cells -------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """Return ``text`` as one harmless table cell; ``unescape`` gives it back."""
    if "\\" in text or not text.isprintable():
        text = _TO_ESCAPE.sub(lambda match: _ESCAPES[match[0]], text)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def unescape(cell: str) -> str:
    """Undo ``escape``."""
    cell = cell[1:] if cell.startswith("'") else cell
    return _ESCAPED.sub(lambda match: _UNESCAPES[match[0]], cell) if "\\" in cell else cell


def cell(value: object) -> str:
    """Return any value as a cell: "" for None, yes or no for a bool, a text escaped."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(value) if isinstance(value, str) else str(value)


class Cell(NamedTuple):
    """How the values of a column are written, and how they are read (ValueError where not so)."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _read_whole(cell: str) -> int:
    if cell.isascii() and cell.isdecimal():  # int() takes "1_0", " 1" and digits of any script
        return int(cell)
    raise ValueError(f"{cell!r} is not a whole number")


def _read_finite(cell: str) -> float:
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError(f"{cell!r} is not a finite number")
    return value


class _Known(dict[str, str]):
    """The values that a text may have, by how they are written."""

    def __missing__(self, cell: str) -> str:
        raise ValueError(f"{cell!r} is not one of {', '.join(filter(None, self))}")


def one_of(values: Iterable[str]) -> Cell:
    """Return the cell of a text that is one of ``values``, written as it is."""
    return Cell(str, _Known((str(value), value) for value in values).__getitem__)


TEXT = Cell(escape, unescape)
AS_IS = Cell(str, str)
WHOLE = Cell(str, _read_whole)
START = Cell(lambda start: str(start + 1), lambda cell: _read_whole(cell) - 1)
"""A 0-based position, 1-based in the file."""
FOUR_DIGITS = Cell("{:.4f}".format, _read_finite)
"""A finite number with four digits after the point."""


YES_NO = Cell(cell, {"yes": True, "no": False}.__getitem__)


def or_empty(of: Cell) -> Cell:
    """Return the cell of a value that may be None, the empty cell."""
    return Cell(
        lambda value: "" if value is None else of.write(value),
        lambda cell: of.read(cell) if cell else None,
    )


def _cell_of(hint: Any) -> Cell:
    """Return the cell of a field by its type."""
    if isinstance(hint, UnionType):
        (only,) = set(get_args(hint)) - {NoneType}
        return or_empty(_cell_of(only))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return one_of(hint)
    return {str: TEXT, int: WHOLE, float: FOUR_DIGITS, bool: YES_NO}[hint]


# ---- tables ------------------------------------------------------------------------------------


def write_rows(path: Path, columns: Collection[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a header and the cells of each row, in one go, or leave ``path`` as it was."""
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding=ENCODING, errors=ENCODING_ERRORS, newline="") as out,
    ):
        out.write("\t".join(columns) + "\n")
        out.writelines("\t".join(row) + "\n" for row in rows)


class Table(Generic[Record]):
    """A kind of table: a dataclass a line, its field names the header.

    Cells follow from the types of the fields; ``special`` names those that differ. Every cell that
    cannot be what its field says is a FormatError with ``file:line`` and ``remedies``.
    """

    def __init__(self, kind: type[Record], name: str, *remedies: Remedy, **special: Cell) -> None:
        hints = get_type_hints(kind)
        self.cells = {
            field.name: special.get(field.name) or _cell_of(hints[field.name])
            for field in fields(kind)  # type: ignore[arg-type]
        }
        self._kind, self._name, self._remedies = kind, name, remedies
        self._readers = [cell.read for cell in self.cells.values()]

    def columns(self, rows: Sequence[Record]) -> dict[str, Iterator[str]]:
        """Return the cells of ``rows`` by column: whole columns are written fastest."""
        return {
            name: map(cell.write, map(attrgetter(name), rows)) for name, cell in self.cells.items()
        }

    def write(self, path: Path, rows: Sequence[Record]) -> None:
        """Write one line per record, or leave ``path`` as it was."""
        columns = self.columns(rows)
        write_rows(path, columns, zip(*columns.values(), strict=True))

    def read(self, path: Path) -> list[Record]:
        """Read what ``write`` wrote, plain or gzip."""
        with open_binary(path) as handle:
            if tuple(_cells(handle.readline())) != tuple(self.cells):
                what = f"not a {self._name} of this version; its columns are"
                raise FormatError(path, 1, f"{what} {', '.join(self.cells)}", *self._remedies)
            return [self._record(path, number, line) for number, line in enumerate(handle, 2)]

    def _record(self, path: Path, number: int, line: bytes) -> Record:
        try:
            cells = _cells(line)
            if len(cells) != len(self._readers):
                raise ValueError(f"has {len(cells)} columns, not {len(self._readers)}")
            return self._kind(
                *[read(cell) for read, cell in zip(self._readers, cells, strict=True)]
            )
        except ValueError as error:
            problem = f"not a row of {self._name} ({error})"
            raise FormatError(path, number, problem, *self._remedies) from error


def _cells(line: bytes) -> list[str]:
    return decode_line(line).rstrip("\r\n").split("\t")


# ---- lines of JSON -----------------------------------------------------------------------------

_to_json = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes a new one each time


def json_line(values: Mapping[str, Any]) -> str:
    """Return an object as one line of JSON, without its newline, in which UTF-8 stays readable.

    Bytes of an annotation that is not UTF-8 travel as lone surrogates (PEP 383), which only
    JSON's own escapes can hold.
    """
    line = _to_json(values)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(values)
    return line


class JsonLines(Generic[Record]):
    """A kind of JSON Lines file: a dataclass a line, keys its field names, types as its fields'.

    Numbers are finite; ``name`` and ``remedies`` are for errors.
    """

    def __init__(self, kind: type[Record], name: str, *remedies: Remedy) -> None:
        hints = get_type_hints(kind)
        self._kind, self._name, self._remedies = kind, name, remedies
        self._names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        self._checks = [(name, *_json_types(hints[name])) for name in self._names]

    def line(self, record: Record) -> str:
        """Return a record as one line, without its newline."""
        return json_line({name: getattr(record, name) for name in self._names})

    def parse(self, line: str | bytes) -> Record:
        """Undo ``line``; raises ValueError for what is no such record."""
        return self.record(json.loads(line))

    def record(self, values: Any) -> Record:
        """Return a JSON value as a record, each field checked; ValueError for what is none."""
        if not isinstance(values, dict) or values.keys() != set(self._names):
            raise ValueError(f"keys are not {', '.join(self._names)}")
        for name, types, members in self._checks:
            value = values[name]
            if type(value) not in types:
                wanted = " or ".join(_JSON_NAMES[kind] for kind in types)
                raise ValueError(f"{name} is {value!r:.40}, not {wanted}")
            if members is not None:
                values[name] = members[value]
            elif type(value) is float and not math.isfinite(value):
                raise ValueError(f"{name} is {value}, not a finite number")
            elif type(value) is str and not value.isascii():
                encode_line(value)  # UnicodeEncodeError, a ValueError, for half a character
        return self._kind(**values)

    def read(self, path: Path) -> Iterator[Record]:
        """Yield the records of a file, plain or gzip; FormatError names the line that is none."""
        with open_binary(path) as handle:
            for number, line in enumerate(handle, 1):
                try:
                    yield self.parse(line)
                except (ValueError, RecursionError) as error:
                    problem = f"not {self._name} ({error})"
                    raise FormatError(path, number, problem, *self._remedies) from error

    def write(self, path: Path, records: Iterable[Record]) -> None:
        """Write a file, gzip by its name, in one go; the same records give the same bytes."""
        with atomic_path(path) as temporary, temporary.open("wb") as raw:
            packed = gzip.GzipFile("", "wb", 6, raw, mtime=0) if path.suffix == ".gz" else raw
            with io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as out:
                out.writelines(self.line(record) + "\n" for record in records)


_JSON_NAMES = {
    str: "a text", int: "a whole number", float: "a number", bool: "true or false",
    NoneType: "null",
}  # fmt: skip


def _json_types(hint: Any) -> tuple[tuple[type, ...], _Known | None]:
    """Return the Python types of a field's JSON values, and its members where it is an enum."""
    if get_origin(hint) is not None or isinstance(hint, UnionType):
        return tuple(kind for part in get_args(hint) for kind in _json_types(part)[0]), None
    if issubclass(hint, StrEnum):
        return (str,), _Known((str(member), member) for member in hint)
    return ((float, int) if hint is float else (hint,)), None
