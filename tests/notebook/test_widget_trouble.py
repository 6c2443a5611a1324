"""Bad input, and what else goes wrong: one sentence in the message line, and nothing is lost."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys

import pytest

from genescribe.errors import AnnotationError, OutputError, SequenceMismatchError

pytest.importorskip("anywidget")
from genescribe import annotate
from genescribe.widget import AnnotationWidget


@pytest.mark.parametrize("door", ["annotate", "widget"])
def test_two_runs_in_one_folder(small, tmp_path, door, says) -> None:
    (tmp_path / "r").mkdir()
    held = os.open(tmp_path / "r", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        if door == "annotate":
            with pytest.raises(OutputError, match="another run is writing here"):
                annotate(*small, out=tmp_path / "r")
        else:
            widget = AnnotationWidget(*small, out=tmp_path / "r")
            widget.run()
            assert widget.wait(60)
            assert "another run is writing here; wait for it" in says(widget)
    finally:
        os.close(held)
    assert list((tmp_path / "r").iterdir()) == []
    assert len(annotate(*small, out=tmp_path / "r")) == 10


BAD_ANNOTATIONS = {
    "empty": (b"", AnnotationError, "the file is empty"),
    "only comments": (b"##gff-version 3\n", AnnotationError, "no features in this file"),
    "other names": (
        b"chrZ\tx\tgene\t1\t90\t.\t+\t.\tID=a\n",
        SequenceMismatchError,
        "chrZ",
    ),
}


@pytest.mark.parametrize("kind", BAD_ANNOTATIONS)
def test_bad_annotation_ends_in_one_sentence(example, tmp_path, kind, says) -> None:
    content, error, words = BAD_ANNOTATIONS[kind]
    path = tmp_path / "bad.gff3"
    path.write_bytes(content)
    with pytest.raises((error, ValueError), match=words):
        annotate(example[0], path, out=tmp_path / "r")
    widget = AnnotationWidget(example[0], path, out=tmp_path / "r")
    widget.run()
    assert widget.wait(60)
    assert words in says(widget)
    assert 'role="alert"' in says(widget)
    assert "Traceback" not in says(widget)
    assert not (tmp_path / "r").exists()


def test_folder_that_cannot_be_written(example, says) -> None:
    widget = AnnotationWidget(*example, out="/proc/genescribe")  # not even root can
    widget.run()
    assert widget.wait(60)
    assert "/proc" in says(widget)
    assert "cannot be written" in says(widget)
    assert "choose another output folder" in says(widget)


def test_damaged_curation_is_said_and_not_overwritten(widget, says) -> None:
    folder = widget.session.results.folder
    (folder / "curation.tsv").write_text("mine\n", encoding="utf-8")
    again = AnnotationWidget(out=folder)
    again.review.accept.click()
    assert "curation.tsv:1: not a curation" in says(again)
    assert (folder / "curation.tsv").read_text("utf-8") == "mine\n"


def test_error_of_a_callback_is_shown(widget, monkeypatch, says) -> None:
    def fail(entry) -> None:
        raise RuntimeError("no <such> thing")

    monkeypatch.setattr(widget.session, "text_of", fail)
    widget.session.gene_id = "exg_00050"
    assert "unexpected RuntimeError: no &lt;such&gt; thing; please report it" in says(widget)
    assert 'role="alert"' in says(widget)


def test_interrupted_callback_says_what_goes_on(widget, says, monkeypatch) -> None:
    def interrupt(entry) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(widget.session, "text_of", interrupt)
    widget.session.gene_id = "exg_00050"
    assert "the kernel was interrupted; a run goes on until you press “Cancel”" in says(widget)


def test_interrupt_of_a_cell_that_waits_cancels_the_run(small, tmp_path, says, monkeypatch) -> None:
    monkeypatch.setattr("genescribe.inference.batching.BATCH_TOKENS", {"cpu": 1})
    monkeypatch.setattr("genescribe.widget.run_panel.SECONDS_BETWEEN_UPDATES", 0.0)
    widget = AnnotationWidget(*small, out=tmp_path / "r")

    def interrupt_once(change) -> None:
        if "3/10" in change["new"]:
            os.kill(os.getpid(), signal.SIGINT)  # what the button of a notebook sends

    widget.run_panel.words.observe(interrupt_once, names=["value"])
    widget.run()
    assert widget.wait(60)
    assert "of 10 genes are done and kept; Run goes on with the others" in says(widget)
    assert (tmp_path / "r/.genescribe/.descriptions.jsonl.part").stat().st_size > 0


def test_model_whose_weights_are_gone(small, tmp_path, says, write_spec, root) -> None:
    shutil.copytree(root / "models/tiny", tmp_path / "weights")
    model = write_spec(tmp_path, "mine")
    spec = model.read_text("utf-8").replace(str(root / "models/tiny"), str(tmp_path / "weights"))
    model.write_text(spec, encoding="utf-8")
    widget = AnnotationWidget(*small, model=str(model), out=tmp_path / "r")
    assert not widget.inputs.model.problem
    shutil.rmtree(tmp_path / "weights")
    widget.run()
    assert widget.wait(60)
    assert f"{tmp_path}/weights" in says(widget)
    assert 'role="alert"' in says(widget)


def test_home_that_cannot_be_written_or_does_not_exist(root, tmp_path) -> None:
    data = root / "galaxy_tool/test-data"
    code = (
        "from genescribe.widget import AnnotationWidget\n"
        f"widget = AnnotationWidget('{data}/plasmid.fa', '{data}/plasmid.gff3', out='r')\n"
        "widget.run(); widget.wait(); print(widget.session.message.value)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root / "scripts"), "HOME": "/proc/none"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Done: " in done.stdout
    assert done.stderr == ""
