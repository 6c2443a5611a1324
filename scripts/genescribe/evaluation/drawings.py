"""The drawings of an evaluation: bars with intervals, reliability, precision against coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from genescribe.evaluation.figures import CurvePoint, ReliabilityBin
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
    source,
    write,
)

BAR, GAP = 14, 10
LABEL_WIDTH, VALUE_WIDTH = 178, 48
TOP = 8


class Bar(NamedTuple):
    """One figure to draw: ``kind`` is its colour, ``text`` how it is written."""

    label: str
    value: float
    interval: tuple[float, float]
    kind: str
    text: str


def bars(name: str, title: str, rows: Sequence[Bar]) -> Chart:
    """Draw one horizontal bar per row, with its interval as a line."""
    svg = canvas(name, title, len(rows) * (BAR + GAP), f"{len(rows)} bars with 95 % intervals")
    most = max((max(row.value, row.interval[1]) for row in rows), default=0.0) or 1.0
    scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / most
    for index, row in enumerate(rows):
        y = index * (BAR + GAP) + GAP / 2
        write(svg, LABEL_WIDTH - 8, y + BAR - 3, row.label, "end")
        place = (LABEL_WIDTH, y, max(row.value, 0.0) * scale, BAR)
        rectangle(svg, row.kind, place, f"{row.label}: {row.text}")
        low, high = (LABEL_WIDTH + max(bound, 0.0) * scale for bound in row.interval)
        _path(svg, "whisker", f"M{low:.1f} {y + BAR / 2:.1f}H{high:.1f}")
        write(svg, max(high, LABEL_WIDTH) + 6, y + BAR - 3, row.text, "start")
    cells = tuple((row.label, row.text, _range(row.interval)) for row in rows)
    return Chart(name, title, source(svg) if rows else "", ("", "value", "95 % interval"), cells)


def reliability(name: str, title: str, groups: Sequence[ReliabilityBin]) -> Chart:
    """Draw the share of right texts against the score, with the diagonal of a perfect score."""
    svg = canvas(
        name, title, _height(), f"{len(groups)} groups of genes; the diagonal is a perfect score"
    )
    most = max((max(g.score, g.interval[1]) for g in groups), default=1.0)
    axes = _Axes(svg, most, most, "score")
    _path(svg, "diagonal", f"M{axes.at(0, 0)}L{axes.at(most, most)}")
    for group in groups:
        low, high = group.interval
        what = f"score {group.score:.2f}: {group.correct:.0%} of {group.genes} right"
        axes.point(group.score, group.correct, (low, high), what)
    cells = tuple(
        (f"{g.score:.3f}", f"{g.correct:.1%}", _range(g.interval), f"{g.genes:,}") for g in groups
    )
    heads = ("mean score", "right", "95 % interval", "genes")
    return Chart(name, title, source(svg) if groups else "", heads, cells)


def coverage(
    name: str, title: str, rows: Sequence[CurvePoint], target: float | None = None
) -> Chart:
    """Draw precision against coverage as the score threshold rises; ``target`` as a line."""
    svg = canvas(name, title, _height(), f"Precision of {len(rows)} score thresholds")
    widest = max((row.coverage for row in rows), default=1.0)
    axes = _Axes(svg, widest, 1.0, "share of genes described")
    if target is not None:
        _path(svg, "diagonal", f"M{axes.at(0, target)}L{axes.at(widest, target)}")
    if rows:
        steps = "L".join(axes.at(row.coverage, row.precision) for row in rows)
        _path(svg, "line", f"M{steps}")
    for row in rows:
        low, high = row.interval
        what = f"score {row.threshold}: {row.precision:.0%} of {row.genes} right"
        axes.point(row.coverage, row.precision, (low, high), what)
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
    return Chart(name, title, source(svg) if rows else "", heads, cells)


class _Axes:
    """Two axes from 0 to their largest values, with ticks, and where points lie between them."""

    def __init__(self, svg: ET.Element, across: float, up: float, x: str) -> None:
        self.svg = svg
        step_x, step_y = nice_step(across / 5), nice_step(up / 5)
        self.across, self.up = _ceiling(across, step_x), _ceiling(up, step_y)
        for i in range(round(self.up / step_y) + 1):
            height = self._y(i * step_y)
            _path(svg, "grid", f"M{LEFT} {height:.1f}H{WIDTH}")
            write(svg, LEFT - 6, height + 4, number(i * step_y, step_y), "end")
        bottom = TOP + PLOT_HEIGHT + 16
        for i in range(round(self.across / step_x) + 1):
            anchor = "end" if i == round(self.across / step_x) else "middle"
            write(svg, self._x(i * step_x), bottom, number(i * step_x, step_x), anchor)
        write(svg, WIDTH, bottom + 16, x, "end")

    def at(self, x: float, y: float) -> str:
        """Return a place as SVG coordinates."""
        return f"{self._x(x):.1f} {self._y(y):.1f}"

    def point(self, x: float, y: float, interval: tuple[float, float], what: str) -> None:
        """Draw a point with the interval of its height; it says ``what`` it is."""
        low, high = interval
        _path(self.svg, "whisker", f"M{self.at(x, low)}V{self._y(high):.1f}")
        place = {"cx": f"{self._x(x):.1f}", "cy": f"{self._y(y):.1f}", "r": "3.5"}
        circle = ET.SubElement(self.svg, "circle", {"class": "fill-described", **place})
        ET.SubElement(circle, "title").text = what

    def _x(self, value: float) -> float:
        return LEFT + value / self.across * (WIDTH - LEFT)

    def _y(self, value: float) -> float:
        return TOP + PLOT_HEIGHT * (1 - value / self.up)


def _height() -> int:
    return TOP + PLOT_HEIGHT + AXIS_HEIGHT + 14


def _ceiling(value: float, step: float) -> float:
    return max(1, -(-value // step)) * step


def _path(svg: ET.Element, kind: str, course: str) -> None:
    ET.SubElement(svg, "path", {"class": kind, "d": course})


def _range(interval: Sequence[float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"
