"""The files that a command is said to run hold all that it does run."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from genescribe.artifacts.descriptions import write_descriptions
from genescribe.records import Description, Reason, Status
from import_graph import ROOT, source_hash, sources
from support.corpus_toys import open_frame, pair, write_pairs

WATCHED = """
import inspect, sys, threading

ran = set()

def watch(frame, event, _):
    code = frame.f_code
    if event != "call" or "/genescribe/" not in code.co_filename:
        return
    if not code.co_flags & inspect.CO_OPTIMIZED:
        return  # the body of a module or class, which importing runs
    while frame is not None and frame.f_code.co_name != "main":
        if frame.f_code.co_name == "<module>":
            return
        frame = frame.f_back
    ran.add(code.co_filename)

from genescribe.cli import main
threading.setprofile(watch)
sys.setprofile(watch)
status = main(sys.argv[1:])
sys.setprofile(None)
print(*sorted(ran), sep="\\n")
sys.exit(status)
"""
DOOR = ROOT / "cli"


def run(*arguments: object) -> set[Path]:
    """Run a command; return the files whose functions it called, but for the command line's."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *map(str, arguments)],
        env={"PYTHONPATH": str(ROOT.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ran = {Path(line) for line in done.stdout.splitlines() if line.startswith(str(ROOT))}
    assert ran
    return {path for path in ran if path.parent != DOOR}


def test_sources_of_each_stage_hold_what_it_runs(root: Path, tmp_path: Path) -> None:
    example, out = root / "examples", tmp_path / "out"
    genes, sequences = out / "genes.tsv", out / "sequences.fa.gz"
    shard, descriptions = out / "1.jsonl", out / "descriptions.jsonl"
    record = ["--record", out / "record.json"]
    commands = {
        "extract": ["--genome", example / "example.fa", "--annotation", example / "example.gtf",
                    "--out", out, *record],
        "describe": ["--genes", genes, "--sequences", sequences, "--out", shard],
        "gather": ["--genes", genes, shard, "--out", descriptions],
        "decorate": ["--annotation", example / "example.gtf", "--descriptions", descriptions,
                     "--out", out / "new.gff3"],
        "record": [out / "record.json", "--out", out / "run.json"],
        "report": ["--genes", genes, "--descriptions", descriptions, "--run", out / "run.json",
                   "--out", out / "report.html"],
    }  # fmt: skip
    for command, arguments in commands.items():
        said = set(sources("genescribe.cli.commands", command))
        assert run(command, *arguments) <= said, command
    assert ROOT / "report" / "template.html" in said


def test_sources_of_corpus_and_evaluation_hold_what_they_run(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("nltk")
    pairs, table = tmp_path / "toy.jsonl.gz", tmp_path / "references.tsv"
    chance = random.Random(1)
    write_pairs(pairs, [pair(str(n), open_frame(chance), f"protein {n}") for n in range(4)])
    table.write_text("gene_id\tproduct\ng\tDNA ligase\n")
    texts = tmp_path / "descriptions.jsonl"
    marks = (Status.DESCRIBED, Reason.NONE, 0.9, 2.0, 3, "toy", "toy")
    write_descriptions(texts, [Description("g", "DNA ligase", *marks)])
    corpus = tmp_path / "corpus.jsonl"
    commands = {
        ("corpus", "corpus"): [pairs, "--out", corpus],
        ("corpus", "splits"): [corpus, "--by", "random", "--validation", 1, "--test", 1,
                               "--no-mmseqs", "--out", tmp_path / "splits.tsv"],
        ("evaluate", "evaluate"): ["--descriptions", texts, "--references", table,
                                   "--out", tmp_path / "evaluation"],
    }  # fmt: skip
    for (module, command), arguments in commands.items():
        said = set(sources(f"genescribe.cli.{module}", command))
        assert run(command, *arguments) <= said, command
    assert ROOT / "evaluation" / "evaluation.css" in said


def test_hash_changes_with_a_source_and_with_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_bytes

    def hash_with(edited: Path | None) -> str:
        end = b"# an edit"
        monkeypatch.setattr(Path, "read_bytes", lambda p: read(p) + (end if p == edited else b""))
        return source_hash("genescribe.cli.commands", "decorate")

    assert hash_with(None) == hash_with(ROOT / "inference" / "describer.py")
    assert hash_with(None) != hash_with(ROOT / "genome" / "decoration" / "column9.py")


def test_definition_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="does not define nothing"):
        sources("genescribe.cli.commands", "nothing")
