"""What this room is asked for: ``evaluate`` scores texts, ``calibrate`` fits what a score means."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from genescribe.artifacts.descriptions import read_descriptions
from genescribe.corpus.records import read_corpus
from genescribe.corpus.splits import read_splits
from genescribe.evaluation import calibration
from genescribe.evaluation.cases import Selection, sample, select, sequences, swap_sequences
from genescribe.evaluation.comparison import MODEL, Scoring, score_run, score_texts, sum_up
from genescribe.evaluation.figures import CalibrationFigures, CorpusData, Evaluation, TextsData
from genescribe.evaluation.metrics import rouge_l
from genescribe.evaluation.protocols import Pieces, protocol
from genescribe.evaluation.references import match, read_references
from genescribe.evaluation.semantic import load_encoder
from genescribe.evaluation.settings import (
    CalibrationSettings,
    EvaluationSettings,
    ExistingTexts,
    ModelOnCorpus,
)
from genescribe.evaluation.wordnet import find_synonyms

if TYPE_CHECKING:  # scoring texts that exist needs no torch
    from genescribe.evaluation.runs import Conditions
    from genescribe.inference.describer import Describer

log = logging.getLogger(__name__)


def evaluate(
    what: ModelOnCorpus | ExistingTexts, settings: EvaluationSettings | None = None
) -> Evaluation:
    """Score a model beside five baselines, or descriptions that exist, against references.

    Raises InputError where corpus, splits and references do not belong together or leave nothing
    to score, and what loading the model raises.

    >>> from genescribe import evaluation
    >>> from genescribe.evaluation.settings import ExistingTexts
    >>> texts = ExistingTexts(
    ...     descriptions=Path("results/descriptions.jsonl"), references=Path("references.tsv")
    ... )
    >>> figures = evaluation.evaluate(texts)
    >>> figures.genes, figures.systems["model"]["exact"].value
    (2, 0.5)
    """
    settings = settings or EvaluationSettings()
    if isinstance(what, ExistingTexts):
        return _evaluate_texts(what, settings)
    return _evaluate_model(what, settings)


def _evaluate_model(what: ModelOnCorpus, settings: EvaluationSettings) -> Evaluation:
    from genescribe.evaluation.runs import run_model

    selection = _select(what, settings.seed)
    describer, conditions = _load(what)
    scoring = _scoring(settings, describer.processor.tokenizer.tokenize)
    run = run_model(describer, selection.cases, conditions, settings.seed)
    log.info("scoring the texts of the model and of five baselines")
    scored = score_run(selection.cases, run, selection.training, scoring)
    log.info("bootstrap intervals")
    return sum_up(scored, scoring, describer.spec.identity, _data(what, selection))


def _evaluate_texts(what: ExistingTexts, settings: EvaluationSettings) -> Evaluation:
    cases, uninformative = read_references(what.references, what.question)
    described = {row.gene_id: row for row in read_descriptions(what.descriptions)}
    descriptions = match(cases, described)
    scoring = _scoring(settings, None)
    texts = {MODEL: [description.text for description in descriptions]}
    scored = score_texts(cases, descriptions, texts, scoring)
    models = sorted({description.model for description in descriptions} - {""})
    data = TextsData(
        descriptions=str(what.descriptions),
        references=str(what.references),
        left_out={"says that nothing is known": uninformative},
        without_reference=len(described) - len(cases),
    )
    log.info("bootstrap intervals")
    return sum_up(scored, scoring, ", ".join(models), data)


def calibrate(
    what: ModelOnCorpus, settings: CalibrationSettings | None = None
) -> CalibrationFigures:
    """Fit the score of a model, and its thresholds, on genes that it was not trained on.

    ``figures.thresholds.reached`` tells whether any score promises the precision wanted;
    ``figures.spec_lines()`` are what goes into the model's spec. Raises what ``evaluate`` raises,
    and InputError for genes too few or too much alike (``calibration.fit``).
    """
    from genescribe.evaluation.runs import lifts_of_references, write

    settings = settings or CalibrationSettings()
    selection = _select(what, settings.seed)
    describer, conditions = _load(what)
    cases, swapped = selection.cases, swap_sequences(selection.cases, settings.seed)
    own = write(describer, cases, sequences(cases), conditions, "describe")
    null_lifts = lifts_of_references(describer, cases, swapped, conditions)
    pairs = zip(cases, own.texts, strict=True)
    scores = [rouge_l(case.references, text) for case, text in pairs]
    correct = np.array(scores) >= settings.correct
    lifts = np.array(own.lifts)
    families = [case.family for case in cases]
    target = settings.target_precision
    fit = calibration.fit(np.array(own.log_probs), lifts, correct, null_lifts, families, target)
    supported = lifts >= fit.thresholds.min_lift
    return CalibrationFigures(
        data=_data(what, selection),
        model=describer.spec.identity,
        genes=len(cases),
        correct=f"ROUGE-L F of at least {settings.correct:g}",
        share_correct=round(float(correct.mean()), 4),
        calibration=fit.calibration,
        target_precision=target,
        thresholds=fit.thresholds,
        quality=calibration.quality(fit.probabilities, correct),
        reliability=calibration.reliability(fit.probabilities, correct),
        curve=calibration.curve(fit.probabilities, correct, supported),
    )


def _select(what: ModelOnCorpus, seed: int) -> Selection:
    corpus, splits = read_corpus(what.corpus), read_splits(what.splits)
    selection = select(corpus, splits, what.sides, what.questions)
    return replace(selection, cases=sample(selection.cases, what.genes, seed))


def _load(what: ModelOnCorpus) -> tuple[Describer, Conditions]:
    from genescribe.evaluation.runs import Conditions
    from genescribe.inference.describer import Describer

    describer = Describer(what.model, device=what.device)
    return describer, Conditions(organism=what.organism, watch=what.watch)


def _scoring(settings: EvaluationSettings, pieces: Pieces | None) -> Scoring:
    if settings.tokenizer:
        from genescribe.models.processing import load_tokenizer

        pieces = load_tokenizer(settings.tokenizer).tokenize
    synonyms, encoder = find_synonyms(), load_encoder(settings.encoder)
    return Scoring(
        synonyms=synonyms,
        encoder=encoder,
        protocols=[protocol(name, synonyms, encoder, pieces) for name in settings.protocols],
        correct=settings.correct,
        seed=settings.seed,
    )


def _data(what: ModelOnCorpus, selection: Selection) -> CorpusData:
    return CorpusData(
        corpus=str(what.corpus),
        splits=str(what.splits),
        sides=what.sides,
        questions=what.questions,
        organism_told=what.organism,
        left_out=selection.left_out,
        training_genes=len({record.sha256 for record in selection.training}),
    )
