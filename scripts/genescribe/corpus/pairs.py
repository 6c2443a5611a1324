"""Pairs of sequence and text as JSON lines.

Each line is an object with ``id``, ``seq`` (sense strand) and ``desc``; ``biotype``, ``symbol``,
``product``, ``name``, ``note``, ``function``, ``ec`` and ``organism`` may be there. A ``desc``
beside a ``product`` is taken for a summary of all fields, and not used itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genescribe.corpus.entries import Entry, Field, Text, problem_of
from genescribe.corpus.views import choose_view
from genescribe.errors import FormatError
from genescribe.files import open_binary

_KEYS = {
    "product": Field.PRODUCT,
    "name": Field.NAME,
    "desc": Field.DESCRIPTION,
    "note": Field.NOTE,
    "function": Field.FUNCTION,
    "ec": Field.EC,
    "symbol": Field.SYMBOL,
}


def read_pairs(path: Path) -> Iterator[Entry]:
    """Yield the genes of a file of pairs, plain or gzip; FormatError for what is no pair."""
    with open_binary(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                yield _entry(row, f"{path.name}:{number}")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                problem = f"not a pair ({error!r}); it needs id, seq and desc"
                raise FormatError(path, number, problem) from error


def _entry(row: dict[str, Any], place: str) -> Entry:
    given, stated = row["seq"].upper(), row.get("biotype") or "gene"
    drop = problem_of(given, stated)
    view, sequence, biotype = choose_view(given, stated)
    if "desc" not in row and "product" not in row:
        raise KeyError("desc")
    texts = tuple(
        Text(field, row[key], f"{place} {key}")
        for key, field in _KEYS.items()
        if row.get(key) and not (key == "desc" and row.get("product"))
    )
    return Entry(row["id"], biotype, view, sequence, texts, drop=drop)
