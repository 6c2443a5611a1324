"""Adding genescribe's attributes to one feature line, and taking them out again.

What is added stands before the ``;`` and white space that end the line:

    ID=g1;Note=old;   ->   ID=g1;Note=old,TEXT;genescribe_status=described;...;
    gene_id "g1";     ->   gene_id "g1"; note "TEXT"; genescribe_status "described"; ...;

``remove`` needs nothing but the line, because each case leaves a trace of its own. In GFF3 a
TEXT that follows an existing value has a bare comma before it, and a TEXT on its own has none
(its commas are encoded). A text was written if the status is ``described`` or
``genescribe_attribute`` names where; without that key it is in ``Note`` (GTF: ``note``). A
column 9 of ``.`` is replaced; an empty or missing one becomes one or two separators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from genescribe.genome.gff import COLUMNS, encode_value
from genescribe.records import Status

STATUS_KEY = "genescribe_status"
ATTRIBUTE_KEY = "genescribe_attribute"
OWN_PREFIX = "genescribe_"
_TAIL = "; \t\r\n"
_MISSING = ["", ""]  # no column splits into these pieces: the tail takes a lone separator


class Addition(NamedTuple):
    """What one gene's lines get: ``text`` ("" for none) for ``attribute``, and our own keys.

    ``keys`` starts with ``genescribe_status``; all strings are on one line.
    """

    attribute: str
    text: str
    keys: Sequence[tuple[str, str]]


class UndecodableError(ValueError):
    """A decorated line was changed since, so that what was added cannot be told apart."""


@dataclass(frozen=True)
class Column9:
    """How one dialect writes attributes: ``key``, ``opening``, encoded value, ``closing``.

    ``default_attribute`` is where a text goes unless asked otherwise; ``lists`` tells whether
    further values of a key follow the first one after a comma.
    """

    separator: str
    opening: str
    closing: str
    encode: Callable[[str], str]
    default_attribute: str
    lists: bool

    def piece(self, key: str, value: str) -> str:
        """Return one attribute as it stands in the column."""
        return f"{key}{self.opening}{self.encode(value)}{self.closing}"

    def key(self, piece: str) -> str:
        """Return the key of a piece of the column, "" if it is not an attribute."""
        key, opening, _ = piece.partition(self.opening)
        return key.strip() if opening else ""

    def value(self, piece: str) -> str:
        """Return what stands between ``opening`` and ``closing``, still encoded."""
        return piece.partition(self.opening)[2].removesuffix(self.closing)

    def last(self, pieces: list[str], key: str) -> int | None:
        """Return the position of the last attribute ``key``, None if there is none."""
        for at in range(len(pieces) - 1, -1, -1):
            if self.key(pieces[at]) == key:
                return at
        return None


def gtf_value(text: str) -> str:
    """Return ``text`` without the two characters that end a GTF value; GTF has no escapes."""
    return text.replace('"', "'").replace(";", ",")


GFF3 = Column9(";", "=", "", encode_value, "Note", lists=True)
GTF = Column9("; ", ' "', '"', gtf_value, "note", lists=False)


def add(line: str, addition: Addition, dialect: Column9) -> str:
    """Return a feature line with ``addition`` in its column 9; all else, the ending too, stays."""
    head, pieces, tail = _take_apart(line, dialect)
    if addition.text:
        at = dialect.last(pieces, addition.attribute) if dialect.lists else None
        if at is None:
            pieces.append(dialect.piece(addition.attribute, addition.text))
        else:
            pieces[at] += f",{dialect.encode(addition.text)}"
    pieces += [dialect.piece(key, value) for key, value in addition.keys]
    return f"{head}\t{dialect.separator.join(pieces)}{tail}"


def remove(line: str) -> str:
    """Return the line that was decorated, byte for byte; other lines come back as they are.

    Attributes that others added behind ours stay. Raises UndecodableError where the text is
    gone and genescribe's keys are still there.
    """
    dialect = dialect_of_decoration(line)
    if dialect is None:
        return line
    head, pieces, tail = _take_apart(line, dialect)
    at = dialect.last(pieces, STATUS_KEY)
    own = [piece for piece in pieces[at:] if dialect.key(piece).startswith(OWN_PREFIX)]
    pieces = pieces[:at] + [piece for piece in pieces[at:] if piece not in own]
    values = {dialect.key(piece): dialect.value(piece) for piece in own}
    attribute = values.get(ATTRIBUTE_KEY, "")
    if not attribute and values[STATUS_KEY] == Status.DESCRIBED:
        attribute = dialect.default_attribute
    if attribute:
        _remove_text(pieces, attribute, dialect)
    if pieces == _MISSING:
        return head + tail
    return f"{head}\t{dialect.separator.join(pieces) if pieces else '.'}{tail}"


def dialect_of_decoration(line: str) -> Column9 | None:
    """Return the dialect in which a feature line was decorated, None if it was not."""
    if STATUS_KEY not in line:
        return None
    for dialect in (GFF3, GTF):
        if dialect.last(_take_apart(line, dialect)[1], STATUS_KEY) is not None:
            return dialect
    return None


def _remove_text(pieces: list[str], attribute: str, dialect: Column9) -> None:
    at = dialect.last(pieces, attribute)
    if at is None:
        raise UndecodableError(f"the text in {attribute!r} is gone but {STATUS_KEY!r} is there")
    before, comma, _ = pieces[at].rpartition(",") if dialect.lists else ("", "", "")
    if comma:
        pieces[at] = before
    else:
        del pieces[at]


def _take_apart(line: str, dialect: Column9) -> tuple[str, list[str], str]:
    """Cut a line into columns 1-8, the pieces of column 9, and the ``;`` and spaces at its end."""
    columns = line.split("\t", COLUMNS - 1)
    if len(columns) < COLUMNS:
        head = line.rstrip(_TAIL)
        return head, list(_MISSING), line[len(head) :]
    column = columns.pop()
    kept = column.rstrip(_TAIL)
    pieces = [] if kept == "." else kept.split(dialect.separator)
    return "\t".join(columns), pieces, column[len(kept) :]
