"""Comparing texts with references: the model beside its baselines, measured and summed up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from genescribe.corpus.records import CorpusRecord
from genescribe.evaluation import baselines, calibration
from genescribe.evaluation.cases import Case, strata
from genescribe.evaluation.correctness import correct
from genescribe.evaluation.figures import (
    CorpusData,
    Definitions,
    Evaluation,
    Figure,
    Figures,
    Group,
    ProtocolFigures,
    Scores,
    Share,
    TextRow,
    TextsData,
)
from genescribe.evaluation.intervals import LEVEL, RESAMPLES, difference, figure, resampled, summary
from genescribe.evaluation.metrics import CORRECT, JUDGED, Measure, mean_of, score, subset
from genescribe.evaluation.protocols import Protocol
from genescribe.evaluation.semantic import CharacterEncoder, TextEncoder, similarity
from genescribe.evaluation.settings import CORRECT_ROUGE_L
from genescribe.evaluation.wordnet import NoSynonyms, Synonyms
from genescribe.records import Description, Status
from genescribe.version import __version__

if TYPE_CHECKING:  # scoring texts that exist needs no torch
    from genescribe.evaluation.runs import ModelRun

MODEL = "model"
SYSTEMS = {
    MODEL: "the model",
    "other_gene": "the model, another gene's sequence",
    "no_sequence": "the model, no sequence",
    "nearest": "nearest training gene",
    "most_frequent": "most frequent description",
    "random": "random training description",
}
"""Where texts come from: the model and the five baselines."""
STRATA_METRICS = ("bleu_1", "bleu_4", "meteor", "rouge_l", "exact", CORRECT, JUDGED)


@dataclass(frozen=True)
class Scoring:
    """What decides the figures besides texts and references.

    ``correct`` is the ROUGE-L F from which on a text counts as correct; ``seed`` decides the draws.
    """

    synonyms: Synonyms = field(default_factory=NoSynonyms)
    encoder: TextEncoder = field(default_factory=CharacterEncoder)
    protocols: Sequence[Protocol] = ()
    correct: float = CORRECT_ROUGE_L
    seed: int = 0


@dataclass(frozen=True)
class Scored:
    """All that was compared: texts by system, their measures, and what the model said of its own.

    ``nll`` is the negative log likelihood of the references; empty where no model was run.
    """

    cases: Sequence[Case]
    descriptions: Sequence[Description]
    texts: Mapping[str, Sequence[str]]
    measures: Mapping[str, Mapping[str, Measure]]
    nll: Mapping[str, Measure]


def score_run(
    cases: Sequence[Case], run: ModelRun, training: Sequence[CorpusRecord], scoring: Scoring
) -> Scored:
    """Score a model beside all five baselines."""
    texts = {MODEL: run.own.texts, "other_gene": run.other_gene, "no_sequence": run.no_sequence}
    texts |= {
        "nearest": baselines.nearest_gene(cases, training),
        "most_frequent": baselines.most_frequent(cases, training),
        "random": baselines.random_description(cases, training, scoring.seed),
    }
    return score_texts(cases, run.own.descriptions, texts, scoring, run.nll)


def score_texts(
    cases: Sequence[Case],
    descriptions: Sequence[Description],
    texts: Mapping[str, Sequence[str]],
    scoring: Scoring,
    nll: Mapping[str, Measure] | None = None,
) -> Scored:
    """Score the texts of each system against the references; the model's also have a lift."""
    references = [case.references for case in cases]
    measures: dict[str, dict[str, Measure]] = {}
    for system in [name for name in SYSTEMS if name in texts]:
        measures[system] = score(references, texts[system], scoring.synonyms, scoring.correct)
        measures[system] |= similarity(references, texts[system], scoring.encoder)
        measures[system][JUDGED] = mean_of(
            [
                correct(case.question, case.references, text)
                for case, text in zip(cases, texts[system], strict=True)
            ]
        )
    lifts = [np.nan if d.lift is None else d.lift for d in descriptions]
    measures[MODEL]["lift"] = mean_of(lifts)
    return Scored(cases, descriptions, texts, measures, nll or {})


def sum_up(
    scored: Scored, scoring: Scoring, model: str, data: CorpusData | TextsData
) -> Evaluation:
    """Return all figures, with bootstrap intervals."""
    correct = scored.measures[MODEL][CORRECT].values[:, 0] > 0
    seed = scoring.seed
    return Evaluation(
        genescribe_version=__version__,
        model=model,
        data=data,
        genes=len(scored.cases),
        definitions=_definitions(scoring),
        empty={name: sum(not text for text in texts) for name, texts in scored.texts.items()},
        systems={name: summary(m, seed) for name, m in scored.measures.items()},
        differences=_differences(scored, seed),
        nll=_nll(scored.nll, seed),
        statuses=_statuses(scored.descriptions, correct),
        scores=_scores(scored.descriptions, correct),
        strata=_strata(scored, seed),
        protocols=_protocols(scored, scoring),
        rows=_rows(scored),
    )


def _rows(scored: Scored) -> list[TextRow]:
    measures = scored.measures[MODEL]
    return [
        TextRow(
            gene_id=case.gene_id,
            organism=case.organism,
            biotype=case.biotype,
            length=case.length,
            question=case.question,
            reference=" | ".join(case.references),
            texts={name: texts[i] for name, texts in scored.texts.items()},
            status=str(description.status),
            score=description.score,
            lift=description.lift,
            metrics={m: _value(measures[m], i) for m in STRATA_METRICS},
        )
        for i, (case, description) in enumerate(zip(scored.cases, scored.descriptions, strict=True))
    ]


def _value(measure: Measure, gene: int) -> float | None:
    value = measure.over(slice(gene, gene + 1))
    return round(value, 4) if np.isfinite(value) else None


def _definitions(scoring: Scoring) -> Definitions:
    source = scoring.synonyms.source
    return Definitions(
        meteor=f"METEOR, synonyms from {source}" if source else "METEOR without WordNet",
        semantic=scoring.encoder.label,
        correct=f"ROUGE-L F of at least {scoring.correct:g}",
        judge="names by their meaning, labels and sequences exactly, numbers within 0.01",
        interval=f"{LEVEL:.0%}, percentile bootstrap over genes, {RESAMPLES} resamples",
        seed=scoring.seed,
    )


def _differences(scored: Scored, seed: int) -> dict[str, Figures]:
    """Return how far the model is above each baseline, with paired intervals."""
    draws = {name: resampled(m, seed) for name, m in scored.measures.items()}
    own = scored.measures[MODEL]
    return {
        system: {
            metric: difference(
                own[metric], draws[MODEL][metric], measures[metric], draws[system][metric]
            )
            for metric in STRATA_METRICS
        }
        for system, measures in scored.measures.items()
        if system != MODEL
    }


def _nll(nll: Mapping[str, Measure], seed: int) -> Figures:
    """Return the nats per token of the references, and what the gene takes off them."""
    if not nll:
        return {}
    draws = resampled(nll, seed)
    nats: dict[str, Figure] = {name: figure(m, draws[name]) for name, m in nll.items()}
    for other in ("other_gene", "no_sequence"):
        nats[f"{other}_minus_gene"] = difference(
            nll[other], draws[other], nll["gene"], draws["gene"]
        )
    return nats


def _statuses(
    descriptions: Sequence[Description], correct: calibration.Booleans
) -> dict[str, Share]:
    return {
        status.value: calibration.share(correct, [d.status == status for d in descriptions])
        for status in Status
        if any(d.status == status for d in descriptions)
    }


def _scores(descriptions: Sequence[Description], correct: calibration.Booleans) -> Scores | None:
    values = np.array([d.score or 0.0 for d in descriptions])
    if not values.any():
        return None
    supported = np.array([d.reason != "low_lift" for d in descriptions])
    return Scores(
        calibrated=all(d.calibrated for d in descriptions),
        quality=calibration.quality(values, correct),
        reliability=calibration.reliability(values, correct),
        curve=calibration.curve(values, correct, supported),
    )


def _strata(scored: Scored, seed: int) -> dict[str, dict[str, Group]]:
    """Return the main metrics by organism, biotype and the like; a division of one is left out."""
    divided: dict[str, dict[str, Group]] = {}
    main = {
        system: {name: measures[name] for name in measures if name in (*STRATA_METRICS, "lift")}
        for system, measures in scored.measures.items()
    }
    for kind, labels in strata(scored.cases).items():
        groups = sorted(set(labels), key=lambda label: (-labels.count(label), label))
        if len(groups) < 2:
            continue
        divided[kind] = {}
        for group in groups:
            chosen = np.array([label == group for label in labels])
            systems = {
                name: summary(subset(measures, chosen), seed) for name, measures in main.items()
            }
            divided[kind][group] = Group(int(chosen.sum()), systems)
    return divided


def _protocols(scored: Scored, scoring: Scoring) -> dict[str, ProtocolFigures]:
    references = [case.references for case in scored.cases]
    return {
        protocol.name: ProtocolFigures(
            protocol.definition,
            {
                name: summary(protocol.score(references, texts), scoring.seed)
                for name, texts in scored.texts.items()
            },
        )
        for protocol in scoring.protocols
    }
