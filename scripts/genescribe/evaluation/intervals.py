"""Intervals: how far a figure would move with another draw of genes.

Of a share Wilson's (1927, JASA 22:209), of all else the percentile bootstrap (Efron and Tibshirani
1993, chapter 13): genes are drawn with replacement, the same draws for every measure, so that
differences between systems are paired.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import binomtest

from genescribe.evaluation.figures import Figure, Interval
from genescribe.evaluation.metrics import Floats, Measure

RESAMPLES = 1000
LEVEL = 0.95
_BLOCK = 100  # resamples held in memory at once


def resampled(measures: Mapping[str, Measure], seed: int) -> dict[str, Floats]:
    """Return each measure over ``RESAMPLES`` draws of the genes, (RESAMPLES,)."""
    genes = len(next(iter(measures.values())).values)
    rng = np.random.default_rng(seed)
    parts: dict[str, list[Floats]] = {name: [] for name in measures}
    for first in range(0, RESAMPLES, _BLOCK):
        draws = rng.integers(genes, size=(min(_BLOCK, RESAMPLES - first), genes))
        counts = np.stack([np.bincount(draw, minlength=genes) for draw in draws]).astype(float)
        for name, measure in measures.items():
            parts[name].append(measure.combine(counts @ measure.values))  # (block,)
    return {name: np.concatenate(part) for name, part in parts.items()}


def interval(values: Floats) -> Interval | None:
    """Return the middle 95 % of resampled values; None where the measure has none."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def summary(measures: Mapping[str, Measure], seed: int) -> dict[str, Figure]:
    """Return value and 95 % interval of each measure; None where it has no value."""
    draws = resampled(measures, seed)
    return {name: figure(measure, draws[name]) for name, measure in measures.items()}


def figure(measure: Measure, draws: Floats) -> Figure:
    """Return the value of a measure, with the interval of its resampled values."""
    return _rounded(measure.over(), draws)


def difference(measure: Measure, draws: Floats, other: Measure, other_draws: Floats) -> Figure:
    """Return by how much one measure is above another of the same genes, with paired interval."""
    return _rounded(measure.over() - other.over(), draws - other_draws)


def _rounded(value: float, draws: Floats) -> Figure:
    bounds = interval(draws)
    return Figure(
        round(value, 5) if np.isfinite(value) else None,
        (round(bounds[0], 5), round(bounds[1], 5)) if bounds else None,
    )


def wilson(successes: int, trials: int, level: float = LEVEL) -> Interval:
    """Return Wilson's interval of a share; (0, 1) without trials."""
    if not trials:
        return 0.0, 1.0
    bounds = binomtest(successes, trials).proportion_ci(level, method="wilson")
    return float(bounds.low), float(bounds.high)
