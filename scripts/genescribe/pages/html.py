"""Putting a self-contained page together: templates, and assets that its own policy lets in."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from genescribe.files import atomic_path

BASE = "base.css"
CHART = "chart.html"
"""A macro for templates: a drawing with the table of its numbers."""


def environment() -> jinja2.Environment:
    """Return the environment of all templates: values are escaped, unknown names are errors."""
    made = jinja2.Environment(
        loader=jinja2.DictLoader({CHART: asset(__package__, CHART)}),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters["thousands"] = "{:,}".format
    return made


def asset(package: str, name: str) -> str:
    """Return the text of a file that lies in a package."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def inlined(**assets: str) -> dict[str, str]:
    """Return each text under its name, and under NAME_hash what lets the page's CSP run it."""
    values: dict[str, str] = {}
    for name, text in assets.items():
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        values[name] = text
        values[f"{name}_hash"] = f"'sha256-{digest}'"
    return values


def style(*own: str) -> str:
    """Return the style sheet that all pages share, and behind it a page's own."""
    return "".join((asset(__package__, BASE), *own))


def module(*parts: str) -> str:
    """Return ES modules as one, which imports nothing; each stands behind those that it uses."""
    return "".join(_RELATIVE_IMPORT.sub("", part) for part in parts)


_RELATIVE_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[^"]*";\n', re.MULTILINE)


def write_page(path: Path, package: str, template: str, **values: Any) -> None:
    """Render a template of a package; the same values give the same bytes.

    Raises OutputError where ``path`` cannot be written.
    """
    page = environment().from_string(asset(package, template)).render(values)
    # Annotations in an unknown encoding may carry lone surrogates, which UTF-8 has no bytes for.
    with atomic_path(path) as temporary:
        temporary.write_bytes(page.encode("utf-8", "replace"))
