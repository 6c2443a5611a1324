"""What the tests of the notebook door share: assemblies, and a widget on a finished run."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def example(root):
    return root / "examples" / "example.fa", root / "examples" / "example.gff3"


@pytest.fixture(scope="session")
def small(root, tmp_path_factory):
    """The first ten genes of the example: enough to cancel in the middle of."""
    lines = (root / "examples" / "example.gff3").read_text("utf-8").splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if "\tgene\t" in line]
    path = tmp_path_factory.mktemp("small") / "small.gff3"
    path.write_text("".join(lines[: starts[10]]), encoding="utf-8")
    return root / "examples" / "example.fa", path


@pytest.fixture(scope="session")
def finished(example, tmp_path_factory):
    """The folder of a finished run of the example."""
    out = tmp_path_factory.mktemp("finished") / "results"
    from genescribe import annotate

    annotate(*example, out=out)
    return out


@pytest.fixture
def widget(finished, tmp_path):
    """A widget on a copy of the finished run."""
    copy = tmp_path / "results"
    copy.mkdir()
    for path in finished.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    from genescribe.widget import AnnotationWidget

    made = AnnotationWidget(out=copy)
    assert made.wait(60)
    return made


@pytest.fixture(scope="session")
def says():
    """Return a function that gives a widget's message line."""
    return lambda widget: widget.session.message.value
