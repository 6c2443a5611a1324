"""Inline SVG: elements, words, and how a drawing becomes markup.

Colours are classes, which the style sheet of the page defines for light and dark.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET


def drawing(width: float, height: float, **attributes: str) -> ET.Element:
    """Return an empty drawing; the style sheet scales it to its column."""
    size = {"viewBox": f"0 0 {width:g} {height:g}", "role": "img"}
    return ET.Element("svg", size | _named(attributes))


def add(parent: ET.Element, tag: str, *, what: str = "", **attributes: str | float) -> ET.Element:
    """Add an element that says ``what`` it is on hovering; ``kind`` is its class.

    Attributes with a hyphen are given with an underscore; numbers are written with two decimals
    at most.
    """
    made = ET.SubElement(parent, tag, _named(attributes))
    if what:
        ET.SubElement(made, "title").text = what
    return made


def write(parent: ET.Element, x: float, y: float, text: str, anchor: str, full: str = "") -> None:
    """Write a text at its ``anchor``; where it was shortened, ``full`` is shown on hovering."""
    made = add(parent, "text", x=x, y=y, text_anchor=anchor)
    made.text = text
    if full not in ("", text):
        ET.SubElement(made, "title").text = full


def shorten(label: str, most: int) -> str:
    """Cut a label that has more than so many characters."""
    return label if len(label) <= most else label[: most - 1] + "…"


def source(svg: ET.Element) -> str:
    """Return a drawing as markup; its texts are escaped."""
    return ET.tostring(svg, encoding="unicode")


def _named(attributes: dict[str, str | float] | dict[str, str]) -> dict[str, str]:
    return {
        "class" if name == "kind" else name.replace("_", "-"): value
        if isinstance(value, str)
        else f"{round(value, 2):g}"
        for name, value in attributes.items()
    }
