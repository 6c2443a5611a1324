"""The baselines that need no model, and who gets whose sequence."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from genescribe.corpus.records import CorpusRecord
from genescribe.corpus.splits import Side, SplitRow
from genescribe.errors import InputError
from genescribe.evaluation.baselines import most_frequent, nearest, nearest_gene, random_description
from genescribe.evaluation.cases import Case, sample, select, strata, swap_sequences
from genescribe.records import View, sequence_sha256

NAME = "product name"


def record(gene_id: str, answer: str, sequence: str = "", **changes: object) -> CorpusRecord:
    sequence = sequence or random_gene(gene_id)
    made = CorpusRecord(
        gene_id, "toy", "Toy organism", "protein_coding", View.CDS, sequence,
        sequence_sha256(sequence), NAME, answer, True, "made up",
    )  # fmt: skip
    return replace(made, **changes)


def random_gene(seed: str, codons: int = 60) -> str:
    rng = random.Random(seed)
    sense = [a + b + c for a in "TCAG" for b in "TCAG" for c in "TCAG"]
    return "".join(rng.choices([c for c in sense if c not in ("TAA", "TAG", "TGA")], k=codons))


def splits(corpus: list[CorpusRecord], sides: list[str]) -> dict[str, SplitRow]:
    return {
        r.sha256: SplitRow(r.sha256, r.gene_id, r.source, r.organism, 0, 0, Side(side))
        for r, side in zip(corpus, sides, strict=True)
    }


def case_of(one: CorpusRecord) -> Case:
    return Case(one.gene_id, one.question, (one.answer,), "o", "b", 180, one.sequence_record())


# ---- what is evaluated


def test_selection_takes_one_side_and_learns_from_training_only() -> None:
    corpus = [
        record("a", "kinase"), record("b", "ligase"), record("c", "lyase"),
        record("d", "hypothetical protein", informative=False),
        record("e", "abcE", question="gene symbol"),
    ]  # fmt: skip
    found = select(corpus, splits(corpus, ["train", "test", "validation", "test", "test"]),
                   ["test"], [NAME])  # fmt: skip
    assert [case.gene_id for case in found.cases] == ["b"]
    assert [one.answer for one in found.training] == ["kinase"]
    assert found.left_out == {"another question": 1, "says that nothing is known": 1}


def test_answers_about_one_sequence_are_references_of_one_case() -> None:
    first = record("a", "kinase")
    corpus = [first, replace(first, answer="protein kinase"), replace(first, question="function")]
    rows = splits(corpus[:1], ["test"])
    (case,) = select(corpus, rows, ["test"], [NAME]).cases
    assert case.references == ("kinase", "protein kinase")
    assert len(select(corpus, rows, ["test"], [NAME, "function"]).cases) == 2


def test_corpus_and_splits_that_do_not_belong_together() -> None:
    corpus = [record(name, "x") for name in "abcde"]
    with pytest.raises(InputError, match=r"4 genes .* not in the splits \(b, c, d, \.\.\.\)"):
        select(corpus, splits(corpus[:1], ["test"]), ["test"], [NAME])


def test_a_side_without_answers_says_what_there_is() -> None:
    corpus = [record("a", "kinase"), record("b", "ligase")]
    rows = splits(corpus, ["train", "train"])
    with pytest.raises(InputError, match=r"on side test; the corpus answers: product name"):
        select(corpus, rows, ["test"], [NAME])


def test_sample_is_seeded_and_keeps_the_order() -> None:
    cases = [case_of(record(str(i), "x")) for i in range(30)]
    some = sample(cases, 10, seed=1)
    assert some == sample(cases, 10, seed=1) != sample(cases, 10, seed=2)
    assert [case.gene_id for case in some] == sorted((c.gene_id for c in some), key=int)
    assert sample(cases, None, 0) == sample(cases, 99, 0) == cases


def test_strata_put_every_case_into_one_group_of_each_kind() -> None:
    case = case_of(record("a", "one two three four"))
    groups = strata([case, replace(case, length=None), replace(case, length=5000, biotype="")])
    assert groups["length of the gene"] == ["under 300 nt", "not known", "2,000 nt or more"]
    assert groups["length of the reference"] == ["4 to 7 words"] * 3
    assert groups["biotype"] == ["b", "b", "none"]


def test_every_case_gets_another_ones_sequence_of_its_view() -> None:
    views = [View.CDS] * 20 + [View.TRANSCRIPT] * 20
    cases = [case_of(record(str(i), "x", view=view)) for i, view in enumerate(views)]
    swapped = swap_sequences(cases, seed=0)
    assert sorted(r.sequence for r in swapped) == sorted(c.record.sequence for c in cases)
    for case, other in zip(cases, swapped, strict=True):
        assert other.sequence != case.record.sequence
        assert (other.gene_id, other.biotype) == (case.gene_id, case.record.biotype)
    moved = [case.record.view != other.view for case, other in zip(cases, swapped, strict=True)]
    assert sum(moved) == 2  # a cycle through both kinds crosses over twice
    with pytest.raises(InputError, match="one gene only"):
        swap_sequences(cases[:1], seed=0)


# ---- habit and chance


def test_most_frequent_is_counted_for_each_question() -> None:
    training = [record(str(i), text) for i, text in enumerate(("b", "a", "b", "a", "c"))]
    training.append(record("9", "abcE", question="gene symbol"))
    cases = [case_of(record("t", "x")), case_of(record("t", "x", question="gene symbol"))]
    assert most_frequent(cases, training) == ["a", "abcE"]  # a and b are equally frequent


def test_random_description_is_seeded_and_from_training() -> None:
    training = [record(str(i), f"text {i}") for i in range(50)]
    cases = [case_of(record("t", "x"))] * 40
    drawn = random_description(cases, training, seed=0)
    assert drawn == random_description(cases, training, seed=0)
    assert set(drawn) <= {one.answer for one in training}
    assert len(set(drawn)) > 10


def test_question_that_nobody_answers_in_training() -> None:
    with pytest.raises(InputError, match="no gene of side train answers 'product name'"):
        most_frequent([case_of(record("t", "x"))], [])


# ---- the nearest training gene


def kmers(sequence: str, k: int) -> set[str]:
    return {sequence[i : i + k] for i in range(len(sequence) - k + 1)}


def test_nearest_shares_most_kmers() -> None:
    known = [random_gene(f"k{i}", 40 + 5 * i) for i in range(12)]
    queries = [known[i][:60] + random_gene(f"q{i}", 10) for i in range(12)]
    found = nearest(queries, known, is_protein=False)
    for query, place in zip(queries, found.tolist(), strict=True):
        shared = [len(kmers(query, 8) & kmers(one, 8)) for one in known]
        assert shared[place] == max(shared)
    assert found.tolist() == list(range(12))


def test_proteins_are_compared_as_residues() -> None:
    gene = "ATGAAACTGGTTGAACGTTGGCACTATCCGGATTAA"
    silent = "ATGAAGTTAGTCGAGCGCTGGCATTACCCAGACTAA"  # the same protein
    other = random_gene("other", 12)
    assert nearest([gene], [other, silent], is_protein=True).tolist() == [1]
    assert nearest([gene], [other, silent], is_protein=False).tolist() != [1]


def test_of_equally_near_genes_the_smaller_then_the_first() -> None:
    core = random_gene("core", 20)
    known = [core + random_gene("tail", 30), core, core, core]
    assert nearest([core], known, is_protein=True).tolist() == [1]


def test_no_shared_kmer_means_no_text() -> None:
    cases = [case_of(record("t", "x", "ATG" * 20)), case_of(record("u", "x"))]
    training = [record("a", "far", "CCC" * 20), record("u", "the same")]
    assert nearest_gene(cases, training) == ["", "the same"]
    assert nearest_gene(cases, [record("a", "far", view=View.TRANSCRIPT)]) == ["", ""]


def test_short_sequences_have_no_kmers() -> None:
    assert nearest(["ATG"], ["ATG"], is_protein=True).tolist() == [-1]
    assert nearest(["ATG"], [], is_protein=True).tolist() == [-1]
    assert np.array_equal(nearest([], ["ATG"], is_protein=True), [])
