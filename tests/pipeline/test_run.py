"""The whole command on the example assembly, as a person would run it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from genescribe.artifacts.descriptions import read_descriptions
from genescribe.artifacts.genes import read_genes_tsv, write_genes_tsv
from genescribe.artifacts.sequences import read_sequences, write_sequences
from genescribe.pipeline.run import RunOptions, run

Command = Callable[..., subprocess.CompletedProcess[str]]

RESULTS = {
    "example.gff3",
    "example.sorted.gff3.gz",
    "example.sorted.gff3.gz.tbi",
    "descriptions.tsv",
    "descriptions.jsonl",
    "genes.tsv",
    "sequences.fa.gz",
    "report.html",
    "genescribe_mqc.tsv",
    "run.json",
}


@pytest.fixture(scope="module")
def example(root: Path) -> Path:
    return root / "examples"


@pytest.fixture(scope="module")
def described(genescribe: Command, example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, run once."""
    out = tmp_path_factory.mktemp("run") / "out"
    done = genescribe(
        "run", "--genome", example / "example.fa", "--annotation", example / "example.gff3",
        "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "genes/min" in done.stderr
    return out


def test_every_promised_file_is_there_and_no_other(described: Path) -> None:
    assert {path.name for path in described.iterdir()} == RESULTS


def test_every_gene_has_exactly_one_row_with_a_reason(described: Path) -> None:
    rows = read_genes_tsv(described / "genes.tsv")
    texts = list(read_descriptions(described / "descriptions.jsonl"))
    assert [row.gene_id for row in rows] == [text.gene_id for text in texts]
    assert all(bool(text.reason) == (text.status != "described") for text in texts)
    run = json.loads((described / "run.json").read_text())
    assert run["genes"] == dict(Counter(text.status for text in texts))
    assert sum(run["genes"].values()) >= 25
    assert run["model"]["identity"] == texts[0].model
    assert {stage["stage"] for stage in run["stages"]} == {
        "extract", "describe", "gather", "decorate", "report",
    }  # fmt: skip


@pytest.mark.parametrize("annotation", ["example.gff3", "example.gtf"])
def test_each_input_is_hashed_once_and_the_annotation_is_parsed_once(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, annotation: str
) -> None:
    from genescribe.genome.annotation import read

    hashed: Counter[str] = Counter()
    digest, parse, parsed = hashlib.file_digest, read.features, []

    def counting_digest(handle: BinaryIO, name: str) -> object:
        hashed[Path(handle.name).name] += 1
        return digest(handle, name)

    def counting_parse(*args: object) -> object:
        parsed.append(args[1])
        return parse(*args)

    monkeypatch.setattr(hashlib, "file_digest", counting_digest)
    monkeypatch.setattr(read, "features", counting_parse)
    options = RunOptions(
        genome=example / "example.fa", annotation=example / annotation, out=tmp_path / "out"
    )
    run(options, command="test")
    assert parsed == [example / annotation]
    names = ("example.fa", annotation, "sequences.fa.gz")
    assert {name: hashed[name] for name in names} == dict.fromkeys(names, 1)


def test_strip_gives_the_input_back(described: Path, example: Path, genescribe: Command) -> None:
    done = genescribe("strip", described / "example.gff3")
    assert done.stdout == (example / "example.gff3").read_text()


def test_same_input_same_bytes(
    described: Path, example: Path, genescribe: Command, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    genescribe(
        "run", "--genome", example / "example.fa", "--annotation", example / "example.gff3",
        "--out", again, "--threads", 1,
    )  # fmt: skip
    for name in RESULTS - {"run.json", "report.html"}:  # these two hold times
        assert (again / name).read_bytes() == (described / name).read_bytes(), name


def test_stage_by_stage_in_shards_gives_the_same(
    described: Path, example: Path, genescribe: Command, tmp_path: Path
) -> None:
    genes, sequences = tmp_path / "genes.tsv", tmp_path / "sequences.fa.gz"
    genescribe(
        "extract", "--genome", example / "example.fa", "--annotation", example / "example.gff3",
        "--out", tmp_path,
    )  # fmt: skip
    shards = [tmp_path / f"{index}.jsonl" for index in (1, 2, 3)]
    for index, shard in enumerate(shards, 1):
        done = genescribe(
            "describe", "--genes", genes, "--sequences", sequences, "--out", shard,
            "--shard", f"{index}/3", "--record", tmp_path / f"{index}.json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    joined = tmp_path / "descriptions.jsonl"
    genescribe("gather", "--genes", genes, "--out", joined, *reversed(shards))
    genescribe(
        "decorate", "--annotation", example / "example.gff3", "--descriptions", joined,
        "--out", tmp_path / "example.gff3",
    )  # fmt: skip
    for name in ("descriptions.jsonl", "descriptions.tsv", "example.gff3"):
        assert (tmp_path / name).read_bytes() == (described / name).read_bytes(), name


def test_gtf_in_gives_gff3_and_gtf_with_the_same_texts(
    described: Path, example: Path, genescribe: Command, tmp_path: Path
) -> None:
    done = genescribe(
        "run", "--genome", example / "example.fa", "--annotation", example / "example.gtf",
        "--out", tmp_path / "gtf",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "gtf").iterdir()} == RESULTS | {"example.gtf"}
    texts = [
        {
            d.gene_id: (d.text, d.score, d.lift)
            for d in read_descriptions(out / "descriptions.jsonl")
        }
        for out in (described, tmp_path / "gtf")
    ]
    assert texts[0] == texts[1]
    stripped = genescribe("strip", tmp_path / "gtf" / "example.gtf").stdout
    assert stripped == (example / "example.gtf").read_text()


def test_a_finished_run_is_safe(described: Path, example: Path, genescribe: Command) -> None:
    command = (
        "run", "--genome", example / "example.fa", "--annotation", example / "example.gff3",
        "--out", described,
    )  # fmt: skip
    before = (described / "run.json").read_bytes()
    refused = genescribe(*command)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    resumed = genescribe(*command, "--resume")
    assert resumed.returncode == 0
    assert "already complete" in resumed.stderr
    changed = genescribe(*command, "--resume", "--organism", "Mus musculus")
    assert changed.returncode == 2
    assert "organism: None -> Mus musculus" in changed.stderr
    assert (described / "run.json").read_bytes() == before


def test_the_cache_spares_the_model(example: Path, genescribe: Command, tmp_path: Path) -> None:
    """A new version of an assembly pays only for the genes that changed."""
    first, second = tmp_path / "first", tmp_path / "second"
    fasta = tmp_path / "changed.fa"
    text = (example / "example.fa").read_text()
    # contig_1 from 600: inside the CDS of its first gene and of no other
    lines = text.splitlines()
    assert lines[0].startswith(">contig_1")
    width = len(lines[1])
    row, column = 1 + 600 // width, 600 % width
    base = lines[row][column]
    lines[row] = lines[row][:column] + ("A" if base != "A" else "C") + lines[row][column + 1 :]
    fasta.write_text("\n".join(lines) + "\n")
    for genome, out in ((example / "example.fa", first), (fasta, second)):
        genescribe(
            "run", "--genome", genome, "--annotation", example / "example.gff3", "--out", out,
            "--cache", tmp_path / "cache",
        )  # fmt: skip
    computed = [
        next(s for s in json.loads((out / "run.json").read_text())["stages"] if "computed" in s)
        for out in (first, second)
    ]
    assert computed[0]["computed"] > 25
    assert computed[1]["computed"] == 1


def test_resume_after_kill_9(test_data: Path, tmp_path: Path, genescribe: Command) -> None:
    """A killed run goes on where it stopped and ends with the same descriptions."""
    ecoli = test_data / "genomes" / "ecoli_k12"
    genescribe(
        "extract", "--genome", ecoli / "GCF_000005845.2_genomic.fna.gz",
        "--annotation", ecoli / "GCF_000005845.2_genomic.gff.gz", "--out", tmp_path,
    )  # fmt: skip
    rows = [row for row in read_genes_tsv(tmp_path / "genes.tsv") if not row.reason][:400]
    chosen = {row.gene_id for row in rows}
    write_genes_tsv(tmp_path / "some.tsv", rows)
    records = (r for r in read_sequences(tmp_path / "sequences.fa.gz") if r.gene_id in chosen)
    write_sequences(tmp_path / "some.fa.gz", records)

    def command(out: Path) -> list[object]:
        return [
            "describe", "--genes", tmp_path / "some.tsv", "--sequences", tmp_path / "some.fa.gz",
            "--out", out,
        ]  # fmt: skip

    killed, whole = tmp_path / "killed.jsonl", tmp_path / "whole.jsonl"
    part = tmp_path / ".killed.jsonl.part"
    process = subprocess.Popen(
        [sys.executable, "-m", "genescribe", *map(str, command(killed))],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "scripts")},
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not (part.exists() and part.stat().st_size):
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not killed.exists(), "it ended before it could be killed"
    finished = part.read_bytes().count(b"\n")
    assert 0 < finished < len(rows)
    with part.open("ab") as handle:
        handle.write(b'{"gene_id": "half a li')
    resumed = genescribe(*command(killed), "--resume", "--record", tmp_path / "record.json")
    assert resumed.returncode == 0, resumed.stderr
    assert "unfinished last line" in resumed.stderr
    assert json.loads((tmp_path / "record.json").read_text())["computed"] <= len(rows) - finished
    genescribe(*command(whole))
    by_id = [{d.gene_id: d for d in read_descriptions(path)} for path in (killed, whole)]
    assert by_id[0].keys() == chosen
    differing = [g for g in chosen if by_id[0][g].text != by_id[1][g].text]
    assert differing == []
    shutil.rmtree(tmp_path)
