"""Families, sides and what leaks between them."""

from __future__ import annotations

import os
import random
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genescribe.corpus import mmseqs
from genescribe.corpus.families import FAMILY_CONTAINMENT, joined, kmer_partitions
from genescribe.corpus.partition import (
    By,
    Genes,
    Leakage,
    Relatives,
    SplitSettings,
    divide,
    find_relatives,
    leakage,
)
from genescribe.corpus.records import by_gene, write_corpus
from genescribe.corpus.splits import Side, SplitRow, read_splits, write_splits
from genescribe.errors import FormatError, GenescribeError, InputError
from genescribe.records import SequenceRecord, View
from support.corpus_toys import mutated, open_frame, record, relatives

FAMILIES, MEMBERS = 20, 3

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def genes() -> Genes:
    return list(by_gene(relatives(FAMILIES, MEMBERS)))


@pytest.fixture(scope="module")
def kin(genes: Genes) -> Relatives:
    return find_relatives(genes, use_mmseqs=False)


def on(rows: list[SplitRow], side: Side) -> list[SplitRow]:
    return [row for row in rows if row.side is side]


# ---- families


def test_families_join_relatives_and_nothing_else() -> None:
    chance = random.Random(0)
    founders = ["".join(chance.choices("ACGT", k=900)) for _ in range(30)]
    copies = [
        "".join(chance.choice("ACGT") if chance.random() < 0.05 else base for base in sequence)
        for sequence in founders
    ]
    for view in (View.CDS, View.TRANSCRIPT):
        records = [SequenceRecord("g", view, "x", s, "") for s in [*founders, *copies]]
        (family,) = kmer_partitions(records, FAMILY_CONTAINMENT)
        assert family.tolist() == [*range(30), *range(30)]


def test_a_protein_and_a_transcript_are_no_relatives() -> None:
    cds = open_frame(random.Random(1), 300)
    records = [SequenceRecord("g", view, "x", cds, "") for view in (View.CDS, View.TRANSCRIPT)]
    assert kmer_partitions(records, FAMILY_CONTAINMENT)[0].tolist() == [0, 1]


def test_near_copies_are_nearer_than_families() -> None:
    chance = random.Random(2)
    founder = open_frame(chance, 400)
    sequences = [founder, mutated(chance, founder, 0.02), mutated(chance, founder, 0.3)]
    genes = [[record(str(at), sequence)] for at, sequence in enumerate(sequences)]
    kin = find_relatives(genes, use_mmseqs=False)
    assert kin.family.tolist() == [0, 0, 0]
    assert kin.near_copy.tolist() == [0, 0, 1]


def test_what_any_evidence_links_is_one_family() -> None:
    one, other = np.array([7, 7, 3, 4, 5]), np.array([1, 2, 2, 8, 9])
    assert joined(one, other).tolist() == [0, 0, 0, 1, 2]


# ---- mmseqs


def test_mmseqs_sees_relatives_that_share_no_kmers(need: Callable[[str], str]) -> None:
    need("mmseqs")
    chance = random.Random(4)
    founder = open_frame(chance, 400)
    sequences = [founder, mutated(chance, founder, 0.5), open_frame(chance, 400)]
    genes = [[record(str(at), sequence)] for at, sequence in enumerate(sequences)]
    assert find_relatives(genes, use_mmseqs=True).family.tolist() == [0, 0, 1]
    near = mmseqs.clusters([gene[0].sequence_record() for gene in genes], mmseqs.NEAR_COPY)
    assert len(set(near.tolist())) == 3


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that puts a shell script in the place of mmseqs."""

    def write(script: str) -> None:
        program = tmp_path / "bin" / "mmseqs"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    return write


def test_clusters_are_read_from_what_mmseqs_writes(
    genes: Genes, stand_in: Callable[[str], None]
) -> None:
    stand_in("printf '4\\t4\\n4\\t7\\n' > clusters_cluster.tsv; test -s proteins.faa")
    numbers = mmseqs.clusters([gene[0].sequence_record() for gene in genes], mmseqs.FAMILY)
    assert numbers[7] == numbers[4] == 4
    assert len(set(numbers.tolist())) == len(genes) - 1


def test_mmseqs_that_fails_is_one_line(genes: Genes, stand_in: Callable[[str], None]) -> None:
    stand_in("echo Input; echo 'No space left' >&2; exit 3")
    with pytest.raises(GenescribeError, match=r"^mmseqs easy-cluster: exit code 3 \(No space"):
        mmseqs.clusters([gene[0].sequence_record() for gene in genes], mmseqs.FAMILY)


def test_mmseqs_that_is_missing(genes: Genes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match=r"^mmseqs: not found; install .*; or find families by"):
        find_relatives(genes, use_mmseqs=True)


# ---- sides


def test_families_stay_whole(genes: Genes, kin: Relatives) -> None:
    rows = divide(genes, SplitSettings(by=By.FAMILY, validation=6, test=9), kin)
    assert [len(on(rows, side)) for side in Side] == [45, 6, 9, 0]
    for family in range(FAMILIES):
        assert len({row.side for row in rows if row.family == family}) == 1
    report = {row.side: row for row in leakage(genes, rows)}
    assert report[Side.TEST] == Leakage(Side.TEST, 9, 9, 3, 0, 0, 0)
    assert report.keys() == {Side.VALIDATION, Side.TEST}


def test_random_split_takes_single_genes_and_says_what_leaks(genes: Genes, kin: Relatives) -> None:
    rows = divide(genes, SplitSettings(by=By.RANDOM, validation=0.1, test=0.25), kin)
    assert [len(on(rows, side)) for side in Side] == [39, 6, 15, 0]
    report = {row.side: row for row in leakage(genes, rows)}
    train = {row.family for row in on(rows, Side.TRAIN)}
    known = sum(row.family in train for row in on(rows, Side.TEST))
    assert report[Side.TEST].family_in_train == known > 10


def test_a_text_that_training_has_as_well_leaks(genes: Genes, kin: Relatives) -> None:
    same = [[record(gene[0].gene_id, gene[0].sequence, answer="holin")] for gene in genes]
    rows = divide(same, SplitSettings(by=By.FAMILY, validation=0, test=6), kin)
    assert leakage(same, rows)[0].same_answer_in_train == 6


def test_sides_are_the_same_again_and_others_with_another_seed(
    genes: Genes, kin: Relatives
) -> None:
    settings = [
        SplitSettings(by=By.RANDOM, validation=0.1, test=0.1, seed=seed) for seed in (1, 1, 2)
    ]
    one, again, other = (divide(genes, each, kin) for each in settings)
    assert one == again != other


def test_organisms_held_out(genes: Genes, kin: Relatives) -> None:
    """A sequence of two organisms, one of them held out, is not trained on."""
    other = [[record("x", genes[at][0].sequence, organism="Other")] for at in range(30)]
    both = [[*genes[0], *other[0]], *other[1:], *genes[30:]]
    for by, test in ((By.SPECIES, 0), (By.FAMILY, 3)):
        rows = divide(both, SplitSettings(by=by, validation=3, test=test, held_out=("Other",)), kin)
        assert Counter(row.side for row in rows)[Side.HELD_OUT] == 30
        assert all(row.side is Side.HELD_OUT for row in rows[:30])
        assert len(on(rows, Side.VALIDATION)) == 3
        assert len(on(rows, Side.TEST)) == test


def test_genes_of_which_nothing_is_known_do_not_count(genes: Genes, kin: Relatives) -> None:
    known = [
        gene if at % 2 else [record("u", gene[0].sequence, answer="orf", informative=False)]
        for at, gene in enumerate(genes)
    ]
    rows = divide(known, SplitSettings(by=By.RANDOM, validation=0, test=10), kin)
    test = {row.sha256 for row in on(rows, Side.TEST)}
    assert sum(gene[0].informative for gene in known if gene[0].sha256 in test) == 10
    assert len(test) > 10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            SplitSettings(by=By.SPECIES, validation=0, test=0),
            "a split by species holds out organisms: Toy toy; name an organism",
        ),
        (
            SplitSettings(by=By.FAMILY, validation=0, test=0, held_out=("E",)),
            "'E' is to be held out: not in the corpus.*Toy toy",
        ),
        (
            SplitSettings(by=By.FAMILY, validation=0, test=60),
            "a split by family leaves no described gene on.* train; .* larger",
        ),
        (
            SplitSettings(by=By.RANDOM, validation=0, test=0.1, held_out=("Toy toy",)),
            "a split by random leaves no described gene",
        ),
        (
            SplitSettings(by=By.RANDOM, validation=0.001, test=0.1),
            "leaves no described gene on.* validation",
        ),
    ],
)
def test_splits_that_leave_nothing(
    genes: Genes, kin: Relatives, settings: SplitSettings, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        divide(genes, settings, kin)


# ---- the table and the command


def test_table(genes: Genes, kin: Relatives, tmp_path: Path) -> None:
    rows = divide(genes, SplitSettings(by=By.FAMILY, validation=3, test=3), kin)
    path = tmp_path / "splits.tsv"
    write_splits(path, rows)
    assert list(read_splits(path).values()) == rows
    header, first, *_ = path.read_text().splitlines()
    for lines, message in (
        ([header], "has no row"),
        (["sha256\tside", first], "splits.tsv:1: not a splits.tsv of .* sha256, gene_id"),
        ([header, first[: first.rindex("\t")] + "\tdev"], "splits.tsv:2: .*'dev' is not"),
        ([header, "abc"], "splits.tsv:2: not a row of splits"),
    ):
        path.write_text("\n".join(lines) + "\n")
        with pytest.raises(FormatError, match=message):
            read_splits(path)


def test_command(genes: Genes, tmp_path: Path, genescribe: Run) -> None:
    corpus, out = tmp_path / "corpus.jsonl.gz", tmp_path / "splits.tsv"
    write_corpus(corpus, [record for gene in genes for record in gene])
    arguments = ("splits", corpus, "--by", "family", "--out", out, "--no-mmseqs")
    done = genescribe(*arguments, "--test", "6", "--validation", "0")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "test: 6 genes of 2 families, 6 described; with training genes in common: "
        "near-copy 0, family 0, a text 0\n"
    )
    assert (tmp_path / "splits.leakage.tsv").read_text().splitlines()[1].startswith("test\t6\t6")
    assert Counter(row.side for row in read_splits(out).values())[Side.TEST] == 6
    again = genescribe(*arguments)
    assert (again.returncode, "already exists" in again.stderr) == (2, True)
    wrong = genescribe(*arguments, "--force", "--test", "1.5")
    assert wrong.returncode == 2
    assert "neither a number of genes" in wrong.stderr
