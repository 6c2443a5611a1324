"""Two models by biotype in the workflow: what ``genescribe run`` gives, and anew after an edit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from workflow.project import ROOT, call_snakemake, copy_code, write_config, write_sheet
from workflow.test_workflow import results

EXAMPLES = ROOT / "examples"
ROUTES = {"rRNA": "skip", "*RNA": "short.yaml", "protein_coding": "tiny"}
"""The order matters, and is not that of the alphabet."""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code: an edit of the library while a test runs would run jobs again, too."""
    return copy_code(tmp_path_factory.mktemp("code"))


@pytest.fixture(scope="module")
def routed(
    code: Path, tmp_path_factory: pytest.TempPathFactory, write_spec: Callable[..., Path]
) -> Path:
    """A project that has described the example with two models."""
    project = tmp_path_factory.mktemp("routed")
    write_spec(project, "short", views={"default": "gene"}, max_length=70)
    write_config(project, model=ROUTES, settings={"min_score": 0.4})
    files = (str(EXAMPLES / "example.fa"), str(EXAMPLES / "example.gff3"))
    write_sheet(project, {"example": files})
    done = call_snakemake(project, "--cores", "2", code=code)
    assert done.returncode == 0, done.stderr
    return project


def test_results_are_those_of_genescribe_run(
    routed: Path, genescribe: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    routes = [word for route in ROUTES.items() for word in ("--route", "=".join(route))]
    done = genescribe(
        "run", "--genome", EXAMPLES / "example.fa", "--annotation", EXAMPLES / "example.gff3",
        "--out", tmp_path / "results" / "example", *routes,
        "--set", "min_score=0.4", cwd=routed,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert results(tmp_path, "example") == results(routed, "example")
    runs = [
        json.loads((folder / "results" / "example" / "run.json").read_text())
        for folder in (tmp_path, routed)
    ]
    assert runs[0]["model"] == runs[1]["model"]
    assert [(facts["name"], facts["min_score"]) for facts in runs[0]["model"]] == [
        ("short", 0.4), ("tiny", 0.4),
    ]  # fmt: skip


def test_an_edited_spec_runs_again(routed: Path, code: Path) -> None:
    planned = call_snakemake(routed, "--cores", "1", "--dry-run", code=code).stdout
    assert "Nothing to be done" in planned
    spec = routed / "short.yaml"
    before = spec.read_text(encoding="utf-8")
    spec.write_text(before.replace("max_length: 70", "max_length: 80"), encoding="utf-8")
    planned = call_snakemake(routed, "--cores", "1", "--dry-run", code=code).stdout
    spec.write_text(before, encoding="utf-8")
    assert "rule extract:" in planned
    assert "rule describe:" in planned
