"""What all tests share: where the real data lies, and how to run the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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
