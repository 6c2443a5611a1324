"""What a description would score that needs no model: habit, chance, and the nearest known gene."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from genescribe.corpus.records import CorpusRecord
from genescribe.errors import InputError
from genescribe.evaluation.cases import Case
from genescribe.kmers import Seed, packed_kmers
from genescribe.nucleotides import RESIDUES, nucleotide_codes, residue_codes
from genescribe.records import SequenceRecord, View

PROTEIN_KMER = Seed(tuple(range(5)), len(RESIDUES))
NUCLEOTIDE_KMER = Seed(tuple(range(8)), 4)
TRAINING_BLOCK, QUERY_BLOCK = 20_000, 200
"""Genes compared at once: 200 rows of 20,000 counts are 16 MB, whatever the corpus."""


def most_frequent(cases: Sequence[Case], training: Sequence[CorpusRecord]) -> list[str]:
    """Return, for each case, the commonest training answer to its question (ties: by alphabet)."""
    best = {
        question: min(Counter(answers).items(), key=lambda item: (-item[1], item[0]))[0]
        for question, answers in _answers(cases, training).items()
    }
    return [best[case.question] for case in cases]


def random_description(
    cases: Sequence[Case], training: Sequence[CorpusRecord], seed: int
) -> list[str]:
    """Return, for each case, a training answer to its question drawn at random."""
    rng = np.random.default_rng(seed)
    answers = _answers(cases, training)
    return [answers[case.question][rng.integers(len(answers[case.question]))] for case in cases]


def nearest_gene(cases: Sequence[Case], training: Sequence[CorpusRecord]) -> list[str]:
    """Return, for each case, what is said of the training gene that shares most k-mers with it.

    Distinct protein 5-mers between coding sequences, nucleotide 8-mers between all others; of
    equally near genes the one with fewest k-mers, then the first. "" where no k-mer is shared.
    """
    texts = [""] * len(cases)
    known: dict[tuple[str, bool], list[CorpusRecord]] = defaultdict(list)
    for one in training:
        known[one.question, one.view == View.CDS].append(one)
    asked: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for i, case in enumerate(cases):
        asked[case.question, _record(case).view == View.CDS].append(i)
    for (question, is_protein), places in asked.items():
        others = known[question, is_protein]
        queries = [_record(cases[i]).sequence for i in places]
        found = nearest(queries, [other.sequence for other in others], is_protein)
        for i, place in zip(places, found.tolist(), strict=True):
            texts[i] = others[place].answer if place >= 0 else ""
    return texts


def nearest(queries: Sequence[str], training: Sequence[str], is_protein: bool) -> NDArray[np.int64]:
    """Return the index of the training sequence that shares most k-mers, or -1, (queries,)."""
    best = np.full(len(queries), -1)
    rank = np.zeros(len(queries))
    for first in range(0, len(training), TRAINING_BLOCK):
        known = _kmer_table(training[first : first + TRAINING_BLOCK], is_protein)
        sizes = np.asarray(known.sum(1), np.float64).ravel()  # (block,)
        transposed = known.T.tocsr()
        for start in range(0, len(queries), QUERY_BLOCK):
            rows = slice(start, start + QUERY_BLOCK)
            shared = (_kmer_table(queries[rows], is_protein) @ transposed).toarray()
            # shared counts are whole numbers, so a part below 1 only decides between equals
            ranks = np.where(shared > 0, shared + 1 / (2 + sizes), 0.0)  # (queries, block)
            top = ranks.argmax(1)
            highest = ranks[np.arange(len(top)), top]
            is_better = highest > rank[rows]
            best[rows] = np.where(is_better, first + top, best[rows])
            rank[rows] = np.where(is_better, highest, rank[rows])
    return best


def _kmer_table(sequences: Sequence[str], is_protein: bool) -> csr_matrix:
    """Return which k-mers each sequence has, 0 or 1, (sequences, all k-mers)."""
    seed = PROTEIN_KMER if is_protein else NUCLEOTIDE_KMER
    rows = []
    for sequence in sequences:
        letters = residue_codes(sequence) if is_protein else nucleotide_codes(sequence)
        rows.append(np.unique(packed_kmers(letters, seed)[0]).astype(np.int64))
    ends = np.cumsum([0, *(len(row) for row in rows)])
    columns = np.concatenate([*rows, np.zeros(0, np.int64)])
    shape = (len(sequences), seed.alphabet ** len(seed.offsets))
    return csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=shape)


def _answers(cases: Sequence[Case], training: Sequence[CorpusRecord]) -> dict[str, list[str]]:
    answers: dict[str, list[str]] = defaultdict(list)
    for record in training:
        answers[record.question].append(record.answer)
    for question in dict.fromkeys(case.question for case in cases):
        if not answers[question]:
            raise InputError(
                f"no gene of side train answers {question!r}, so there is nothing to compare "
                "with; choose another question or split"
            )
    return answers


def _record(case: Case) -> SequenceRecord:
    assert case.record is not None, "a gene without sequence has no nearest one"
    return case.record
