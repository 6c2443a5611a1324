"""The drawings of an evaluation: bars with intervals, reliability, precision against coverage."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genescribe.evaluation.figures import CurvePoint, ReliabilityBin
from genescribe.pages import charts
from genescribe.pages.charts import Bar, Chart, Part, Plot

LABEL_WIDTH = 178


def bar(
    label: str, value: float, text: str, interval: tuple[float, float], *, is_other: bool = False
) -> Bar:
    """Return one figure to draw, written as ``text``; those of others than the model are grey."""
    kind = "fill-skipped" if is_other else "fill-described"
    return Bar(label, [Part(kind, value, f"{label}: {text}")], text, interval)


def bars(name: str, title: str, rows: Sequence[Bar]) -> Chart:
    """Draw one horizontal bar per row, with its interval as a line."""
    svg = charts.bars(name, title, f"{len(rows)} bars with 95 % intervals", rows, LABEL_WIDTH)
    cells = tuple((row.label, row.text, _range(row.interval)) for row in rows)
    return Chart(name, title, svg if rows else "", ("", "value", "95 % interval"), cells)


def reliability(name: str, title: str, groups: Sequence[ReliabilityBin]) -> Chart:
    """Draw the share of right texts against the score, with the diagonal of a perfect score."""
    description = f"{len(groups)} groups of genes; the diagonal is a perfect score"
    most = max((max(g.score, g.interval[1]) for g in groups), default=1.0)
    plot = Plot(name, title, description, span=_from_zero(most), up=most, label="score")
    plot.line("diagonal", [(0.0, 0.0), (most, most)])
    for group in groups:
        what = f"score {group.score:.2f}: {group.correct:.0%} of {group.genes} right"
        plot.point(group.score, group.correct, group.interval, what)
    cells = tuple(
        (f"{g.score:.3f}", f"{g.correct:.1%}", _range(g.interval), f"{g.genes:,}") for g in groups
    )
    heads = ("mean score", "right", "95 % interval", "genes")
    return Chart(name, title, plot.source() if groups else "", heads, cells)


def coverage(
    name: str, title: str, rows: Sequence[CurvePoint], target: float | None = None
) -> Chart:
    """Draw precision against coverage as the score threshold rises; ``target`` as a line."""
    description = f"Precision of {len(rows)} score thresholds"
    widest = max((row.coverage for row in rows), default=1.0)
    label = "share of genes described"
    plot = Plot(name, title, description, span=_from_zero(widest), up=1.0, label=label)
    if target is not None:
        plot.line("diagonal", [(0.0, target), (widest, target)])
    plot.line("line", [(row.coverage, row.precision) for row in rows])
    for row in rows:
        what = f"score {row.threshold}: {row.precision:.0%} of {row.genes} right"
        plot.point(row.coverage, row.precision, row.interval, what)
    cells = tuple(
        (
            f"{row.threshold:.2f}",
            f"{row.coverage:.1%}",
            f"{row.precision:.1%}",
            _range(row.interval),
            f"{row.genes:,}",
        )
        for row in rows
    )
    heads = ("score at least", "genes described", "right among them", "95 % interval", "genes")
    return Chart(name, title, plot.source() if rows else "", heads, cells)


def _from_zero(most: float) -> tuple[float, float]:
    """Return the span of an axis from 0 to the first tick at or above ``most``."""
    step = charts.tick_step(most)
    return 0.0, max(1, math.ceil(most / step - 1e-9)) * step


def _range(interval: Sequence[float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"
