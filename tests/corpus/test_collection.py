"""The corpus: no answer twice, every loss counted, the same bytes again, bad input in one line."""

from __future__ import annotations

import doctest
import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from genescribe import corpus
from genescribe.corpus.collection import build_corpus
from genescribe.corpus.records import by_gene, read_corpus, write_corpus
from genescribe.corpus.source_genes import Drop
from genescribe.corpus.sources import Source
from genescribe.errors import FormatError, InputError
from support.corpus_toys import PRODUCTS, open_frame, pair, record, write_pairs

CHANCE = random.Random(5)
GENES = [open_frame(CHANCE) for _ in range(4)]

Run = Callable[..., subprocess.CompletedProcess[str]]


def source(folder: Path, name: str, *rows: dict[str, str], style: str | None = None) -> Source:
    path = write_pairs(folder / f"{name}.jsonl.gz", list(rows))
    return Source(name, path, organism=name.title(), style=style)


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    """Two strains that share a gene, which one of them knows and the other does not."""
    one = source(
        tmp_path, "one",
        pair("a", GENES[0], "hypothetical protein"),
        pair("b", GENES[1], "DNA ligase"),
        pair("c", GENES[2], "Dubious open reading frame; unlikely to encode a protein"),
        pair("d", GENES[3], "NA"),
        pair("e", GENES[3], "conserved hypothetical protein"),
        style="RAST",
    )  # fmt: skip
    two = source(
        tmp_path, "two",
        pair("A", GENES[0], "holin"),
        pair("B", GENES[1], "DNA ligase"),
        pair("B2", GENES[1].lower(), "NAD-dependent DNA ligase"),
    )  # fmt: skip
    return [one, two]


def test_answers_of_all_sources_stand_with_their_sequence(sources: list[Source]) -> None:
    records, _ = build_corpus(sources)
    genes = [
        {(r.source, r.question, r.answer, r.informative) for r in gene} for gene in by_gene(records)
    ]
    biotype = ("biotype", "protein coding", True)
    assert genes == [
        {("two", "product name", "holin", True), ("one", *biotype)},
        {
            ("one", "product name", "DNA ligase", True),
            ("one", "product name (RAST)", "DNA ligase", True),
            ("two", "product name", "NAD-dependent DNA ligase", True),
            ("one", *biotype),
        },
        {
            ("one", "product name", "conserved hypothetical protein", False),
            ("one", "product name (RAST)", "conserved hypothetical protein", False),
            ("one", *biotype),
        },
    ]


def test_report_accounts_for_every_gene(sources: list[Source], tmp_path: Path) -> None:
    records, report = build_corpus(sources)
    one, two = report.sources
    assert (one.genes, one.kept, two.genes, two.kept) == (5, 3, 3, 3)
    for row in report.sources:
        lost = sum(n for why, n in row.dropped.items() if not why.startswith("text:"))
        assert row.genes == row.kept + lost
    assert one.dropped[Drop.DUBIOUS_GENE] == one.dropped[Drop.NO_DESCRIPTION] == 1
    assert one.dropped[Drop.SAYS_LESS] == 2
    assert two.dropped[Drop.DUPLICATE] == 4
    assert (report.genes, report.records) == (3, len(records))
    assert sum(row.records for row in report.sources) == len(records)
    asked = {row.question: (row.records, row.informative, row.answers) for row in report.questions}
    assert asked["product name"] == (4, 3, 4)
    assert corpus.build(sources, tmp_path / "corpus.jsonl") == report
    written = json.loads((tmp_path / "corpus.report.json").read_text())
    assert written["sources"][0]["dropped"]["dubious_gene"] == 1


def test_organism_of_the_sheet_goes_first(sources: list[Source]) -> None:
    records, _ = build_corpus(sources)
    assert {record.organism for record in records} == {"One", "Two"}


@pytest.mark.parametrize("name", ["corpus.jsonl", "corpus.jsonl.gz"])
def test_corpus_files_are_the_same_bytes_again(
    sources: list[Source], tmp_path: Path, name: str
) -> None:
    records, _ = build_corpus(sources)
    written = []
    for folder in ("x", "y"):
        write_corpus(tmp_path / folder / name, build_corpus(sources)[0])
        written.append((tmp_path / folder / name).read_bytes())
    assert written[0] == written[1]
    if name.endswith(".gz"):
        assert written[0][4:8] == bytes(4), "the time is in the file (RFC 1952)"
    again = read_corpus(tmp_path / "x" / name)
    assert again == records
    for gene in by_gene(again):
        assert len({id(record.sequence) for record in gene}) == 1


def test_files_that_are_no_corpus(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    write_corpus(path, [record("a", GENES[0])])
    good = path.read_text()
    for line, message in (
        ('{"gene_id": "a"}\n', "keys are not gene_id"),
        ("{\n", "Expecting"),
        (good.replace('"cds"', '"CDS"'), "'CDS' is not one of"),
    ):
        path.write_text(good + line)
        with pytest.raises(FormatError, match=rf"corpus\.jsonl:2: not a corpus record.*{message}"):
            read_corpus(path)
    write_corpus(path, [])
    with pytest.raises(FormatError, match="the file is empty"):
        read_corpus(path)


NOTHING = {
    "no descriptions": (["", "NA"], "no gene carries a description"),
    "boilerplate alone": (["hypothetical protein"] * 2, "every description says that nothing"),
    "one class": (["holin"] * 2, "all 2 genes have the same description, 'holin'"),
}


@pytest.mark.parametrize("case", NOTHING)
def test_sources_from_which_nothing_can_be_learnt(tmp_path: Path, case: str) -> None:
    told, message = NOTHING[case]
    rows = [pair(f"g{at}", GENES[at], text) for at, text in enumerate(told)]
    with pytest.raises(InputError, match=rf"toy\.jsonl\.gz: {message}"):
        build_corpus([source(tmp_path, "toy", *rows)])


def test_two_inputs_of_one_name(sources: list[Source]) -> None:
    with pytest.raises(InputError, match="two inputs have the same name"):
        build_corpus([sources[0], sources[0]])


def test_command(tmp_path: Path, genescribe: Run) -> None:
    rows = [pair(f"g{at}", gene, PRODUCTS[at]) for at, gene in enumerate(GENES)]
    path = write_pairs(tmp_path / "toy.jsonl.gz", rows)
    out = tmp_path / "corpus.jsonl.gz"
    done = genescribe("corpus", path, "--organism", "Toy toy", "--style", "RefSeq", "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("4 genes, 12 records\n")
    assert {record.organism for record in read_corpus(out)} == {"Toy toy"}
    assert json.loads((tmp_path / "corpus.report.json").read_text())["genes"] == 4
    sheet = tmp_path / "sources.tsv"
    sheet.write_text("input\tstyle\ntoy.jsonl.gz\tRefSeq\n")
    for arguments, message in (
        ((path, "--out", out), "already exists; add --force"),
        ((sheet, "--style", "x", "--out", out, "--force"), "a sheet says itself"),
        ((sheet, "--out", out, "--force"), "toy.jsonl.gz: no such file"),
    ):
        bad = genescribe("corpus", *arguments, cwd=tmp_path / "..")
        assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
        assert message in bad.stderr
    good = genescribe("corpus", sheet, "--data", tmp_path, "--out", out, "--force", "-q")
    assert (good.returncode, good.stdout) == (0, "")


def test_the_examples_of_the_library_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["##gff-version 3"]
    for number, product in enumerate(("DNA ligase", "holin")):
        start, end = number * 400 + 1, number * 400 + len(GENES[number])
        place = f"\t{start}\t{end}\t.\t+"
        lines.append(f"c\t.\tgene{place}\t.\tID=g{number}")
        lines.append(f"c\t.\tCDS{place}\t0\tParent=g{number};product={product}")
    (tmp_path / "example.gff3").write_text("\n".join(lines) + "\n")
    genome = "".join(gene.ljust(400, "A") for gene in GENES[:2])
    (tmp_path / "example.fa").write_text(f">c\n{genome}\n")
    monkeypatch.chdir(tmp_path)
    for function in (corpus.build, corpus.split):
        (examples,) = doctest.DocTestFinder().find(function, globs={"Path": Path})
        assert examples.examples
        assert doctest.DocTestRunner().run(examples).failed == 0
