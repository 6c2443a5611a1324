"""From score to probability, and from a wanted precision to thresholds.

Platt scaling (Platt 1999) of a text's mean log p, and of its lift where that helps, to the
probability that it is right; thresholds are chosen on the same genes with probabilities that come
from other families (cross-fitted): texts of one family are right or wrong together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from genescribe.errors import InputError
from genescribe.evaluation.metrics import Floats
from genescribe.specs.parts import Calibration

Booleans = NDArray[np.bool_]

MIN_EACH = 10
"""Right and wrong texts that a fit needs at least."""
FOLDS = 5
BINS = 10
STEP = 0.01
FALSE_SUPPORT = 0.05
"""Share of references that another gene's sequence may support as much as ``min_lift`` asks."""
Z_TWO_SIDED = 1.959964
"""Normal quantile of a 95 % interval."""
Z_BOUND = 1.281552
"""Normal quantile of a one-sided 90 % bound."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which lift and score on a text is ``described``, and what that leaves.

    ``coverage`` is the share of genes left, ``precision`` the share of right texts among them,
    ``lower_bound`` its one-sided 90 % Wilson bound. ``reached`` is False where no score promises
    the target: ``min_score`` is then 1, and nothing is described.
    """

    min_lift: float
    min_score: float
    coverage: float
    precision: float | None
    lower_bound: float | None
    reached: bool


@dataclass(frozen=True)
class Fit:
    """A fitted calibration, the cross-fitted probability of each gene (genes,), and thresholds."""

    calibration: Calibration
    probabilities: Floats
    thresholds: Thresholds
    target: float


def fit(
    log_probs: Floats,
    lifts: Floats,
    right: Booleans,
    null_lifts: Floats,
    families: Sequence[int | None],
    target: float,
) -> Fit:
    """Fit Platt scaling and choose thresholds; all arrays are (genes,), NaN where there is no text.

    ``null_lifts`` are those of references read with another gene's sequence. ``target`` is the
    precision wanted among described texts. Raises InputError where fewer than ten texts are
    right, or fewer than ten wrong, or all genes are of fewer than five families.
    """
    written = np.isfinite(log_probs) & np.isfinite(lifts)
    groups = _numbered(families)[written]
    _check(right[written], groups)
    features = np.stack([log_probs, lifts], axis=1)[written]  # (written, 2)
    without, both = (_cross_fitted(features[:, :n], right[written], groups) for n in (1, 2))
    use_lift = _is_better(both, without, right[written])
    probabilities = np.zeros(len(right))  # a gene without text is certainly not right
    probabilities[written] = both if use_lift else without
    fitted = _regression().fit(features[:, : 1 + use_lift], right[written])
    slopes = [round(slope, 3) for slope in fitted.coef_[0].tolist()]
    calibration = Calibration(
        intercept=round(float(fitted.intercept_[0]), 3),
        log_prob=slopes[0],
        lift=slopes[1] if use_lift else 0.0,
    )
    min_lift = choose_min_lift(null_lifts)
    thresholds = choose_min_score(probabilities, right, lifts >= min_lift, min_lift, target)
    return Fit(calibration, probabilities, thresholds, target)


def _numbered(families: Sequence[int | None]) -> NDArray[np.int64]:
    """Give each family a number, and each gene without one a number of its own."""
    names = [("none", i) if family is None else ("", family) for i, family in enumerate(families)]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def _check(right: Booleans, groups: NDArray[np.int64]) -> None:
    good = int(right.sum())
    bad = len(right) - good
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


def _cross_fitted(features: Floats, right: Booleans, groups: NDArray[np.int64]) -> Floats:
    """Return probabilities (written,) of fits to other families; features are (written, n)."""
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    found: Floats = cross_val_predict(
        _regression(), features, right, groups=groups, cv=folds, method="predict_proba"
    )[:, 1]
    return found


def _is_better(probabilities: Floats, than: Floats, right: Booleans) -> bool:
    """Tell whether the log loss is lower by more than the standard error of the difference."""
    chosen, other = (np.where(right, p, 1 - p) for p in (probabilities, than))
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
    probabilities: Floats, right: Booleans, supported: Booleans, min_lift: float, target: float
) -> Thresholds:
    """Return the smallest score whose texts are right often enough, in steps of 0.01.

    Often enough: the one-sided 90 % Wilson bound of their precision is at least ``target``, so
    that other genes of the kind will most likely keep it too. ``supported`` tells which texts
    have the lift.
    """
    for min_score in np.arange(0.0, 1.0, STEP).round(2).tolist():
        kept = supported & (probabilities >= min_score)
        bound = wilson(int(right[kept].sum()), int(kept.sum()), Z_BOUND)[0]
        if kept.any() and bound >= target:
            return Thresholds(
                min_lift=min_lift,
                min_score=min_score,
                coverage=round(float(kept.mean()), 4),
                precision=round(float(right[kept].mean()), 4),
                lower_bound=round(bound, 4),
                reached=True,
            )
    return Thresholds(min_lift, 1.0, 0.0, None, None, reached=False)


def wilson(successes: int, trials: int, z: float = Z_TWO_SIDED) -> tuple[float, float]:
    """Return the interval of a share (Wilson 1927, JASA 22:209); (0, 1) without trials."""
    if not trials:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return (centre - half) / scale, (centre + half) / scale


def reliability(probabilities: Floats, right: Booleans) -> list[dict[str, Any]]:
    """Return mean score and share of right texts of ten groups of genes, from low score to high.

    Groups are of equal size; genes of equal score stay together, so there may be fewer groups.
    """
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, BINS + 1)))
    groups = np.searchsorted(edges[1:-1], probabilities, side="right")
    rows = []
    for group in np.unique(groups):
        members = groups == group
        count, good = int(members.sum()), int(right[members].sum())
        low, high = wilson(good, count)
        rows.append(
            {
                "score": round(float(probabilities[members].mean()), 4),
                "right": round(good / count, 4),
                "interval": [round(low, 4), round(high, 4)],
                "genes": count,
            }
        )
    return rows


def curve(probabilities: Floats, right: Booleans, supported: Booleans) -> list[dict[str, Any]]:
    """Return coverage and precision of every score threshold from 0 to 0.95, in steps of 0.05."""
    rows = []
    for threshold in np.arange(0, 1, 0.05).round(2).tolist():
        kept = supported & (probabilities >= threshold)
        count, good = int(kept.sum()), int(right[kept].sum())
        if not count:
            break
        low, high = wilson(good, count)
        rows.append(
            {
                "threshold": threshold,
                "coverage": round(count / len(right), 4),
                "precision": round(good / count, 4),
                "interval": [round(low, 4), round(high, 4)],
                "genes": count,
            }
        )
    return rows


def quality(probabilities: Floats, right: Booleans) -> dict[str, float | None]:
    """Return how good probabilities are: calibration error, Brier score, log loss, AUC.

    The expected calibration error is the mean distance of score and share of right texts over
    the groups of ``reliability``. AUC is None where all texts are right or none is.
    """
    groups = reliability(probabilities, right)
    error = sum(abs(g["score"] - g["right"]) * g["genes"] for g in groups) / len(right)
    both = right.any() and not right.all()
    return {
        "expected_calibration_error": round(error, 4),
        "brier": round(float(brier_score_loss(right, probabilities)), 4),
        "log_loss": round(float(log_loss(right, probabilities, labels=[False, True])), 4),
        "auc": round(float(roc_auc_score(right, probabilities)), 4) if both else None,
    }


def yaml_lines(found: Fit) -> str:
    """Return the lines to put into a model spec."""
    numbers = found.calibration.model_dump()
    inside = ", ".join(f"{name}: {value}" for name, value in numbers.items())
    return (
        f"calibration: {{{inside}}}\n"
        f"min_lift: {found.thresholds.min_lift}\n"
        f"min_score: {found.thresholds.min_score}\n"
    )


def as_json(found: Fit, lifts: Floats, right: Booleans) -> dict[str, Any]:
    """Return what calibration.json holds of a fit: numbers, thresholds, reliability and curve."""
    supported: Booleans = np.asarray(lifts >= found.thresholds.min_lift)
    return {
        "calibration": found.calibration.model_dump(),
        "target_precision": found.target,
        "thresholds": asdict(found.thresholds),
        "quality": quality(found.probabilities, right),
        "reliability": reliability(found.probabilities, right),
        "curve": curve(found.probabilities, right, supported),
    }


def right_share(right: Booleans, chosen: Sequence[bool]) -> dict[str, Any]:
    """Return how many genes are chosen, which share that is, and how many of them are right."""
    kept = np.asarray(chosen, dtype=bool)
    count, good = int(kept.sum()), int(right[kept].sum())
    low, high = wilson(good, count)
    return {
        "genes": count,
        "coverage": round(float(kept.mean()), 4),
        "right": round(good / count, 4) if count else None,
        "interval": [round(low, 4), round(high, 4)] if count else None,
    }
