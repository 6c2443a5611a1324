"""Shell, notebook and Galaxy give the same bytes."""

from __future__ import annotations

import pytest

pytest.importorskip("anywidget")
from genescribe.widget import AnnotationWidget

FILES = ("example.gff3", "descriptions.tsv", "descriptions.jsonl", "genes.tsv")


@pytest.fixture(scope="module")
def shell(genescribe, example, tmp_path_factory):
    """The folder that ``genescribe run`` filled."""
    genome, annotation = example
    out = tmp_path_factory.mktemp("shell") / "results"
    done = genescribe("run", "--genome", genome, "--annotation", annotation, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_annotate_writes_the_same(shell, finished) -> None:
    for name in FILES:
        assert (finished / name).read_bytes() == (shell / name).read_bytes(), name


def test_widget_writes_the_same(shell, example, tmp_path, says) -> None:
    widget = AnnotationWidget(*example, out=tmp_path / "r")
    widget.run()
    assert widget.wait(120)
    assert says(widget).count("Done: ") == 1
    for name in FILES:
        assert (tmp_path / "r" / name).read_bytes() == (shell / name).read_bytes(), name


def test_galaxy_job_writes_the_same(shell, example, tmp_path) -> None:
    pytest.importorskip("Cheetah.Template", exc_type=ImportError)
    from galaxy.tool_command import Dataset, command, run

    genome, annotation = map(Dataset, example)
    done = run(tmp_path / "job", command(annotation, genome))
    assert done.returncode == 0, done.stderr
    results = tmp_path / "job" / "results"
    for name in FILES:
        made = "annotation.gff3" if name == "example.gff3" else name
        assert (results / made).read_bytes() == (shell / name).read_bytes(), name
