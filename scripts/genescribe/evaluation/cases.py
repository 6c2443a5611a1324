"""What is evaluated: genes with one question each and what people answered to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genescribe.corpus.records import CorpusRecord
from genescribe.corpus.splits import SplitRow
from genescribe.errors import InputError
from genescribe.records import SequenceRecord

LENGTHS = ((300, "under 300 nt"), (1000, "300 to 999 nt"), (2000, "1,000 to 1,999 nt"))
WORDS = ((4, "1 to 3 words"), (8, "4 to 7 words"), (16, "8 to 15 words"))


@dataclass(frozen=True, slots=True)
class Case:
    """One gene, one question, and every answer that the references have for it.

    ``length`` is in nt, None where no sequence is known; ``record`` is None where the texts to
    score exist already and no model is run. Genes of one ``family`` resemble each other; None is
    a family of its own.
    """

    gene_id: str
    question: str
    references: tuple[str, ...]
    organism: str
    biotype: str
    length: int | None
    record: SequenceRecord | None = None
    family: int | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The cases of one side, the training records of the same questions, and what was left out.

    ``left_out`` counts, by reason, the records of the side that are no reference.
    """

    cases: list[Case]
    training: list[CorpusRecord]
    left_out: Mapping[str, int]


def select(
    corpus: Sequence[CorpusRecord],
    splits: Mapping[str, SplitRow],
    sides: Sequence[str],
    questions: Sequence[str],
) -> Selection:
    """Take the informative answers to ``questions``: those of ``sides``, and those to learn from.

    Raises InputError where corpus and splits do not belong together, and where nothing is left.
    """
    unknown = list(dict.fromkeys(r.gene_id for r in corpus if r.sha256 not in splits))
    if unknown:
        raise InputError(
            f"{len(unknown)} genes of the corpus are not in the splits ({named(unknown)}); "
            "make both from the same corpus"
        )
    chosen: dict[tuple[str, str], list[CorpusRecord]] = defaultdict(list)
    training: list[CorpusRecord] = []
    left_out = {"another question": 0, "says that nothing is known": 0}
    for record in corpus:
        side = splits[record.sha256].side
        is_wanted = record.question in questions and record.informative
        if side == "train" and is_wanted:
            training.append(record)
        elif side in sides and is_wanted:
            chosen[record.sha256, record.question].append(record)
        elif side in sides:
            is_answer = record.question in questions
            left_out["says that nothing is known" if is_answer else "another question"] += 1
    if not chosen:
        known = ", ".join(sorted({record.question for record in corpus}))
        raise InputError(
            f"no informative answer to {' or '.join(map(repr, questions))} on side "
            f"{' or '.join(sides)}; the corpus answers: {known}; choose another side or question"
        )
    cases = [_case(group, splits[sha256].family) for (sha256, _), group in chosen.items()]
    return Selection(cases, training, left_out)


def _case(group: Sequence[CorpusRecord], family: int) -> Case:
    first = group[0]
    return Case(
        gene_id=first.gene_id,
        question=first.question,
        references=tuple(dict.fromkeys(record.answer for record in group)),
        organism=first.organism or "not stated",
        biotype=first.biotype,
        length=len(first.sequence),
        record=first.sequence_record(),
        family=family,
    )


def sample(cases: Sequence[Case], at_most: int | None, seed: int) -> list[Case]:
    """Return all cases, or ``at_most`` of them drawn at random, in their own order."""
    if at_most is None or len(cases) <= at_most:
        return list(cases)
    drawn = np.random.default_rng(seed).permutation(len(cases))[:at_most]
    return [cases[i] for i in sorted(drawn)]


def strata(cases: Sequence[Case]) -> dict[str, list[str]]:
    """Return, for each way to divide the genes, the group of each case."""
    return {
        "organism": [case.organism for case in cases],
        "biotype": [case.biotype or "none" for case in cases],
        "length of the gene": [_length_group(case.length) for case in cases],
        "length of the reference": [
            _bin(len(case.references[0].split()), WORDS, "16 words or more") for case in cases
        ],
        "question": [case.question for case in cases],
    }


def _length_group(length: int | None) -> str:
    return "not known" if length is None else _bin(length, LENGTHS, "2,000 nt or more")


def _bin(value: int, bins: Iterable[tuple[int, str]], rest: str) -> str:
    return next((label for limit, label in bins if value < limit), rest)


def named(names: Sequence[str]) -> str:
    """Return the first names, for an error message."""
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def sequences(cases: Sequence[Case]) -> list[SequenceRecord]:
    """Return what a model reads of each case."""
    known = [case.record for case in cases if case.record is not None]
    assert len(known) == len(cases), "cases without sequence have no model to run"
    return known


def swap_sequences(cases: Sequence[Case], seed: int) -> list[SequenceRecord]:
    """Give each case the sequence of another one, read in the same view as far as possible.

    A cyclic shift in random order: every sequence is used once. Raises InputError for one case.
    """
    if len(cases) < 2:
        raise InputError("one gene only: there is no other to take a sequence from; choose more")
    own = sequences(cases)
    order = np.random.default_rng(seed).permutation(len(cases)).tolist()
    order.sort(key=lambda i: own[i].view)  # stable: random within each view
    swapped = list(own)
    for taker, giver in zip(order, [order[-1], *order[:-1]], strict=True):
        swapped[taker] = replace(own[giver], gene_id=own[taker].gene_id, biotype=own[taker].biotype)
    return swapped
