"""Small drawings as inline SVG.

Colours are classes that the pages' style sheet defines for light and dark; nothing is conveyed by
colour alone, since every chart carries its table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree import ElementTree as ET

WIDTH = 400  # user units; the style sheet scales the drawing to its column
PLOT_HEIGHT, AXIS_HEIGHT, LEFT = 150, 22, 40
LABEL_CHARACTERS = 18


@dataclass(frozen=True)
class Chart:
    """A drawing and its numbers; ``svg`` is empty where there is nothing to draw."""

    name: str
    title: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def canvas(name: str, title: str, height: float, description: str) -> ET.Element:
    """Return an empty drawing of that height that tells readers of the screen what it shows."""
    svg = ET.Element(
        "svg",
        {
            "viewBox": f"0 0 {WIDTH} {height:g}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-desc",
        },
    )
    ET.SubElement(svg, "title", {"id": f"{name}-title"}).text = title
    ET.SubElement(svg, "desc", {"id": f"{name}-desc"}).text = description
    return svg


def rectangle(
    svg: ET.Element, kind: str, place: tuple[float, float, float, float], what: str
) -> None:
    """Draw a bar of class ``kind`` at ``place`` (x, y, width, height) that says ``what`` it is."""
    sizes = zip(("x", "y", "width", "height"), place, strict=True)
    attributes = {key: f"{value:.2f}" for key, value in sizes}
    rect = ET.SubElement(svg, "rect", {"class": kind, **attributes})
    ET.SubElement(rect, "title").text = what


def write(svg: ET.Element, x: float, y: float, text: str, anchor: str, full: str = "") -> None:
    """Write a text at its ``anchor``; where it was shortened, ``full`` is shown on hovering."""
    attributes = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    element = ET.SubElement(svg, "text", attributes)
    element.text = text
    if full not in ("", text):
        ET.SubElement(element, "title").text = full


def source(svg: ET.Element) -> str:
    """Return a drawing as markup; its texts are escaped."""
    return ET.tostring(svg, encoding="unicode")


def nice_step(rough: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least ``rough``."""
    power = 10.0 ** math.floor(math.log10(max(rough, 1e-9)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def number(value: float, step: float) -> str:
    """Write a multiple of ``step`` with the decimals that tell it from its neighbours."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{round(value, decimals) + 0.0:,.{decimals}f}"  # + 0.0 turns -0.0 into 0.0
    return text.replace("-", "\N{MINUS SIGN}")


def shorten(label: str) -> str:
    """Cut a label that is too long for the margin of a chart."""
    return label if len(label) <= LABEL_CHARACTERS else label[: LABEL_CHARACTERS - 1] + "…"
