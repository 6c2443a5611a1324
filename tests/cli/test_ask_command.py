"""``genescribe ask``: the table, what was read, agreement with computed answers, bad input.

The model is in GenomicLLM's layout and was trained for seconds to repeat the answers in ``LEARNED``
to their prompts: it shows that prompts reach the model as published and that answers are compared
rightly, and nothing of what GenomicLLM can do.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genescribe.cli import main
from genescribe.cli.chat import cell
from genescribe.pipeline.genes import GeneChoice, find_genes
from genescribe.records import View
from genescribe.specs.spec import load_spec
from genescribe.specs.tasks import TASK_TYPES
from support.answering_models import genomicllm_like, memorise, write_spec

ROOT = Path(__file__).resolve().parents[2]
GENOME, ANNOTATION = ROOT / "examples/example.fa", ROOT / "examples/example.gff3"
EXAMPLE = ["--genome", str(GENOME), "--annotation", str(ANNOTATION)]
TRNA = "TCCGTGATAGTTTAATGGTCAGAATGGGCGCTTGTCGCGTGCCAGATCGGGGTTCAATTCCCCGTCGCGGAG"  # exg_00040
REVERSED = "GAGGCGCTGCCCCTTAACTTGGGGCTAGACCGTGCGCTGTTCGCGGGTAAGACTGGTAATTTGATAGTGCCT"
LEARNED = {
    f"{TRNA}, GC content=": "0.569",
    f"{TRNA}, Open Reading Frame =": "True",
    f"{TRNA}, reverse sequence =": REVERSED[:-1] + "A",
    "ATGGCTTAA, protein sequence =": "MetAla",
    "symbol=tnpA, id=7, ATGGCTTAA, reading comprehension: id=": "7",
    "symbol=recA, id=5, ATGGCTTAA, reading comprehension: id=": "5",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("genomicllm")
    spec = genomicllm_like(folder)
    memorise(folder / "weights", LEARNED)
    return str(spec)


def ask(capsys: pytest.CaptureFixture[str], *args: str) -> list[dict[str, str]]:
    """Ask, and return the rows of the table."""
    assert main(["ask", "-q", *args]) == 0
    out, _ = capsys.readouterr()
    return list(csv.DictReader(io.StringIO(out), delimiter="\t"))


@pytest.mark.parametrize(
    ("task", "answer", "exact", "agrees", "difference"),
    [
        ("gc_content", "0.569", "0.569", "yes", ""),
        ("orf", "True", "False", "no", "another answer"),
        ("reverse", REVERSED[:-1] + "A", REVERSED, "no", "1 edit to 72 letters"),
    ],
)
def test_answers_stand_beside_what_is_computed(
    model: str, capsys: pytest.CaptureFixture[str],
    task: str, answer: str, exact: str, agrees: str, difference: str,
) -> None:  # fmt: skip
    (row,) = ask(capsys, *EXAMPLE, "--model", model, "--task", task, "--gene", "exg_00040")
    assert row["answer"] == answer
    assert (row["exact"], row["agrees"], row["difference"]) == (exact, agrees, difference)
    assert (row["gene_id"], row["task"], row["read"], row["truncated"]) == (
        "exg_00040", task, "72", "0",
    )  # fmt: skip
    assert row["prompt"] == f"genomicllm-{task.replace('_', '-')}"
    assert (row["prediction"], row["calibrated"], row["reason"]) == ("yes", "no", "")
    assert float(row["lift"]) > 0.1
    assert 0.9 < float(row["score"]) <= 1, "it knows these by heart"


def test_a_fasta_from_standard_input(model: str, genescribe: Callable[..., Any]) -> None:
    """By the command as a shell runs it."""
    asked = ["ask", "-q", "--fasta", "-", "--model", model, "--task", "protein"]
    done = genescribe(*asked, input=">cds\natggc\nuuaa\n")
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = csv.DictReader(io.StringIO(done.stdout), delimiter="\t")
    assert (row["gene_id"], row["answer"], row["agrees"]) == ("cds", "MetAla", "yes")


def test_a_fasta_from_a_named_pipe(
    model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """As the shell's <(zcat ...) gives."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for content, code in ((">cds\nATGGCTTAA\n", 0), (">p\nMEEPQ\n", 2)):
        writer = threading.Thread(target=pipe.write_text, args=(content,))
        writer.start()
        assert main(["ask", "-q", "--fasta", str(pipe), "--model", model, "--task", "orf"]) == code
        writer.join()
    assert f"{pipe}:2" in capsys.readouterr().err


def test_reading_comprehension(
    model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    fasta = tmp_path / "one.fa"
    fasta.write_text(">cds\nATGGCTTAA\n", encoding="utf-8")
    task = ["--fasta", str(fasta), "--model", model, "--task", "reading_comprehension"]
    for context, answer in (("symbol=tnpA, id=7", "7"), ("symbol=recA, id=5", "5")):
        (row,) = ask(capsys, *task, "--context", context, "--question", "id")
        assert (row["answer"], row["exact"], row["agrees"]) == (answer, answer, "yes")


def test_a_named_gene_is_asked_about_whatever_its_biotype(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = ask(capsys, *EXAMPLE, "--model", model, "--task", "orf", "--gene", "exg_00220")
    assert int(row["read"]) > 0, "a pseudogene"


def test_every_gene_has_a_row_in_the_order_of_the_file(
    model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "gc.tsv"
    arguments = [*EXAMPLE, "--model", model, "--task", "gc_content", "--out", str(target)]
    assert ask(capsys, *arguments) == []
    with target.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    annotated = [
        line.split("ID=")[1].split(";")[0].strip()
        for line in ANNOTATION.read_text(encoding="utf-8").splitlines()
        if line.split("\t")[2:3] in (["gene"], ["pseudogene"], ["ncRNA_gene"])
    ]
    assert [row["gene_id"] for row in rows] == annotated
    skipped = {row["gene_id"]: row for row in rows if row["read"] == "0"}
    assert skipped["exg_00220"]["reason"] == "biotype_excluded"
    assert skipped["exg_00220"]["answer"] == skipped["exg_00220"]["exact"] == ""
    read = [row for row in rows if row["read"] != "0"]
    assert max(int(row["read"]) for row in read) <= 1236
    assert any(int(row["truncated"]) > 0 for row in read)
    assert main(["ask", "-q", *arguments]) == 2
    assert "already exists; add --force" in capsys.readouterr().err


def test_the_exact_answer_is_of_the_stretch_that_was_read(
    model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A gene over the task's 300 nt, and one whose letters take more tokens than there is room."""
    (row,) = ask(capsys, *EXAMPLE, "--model", model, "--task", "complement", "--gene", "exg_00050")
    (gene,) = find_genes(
        GeneChoice(genome=GENOME, annotation=ANNOTATION, gene_ids=("exg_00050",), view=View.GENE),
        load_spec("genechat-13b"),
    )
    assert gene.record is not None
    whole = gene.record.sequence
    paired = whole.translate(str.maketrans("ACGT", "TGCA"))
    assert row["exact"] == paired[:300]
    assert (int(row["read"]), int(row["truncated"])) == (300, len(whole) - 300)

    template = "{sequence}, reverse sequence ="
    tasks = {"reverse": {"id": "r", "template": template, "max_new_tokens": 300}}
    weights = Path(model).parent / "weights"
    spec = write_spec(tmp_path / "long.yaml", "genomicllm-92m", weights, tasks=tasks)
    (row,) = ask(capsys, *EXAMPLE, "--model", str(spec), "--task", "reverse", "--gene", "exg_00050")
    read = int(row["read"])
    assert 300 < read < len(whole) <= 1236, "212 tokens for the prompt, 300 for the answer"
    assert row["exact"] == whole[:read][::-1]
    assert int(row["truncated"]) == len(whole) - read


def test_names_that_are_not_utf8_come_back(model: str, tmp_path: Path) -> None:
    fasta, table, lines = (tmp_path / name for name in ("latin1.fa", "out.tsv", "out.jsonl"))
    fasta.write_bytes(b">g\xe9ne\nACGTACGT\n")
    asked = ["ask", "-q", "--fasta", str(fasta), "--model", model, "--task", "orf"]
    assert main([*asked, "--out", str(table)]) == 0
    assert table.read_bytes().splitlines()[1].startswith(b"g\xe9ne\torf\t")
    assert main([*asked, "--out", str(lines), "--json"]) == 0
    assert json.loads(lines.read_bytes())["gene_id"] == "g\udce9ne"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-0.5, "-0.5000"),
        (None, ""),
        (False, "no"),
        (7, "7"),
        ("-ase\tand\n=more", "'-ase\\tand\\n=more"),
    ],
)
def test_cells(value: object, expected: str) -> None:
    """Texts are made harmless; numbers, negative ones too, stay numbers."""
    assert cell(value) == expected


def test_json_lines(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    genes = ["--gene", "exg_00040", "exg_00010"]
    assert (
        main(["ask", "-q", *EXAMPLE, "--model", model, "--task", "biotype", "--json", *genes]) == 0
    )
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["gene_id"] for row in rows] == ["exg_00040", "exg_00010"]
    assert {row["prediction"] for row in rows} == {True}
    assert {(row["exact"], row["agrees"]) for row in rows} == {(None, None)}


def test_the_tasks_of_a_model(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--list", "--model", "genomicllm-92m"]) == 0
    listed = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert set(TASK_TYPES) <= set(listed), "all tasks of GenomicLLM are there"
    assert "computed" in listed["reverse_complement"]
    assert "computed" not in listed["enhancer"]
    assert main(["ask", "--list", "--model", "tiny"]) == 0
    assert capsys.readouterr().out == "model tiny has no tasks\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--task", "gc", *EXAMPLE], ("no task is named 'gc'", "gc_content", "protein")),
        (["--task", "orf", *EXAMPLE, "--gene", "x", "exg_00040"], ("no gene 'x'", "closest")),
        (["--task", "orf", *EXAMPLE, "--gene", "HBB"], ("no gene 'HBB'", "closest: exg_00140,")),
        (["--task", "orf"], ("--annotation", "--fasta")),
        (["--task", "orf", "--fasta", "PROTEIN"], ("protein.fa:2", "'E'")),
        (["--task", "orf", "--fasta", "-"], ("standard input", "empty")),
        (["--task", "orf", "--fasta", "-", "--genome", "x"], ("--genome goes with",)),
        (["--task", "orf", *EXAMPLE, "--context", "a=1"], ("takes no context",)),
        (["--task", "reading_comprehension", *EXAMPLE], ("needs a question", "--question")),
    ],
)
def test_bad_input_is_one_line(
    model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    args: list[str], says: tuple[str, ...],
) -> None:  # fmt: skip
    protein = tmp_path / "protein.fa"
    protein.write_text(">p\nMEEPQSDPSV\n", encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    args = [str(protein) if arg == "PROTEIN" else arg for arg in args]
    assert main(["ask", "-q", "--model", model, *args]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert all(part in err for part in says)


def test_a_task_that_the_model_was_not_trained_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--model", "tiny", "--task", "orf", *EXAMPLE]) == 2
    assert "model tiny has no task 'orf'" in capsys.readouterr().err
