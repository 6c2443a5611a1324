"""DNABERT-2 (Zhou et al. 2024) as MosaicBERT describes it (Portes et al. 2023, section 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from support.references import Array, Weights, attend, gelu, layer_norm, linear

EPS = 1e-12


def slopes(num_heads: int) -> list[float]:
    """ALiBi (Press et al. 2022), section 3.

    n heads, a power of two: a geometric sequence that starts at 2^(-8/n) and has the same ratio.
    Any other number: the sequence for the power of two below, and for the heads that are left the
    1st, 3rd, 5th ... slope of the sequence for the power of two above.
    """
    below = 1
    while below * 2 <= num_heads:
        below *= 2
    found = []
    for head in range(below):
        found.append((2 ** (-8 / below)) ** (head + 1))
    for head in range(num_heads - below):
        found.append((2 ** (-8 / (2 * below))) ** (2 * head + 1))
    return found


def block(weights: Weights, prefix: str, x: Array, num_heads: int) -> Array:
    """One layer: y = LN(x + Attention(x) W_o); LN(y + (GELU(y W_gate) * (y W_value)) W_out).

    x (tokens, size). Head h's scores are q.k / sqrt(d) - slope_h |i - j|.
    """
    tokens, size = x.shape
    width = size // num_heads
    qkv = linear(weights, f"{prefix}attention.self.Wqkv", x)  # queries, then keys, then values
    position = np.arange(tokens)
    distance = np.abs(position[:, None] - position[None, :])
    heads = []
    for h, slope in enumerate(slopes(num_heads)):
        query, key, value = (
            qkv[:, part * size + h * width : part * size + (h + 1) * width] for part in range(3)
        )
        heads.append(attend(query, key, value, -slope * distance))
    attended = linear(weights, f"{prefix}attention.output.dense", np.concatenate(heads, axis=1))
    y = layer_norm(weights, f"{prefix}attention.output.LayerNorm", x + attended, EPS)

    both = linear(weights, f"{prefix}mlp.gated_layers", y)
    inner = both.shape[1] // 2
    gated = gelu(both[:, :inner]) * both[:, inner:]
    return layer_norm(
        weights, f"{prefix}mlp.layernorm", y + linear(weights, f"{prefix}mlp.wo", gated), EPS
    )


def encode(weights: Weights, ids: Sequence[int], num_heads: int) -> Array:
    """Token ids to vectors (tokens, size); the names are those of the published weights."""
    rows = [
        weights["embeddings.word_embeddings.weight"][i]
        + weights["embeddings.token_type_embeddings.weight"][0]
        for i in ids
    ]
    x = layer_norm(weights, "embeddings.LayerNorm", np.stack(rows), EPS)
    layer = 0
    while f"encoder.layer.{layer}.mlp.wo.weight" in weights:
        x = block(weights, f"encoder.layer.{layer}.", x, num_heads)
        layer += 1
    assert layer
    return x
