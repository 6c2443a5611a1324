"""``import genescribe``: light until something is used, and its examples do what they say."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest

import genescribe
from genescribe.errors import OutputExistsError

OFFERED = ("Describer", "annotate", "open_results", "read_annotation", "strip")
HEAVY = ("torch", "transformers", "numpy", "pandas", "ipywidgets", "jinja2", "yaml", "pysam")


def test_the_import_is_light_and_names_what_there_is(root: Path) -> None:
    code = (
        "import genescribe, sys; print(*genescribe.__all__); print(*dir(genescribe)); "
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(root / "scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    offered, listed, heavy = done.stdout.split("\n")[:3]
    assert offered.split() == sorted({*OFFERED, "__version__"})
    assert set(offered.split()) <= set(listed.split())
    assert heavy == ""


def test_a_wrong_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'genescribe' has no attribute 'anotate'"):
        _ = genescribe.anotate  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def folder(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples and, in ``results``, what the example of ``annotate`` makes."""
    made = tmp_path_factory.mktemp("api")
    (made / "examples").symlink_to(root / "examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        genescribe.annotate("examples/example.fa", "examples/example.gff3", out="results")
    return made


@pytest.mark.parametrize("name", OFFERED)
def test_examples_do_what_they_say(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    offered = getattr(genescribe, name)
    (examples,) = doctest.DocTestFinder(recurse=False).find(offered, name, globs={"Path": Path})
    assert examples.examples, f"{name} shows no example of its use"
    assert doctest.DocTestRunner().run(examples).failed == 0


def test_strip_overwrites_only_when_told(folder: Path) -> None:
    decorated, out = folder / "results" / "example.gff3", folder / "once.gff3"
    genescribe.strip(decorated, out)
    with pytest.raises(OutputExistsError):
        genescribe.strip(decorated, out)
    genescribe.strip(decorated, out, force=True)
    assert out.read_bytes() == (folder / "examples" / "example.gff3").read_bytes()
