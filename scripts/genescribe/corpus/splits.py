"""The table that says on which side of a split every sequence of a corpus is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from genescribe.artifacts.codec import Table
from genescribe.errors import FormatError, Remedy


class Side(StrEnum):
    """What a sequence is for; ``held_out`` are those of the organisms held out whole."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    HELD_OUT = "held_out"


@dataclass(frozen=True, slots=True)
class SplitRow:
    """One sequence; columns are the field names.

    ``family`` and ``near_copy`` are numbers shared by relatives, and by sequences that are
    nearly the same.
    """

    sha256: str
    gene_id: str
    source: str
    organism: str | None
    family: int
    near_copy: int
    side: Side


_SPLITS = Table(SplitRow, "splits.tsv", Remedy.SPLIT_CORPUS)


def write_splits(path: Path, rows: Sequence[SplitRow]) -> None:
    """Write ``splits.tsv``; an unknown organism is an empty cell."""
    _SPLITS.write(path, rows)


def read_splits(path: Path) -> dict[str, SplitRow]:
    """Return the rows by the sha256 of their sequence; FormatError names the line that is wrong."""
    rows = {row.sha256: row for row in _SPLITS.read(path)}
    if not rows:
        raise FormatError(path, None, "has no row", Remedy.SPLIT_CORPUS)
    return rows
