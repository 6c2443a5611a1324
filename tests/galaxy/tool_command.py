"""The command of the Galaxy tool as a job runs it, made from the XML without a server."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from Cheetah.Template import Template

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "galaxy_tool" / "genescribe.xml"


class Dataset(str):
    """A dataset as a template sees it: its path, its name in the history, its datatype."""

    element_identifier: str
    ext: str

    def __new__(cls, path: Path, name: str = "") -> Dataset:
        """``name`` is what the history calls the file at ``path``; the datatype is its ending."""
        made = super().__new__(cls, path)
        made.element_identifier = name or path.name
        made.ext = path.name.partition(".")[2]
        return made


def untouched_form() -> dict[str, Any]:
    """Return the values of the tool's form before anybody has changed one; no datasets."""
    inputs = ET.parse(TOOL).getroot().find("inputs")
    assert inputs is not None
    return _values(inputs)


def _values(parent: ET.Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in parent:
        if child.tag in ("section", "conditional"):
            found[child.attrib["name"]] = _values(child)
        elif child.tag == "param":
            name = child.get("name") or child.attrib["argument"].lstrip("-").replace("-", "_")
            found[name] = _value(child)
    return found


def _value(param: ET.Element) -> Any:
    kind = param.attrib["type"]
    if kind == "boolean":
        return param.attrib["falsevalue"]
    if kind == "select":
        options = [one.attrib["value"] for one in param.iterfind("option[@selected='true']")]
        return options if param.get("multiple") else options[0]
    return param.get("value", "")


def command(annotation: Dataset, genome: Dataset | None, **changes: Any) -> str:
    """Return the shell command of a job; ``changes`` of the form: values, of sections mappings."""
    form = untouched_form()
    for name, changed in changes.items():
        form[name] = form[name] | changed if isinstance(form[name], Mapping) else changed
    form["genome_source"]["genome"] = genome
    source = ET.parse(TOOL).getroot().findtext("command")
    filled = Template.compile(source=source)(namespaces=[form | {"annotation": annotation}])
    return str(filled).replace("\n", " ")  # as Galaxy does, so that lines need no backslash


def run(
    folder: Path, line: str, program: Sequence[str | Path] = ("-m", "genescribe"), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command line in the new ``folder``, as a job in its working directory.

    ``program`` is what Python runs where the line says ``genescribe``.
    """
    folder.mkdir()
    script = folder / "genescribe"
    words = shlex.join(map(str, (sys.executable, *program)))
    script.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    paths = {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "scripts")}
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={**os.environ, **paths, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
