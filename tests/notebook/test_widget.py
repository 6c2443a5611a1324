"""The notebook door without a browser: ``annotate``, and the panels pressed from Python."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import threading

import numpy as np
import pytest

from genescribe.artifacts.curation import read_curation
from genescribe.artifacts.descriptions import DESCRIPTION_COLUMNS, read_descriptions
from genescribe.errors import (
    Cancelled,
    SettingsChangedError,
)
from genescribe.genome.annotation import read_annotation
from genescribe.inference.settings import DescribeSettings

pytest.importorskip("anywidget")
from genescribe import annotate, open_results
from genescribe.widget import AnnotationWidget
from genescribe.widget.structure import draw


def test_frame_is_the_table_of_descriptions(finished) -> None:
    frame = open_results(finished)
    lines = (finished / "descriptions.tsv").read_text("utf-8").splitlines()
    assert list(frame.columns) == list(DESCRIPTION_COLUMNS) == lines[0].split("\t")
    assert len(frame) == len(lines) - 1 == 53
    first = dict(zip(frame.columns, lines[1].split("\t"), strict=True))
    assert (frame.start[0], frame.end[0]) == (int(first["start"]), int(first["end"])) == (317, 907)
    assert f"{frame.score[0]:.4f}" == first["score"]
    assert frame.status[0] == first["status"]


def test_finished_run_is_read_and_other_settings_are_refused(example, finished) -> None:
    before = (finished / "run.json").read_bytes()
    assert len(annotate(*example, out=finished)) == 53
    assert (finished / "run.json").read_bytes() == before
    with pytest.raises(
        SettingsChangedError, match=r"organism: None -> yeast.*force=True"
    ) as caught:
        annotate(*example, out=finished, organism="yeast")
    assert "--" not in str(caught.value)
    assert caught.value._render_traceback_() == [f"SettingsChangedError: {caught.value}"]


def test_cancel_keeps_what_is_done_and_the_next_call_goes_on(small, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("genescribe.inference.batching.BATCH_TOKENS", {"cpu": 1})
    cancel = threading.Event()

    def stop_at_three(done, total) -> None:
        if done == 3:
            cancel.set()

    with pytest.raises(Cancelled):
        annotate(*small, out=tmp_path / "r", progress=stop_at_three, cancel=cancel)
    seen = []
    frame = annotate(*small, out=tmp_path / "r", progress=lambda done, _: seen.append(done))
    assert seen[0] == 3
    annotate(*small, out=tmp_path / "whole")
    assert (tmp_path / "r/small.gff3").read_bytes() == (tmp_path / "whole/small.gff3").read_bytes()
    assert len(frame) == 10


def test_interrupted_kernel(small, tmp_path) -> None:
    def interrupt(done, total) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(Cancelled, match="what was finished is kept; the same call goes on"):
        annotate(*small, out=tmp_path / "r", progress=interrupt)
    assert (tmp_path / "r/.genescribe/.descriptions.jsonl.part").stat().st_size > 0


def test_cancel_and_resume_in_the_widget(small, tmp_path, monkeypatch, says) -> None:
    monkeypatch.setattr("genescribe.inference.batching.BATCH_TOKENS", {"cpu": 1})
    widget = AnnotationWidget(*small, out=tmp_path / "r")
    words = widget.run_panel.words

    def stop_once(change) -> None:
        if "3/10" in change["new"]:
            widget.cancel()

    monkeypatch.setattr("genescribe.widget.run_panel.SECONDS_BETWEEN_UPDATES", 0.0)
    words.observe(stop_once, names=["value"])
    widget.run()
    assert widget.wait(60)
    assert "of 10 genes are done and kept; Run goes on with the others" in says(widget)
    assert widget.inputs.out.hint.value.count("holds a stopped run")
    assert not widget.run_panel.start.disabled
    words.unobserve_all()
    widget.run()
    assert widget.wait(60)
    assert "Done" in says(widget)
    assert len(widget.session.entries) == 10


def test_inputs_are_checked_as_one_types(example, tmp_path, says) -> None:
    widget = AnnotationWidget()
    inputs = widget.inputs
    inputs.genome.widget.value = str(tmp_path / "none.fa")
    assert "no such file" in inputs.genome.hint.value
    inputs.genome.widget.value = str(example[1])
    assert "is an annotation without sequences" in inputs.genome.hint.value
    inputs.genome.widget.value = str(example[0])
    assert "FASTA" in inputs.genome.hint.value
    inputs.annotation.widget.value = str(example[1])
    assert "GFF3" in inputs.annotation.hint.value
    inputs.model.widget.value = "genechat-13b"
    assert "missing, but model genechat-13b needs it" in inputs.model.hint.value
    inputs.model.widget.value = "nonsense"
    assert inputs.model.problem
    (tmp_path / "file").write_text("x", encoding="utf-8")
    inputs.out.widget.value = str(tmp_path / "file" / "results")
    assert "is a file" in inputs.out.hint.value
    widget.run()
    assert "Model: " in says(widget)


def test_files_are_chosen_from_a_list(example, monkeypatch) -> None:
    monkeypatch.chdir(example[0].parent)
    field = AnnotationWidget().inputs.annotation
    field.browse.value = True
    assert "example.gff3" in field.list.options
    assert "example.fa" not in field.list.options
    field.list.value = "example.gff3"
    field.opened.click()
    assert field.widget.value == str(example[1])
    assert field.problem == ""
    assert field.chooser.layout.display == "none"
    field.browse.value = True
    field.list.value = "../"
    field.opened.click()
    assert "examples/" in field.list.options


def columns_of(view):
    """What the browser is told about all genes."""
    return json.loads(gzip.decompress(view.genes))["columns"]


def test_table_gets_all_genes_once(widget) -> None:
    columns = columns_of(widget.genes.view)
    frame = open_results(widget.session.results.folder)
    for name in ("gene_id", "text", "status", "biotype", "start"):
        assert columns[name] == list(frame[name])
    assert {len(values) for values in columns.values()} == {53}
    assert list(widget.genes.positions) == list(range(53))  # before any browser filters them


def test_genes_on_show_are_stepped_through_and_exported(widget) -> None:
    genes, folder = widget.genes, widget.session.results.folder
    genes.view.shown = np.array([5, 2, 7], "<u4").tobytes()  # as the browser sends them
    widget.session.gene_id = "exg_00060"
    genes.step(-1)
    assert widget.session.gene_id == "exg_00060"  # the first
    genes.step(1)
    assert widget.session.gene_id == genes.view.selected == "exg_00030"
    widget.export.write_jsonl()
    rows = read_descriptions(folder / "export/example.jsonl")
    assert [row.gene_id for row in rows] == ["exg_00060", "exg_00030", "exg_00080"]
    genes.view.selected = "exg_00100"  # a click; not among those on show any more
    assert widget.session.gene_id == "exg_00100"
    results = widget.session.results
    widget.session.show(dataclasses.replace(results, entries=results.entries[:20]))  # another run
    assert list(genes.positions) == list(range(20))


def test_gene_panel(widget, example) -> None:
    widget.genes.view.selected = "exg_00060"
    assert widget.wait(60)
    words, drawing = widget.gene.words.value, widget.gene.drawing.value
    assert "contig_1:5,834-6,756 (-)" in words
    assert "triose" in words.lower()  # the product that the input has
    assert "<svg" in drawing
    assert "exg_00060.t1" in drawing
    from genescribe.specs.spec import load_spec

    widget.gene.show_prompt()
    assert load_spec("tiny").prompt.template in widget.gene.prompt.value
    widget.gene.show_prompt()
    assert widget.gene.prompt.value == ""


def test_drawing_escapes_and_places_the_pieces(example) -> None:
    genes = {gene.gene_id: gene for gene in read_annotation(example[1]).genes}
    for gene in genes.values():
        drawing = str(draw(gene))
        exons = sum(len(transcript.exons) for transcript in gene.transcripts)
        assert drawing.count('class="exon"') == exons
        assert "{" not in drawing


def test_review_survives_a_restart_and_is_exported(widget, genescribe, says) -> None:
    folder = widget.session.results.folder
    review = widget.review
    widget.session.gene_id = "exg_00010"
    review.accept.click()
    widget.genes.step(1)
    assert widget.session.gene_id == "exg_00020"
    review.reject.click()
    widget.genes.step(1)
    review.text.value = "a <b>hand-made</b> text"
    review.edit.click()
    assert "exg_00030: edit" in says(widget)
    widget.session.gene_id = "exg_00220"  # the pseudogene, about which no model wrote
    review.accept.click()
    assert "the model wrote no text about this gene" in says(widget)
    assert [one.gene_id for one in read_curation(folder / "curation.tsv")] == [
        "exg_00010",
        "exg_00020",
        "exg_00030",
    ]

    again = AnnotationWidget(out=folder)
    again.session.gene_id = "exg_00030"
    assert again.wait(60)
    assert again.review.text.value == "a <b>hand-made</b> text"
    assert "a &lt;b&gt;hand-made" in again.gene.words.value
    assert again.genes.view.reviews == {
        "exg_00010": ("accept", open_results(folder).text[0]),
        "exg_00020": ("reject", ""),
        "exg_00030": ("edit", "a <b>hand-made</b> text"),
    }
    for write in (again.export.write_gff3, again.export.write_tsv, again.export.write_jsonl):
        write()
    again.export.write_report()
    decorated = (folder / "export/example.gff3").read_text("utf-8")
    assert decorated.count("+accepted") == decorated.count("+edited") == 1
    assert "genescribe_reason=rejected" in decorated
    stripped = genescribe("strip", folder / "export/example.gff3", "--out", folder / "back.gff3")
    assert stripped.returncode == 0
    assert (folder / "back.gff3").read_bytes() == again.session.results.annotation.read_bytes()
    rows = {row.gene_id: row for row in read_descriptions(folder / "export/example.jsonl")}
    assert len(rows) == 53
    assert rows["exg_00030"].text == "a <b>hand-made</b> text"
    assert "hand-made" in (folder / "export/example.html").read_text("utf-8")
    assert "hand-made" not in (folder / "example.gff3").read_text("utf-8")
    again.session.gene_id = "exg_00030"
    again.review.undo.click()
    assert len(read_curation(folder / "curation.tsv")) == 2


def test_two_widgets_review_the_same_run(widget) -> None:
    folder = widget.session.results.folder
    other = AnnotationWidget(out=folder)
    widget.session.gene_id = "exg_00010"
    widget.review.accept.click()
    other.session.gene_id = "exg_00020"
    other.review.reject.click()
    kept = read_curation(folder / "curation.tsv")
    assert [(one.gene_id, one.decision) for one in kept] == [
        ("exg_00010", "accept"),
        ("exg_00020", "reject"),
    ]


def test_model_without_questions_says_so(widget, says) -> None:
    widget.ask.model.value = "genomicllm-92m"
    widget.ask.question.value = "What is it?"
    widget.ask.ask_button.click()
    assert widget.wait(60)
    assert "model genomicllm-92m answers no free questions" in says(widget)
    assert "--" not in says(widget)


def test_asking_keeps_the_history_of_each_gene(widget, tmp_path_factory, says) -> None:
    from support.answering_models import genechat_like

    spec = genechat_like(tmp_path_factory.mktemp("genechat"))
    ask = widget.ask
    ask.model.value = str(spec)
    for question in ("What is it?", "And <why>?"):
        ask.question.value = question
        ask.ask_button.click()
        assert widget.wait(120)
        assert "answered; its answer is a prediction" in says(widget)
    assert ask.log.value.count("<li>") == 2
    assert ask.log.value.count("prediction") == 2
    assert "And &lt;why&gt;?" in ask.log.value
    assert len(ask.conversations[ask.key].turns) <= 2
    widget.session.gene_id = "exg_00070"
    assert ask.log.value.count("<li>") == 0
    widget.session.gene_id = "exg_00010"
    assert ask.log.value.count("<li>") == 2
    ask.forget()
    assert ask.log.value.count("<li>") == 0


def test_igv_track_needs_no_server(widget) -> None:
    from genescribe.widget import igv

    entry = widget.session.entries[0]
    settings = igv.configuration(widget.session.results, entry.row)
    assert settings["locus"].startswith("contig_1:1-")
    assert str(settings["tracks"]).count("data:text/plain;base64,") == 1
    assert "http" not in str(settings)


def test_torch_is_not_imported_by_the_first_screen(root) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from genescribe.widget import AnnotationWidget; AnnotationWidget(); "
        "print([name for name in ('torch', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(root / "scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_options_for_people_who_want_more(small, tmp_path) -> None:
    options = DescribeSettings(settings={"min_score": 0.9})
    frame = annotate(*small, out=tmp_path / "r", describe=options)
    assert set(frame.status) == {"uncertain"}
