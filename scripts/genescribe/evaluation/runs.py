"""Run a model on the cases: with each gene, with another gene's sequence, and with none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genescribe.corpus.records import QUESTIONS
from genescribe.evaluation.cases import Case, sequences, swap_sequences
from genescribe.evaluation.metrics import Floats, Measure
from genescribe.evaluation.settings import Watch, unwatched
from genescribe.inference.describer import Describer, described
from genescribe.inference.likelihood import text_likelihoods
from genescribe.inference.params import DescribeParams
from genescribe.records import Description, SequenceRecord
from genescribe.specs.spec import ModelSpec


@dataclass(frozen=True)
class Conditions:
    """What the model is told besides the gene, and how a pass is watched."""

    organism: str | None = None
    watch: Watch = unwatched


@dataclass(frozen=True)
class Written:
    """What a model wrote: one description per case, and the mean log p of each text in nats."""

    descriptions: list[Description]
    log_probs: list[float]

    @property
    def texts(self) -> list[str]:
        """The texts alone."""
        return [description.text for description in self.descriptions]

    @property
    def lifts(self) -> list[float]:
        """The lift of each text in nats per token; NaN where there is none."""
        return [math.nan if d.lift is None else d.lift for d in self.descriptions]


@dataclass(frozen=True)
class ModelRun:
    """All that a model is asked for in an evaluation.

    ``nll`` is the negative log likelihood of the references, in nats per token, by what the model
    read: ``gene``, ``other_gene`` or ``no_sequence``.
    """

    own: Written
    other_gene: list[str]
    no_sequence: list[str]
    nll: dict[str, Measure]


def run_model(
    describer: Describer, cases: Sequence[Case], conditions: Conditions, seed: int
) -> ModelRun:
    """Let a model write about each case in three ways, and read the references in the same ways."""
    own, swapped = sequences(cases), swap_sequences(cases, seed)
    return ModelRun(
        own=write(describer, cases, own, conditions, "describe"),
        other_gene=write(describer, cases, swapped, conditions, "another gene's sequence").texts,
        no_sequence=write(describer, cases, own, conditions, "no sequence", False).texts,
        nll={
            "gene": negative_log_likelihood(describer, cases, own, conditions),
            "other_gene": negative_log_likelihood(describer, cases, swapped, conditions),
            "no_sequence": negative_log_likelihood(describer, cases, own, conditions, False),
        },
    )


def write(
    describer: Describer,
    cases: Sequence[Case],
    shown: Sequence[SequenceRecord],
    conditions: Conditions,
    what: str,
    use_sequence: bool = True,
) -> Written:
    """Describe each case from the sequence shown; ``what`` names the pass to who watches."""
    progress = conditions.watch(what)
    rows: dict[int, Description] = {}
    log_probs = [math.nan] * len(cases)
    for question, places in _by_question(cases).items():
        params = _params(describer.spec, question, conditions, use_sequence)
        for batch in describer.batching.generations([shown[i] for i in places], params):
            for one in batch:
                place = places[one.place]
                rows[place] = described(describer.spec, one.record, one.generation)
                if one.generation is not None:
                    log_probs[place] = one.generation.log_prob
            if progress:
                progress(len(rows), len(cases))
    return Written([rows[i] for i in range(len(cases))], log_probs)


def negative_log_likelihood(
    describer: Describer,
    cases: Sequence[Case],
    shown: Sequence[SequenceRecord],
    conditions: Conditions,
    use_sequence: bool = True,
) -> Measure:
    """Return that of all references in nats per token, read from the sequence shown."""
    sums: Floats = np.zeros((len(cases), 2))
    for question, places in _by_question(cases).items():
        pairs = [(i, text) for i in places for text in cases[i].references]
        read = text_likelihoods(
            describer,
            [shown[i] for i, _ in pairs],
            [text for _, text in pairs],
            _params(describer.spec, question, conditions, use_sequence),
        )
        for (i, _), likelihood in zip(pairs, read, strict=True):
            sums[i] += (-likelihood.log_prob, likelihood.n_tokens)
    return Measure(sums)


def _by_question(cases: Sequence[Case]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for i, case in enumerate(cases):
        places.setdefault(case.question, []).append(i)
    return places


def _params(
    spec: ModelSpec, question: str, conditions: Conditions, use_sequence: bool
) -> DescribeParams:
    """Ask the case's question of models that learned such ones, and the spec's of all others."""
    understands = spec.prompt.asks and (spec.question or "").split(" (")[0] in QUESTIONS
    return DescribeParams(
        organism=conditions.organism,
        question=question if understands else "",
        use_sequence=use_sequence,
    )


def lifts_of_references(
    describer: Describer,
    cases: Sequence[Case],
    shown: Sequence[SequenceRecord],
    conditions: Conditions,
) -> Floats:
    """Return how much the sequences shown raise the references, (cases,), in nats per token."""
    given = negative_log_likelihood(describer, cases, shown, conditions).values
    without = negative_log_likelihood(describer, cases, shown, conditions, False).values
    lifts: Floats = (without[:, 0] - given[:, 0]) / given[:, 1]
    return lifts
