"""What all tests share: where the real data lies, and how to run the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from genescribe.records import Description, GeneRow, Reason, Status

ROOT = Path(__file__).resolve().parent.parent


SLOW = (
    "browser",
    "cli/test_ask_command.py",
    "corpus/test_splits.py",
    "evaluation/test_calibration.py",
    "evaluation/test_evaluate.py",
    "galaxy",
    "inference/test_conversation.py",
    "models/test_sequence_chat.py",
    "notebook",
    "pipeline",
    "training/test_training_loop.py",
    "training/test_training_processes.py",
    "workflow",
)
"""Folders and files whose tests start whole programs (a browser, a kernel, Snakemake) or train."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by what they need: whole programs (``slow``), and real data."""
    for item in items:
        if item.path.relative_to(ROOT / "tests").as_posix().startswith(SLOW):
            item.add_marker("slow")
        if "test_data" in getattr(item, "fixturenames", ()):
            item.add_marker("real_data")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real genomes and pairs; the test is skipped where it is absent."""
    path = Path(os.environ.get("GENESCRIBE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (path / "genomes").is_dir():
        pytest.skip(f"real data not found at {path}; set GENESCRIBE_TEST_DATA")
    return path


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """Return a function that gives a program's path or skips the test, naming the program."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"program {program!r} is not installed")
        return path

    return find


@pytest.fixture(scope="session")
def genescribe() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs ``python -m genescribe ARGS`` as a user's shell would."""

    def run(*args: object, **options: object) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
        return subprocess.run(
            [sys.executable, "-m", "genescribe", *map(str, args)],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            **options,  # type: ignore[call-overload]
        )

    return run


@pytest.fixture(scope="session")
def write_spec(root: Path) -> Callable[..., Path]:
    """Return a function that writes FOLDER/NAME.yaml, a spec over the weights of tiny.

    Keywords replace keys of tiny's spec.
    """

    def write(folder: Path, name: str, **changes: object) -> Path:
        spec = yaml.safe_load((root / "config" / "models" / "tiny.yaml").read_text("utf-8"))
        spec["name"] = name
        spec["weights"]["folder"] = str(root / "models" / "tiny")
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(spec | changes, sort_keys=False), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def described_gene() -> Callable[..., tuple[GeneRow, Description]]:
    """Return a function that makes a gene and its description; keywords change any field.

    ``reason`` is the description's.
    """

    def make(gene_id: str = "YAL038W", **changes: object) -> tuple[GeneRow, Description]:
        gene: dict[str, object] = {
            "gene_id": gene_id, "seqid": "chrI", "start": 71785, "end": 73288, "strand": "+",
            "biotype": "protein_coding", "name": "CDC19", "product": "pyruvate kinase",
            "transcripts": 1, "transcript_id": f"{gene_id}_mRNA", "exons": 1, "view": "cds",
            "length": 1503, "gc": 0.44, "sha256": "0" * 64, "reason": Reason.NONE,
        }  # fmt: skip
        described: dict[str, object] = {
            "gene_id": gene_id, "text": "pyruvate kinase of glycolysis",
            "status": Status.DESCRIBED, "reason": Reason.NONE, "score": 0.71, "lift": 1.24,
            "n_tokens": 7, "model": "tiny@0123456789ab", "prompt": "describe-1", "truncated": 0,
            "calibrated": True,
        }  # fmt: skip
        for name, value in changes.items():
            target = described if name in described else gene
            target[name] = value
        gene["truncated"] = described["truncated"]
        return GeneRow(**gene), Description(**described)  # type: ignore[arg-type]

    return make
