"""Small charts as inline SVG, each with the numbers that it shows.

Colours are classes that the report's style sheet defines for light and dark; nothing is
conveyed by colour alone, since every chart carries its table.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree as ET

from genescribe.pages.svg import (
    AXIS_HEIGHT,
    LEFT,
    PLOT_HEIGHT,
    WIDTH,
    Chart,
    canvas,
    nice_step,
    number,
    rectangle,
    shorten,
    source,
    write,
)
from genescribe.records import Status

BAR, GAP = 14, 8
LABEL_WIDTH, COUNT_WIDTH = 118, 52
BINS = 24
TAIL = 0.005  # the share at either end that may fall outside the axis of a histogram


def bars(name: str, kind: str, groups: Mapping[str, Mapping[Status, int]]) -> Chart:
    """Draw one horizontal bar per group, stacked by status, in the order given.

    ``kind`` says in one word what the groups are.
    """
    title = f"Genes by {kind}"
    totals = {label: sum(counts.values()) for label, counts in groups.items()}
    widest = max(totals.values(), default=0)
    svg = canvas(name, title, len(groups) * (BAR + GAP), f"{len(groups)} bars, genes by status")
    scale = (WIDTH - LABEL_WIDTH - COUNT_WIDTH) / max(widest, 1)
    for index, (label, counts) in enumerate(groups.items()):
        y = index * (BAR + GAP) + GAP / 2
        write(svg, LABEL_WIDTH - 8, y + BAR - 3, shorten(label), "end", full=label)
        x = float(LABEL_WIDTH)
        for status in Status:
            width = counts.get(status, 0) * scale
            if width:
                what = f"{label}: {counts[status]:,} {status}"
                rectangle(svg, f"fill-{status}", (x, y, width, BAR), what)
            x += width
        write(svg, x + 6, y + BAR - 3, f"{totals[label]:,}", "start")
    heads, rows = _table(kind.capitalize(), groups)
    return Chart(name, title, source(svg) if groups else "", heads, rows)


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
    svg = _draw_histogram(name, title, edges, counts, labels)
    heads, rows = _table(title, dict(zip(labels, counts, strict=True)))
    return Chart(name, title, source(svg), heads, rows)


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


def _draw_histogram(
    name: str,
    title: str,
    edges: Sequence[float],
    counts: Sequence[Counter[Status]],
    labels: Sequence[str],
) -> ET.Element:
    tallest = max(count.total() for count in counts)
    svg = canvas(
        name,
        title,
        PLOT_HEIGHT + AXIS_HEIGHT + 14,
        f"Histogram of {labels[0]} and so on to {labels[-1]}; at most {tallest:,} genes in a bin",
    )
    step = nice_step(tallest / 5)
    top = max(tallest, 1)
    for tick in range(0, tallest + 1, max(round(step), 1)):
        y = 8 + PLOT_HEIGHT * (1 - tick / top)
        ET.SubElement(svg, "path", {"class": "grid", "d": f"M{LEFT} {y:.1f}H{WIDTH}"})
        write(svg, LEFT - 6, y + 4, f"{tick:,}", "end")
    width = (WIDTH - LEFT) / len(counts)
    for index, (count, label) in enumerate(zip(counts, labels, strict=True)):
        y = 8.0 + PLOT_HEIGHT
        for status in Status:
            height = PLOT_HEIGHT * count[status] / top
            if height:
                y -= height
                what = f"{label}: {count[status]:,} {status}"
                rectangle(
                    svg, f"fill-{status}", (LEFT + index * width + 0.5, y, width - 1, height), what
                )
    every = nice_step((edges[-1] - edges[0]) / 6)
    tick_value = math.ceil(edges[0] / every - 1e-9) * every
    while tick_value <= edges[-1] + every * 1e-9:
        x = LEFT + (tick_value - edges[0]) / (edges[-1] - edges[0]) * (WIDTH - LEFT)
        anchor = "end" if x > WIDTH - 10 else "middle"
        write(svg, x, PLOT_HEIGHT + AXIS_HEIGHT + 2, number(tick_value, every), anchor)
        tick_value += every
    return svg


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
