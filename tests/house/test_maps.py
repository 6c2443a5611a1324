"""The maps of the house are true: what they name exists, and every room is on them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "scripts" / "genescribe"
MAPS = ("docs/architecture.md", "CONTRIBUTING.md")
PATH = re.compile(r"`([\w./-]*(?:/|\.(?:py|js|md|smk|xml|yaml))|workflow/Snakefile)`")


def named(text: str) -> list[str]:
    return PATH.findall(text)


@pytest.mark.parametrize("name", MAPS)
def test_files_that_a_map_names_exist(name: str) -> None:
    paths = named((ROOT / name).read_text(encoding="utf-8"))
    assert len(paths) > 10
    missing = [p for p in paths if not ((ROOT / p).exists() or (LIBRARY / p).exists())]
    assert not missing


def test_every_room_is_on_the_map() -> None:
    paths = named((ROOT / MAPS[0]).read_text(encoding="utf-8"))
    rooms = {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= {path.strip("/") for path in paths}


def test_targets_that_contributing_names_exist() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"`?make ([a-z][a-z-]+)", guide))
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert targets <= known
    assert "test-fast" in targets
