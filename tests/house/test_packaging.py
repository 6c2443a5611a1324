"""``pip install .``: the command, and the model and report files that must come with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("scripts", "config", "models", "pyproject.toml", "README.md", "LICENSE")


def test_the_wheel_holds_all_that_a_run_needs(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for part in PARTS:  # a build writes into its source folder
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part,
                source / part,
                ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
            )
        else:
            shutil.copy(ROOT / part, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    library = ROOT / "scripts" / "genescribe"
    expected = {
        f"genescribe/{path.relative_to(library)}"
        for path in library.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for folder, target in {"config/models": "config_models", "models": "models"}.items():
        expected |= {
            f"genescribe/resources/{target}/{path.relative_to(ROOT / folder)}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file()
        }
    assert expected <= packed
