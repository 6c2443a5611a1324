"""From score to probability, and from a wanted precision to thresholds.

Platt scaling (Platt 1999) of a text's mean log p, and of its lift where that helps, to the
probability that it is correct; thresholds are chosen on the same genes with probabilities that come
from other families (cross-fitted): texts of one family are correct or wrong together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from genescribe.errors import InputError
from genescribe.evaluation.figures import (
    CurvePoint,
    Interval,
    Quality,
    ReliabilityBin,
    Share,
    Thresholds,
)
from genescribe.evaluation.intervals import wilson
from genescribe.evaluation.metrics import Floats
from genescribe.specs.parts import Calibration

Booleans = NDArray[np.bool_]

MIN_EACH = 10
"""Correct and wrong texts that a fit needs at least."""
FOLDS = 5
BINS = 10
STEP = 0.01
FALSE_SUPPORT = 0.05
"""Share of references that another gene's sequence may support as much as ``min_lift`` asks."""
BOUND_LEVEL = 0.8
"""Level of the interval whose lower end is a one-sided 90 % bound."""


@dataclass(frozen=True)
class Fit:
    """A fitted calibration, the cross-fitted probability of each gene (genes,), and thresholds."""

    calibration: Calibration
    probabilities: Floats
    thresholds: Thresholds


def fit(
    log_probs: Floats,
    lifts: Floats,
    correct: Booleans,
    null_lifts: Floats,
    families: Sequence[int | None],
    target: float,
) -> Fit:
    """Fit Platt scaling and choose thresholds; all arrays are (genes,), NaN where there is no text.

    ``null_lifts`` are those of references read with another gene's sequence. ``target`` is the
    precision wanted among described texts. Raises InputError where fewer than ten texts are
    correct, or fewer than ten wrong, or all genes are of fewer than five families.
    """
    written = np.isfinite(log_probs) & np.isfinite(lifts)
    groups = _numbered(families)[written]
    _check(correct[written], groups)
    features = np.stack([log_probs, lifts], axis=1)[written]  # (written, 2)
    without, both = (_cross_fitted(features[:, :n], correct[written], groups) for n in (1, 2))
    use_lift = _is_better(both, without, correct[written])
    probabilities = np.zeros(len(correct))  # a gene without text is certainly not correct
    probabilities[written] = both if use_lift else without
    fitted = _regression().fit(features[:, : 1 + use_lift], correct[written])
    slopes = [round(slope, 3) for slope in fitted.coef_[0].tolist()]
    calibration = Calibration(
        intercept=round(float(fitted.intercept_[0]), 3),
        log_prob=slopes[0],
        lift=slopes[1] if use_lift else 0.0,
    )
    min_lift = choose_min_lift(null_lifts)
    thresholds = choose_min_score(probabilities, correct, lifts >= min_lift, min_lift, target)
    return Fit(calibration, probabilities, thresholds)


def _numbered(families: Sequence[int | None]) -> NDArray[np.int64]:
    """Give each family a number, and each gene without one a number of its own."""
    names = [("none", i) if family is None else ("", family) for i, family in enumerate(families)]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def _check(correct: Booleans, groups: NDArray[np.int64]) -> None:
    good = int(correct.sum())
    bad = len(correct) - good
    if min(good, bad) < MIN_EACH:
        raise InputError(
            f"calibration: {good} texts are right and {bad} wrong, but it needs {MIN_EACH} of "
            "each; take more genes, another question, or a model that was trained longer"
        )
    if len(set(groups.tolist())) < FOLDS:
        raise InputError(
            f"calibration: the genes are of {len(set(groups.tolist()))} families, but it needs "
            f"{FOLDS}; take genes of more families"
        )


def _regression() -> LogisticRegression:
    return LogisticRegression(C=1e6, max_iter=1000)


def _cross_fitted(features: Floats, correct: Booleans, groups: NDArray[np.int64]) -> Floats:
    """Return probabilities (written,) of fits to other families; features are (written, n)."""
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    probabilities: Floats = cross_val_predict(
        _regression(), features, correct, groups=groups, cv=folds, method="predict_proba"
    )[:, 1]
    return probabilities


def _is_better(probabilities: Floats, than: Floats, correct: Booleans) -> bool:
    """Tell whether the log loss is lower by more than the standard error of the difference."""
    chosen, other = (np.where(correct, p, 1 - p) for p in (probabilities, than))
    gain = np.log(chosen) - np.log(other)  # nats, (written,)
    return bool(gain.mean() > gain.std() / math.sqrt(len(gain)))


def choose_min_lift(null_lifts: Floats) -> float:
    """Return the lift that 95 % of references do not reach with another gene's sequence.

    At least 0 and rounded up to two decimals, in nats per token. A text below it is supported by
    its gene no better than texts are by genes that they do not belong to.
    """
    known = null_lifts[np.isfinite(null_lifts)]
    highest = float(np.quantile(known, 1 - FALSE_SUPPORT)) if len(known) else 0.0
    return max(0.0, math.ceil(round(100 * highest, 6)) / 100)


def choose_min_score(
    probabilities: Floats, correct: Booleans, supported: Booleans, min_lift: float, target: float
) -> Thresholds:
    """Return the smallest score whose texts are correct often enough, in steps of 0.01.

    Often enough: the one-sided 90 % Wilson bound of their precision is at least ``target``, so
    that other genes of the kind will most likely keep it too. ``supported`` tells which texts
    have the lift.
    """
    for min_score in np.arange(0.0, 1.0, STEP).round(2).tolist():
        kept = supported & (probabilities >= min_score)
        bound = wilson(int(correct[kept].sum()), int(kept.sum()), BOUND_LEVEL)[0]
        if kept.any() and bound >= target:
            return Thresholds(
                min_lift=min_lift,
                min_score=min_score,
                coverage=round(float(kept.mean()), 4),
                precision=round(float(correct[kept].mean()), 4),
                lower_bound=round(bound, 4),
                reached=True,
            )
    return Thresholds(min_lift, 1.0, 0.0, None, None, reached=False)


def reliability(probabilities: Floats, correct: Booleans) -> list[ReliabilityBin]:
    """Return ten bins of genes, from low score to high.

    Bins are of equal size; genes of equal score stay together, so there may be fewer bins.
    """
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, BINS + 1)))
    numbers = np.searchsorted(edges[1:-1], probabilities, side="right")
    bins = []
    for number in np.unique(numbers):
        members = numbers == number
        share, interval = _share(correct[members])
        score = round(float(probabilities[members].mean()), 4)
        bins.append(ReliabilityBin(score, share, interval, int(members.sum())))
    return bins


def curve(probabilities: Floats, correct: Booleans, supported: Booleans) -> list[CurvePoint]:
    """Return what every score threshold from 0 to 0.95 leaves, in steps of 0.05."""
    points = []
    for threshold in np.arange(0, 1, 0.05).round(2).tolist():
        kept = supported & (probabilities >= threshold)
        if not kept.any():
            break
        coverage = round(float(kept.mean()), 4)
        points.append(CurvePoint(threshold, coverage, *_share(correct[kept]), int(kept.sum())))
    return points


def quality(probabilities: Floats, correct: Booleans) -> Quality:
    """Return how good scores are as probabilities."""
    bins = reliability(probabilities, correct)
    error = sum(abs(one.score - one.correct) * one.genes for one in bins) / len(correct)
    both = correct.any() and not correct.all()
    return Quality(
        expected_calibration_error=round(error, 4),
        brier=round(float(brier_score_loss(correct, probabilities)), 4),
        log_loss=round(float(log_loss(correct, probabilities, labels=[False, True])), 4),
        auc=round(float(roc_auc_score(correct, probabilities)), 4) if both else None,
    )


def share(correct: Booleans, chosen: Sequence[bool]) -> Share:
    """Return how many genes are chosen, which share that is, and how many of them are correct."""
    kept = np.asarray(chosen, dtype=bool)
    coverage = round(float(kept.mean()), 4)
    of_kept = _share(correct[kept]) if kept.any() else (None, None)
    return Share(int(kept.sum()), coverage, *of_kept)


def _share(correct: Booleans) -> tuple[float, Interval]:
    """Return the share of texts that are correct, with its interval."""
    genes, good = len(correct), int(correct.sum())
    low, high = wilson(good, genes)
    return round(good / genes, 4), (round(low, 4), round(high, 4))
