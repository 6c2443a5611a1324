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


def asset(package: str, name: str) -> str:
    """Return the text of a file that lies in a package."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def module(*parts: str) -> str:
    """Return ES modules as one, which imports nothing; each stands behind those that it uses."""
    return "".join(_RELATIVE_IMPORT.sub("", part) for part in parts)


_RELATIVE_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[^"]*";\n', re.MULTILINE)


def write_page(
    path: Path, package: str, template: str, *, style: str, script: str = "", **values: Any
) -> None:
    """Render a template of a package, which extends ``layout.html``; same values, same bytes.

    Values are escaped, unknown names are errors. ``style`` stands behind the style sheet that all
    pages share; the page's policy runs nothing but these two and ``script``. Raises OutputError
    where ``path`` cannot be written.
    """
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: asset(__package__, name)),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["thousands"] = "{:,}".format
    values |= {"style": asset(__package__, "base.css") + style, "script": script}
    values |= {f"{name}_hash": _policy_hash(values[name]) for name in ("style", "script")}
    page = environment.from_string(asset(package, template)).render(values)
    # Annotations in an unknown encoding may carry lone surrogates, which UTF-8 has no bytes for.
    with atomic_path(path) as temporary:
        temporary.write_bytes(page.encode("utf-8", "replace"))


def _policy_hash(text: str) -> str:
    """Return what lets a page's Content Security Policy use an inlined text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
