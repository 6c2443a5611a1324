"""``genescribe evaluate`` and ``calibrate``: figures that belong together, files, and bad input."""

from __future__ import annotations

import doctest
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from genescribe import evaluation
from genescribe.artifacts.descriptions import write_descriptions
from genescribe.artifacts.genes import write_genes_tsv
from genescribe.cli import main
from genescribe.corpus.records import CorpusRecord, write_corpus
from genescribe.corpus.splits import Side, SplitRow, write_splits
from genescribe.evaluation.cases import Case, sequences
from genescribe.evaluation.runs import (
    Conditions,
    negative_log_likelihood,
    run_model,
    write,
)
from genescribe.evaluation.settings import PROTOCOLS, EvaluationSettings, ModelOnCorpus
from genescribe.inference.describer import Describer
from genescribe.inference.likelihood import text_likelihoods
from genescribe.inference.params import DescribeParams
from genescribe.records import Status, View, sequence_sha256

TEXTS = (
    "30S ribosomal protein S2",
    "tRNA-Ala",
    "putative membrane protein",
    "DNA gyrase subunit A",
)
FILES = {"evaluation.json", "evaluation.tsv", "evaluation.md", "evaluation.html", "texts.tsv"}


def made_up(count: int, text: Callable[[int], str] = lambda i: TEXTS[i % 4]) -> list[CorpusRecord]:
    rng = random.Random(5)
    corpus = []
    for i in range(count):
        sequence = "ATG" + "".join(rng.choices(["GCT", "AAA", "GAT", "CTG", "TTC"], k=60 + i))
        corpus.append(
            CorpusRecord(
                f"g{i}",
                "toy",
                "Toy one" if i % 3 else None,
                "protein_coding",
                View.CDS,
                sequence,
                sequence_sha256(sequence),
                "product name",
                text(i),
                True,
                "made up",
            )
        )
    return corpus


def write_inputs(folder: Path, corpus: list[CorpusRecord], train: int) -> list[str]:
    """Write corpus and splits, the first ``train`` genes to learn from; return the options."""
    sides = [Side.TRAIN if i < train else Side.TEST for i in range(len(corpus))]
    write_corpus(folder / "corpus.jsonl.gz", corpus)
    write_splits(
        folder / "splits.tsv",
        [
            SplitRow(r.sha256, r.gene_id, r.source, r.organism, number, number, side)
            for number, (r, side) in enumerate(zip(corpus, sides, strict=True))
        ],
    )
    return ["--corpus", str(folder / "corpus.jsonl.gz"), "--splits", str(folder / "splits.tsv")]


def call(*args: object) -> int:
    return main([*map(str, args), "--quiet"])


@pytest.fixture(scope="module")
def describer() -> Describer:
    return Describer("tiny", device="cpu")


def cases_of(corpus: list[CorpusRecord]) -> list[Case]:
    return [
        Case(r.gene_id, r.question, (r.answer,), "o", r.biotype, 1, r.sequence_record())
        for r in corpus
    ]


# ---- running the model


def test_likelihoods_are_the_models_own_whatever_the_batch(describer: Describer) -> None:
    genes = [r.sequence_record() for r in made_up(4)]
    together = text_likelihoods(describer, [*genes, genes[0]], [*TEXTS, TEXTS[1]])
    for gene, text, found in zip([*genes, genes[0]], [*TEXTS, TEXTS[1]], together, strict=True):
        ((log_prob, count),) = text_likelihoods(describer, [gene], [text])
        assert found.log_prob == pytest.approx(log_prob, abs=1e-3)
        words = describer.processor.tokenizer(text, add_special_tokens=False)["input_ids"]
        assert found.n_tokens == count == len(words) + 1  # and the end token


def test_lift_is_the_difference_of_two_likelihoods(describer: Describer) -> None:
    genes = [r.sequence_record() for r in made_up(3)]
    (batch,) = describer.batching.generations(genes, DescribeParams())
    for found in batch:
        assert found.generation is not None
        given = [found.generation.text]
        (own,) = text_likelihoods(describer, [found.record], given)
        params = DescribeParams(use_sequence=False)
        (habit,) = text_likelihoods(describer, [found.record], given, params)
        assert own.n_tokens == found.generation.n_tokens
        lift = (own.log_prob - habit.log_prob) / own.n_tokens
        assert found.generation.lift == pytest.approx(lift, abs=1e-3)


def test_without_sequence_all_genes_of_a_kind_get_the_same_text(describer: Describer) -> None:
    cases = cases_of(made_up(5))
    habit = write(describer, cases, sequences(cases), Conditions(), "habit", use_sequence=False)
    assert len(set(habit.texts)) == 1
    assert len(set(write(describer, cases, sequences(cases), Conditions(), "own").texts)) > 1
    assert habit.lifts == pytest.approx([0] * 5, abs=1e-4)


def test_a_run_reads_what_it_says_it_reads(describer: Describer) -> None:
    cases = cases_of(made_up(6))
    run = run_model(describer, cases, Conditions(), seed=0)
    assert [d.gene_id for d in run.own.descriptions] == [case.gene_id for case in cases]
    own = negative_log_likelihood(describer, cases, sequences(cases), Conditions())
    assert run.nll["gene"].over() == pytest.approx(own.over())
    assert run.nll["gene"].over() != run.nll["other_gene"].over()
    totals = [measure.values[:, 1].tolist() for measure in run.nll.values()]
    assert totals[0] == totals[1] == totals[2]  # the same tokens, read in three ways


def test_references_of_one_gene_are_all_read(describer: Describer) -> None:
    (case,) = cases_of(made_up(1))
    both = negative_log_likelihood(
        describer, [replace(case, references=TEXTS[:2])], sequences([case]), Conditions()
    )
    one = negative_log_likelihood(describer, [case], sequences([case]), Conditions())
    assert both.values[0, 1] > one.values[0, 1]


# ---- the command, with a model


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated")
    options = write_inputs(folder, made_up(26), train=18)
    protocols = [
        part for name in ("genechat", "rnagpt", "genomicllm") for part in ("--protocol", name)
    ]
    assert call("evaluate", *options, *protocols, "--out", folder / "out", "--threads", 1) == 0
    return folder


def figures(folder: Path) -> dict:
    return json.loads((folder / "out" / "evaluation.json").read_text())


def test_evaluation_has_all_systems_and_files(evaluated: Path) -> None:
    assert {path.name for path in (evaluated / "out").iterdir()} == FILES
    found = figures(evaluated)
    assert found["genes"] == 8
    assert list(found["systems"]) == [
        "model", "other_gene", "no_sequence", "nearest", "most_frequent", "random",
    ]  # fmt: skip
    for system in found["systems"].values():
        for metric in ("bleu_1", "corpus_bleu_4", "meteor", "rouge_2", "semantic_f1", "exact"):
            low, high = system[metric]["interval"]
            assert low <= system[metric]["value"] <= high
    assert set(found["nats"]) >= {"gene", "other_gene", "no_sequence"}
    assert set(found["protocols"]) == {"genechat", "rnagpt", "genomicllm"}
    assert sum(status["genes"] for status in found["statuses"].values()) == 8
    assert set(found["strata"]) >= {"organism", "length of the reference"}


def test_figures_are_those_of_the_rows(evaluated: Path) -> None:
    lines = (evaluated / "out" / "texts.tsv").read_text().splitlines()
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
    found = figures(evaluated)["systems"]
    assert len(rows) == 8
    for metric in ("bleu_1", "rouge_l", "exact", "right", "correct"):
        mean = sum(float(row[metric]) for row in rows) / 8
        assert found["model"][metric]["value"] == pytest.approx(mean, abs=1e-4)
    same = [row["most_frequent"] == row["reference"] for row in rows]
    assert found["most_frequent"]["exact"]["value"] == pytest.approx(sum(same) / 8, abs=1e-4)


def test_groups_add_up_to_the_whole(evaluated: Path) -> None:
    found = figures(evaluated)
    for groups in found["strata"].values():
        assert sum(group["genes"] for group in groups.values()) == 8
        total = sum(
            group["genes"] * group["systems"]["nearest"]["rouge_l"]["value"]
            for group in groups.values()
        )
        assert total / 8 == pytest.approx(found["systems"]["nearest"]["rouge_l"]["value"], abs=1e-4)


def test_the_same_command_gives_the_same_bytes(evaluated: Path) -> None:
    options = ["--corpus", evaluated / "corpus.jsonl.gz", "--splits", evaluated / "splits.tsv"]
    before = {name: (evaluated / "out" / name).read_bytes() for name in FILES - {"evaluation.html"}}
    protocols = [
        part for name in ("genechat", "rnagpt", "genomicllm") for part in ("--protocol", name)
    ]
    again = evaluated / "again"
    assert call("evaluate", *options, *protocols, "--out", again, "--threads", 1) == 0
    assert {name: (again / name).read_bytes() for name in before} == before
    assert call("evaluate", *options, "--out", again) == 2  # not without --force


def test_the_page_is_one_file_without_scripts(evaluated: Path) -> None:
    page = (evaluated / "out" / "evaluation.html").read_text()
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    for words in ("nearest training gene", "In its own words", "By organism", "genomicllm:"):
        assert words in page


# ---- existing descriptions


@pytest.fixture
def described(tmp_path: Path, described_gene: Callable) -> Path:
    """A folder with genes.tsv and descriptions.jsonl of four genes; the third has no text."""
    texts = ("pyruvate kinase", "DNA gyrase", "", "tRNA-Ala")
    products = ("pyruvate kinase", "hypothetical protein", "ribosomal protein L2", "tRNA-Ala")
    genes, descriptions = [], []
    for i, (text, product) in enumerate(zip(texts, products, strict=True)):
        status = Status.DESCRIBED if text else Status.FAILED
        gene, description = described_gene(f"g{i}", text=text, product=product, status=status)
        genes.append(gene)
        descriptions.append(description)
    write_genes_tsv(tmp_path / "genes.tsv", genes)
    write_descriptions(tmp_path / "descriptions.jsonl", descriptions)
    return tmp_path


def score(folder: Path, references: str, *more: object) -> int:
    return call(
        "evaluate", "--descriptions", folder / "descriptions.jsonl",
        "--references", folder / references, "--out", folder / "out", "--force", *more,
    )  # fmt: skip


def test_descriptions_beside_a_table(described: Path) -> None:
    assert score(described, "genes.tsv") == 0
    found = figures(described)
    assert found["genes"] == 3  # "hypothetical protein" is no reference
    assert found["left_out"] == {"says that nothing is known": 1}
    assert found["without_reference"] == 1
    assert found["empty"] == {"model": 1}
    assert found["systems"]["model"]["exact"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["statuses"]["failed"]["genes"] == 1
    assert found["differences"] == found["nats"] == {}


def test_the_example_of_the_library_function(
    described: Path, described_gene: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    (described / "results").mkdir()
    rows = [described_gene(f"g{i}", text=text)[1] for i, text in enumerate(TEXTS[:2])]
    write_descriptions(described / "results" / "descriptions.jsonl", rows)
    (described / "references.tsv").write_text(f"gene_id\tproduct\ng0\t{TEXTS[0]}\ng1\tkinase\n")
    monkeypatch.chdir(described)
    (examples,) = doctest.DocTestFinder().find(evaluation.evaluate, globs={"Path": Path})
    assert doctest.DocTestRunner().run(examples) == (0, 5)


def test_figures_of_the_library_are_those_of_the_command(evaluated: Path) -> None:
    held_out = ModelOnCorpus(
        model="tiny",
        corpus=evaluated / "corpus.jsonl.gz",
        splits=evaluated / "splits.tsv",
        sides=("test",),
    )
    found = evaluation.evaluate(held_out, EvaluationSettings(protocols=PROTOCOLS))
    assert json.loads(json.dumps(found.as_json())) == figures(evaluated)
    assert len(found.rows) == found.genes == 8


def test_descriptions_beside_an_annotation(described: Path) -> None:
    lines = ["##gff-version 3"]
    for i, product in enumerate(("pyruvate kinase", "DNA topoisomerase", "", "tRNA-Ala")):
        lines.append(
            f"c\t.\tgene\t{i * 100 + 1}\t{i * 100 + 90}\t.\t+\t.\tID=g{i};product={product}"
        )
    (described / "genes.gff3").write_text("\n".join(lines) + "\n")
    assert score(described, "genes.gff3") == 0
    assert figures(described)["genes"] == 3
    assert figures(described)["systems"]["model"]["exact"]["value"] == pytest.approx(
        2 / 3, abs=1e-4
    )


def test_descriptions_beside_a_corpus(described: Path) -> None:
    write_corpus(described / "corpus.jsonl", made_up(4, lambda i: f"protein {i} of the ribosome"))
    assert score(described, "corpus.jsonl") == 0
    assert figures(described)["genes"] == 4


def test_a_text_with_markup_stays_text(described: Path, described_gene: Callable) -> None:
    nasty = "<b>kinase</b> & <script>alert(1)</script>"
    row = described_gene("g0", text=nasty)[1]
    write_descriptions(described / "descriptions.jsonl", [row])
    (described / "one.tsv").write_text(f"gene_id\tproduct\ng0\t{nasty}\n")
    assert score(described, "one.tsv") == 0
    page = (described / "out" / "evaluation.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


# ---- bad input, one line each


def refused(capsys: pytest.CaptureFixture[str], code: int) -> str:
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_ids_that_do_not_match(described: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (described / "other.tsv").write_text(
        "gene_id\tproduct\n" + "".join(f"x{i}\tkinase\n" for i in range(5)) + "g0\tkinase\n"
    )
    line = refused(capsys, score(described, "other.tsv"))
    assert (
        "5 of 6 genes of the references are not among the 4 descriptions: x0, x1, x2, ..." in line
    )
    assert "g0, g1, g2, ..." in line


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.tsv", "gene_id\tproduct\ng0\thypothetical protein\n", "none of its 1 genes has"),
        ("odd.tsv", "gene\ttext\ng0\tx\n", "odd.tsv:1: no columns gene_id and product"),
        ("empty.tsv", "", "the file is empty"),
        ("a.jsonl", "{}\n", "a.jsonl:1: not a corpus record"),
    ],
)
def test_references_that_are_none(
    described: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, message: str
) -> None:
    (described / name).write_text(content)
    assert message in refused(capsys, score(described, name))
    assert not (described / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--side", "holdout"],
            "'holdout' is not one of 'train', 'validation', 'test', 'held_out'",
        ),
        (["--side", "validation"], "no informative answer to 'product name' on side validation"),
        (["--question", "summary"], "no informative answer to 'summary'"),
        (["--model", "nothing"], "no model named 'nothing'"),
        (["--encoder", "nowhere"], "nowhere: no encoder of transformers"),
    ],
)
def test_what_a_model_cannot_be_evaluated_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    inputs = write_inputs(tmp_path, made_up(4), train=2)
    line = refused(capsys, call("evaluate", *inputs, *options, "--out", tmp_path / "out"))
    assert message in line
    assert not (tmp_path / "out").exists()


def test_half_of_the_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "give --corpus and --splits" in refused(
        capsys, call("evaluate", "--out", tmp_path / "o")
    )
    line = refused(capsys, call("evaluate", "--descriptions", "d.jsonl", "--out", tmp_path / "o"))
    assert "--descriptions needs --references" in line


# ---- calibrate


def test_texts_of_one_kind_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = write_inputs(tmp_path, made_up(6, lambda i: f"zzz{i} qqq"), train=2)
    code = call("calibrate", *inputs, "--side", "test", "--out", tmp_path / "out")
    assert "0 texts are right and 4 wrong" in refused(capsys, code)
    assert not (tmp_path / "out").exists()


def test_calibration_is_written_and_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], describer: Describer
) -> None:
    corpus = made_up(30)
    texts = [d.text for d in describer.describe([r.sequence_record() for r in corpus])]
    half_right = [
        replace(r, answer=text if i % 2 else "zzz qqq")
        for i, (r, text) in enumerate(zip(corpus, texts, strict=True))
    ]
    inputs = write_inputs(tmp_path, half_right, train=0)
    out = tmp_path / "out"
    assert call("calibrate", *inputs, "--side", "test", "--out", out) == 0
    found = json.loads((out / "calibration.json").read_text())
    assert (found["genes"], found["share_right"]) == (30, 0.5)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith(f"calibration: {{intercept: {found['calibration']['intercept']}")
    assert printed[1:] == [
        f"min_lift: {found['thresholds']['min_lift']}",
        f"min_score: {found['thresholds']['min_score']}",
    ]
    page = (out / "calibration.html").read_text()
    assert "Share of right texts by score" in page
    assert "<script" not in page
