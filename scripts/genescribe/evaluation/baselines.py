"""What a description would score that needs no model: habit, chance, and the nearest known gene."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genescribe.corpus.records import CorpusRecord
from genescribe.errors import InputError
from genescribe.evaluation.cases import Case, sequences
from genescribe.kmers import KmerIndex, Seed, distinct_kmers, letter_codes
from genescribe.nucleotides import RESIDUES
from genescribe.records import View

PROTEIN_KMER = Seed(tuple(range(5)), len(RESIDUES))
NUCLEOTIDE_KMER = Seed(tuple(range(8)), 4)


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
    own = sequences(cases)
    kinds: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for i, case in enumerate(cases):
        kinds[case.question, own[i].view == View.CDS].append(i)
    for (question, is_protein), places in kinds.items():
        others = known[question, is_protein]
        queries = [own[i].sequence for i in places]
        best = nearest(queries, [other.sequence for other in others], is_protein)
        for i, place in zip(places, best.tolist(), strict=True):
            texts[i] = others[place].answer if place >= 0 else ""
    return texts


def nearest(queries: Sequence[str], training: Sequence[str], is_protein: bool) -> NDArray[np.int64]:
    """Return the index of the training sequence that shares most k-mers, or -1, (queries,)."""
    seed = PROTEIN_KMER if is_protein else NUCLEOTIDE_KMER
    known = [distinct_kmers(letter_codes(one, is_protein), seed) for one in training]
    index = KmerIndex.build(known, seed.num_codes)
    # shared counts are whole numbers, so a part below 1 only decides between equals
    bonus = 1 / (2 + np.array([len(own) for own in known], np.float64))  # (training,)
    best = np.full(len(queries), -1)
    for row, query in enumerate(queries):
        hits, _ = index.find(distinct_kmers(letter_codes(query, is_protein), seed))
        if len(hits):
            shared = index.count(hits)  # (training,)
            best[row] = np.where(shared > 0, shared + bonus, 0.0).argmax()
    return best


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
