"""The evaluation itself: texts and references in, one dictionary of figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from genescribe.corpus.records import CorpusRecord
from genescribe.evaluation import baselines, calibration
from genescribe.evaluation.cases import Case, strata
from genescribe.evaluation.intervals import LEVEL, RESAMPLES, interval, resampled, summary
from genescribe.evaluation.metrics import RIGHT_ROUGE_L, Measure, mean_of, score, subset
from genescribe.evaluation.protocols import Protocol
from genescribe.evaluation.semantic import CharacterEncoder, TextEncoder, similarity
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
STRATA_METRICS = ("bleu_1", "bleu_4", "meteor", "rouge_l", "exact", "right")
EXAMPLES = 20


@dataclass(frozen=True)
class Settings:
    """What decides the figures besides texts and references.

    ``right`` is the ROUGE-L F from which on a text counts as right; ``seed`` decides the draws.
    """

    synonyms: Synonyms = field(default_factory=NoSynonyms)
    encoder: TextEncoder = field(default_factory=CharacterEncoder)
    protocols: Sequence[Protocol] = ()
    right: float = RIGHT_ROUGE_L
    seed: int = 0


@dataclass(frozen=True)
class Scored:
    """All that was compared: texts by system, their measures, and what the model said of its own.

    ``nats`` are those of the references; empty where no model was run.
    """

    cases: Sequence[Case]
    descriptions: Sequence[Description]
    texts: Mapping[str, Sequence[str]]
    measures: Mapping[str, Mapping[str, Measure]]
    nats: Mapping[str, Measure]


def texts_of_baselines(
    cases: Sequence[Case], training: Sequence[CorpusRecord], seed: int
) -> dict[str, list[str]]:
    """Return the texts of the three baselines that need no model."""
    return {
        "nearest": baselines.nearest_gene(cases, training),
        "most_frequent": baselines.most_frequent(cases, training),
        "random": baselines.random_description(cases, training, seed),
    }


def score_run(
    cases: Sequence[Case], run: ModelRun, training: Sequence[CorpusRecord], settings: Settings
) -> Scored:
    """Score a model beside all five baselines."""
    texts = {MODEL: run.own.texts, "other_gene": run.other_gene, "no_sequence": run.no_sequence}
    texts |= texts_of_baselines(cases, training, settings.seed)
    return score_texts(cases, run.own.descriptions, texts, settings, run.nats)


def score_texts(
    cases: Sequence[Case],
    descriptions: Sequence[Description],
    texts: Mapping[str, Sequence[str]],
    settings: Settings,
    nats: Mapping[str, Measure] | None = None,
) -> Scored:
    """Score the texts of each system against the references; the model's also have a lift."""
    references = [case.references for case in cases]
    measures: dict[str, dict[str, Measure]] = {}
    for system in [name for name in SYSTEMS if name in texts]:
        measures[system] = score(references, texts[system], settings.synonyms, settings.right)
        measures[system] |= similarity(references, texts[system], settings.encoder)
    lifts = [np.nan if d.lift is None else d.lift for d in descriptions]
    measures[MODEL]["lift"] = mean_of(lifts)
    return Scored(cases, descriptions, texts, measures, nats or {})


def report(found: Scored, settings: Settings, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return all figures, as evaluation.json holds them; ``facts`` say what was evaluated."""
    right = found.measures[MODEL]["right"].values[:, 0] > 0
    return {
        "genescribe_version": __version__,
        **facts,
        "genes": len(found.cases),
        "definitions": _definitions(settings),
        "empty": {name: sum(not text for text in texts) for name, texts in found.texts.items()},
        "systems": {name: summary(m, settings.seed) for name, m in found.measures.items()},
        "differences": _differences(found, settings.seed),
        "nats": _nats(found.nats, settings.seed),
        "statuses": _statuses(found.descriptions, right),
        "scores": _scores(found.descriptions, right),
        "strata": _strata(found, settings.seed),
        "protocols": _protocols(found, settings),
        "examples": rows(found)[:EXAMPLES],
    }


def rows(found: Scored) -> list[dict[str, Any]]:
    """Return one row per gene: references, the text of each system, and the model's figures."""
    model = found.measures[MODEL]
    return [
        {
            "gene_id": case.gene_id,
            "organism": case.organism,
            "biotype": case.biotype,
            "length": case.length,
            "question": case.question,
            "reference": " | ".join(case.references),
            **{name: texts[i] for name, texts in found.texts.items()},
            "status": str(description.status),
            "score": description.score,
            "lift": description.lift,
            **{name: round(model[name].over(slice(i, i + 1)), 4) for name in STRATA_METRICS},
        }
        for i, (case, description) in enumerate(zip(found.cases, found.descriptions, strict=True))
    ]


def _definitions(settings: Settings) -> dict[str, Any]:
    source = settings.synonyms.source
    return {
        "meteor": f"METEOR, synonyms from {source}" if source else "METEOR without WordNet",
        "semantic": settings.encoder.label,
        "right": f"ROUGE-L F of at least {settings.right:g}",
        "interval": f"{LEVEL:.0%}, percentile bootstrap over genes, {RESAMPLES} resamples",
        "seed": settings.seed,
    }


def _differences(found: Scored, seed: int) -> dict[str, dict[str, Any]]:
    """Return how far the model is above each baseline, with paired intervals."""
    draws = {name: resampled(m, seed) for name, m in found.measures.items()}
    differences: dict[str, dict[str, Any]] = {}
    for system in [name for name in found.measures if name != MODEL]:
        differences[system] = {}
        for metric in STRATA_METRICS:
            value = found.measures[MODEL][metric].over() - found.measures[system][metric].over()
            bounds = interval(draws[MODEL][metric] - draws[system][metric])
            differences[system][metric] = _figure(value, bounds)
    return differences


def _nats(nats: Mapping[str, Measure], seed: int) -> dict[str, Any]:
    """Return the nats per token of the references, and what the gene takes off them."""
    if not nats:
        return {}
    draws = resampled(nats, seed)
    found = {name: _figure(m.over(), interval(draws[name])) for name, m in nats.items()}
    for other in ("other_gene", "no_sequence"):
        value = nats[other].over() - nats["gene"].over()
        found[f"{other}_minus_gene"] = _figure(value, interval(draws[other] - draws["gene"]))
    return found


def _figure(value: float, bounds: tuple[float, float] | None) -> dict[str, Any]:
    return {
        "value": round(value, 5),
        "interval": [round(bound, 5) for bound in bounds] if bounds else None,
    }


def _statuses(descriptions: Sequence[Description], right: calibration.Booleans) -> dict[str, Any]:
    return {
        status.value: calibration.right_share(right, [d.status == status for d in descriptions])
        for status in Status
        if any(d.status == status for d in descriptions)
    }


def _scores(descriptions: Sequence[Description], right: calibration.Booleans) -> dict[str, Any]:
    """Return how well the model's scores tell right texts from wrong; {} without scores."""
    values = np.array([d.score or 0.0 for d in descriptions])
    if not values.any():
        return {}
    supported = np.array([d.reason != "low_lift" for d in descriptions])
    return {
        "calibrated": all(d.calibrated for d in descriptions),
        "quality": calibration.quality(values, right),
        "reliability": calibration.reliability(values, right),
        "curve": calibration.curve(values, right, supported),
    }


def _strata(found: Scored, seed: int) -> dict[str, Any]:
    """Return the main metrics by organism, biotype and the like; a division of one is left out."""
    divided: dict[str, Any] = {}
    for kind, labels in strata(found.cases).items():
        groups = sorted(set(labels), key=lambda label: (-labels.count(label), label))
        if len(groups) < 2:
            continue
        divided[kind] = {}
        for group in groups:
            chosen = np.array([label == group for label in labels])
            divided[kind][group] = {
                "genes": int(chosen.sum()),
                "systems": {
                    name: summary(subset(_main(measures), chosen), seed)
                    for name, measures in found.measures.items()
                },
            }
    return divided


def _main(measures: Mapping[str, Measure]) -> dict[str, Measure]:
    return {name: m for name, m in measures.items() if name in (*STRATA_METRICS, "lift")}


def _protocols(found: Scored, settings: Settings) -> dict[str, Any]:
    references = [case.references for case in found.cases]
    return {
        protocol.name: {
            "definition": protocol.definition,
            "systems": {
                name: summary(protocol.score(references, texts), settings.seed)
                for name, texts in found.texts.items()
            },
        }
        for protocol in settings.protocols
    }
