"""Charts as inline SVG, each with the numbers that it shows.

Nothing is conveyed by colour alone, since every chart carries its table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree import ElementTree as ET

from genescribe.pages.svg import add, drawing, shorten, source, write

WIDTH = 400  # user units, as all that follows
PLOT_HEIGHT, TOP, TICKS, LABEL, LEFT = 150, 8, 28, 8, 40
BAR, GAP, VALUE_WIDTH = 14, 8, 52
CHARACTER = 6.1  # of a label, on average


@dataclass(frozen=True)
class Chart:
    """A drawing and its numbers; ``svg`` is empty where there is nothing to draw."""

    name: str
    title: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Part(NamedTuple):
    """A piece of a bar: its class, its length, and what it is."""

    kind: str
    value: float
    what: str


class Bar(NamedTuple):
    """A bar of one or more parts, what is written at its ends, and the interval of its length."""

    label: str
    parts: Sequence[Part]
    text: str
    interval: tuple[float, float] = (0.0, 0.0)


def bars(name: str, title: str, description: str, rows: Sequence[Bar], label_width: int) -> str:
    """Draw horizontal bars from 0, one below the other, in the order given."""
    svg = _canvas(name, title, description, len(rows) * (BAR + GAP))
    ends = [max(sum(part.value for part in row.parts), row.interval[1], 0.0) for row in rows]
    scale = (WIDTH - label_width - VALUE_WIDTH) / (max(ends, default=0.0) or 1.0)
    for index, (row, end) in enumerate(zip(rows, ends, strict=True)):
        y = index * (BAR + GAP) + GAP / 2
        base = y + BAR - 3
        label = shorten(row.label, int((label_width - 8) / CHARACTER))
        write(svg, label_width - 8, base, label, "end", full=row.label)
        x = float(label_width)
        for part in row.parts:
            width = max(part.value, 0.0) * scale
            if width:
                add(svg, "rect", kind=part.kind, x=x, y=y, width=width, height=BAR, what=part.what)
            x += width
        if any(row.interval):
            low, high = (label_width + max(bound, 0.0) * scale for bound in row.interval)
            _path(svg, "whisker", f"M{low:.1f} {y + BAR / 2:.1f}H{high:.1f}")
        write(svg, label_width + end * scale + 6, base, row.text, "start")
    return source(svg)


class Plot:
    """A drawing between two axes with ticks; places are given in the units of the axes.

    The upper axis ends at the first tick at or above ``up``. Where ``counts`` are drawn, ticks
    are whole numbers.
    """

    def __init__(
        self,
        name: str,
        title: str,
        description: str,
        *,
        span: tuple[float, float],
        up: float,
        label: str = "",
        counts: bool = False,
    ) -> None:
        height = TOP + PLOT_HEIGHT + TICKS + (LABEL if label else 0)
        self.svg = _canvas(name, title, description, height)
        self.low, self.high = span
        step = max(tick_step(up), 1.0) if counts else tick_step(up)
        self.up = math.ceil(up / step - 1e-9) * step or step
        for value in _ticks(0.0, self.up, step):
            y = self.y(value)
            _path(self.svg, "grid", f"M{LEFT} {y:.1f}H{WIDTH}")
            write(self.svg, LEFT - 6, y + 4, number(value, step), "end")
        step, base = tick_step(self.high - self.low), TOP + PLOT_HEIGHT + 16
        for value in _ticks(self.low, self.high, step):
            x = self.x(value)
            write(self.svg, x, base, number(value, step), "end" if x > WIDTH - 10 else "middle")
        if label:
            write(self.svg, WIDTH, base + 16, label, "end")

    def x(self, value: float) -> float:
        """Return where a value of the lower axis stands."""
        return LEFT + (value - self.low) / (self.high - self.low) * (WIDTH - LEFT)

    def y(self, value: float) -> float:
        """Return where a value of the upper axis stands."""
        return TOP + PLOT_HEIGHT * (1 - value / self.up)

    def column(self, left: float, right: float, parts: Sequence[Part]) -> None:
        """Draw parts one upon the other, over a stretch of the lower axis."""
        x, width, height = self.x(left) + 0.5, self.x(right) - self.x(left) - 1, 0.0
        for kind, value, what in parts:
            if value:
                top, size = self.y(height + value), self.y(0.0) - self.y(value)
                add(self.svg, "rect", kind=kind, x=x, y=top, width=width, height=size, what=what)
            height += value

    def line(self, kind: str, places: Sequence[tuple[float, float]]) -> None:
        """Draw a line of that class from place to place."""
        _path(self.svg, kind, "M" + "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in places))

    def point(self, x: float, y: float, interval: tuple[float, float], what: str) -> None:
        """Draw a point with the interval of its height; it says ``what`` it is."""
        self.line("whisker", [(x, bound) for bound in interval])
        add(self.svg, "circle", kind="fill-described", cx=self.x(x), cy=self.y(y), r=3.5, what=what)

    def source(self) -> str:
        """Return the drawing as markup."""
        return source(self.svg)


def nice_step(rough: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least ``rough``."""
    power = 10.0 ** math.floor(math.log10(max(rough, 1e-9)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def tick_step(length: float) -> float:
    """Return the distance of the ticks of an axis."""
    return nice_step(length / 5)


def number(value: float, step: float) -> str:
    """Write a multiple of ``step`` with the decimals that tell it from its neighbours."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{round(value, decimals) + 0.0:,.{decimals}f}"  # + 0.0 turns -0.0 into 0.0
    return text.replace("-", "\N{MINUS SIGN}")


def _ticks(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def _canvas(name: str, title: str, description: str, height: float) -> ET.Element:
    """Return an empty drawing that tells readers of the screen what it shows."""
    svg = drawing(WIDTH, height, aria_labelledby=f"{name}-title {name}-desc")
    add(svg, "title", id=f"{name}-title").text = title
    add(svg, "desc", id=f"{name}-desc").text = description
    return svg


def _path(svg: ET.Element, kind: str, course: str) -> None:
    add(svg, "path", kind=kind, d=course)
