"""The workflow builds a corpus from annotated assemblies and splits it."""

from __future__ import annotations

from pathlib import Path

from genescribe.corpus.records import read_corpus
from genescribe.corpus.splits import Side, read_splits
from workflow.project import call_snakemake

SPLITS = "results/corpus/splits.tsv"


def test_corpus_and_splits(described: Path) -> None:
    done = call_snakemake(described, "--cores", "1", SPLITS)
    assert done.returncode == 0, done.stderr
    records = read_corpus(described / "results" / "corpus" / "corpus.jsonl.gz")
    rows = read_splits(described / SPLITS)
    assert {record.sha256 for record in records} == rows.keys()
    sides = [row.side for row in rows.values()]
    assert sorted(sides) == [Side.TEST] * 3 + [Side.TRAIN] * 7 + [Side.VALIDATION] * 2
    assert {row.organism for row in rows.values()} == {"Toy toy"}


def test_a_bad_sheet_is_refused_in_one_line(described: Path) -> None:
    (described / "config" / "sources.tsv").write_text("source\tinput\ntoy\tdata/none.gff3\n")
    done = call_snakemake(described, "--cores", "1", SPLITS)
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if line.startswith("genescribe: error:")]
    assert len(said) == 1
    assert "data/none.gff3: no such file" in said[0]
