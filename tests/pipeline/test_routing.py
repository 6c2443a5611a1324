"""Two models for one assembly: each gene by its own, whatever the shards."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from genescribe.artifacts.descriptions import read_descriptions
from genescribe.artifacts.genes import read_genes_tsv
from genescribe.artifacts.sequences import read_sequences
from genescribe.cli import main
from genescribe.errors import Cancelled
from genescribe.inference.settings import DescribeSettings
from genescribe.pipeline.run import RunOptions, run
from genescribe.records import Description
from genescribe.specs.spec import load_spec

LIMIT = 70
RNAS = {"tRNA", "snoRNA", "snRNA", "SRP_RNA", "antisense_RNA"}


class Place(NamedTuple):
    """The example, routed once into ``out``, and the command's arguments for that."""

    out: Path
    inputs: list[str]
    routes: list[str]


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory, write_spec: Callable[..., Path]) -> Path:
    """A spec with other views, another limit and another prompt than tiny's."""
    return write_spec(
        tmp_path_factory.mktemp("spec"),
        "short",
        views={"default": "gene"},
        max_length=LIMIT,
        prompt={"id": "short-1", "template": "{biotype} {sequence}"},
    )


@pytest.fixture(scope="module")
def routed(root: Path, short: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The example with proteins for tiny, most RNAs for short, rRNAs and the rest for none."""
    examples, out = root / "examples", tmp_path_factory.mktemp("routed") / "out"
    inputs = [
        "--genome", str(examples / "example.fa"),
        "--annotation", str(examples / "example.gff3"),
    ]  # fmt: skip
    routes = ["--route", "protein_coding=tiny", "--route", "rRNA=skip", "--route", f"*RNA={short}"]
    assert main(["run", *inputs, *routes, "--out", str(out)]) == 0
    return Place(out, inputs, routes)


def descriptions(out: Path) -> dict[str, Description]:
    return {found.gene_id: found for found in read_descriptions(out / "descriptions.jsonl")}


def test_every_gene_has_one_row_by_the_model_of_its_biotype(routed: Place) -> None:
    rows, found = read_genes_tsv(routed.out / "genes.tsv"), descriptions(routed.out)
    assert [row.gene_id for row in rows] == list(found)
    written = {"protein_coding": ("tiny", "tiny-2"), **dict.fromkeys(RNAS, ("short", "short-1"))}
    for row in rows:
        one = found[row.gene_id]
        assert (one.model.partition("@")[0], one.prompt) == written.get(row.biotype, ("", ""))
        if row.biotype == "rRNA":
            assert (one.status, one.reason, row.reason) == ("skipped", "no_model", "no_model")
    assert sum(one.reason == "no_model" for one in found.values()) == 3
    assert {row.biotype for row in rows} >= RNAS | {"protein_coding", "rRNA"}


def test_each_gene_is_read_as_its_model_reads_it(routed: Place) -> None:
    rows = {row.gene_id: row for row in read_genes_tsv(routed.out / "genes.tsv")}
    found = descriptions(routed.out)
    truncated = []
    for record in read_sequences(routed.out / "sequences.fa.gz"):
        row = rows[record.gene_id]
        if row.biotype == "protein_coding":
            assert (record.view, row.truncated) == ("cds", 0)
            continue
        length = row.end - row.start
        assert (record.view, len(record.sequence)) == ("gene", min(length, LIMIT))
        left_out = max(0, length - LIMIT)
        assert row.truncated == record.truncated == found[record.gene_id].truncated == left_out
        truncated += [record.gene_id] * bool(left_out)
    gff3 = (routed.out / "example.gff3").read_text()
    assert gff3.count("genescribe_truncated=") == len(truncated) > 1


@pytest.mark.parametrize("model", ["tiny", "short"])
def test_texts_are_those_of_a_run_with_that_model_alone(
    routed: Place, short: Path, tmp_path: Path, model: str
) -> None:
    spec = "tiny" if model == "tiny" else str(short)
    assert main(["run", *routed.inputs, "--model", spec, "--out", str(tmp_path / "alone")]) == 0
    alone = descriptions(tmp_path / "alone")
    mine = [one for one in descriptions(routed.out).values() if one.model.startswith(model)]
    assert len(mine) > 5
    assert [alone[one.gene_id] for one in mine] == mine


def test_shards_give_the_same_bytes(routed: Place, tmp_path: Path) -> None:
    tables = ["--genes", str(tmp_path / "genes.tsv")]
    assert main(["extract", *routed.inputs, *routed.routes, "--out", str(tmp_path)]) == 0
    shards = [str(tmp_path / f"{index}.jsonl") for index in (1, 2, 3)]
    for index, shard in enumerate(shards, 1):
        done = main([
            "describe", *tables, "--sequences", str(tmp_path / "sequences.fa.gz"),
            "--out", shard, "--shard", f"{index}/3", *routed.routes,
        ])  # fmt: skip
        assert done == 0
    joined = tmp_path / "descriptions.jsonl"
    assert main(["gather", *tables, "--out", str(joined), *reversed(shards)]) == 0
    for name in ("genes.tsv", "sequences.fa.gz", "descriptions.jsonl", "descriptions.tsv"):
        assert (tmp_path / name).read_bytes() == (routed.out / name).read_bytes(), name


def test_the_run_record_names_both_models(routed: Place) -> None:
    run = json.loads((routed.out / "run.json").read_text())
    assert [(facts["name"], facts["biotypes"]) for facts in run["model"]] == [
        ("tiny", ["protein_coding"]), ("short", ["*RNA"]),
    ]  # fmt: skip
    assert [facts["prompt"] for facts in run["model"]] == ["tiny-2", "short-1"]
    assert all(facts["sha256"] == load_spec("tiny").sha256 for facts in run["model"])
    report = (routed.out / "report.html").read_text()
    assert all(report.count(facts["identity"]) > 1 for facts in run["model"])


def test_strip_gives_the_input_back(routed: Place, root: Path, tmp_path: Path) -> None:
    assert main(["strip", str(routed.out / "example.gff3"), "--out", str(tmp_path / "in")]) == 0
    assert (tmp_path / "in").read_bytes() == (root / "examples" / "example.gff3").read_bytes()


def test_resuming_with_other_routes_is_refused(
    routed: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", *routed.inputs, "--out", str(routed.out), "--resume"]
    assert main([*command, *routed.routes]) == 0
    capsys.readouterr()
    for other in (
        [*routed.routes[2:4], *routed.routes[:2], *routed.routes[4:]],  # the same, in other order
        [*routed.routes, "--route", "pseudogene=tiny"],
        ["--model", "tiny"],
    ):
        assert main([*command, *other]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "routes: protein_coding=tiny, rRNA=skip, *RNA=short ->" in line


def test_a_run_that_was_stopped_between_its_models_goes_on(
    routed: Place, short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = {"protein_coding": "tiny", "rRNA": "skip", "*RNA": str(short)}
    options = RunOptions(
        genome=Path(routed.inputs[1]),
        annotation=Path(routed.inputs[3]),
        out=tmp_path / "out",
        describe=DescribeSettings(model=models),
    )
    stop = threading.Event()
    with pytest.raises(Cancelled):
        run(options, command="", cancel=stop, progress=lambda done, _: done and stop.set())
    command = ["run", *routed.inputs, "--name", "example", "--out", str(options.out), "--resume"]
    assert main([*command, "--model", "tiny"]) == 2
    assert "routes: protein_coding=tiny, " in capsys.readouterr().err
    assert main([*command, *routed.routes]) == 0
    said = capsys.readouterr().err
    assert "describes 7 genes" in said
    assert "tiny@" not in said, "its genes were finished before"
    assert descriptions(options.out) == descriptions(routed.out)


@pytest.mark.parametrize("other", [["--model", "tiny"], ["--route", "protein_coding=tiny"], []])
def test_describing_what_was_extracted_for_other_models_is_refused(
    routed: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], other: list[str]
) -> None:
    done = main([
        "describe", "--genes", str(routed.out / "genes.tsv"), "--out", str(tmp_path / "x.jsonl"),
        "--sequences", str(routed.out / "sequences.fa.gz"), *other,
    ])  # fmt: skip
    assert done == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "was extracted for other models; give describe the same --model or --route" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        (
            ["--route", "mRNA=tiny"],
            "no gene's biotype matches a route that names a model; the biotypes are",
        ),
        (["--route", "tRNA=skip"], "no route leads to a model"),
        (["--route", "tRNA=unknown"], "no model named 'unknown'"),
        (["--route", "*=tiny", "--route", "tRNA=skip"], "route tRNA: is never used"),
        (["--route", "tRNA=tiny", "--route", "tRNA=skip"], "--route tRNA: is there twice"),
        (["--route", "tRNA=nowhere.yaml"], "nowhere.yaml: no such file"),
        (["--model", "tiny", "--prompt", "other"], "no prompt 'other'"),
    ],
)
def test_routes_that_cannot_be_meant_are_refused_in_one_line(
    routed: Place,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    routes: list[str],
    says: str,
) -> None:
    out = tmp_path / "out"
    assert main(["run", *routed.inputs, *routes, "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
    assert not out.exists()


def test_a_question_to_a_model_that_takes_none_is_refused(
    routed: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["run", *routed.inputs, *routed.routes, "--question", "?", "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "prompt short-1 of model short takes no question" in line
    assert not out.exists()


@pytest.mark.parametrize("route", ["tRNA", "=tiny", "tRNA=", ""])
def test_a_route_that_is_none_is_refused_by_the_parser(
    routed: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], route: str
) -> None:
    assert main(["run", *routed.inputs, "--route", route, "--out", str(tmp_path / "out")]) == 2
    assert "is not PATTERN=MODEL" in capsys.readouterr().err


def test_a_route_without_genes_is_mentioned(
    routed: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    routes = [*routed.routes, "--route", "miRNA_gene=tiny"]
    assert main(["extract", *routed.inputs, *routes, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert "route miRNA_gene is used for no gene; the biotypes are protein_coding (42), " in said
    assert f"7 genes longer than their model's limit were cut: 7 to {LIMIT} nt" in said
