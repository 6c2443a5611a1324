"""Forward passes written from the papers' equations: NumPy, float64, plain loops.

They exist to be compared with the models of the library and share no code with it: nothing here
imports genescribe, torch or transformers. One sequence at a time, so that there is no padding to
get wrong; every function says which equations it writes down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = Mapping[str, Array]

_erf = np.vectorize(math.erf, otypes=[np.float64])


def linear(weights: Weights, name: str, x: Array) -> Array:
    """x W^T + b, with the bias where there is one."""
    y = x @ weights[f"{name}.weight"].T
    return y + weights[f"{name}.bias"] if f"{name}.bias" in weights else y


def layer_norm(weights: Weights, name: str, x: Array, eps: float) -> Array:
    """Ba et al. 2016, eq. 4, row by row: (x - mean) / sqrt(variance + eps) * gain + bias."""
    rows = []
    for row in x:
        mean = row.sum() / len(row)
        variance = ((row - mean) ** 2).sum() / len(row)
        rows.append((row - mean) / math.sqrt(variance + eps))
    return np.stack(rows) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def softmax(scores: Array) -> Array:
    """exp(s_i) / sum_j exp(s_j) of one row of scores."""
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def gelu(x: Array) -> Array:
    """Hendrycks and Gimpel 2016: x times the normal distribution function of x."""
    return x * 0.5 * (1 + _erf(x / math.sqrt(2)))


def silu(x: Array) -> Array:
    """Elfwing et al. 2018: x times the logistic function of x."""
    return x / (1 + np.exp(-x))


def attend(query: Array, key: Array, value: Array, bias: Array | None = None) -> Array:
    """Vaswani et al. 2017, eq. 1, for one head, one query at a time.

    ``query`` (n, d), ``key`` (m, d), ``value`` (m, d), ``bias`` (n, m) on the scores.
    """
    rows = []
    for i in range(len(query)):
        scores = key @ query[i] / math.sqrt(query.shape[1])
        if bias is not None:
            scores = scores + bias[i]
        rows.append(softmax(scores) @ value)
    return np.stack(rows)


def relative_error(found: Array, expected: Array) -> float:
    """Largest absolute difference over the largest absolute expected value."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())
