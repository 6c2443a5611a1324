"""The run record as tables for people; takes what is there, whatever is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

LABELS = {
    "genescribe_version": "genescribe version",
    "sha256": "SHA-256",
    "wall_seconds": "Wall time (s)",
    "peak_memory_mb": "Peak memory (MB)",
    "calibrated": "Score calibrated",
}


class Table(NamedTuple):
    """A caption, column heads and rows of text; the first cell of a row names it.

    There are no heads where every row is a name and its value.
    """

    caption: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def tables(run: Mapping[str, Any]) -> list[Table]:
    """Return one table for the plain facts of a run record and one for each nested part."""
    plain = {key: value for key, value in run.items() if _is_plain(value)}
    parts = [_facts("Run", plain)]
    for key, value in run.items():
        if _is_plain(value):
            continue
        if isinstance(value, Mapping) and not _all_mappings(value.values()):
            parts.append(_facts(_label(key), value))
        elif isinstance(value, Mapping):
            parts.append(_grid(_label(key), [{"name": name} | v for name, v in value.items()]))
        elif all("name" in record for record in value):  # several models: too wide for a grid
            parts += [_facts(f"{_label(key)} {record['name']}", record) for record in value]
        else:
            parts.append(_grid(_label(key), value))
    return [table for table in parts if table.rows]


def _facts(caption: str, facts: Mapping[str, Any]) -> Table:
    rows = [(_label(key), _value(value)) for key, value in _flatten(facts)]
    return Table(caption, (), rows)


def _flatten(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key} · ")
        else:
            yield prefix + key, value


def _grid(caption: str, records: Sequence[Mapping[str, Any]]) -> Table:
    keys = list(dict.fromkeys(key for record in records for key in record))
    rows = [tuple(_value(record.get(key)) for key in keys) for record in records if keys]
    return Table(caption, tuple(map(_label, keys)), rows)


def _is_plain(value: Any) -> bool:
    """Tell whether a value fits into one cell: a scalar, or a list of such."""
    if isinstance(value, Mapping):
        return False
    return not (isinstance(value, list) and value and _all_mappings(value))


def _all_mappings(values: Iterable[Any]) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def _label(key: str) -> str:
    text = LABELS.get(key, key.replace("_", " "))
    return text[:1].upper() + text[1:] if key not in LABELS else text


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
