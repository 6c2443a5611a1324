"""The table that says on which side of a split every sequence of a corpus is."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from genescribe.errors import FormatError, Remedy
from genescribe.files import atomic_path, check_readable


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


_COLUMNS = [field.name for field in fields(SplitRow)]


def write_splits(path: Path, rows: Iterable[SplitRow]) -> None:
    """Write ``splits.tsv``; an unknown organism is an empty cell."""
    write_table(path, _COLUMNS, ([getattr(row, name) for name in _COLUMNS] for row in rows))


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write tab-separated values under a header, in one go."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out, delimiter="\t", lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def read_splits(path: Path) -> dict[str, SplitRow]:
    """Return the rows by the sha256 of their sequence; FormatError names the line that is wrong."""
    check_readable(path)
    rows: dict[str, SplitRow] = {}
    with path.open(encoding="utf-8", newline="") as handle:
        table = csv.DictReader(handle, delimiter="\t")
        if table.fieldnames != _COLUMNS:
            raise FormatError(path, 1, f"columns are not {', '.join(_COLUMNS)}; see docs/corpus.md")
        for values in table:
            try:
                row = SplitRow(
                    values["sha256"],
                    values["gene_id"],
                    values["source"],
                    values["organism"] or None,
                    int(values["family"]),
                    int(values["near_copy"]),
                    Side(values["side"]),
                )
            except (TypeError, ValueError) as error:
                problem = f"not a row of a split ({error})"
                raise FormatError(path, table.line_num, problem, Remedy.SPLIT_CORPUS) from error
            rows[row.sha256] = row
    if not rows:
        raise FormatError(path, None, "has no row", Remedy.SPLIT_CORPUS)
    return rows
