"""The charts of a report: how many genes of which status."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from genescribe.pages.charts import Bar, Chart, Part, Plot, bars, nice_step, number
from genescribe.records import Status

LABEL_WIDTH = 118
BINS = 24
TAIL = 0.005  # the share at either end that may fall outside the axis of a histogram


def by_group(name: str, kind: str, groups: Mapping[str, Mapping[Status, int]]) -> Chart:
    """Draw one horizontal bar per group, stacked by status, in the order given.

    ``kind`` says in one word what the groups are.
    """
    title = f"Genes by {kind}"
    rows = [
        Bar(label, _parts(label, counts), f"{sum(counts.values()):,}")
        for label, counts in groups.items()
    ]
    svg = bars(name, title, f"{len(groups)} bars, genes by status", rows, LABEL_WIDTH)
    return Chart(name, title, svg if groups else "", *_table(kind.capitalize(), groups))


def histogram(
    name: str,
    title: str,
    values: Iterable[tuple[Status, float]],
    span: tuple[float, float] | None = None,
) -> Chart:
    """Draw how many genes have which value, stacked by status.

    The axis covers ``span`` or, without one, nearly all values: the outermost bins also hold
    what lies beyond the axis, so one extreme gene does not flatten the rest. The table marks
    such bins with ≤ and ≥.
    """
    pairs = [(status, value) for status, value in values if math.isfinite(value)]
    if not pairs:
        return Chart(name, title, "", (), ())
    edges = _edges(*(span or _bulk([value for _, value in pairs])))
    counts = [Counter[Status]() for _ in edges[1:]]
    for status, value in pairs:
        index = math.floor((value - edges[0]) / (edges[1] - edges[0]) + 1e-9)
        counts[min(max(index, 0), len(counts) - 1)][status] += 1
    labels = _bin_labels(edges, min(v for _, v in pairs), max(v for _, v in pairs))
    tallest = max(count.total() for count in counts)
    what = f"Histogram of {labels[0]} and so on to {labels[-1]}; at most {tallest:,} genes in a bin"
    plot = Plot(name, title, what, span=(edges[0], edges[-1]), up=tallest, counts=True)
    for (left, right), count, label in zip(itertools.pairwise(edges), counts, labels, strict=True):
        plot.column(left, right, _parts(label, count))
    table = _table(title, dict(zip(labels, counts, strict=True)))
    return Chart(name, title, plot.source(), *table)


def _parts(label: str, counts: Mapping[Status, int]) -> list[Part]:
    present = [(status, counts[status]) for status in Status if counts.get(status)]
    return [Part(f"fill-{status}", n, f"{label}: {n:,} {status}") for status, n in present]


def _table(
    first: str, groups: Mapping[str, Mapping[Status, int]]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return heads and rows of the numbers; a status that no group has gets no column."""
    present = [status for status in Status if any(c.get(status) for c in groups.values())]
    heads = (first, *(status.value.capitalize() for status in present), "Genes")
    rows = tuple(
        (label, *(f"{c.get(status, 0):,}" for status in present), f"{sum(c.values()):,}")
        for label, c in groups.items()
    )
    return heads, rows


def _bulk(values: Sequence[float]) -> tuple[float, float]:
    """Return the range that holds all but the tails of the values."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return ordered[math.floor(TAIL * last)], ordered[math.ceil((1 - TAIL) * last)]


def _edges(low: float, high: float) -> list[float]:
    """Return evenly spaced round numbers from ``low`` or below to ``high`` or above."""
    step = nice_step((high - low) / BINS or abs(high) / BINS or 1.0)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [index * step for index in range(first, last + 1)]


def _bin_labels(edges: Sequence[float], low: float, high: float) -> list[str]:
    numbers = [number(edge, edges[1] - edges[0]) for edge in edges]
    labels = [f"{a} to {b}" for a, b in itertools.pairwise(numbers)]
    if low < edges[0]:
        labels[0] = f"≤ {numbers[1]}"
    if high > edges[-1]:
        labels[-1] = f"≥ {numbers[-2]}"
    return labels
