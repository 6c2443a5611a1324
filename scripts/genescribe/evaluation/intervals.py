"""Bootstrap intervals: how far a figure would move with another draw of genes.

Percentile bootstrap (Efron and Tibshirani 1993, chapter 13): genes are drawn with replacement,
the same draws for every measure, so that differences between systems are paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from genescribe.evaluation.metrics import Floats, Measure

RESAMPLES = 1000
LEVEL = 0.95
_BLOCK = 100  # resamples held in memory at once


def resampled(
    measures: Mapping[str, Measure], seed: int, resamples: int = RESAMPLES
) -> dict[str, Floats]:
    """Return each measure over ``resamples`` draws of the genes, (resamples,)."""
    genes = len(next(iter(measures.values())).values)
    rng = np.random.default_rng(seed)
    parts: dict[str, list[Floats]] = {name: [] for name in measures}
    for first in range(0, resamples, _BLOCK):
        draws = rng.integers(genes, size=(min(_BLOCK, resamples - first), genes))
        counts = np.stack([np.bincount(draw, minlength=genes) for draw in draws]).astype(float)
        for name, measure in measures.items():
            parts[name].append(measure.combine(counts @ measure.values))  # (block,)
    return {name: np.concatenate(part) for name, part in parts.items()}


def interval(values: Floats) -> tuple[float, float] | None:
    """Return the middle 95 % of resampled values; None where the measure has none."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def summary(measures: Mapping[str, Measure], seed: int) -> dict[str, dict[str, Any]]:
    """Return value and 95 % interval of each measure; None where it has no value."""
    draws = resampled(measures, seed)
    found: dict[str, dict[str, Any]] = {}
    for name, measure in measures.items():
        value, bounds = measure.over(), interval(draws[name])
        found[name] = {
            "value": round(value, 5) if np.isfinite(value) else None,
            "interval": [round(bound, 5) for bound in bounds] if bounds else None,
        }
    return found
