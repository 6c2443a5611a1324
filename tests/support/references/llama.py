"""Llama (Touvron et al. 2023, section 2.2): pre-norm decoder with RMSNorm, RoPE and SwiGLU.

Two published layouts name the same tensors differently, and pair the features that RoPE turns
differently: a query or key projection of one gives nonsense in the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from support.references import Array, Weights, attend, linear, silu


@dataclass(frozen=True)
class Naming:
    """What a layout calls the parts, and whether RoPE pairs neighbours (2i, 2i + 1)."""

    embedding: str
    layer: str
    query: str
    key: str
    value: str
    out: str
    gate: str
    up: str
    down: str
    attention_norm: str
    feed_forward_norm: str
    norm: str
    output: str
    pairs_neighbours: bool


TRANSFORMERS = Naming(
    embedding="model.embed_tokens", layer="model.layers", query="self_attn.q_proj",
    key="self_attn.k_proj", value="self_attn.v_proj", out="self_attn.o_proj",
    gate="mlp.gate_proj", up="mlp.up_proj", down="mlp.down_proj",
    attention_norm="input_layernorm", feed_forward_norm="post_attention_layernorm",
    norm="model.norm", output="lm_head", pairs_neighbours=False,
)  # fmt: skip
GENOMICLLM = Naming(
    embedding="tok_embeddings", layer="layers", query="attention.wq", key="attention.wk",
    value="attention.wv", out="attention.wo", gate="feed_forward.w1", up="feed_forward.w3",
    down="feed_forward.w2", attention_norm="attention_norm", feed_forward_norm="ffn_norm",
    norm="norm", output="output", pairs_neighbours=True,
)  # fmt: skip


def rms_norm(weights: Weights, name: str, x: Array, eps: float) -> Array:
    """Zhang and Sennrich 2019, eq. 4, row by row: x / sqrt(mean(x^2) + eps) * gain."""
    rows = [row / math.sqrt((row**2).sum() / len(row) + eps) for row in x]
    return np.stack(rows) * weights[f"{name}.weight"]


def rotate(x: Array, theta: float, pairs_neighbours: bool) -> Array:
    """Su et al. 2021, eq. 13-15: turn pair i at position m by the angle m theta^(-2i/d)."""
    tokens, width = x.shape
    rotated = np.empty_like(x)
    for m in range(tokens):
        for i in range(width // 2):
            first, second = (2 * i, 2 * i + 1) if pairs_neighbours else (i, i + width // 2)
            angle = m * theta ** (-2 * i / width)
            cos, sin = math.cos(angle), math.sin(angle)
            rotated[m, first] = x[m, first] * cos - x[m, second] * sin
            rotated[m, second] = x[m, first] * sin + x[m, second] * cos
    return rotated


def embed(weights: Weights, ids: Sequence[int], naming: Naming = TRANSFORMERS) -> Array:
    """Rows of the embedding table, (tokens, size)."""
    return np.stack([weights[f"{naming.embedding}.weight"][i] for i in ids])


def logits(
    weights: Weights,
    x: Array,
    num_heads: int,
    naming: Naming = TRANSFORMERS,
    eps: float = 1e-5,
    theta: float = 10000.0,
) -> Array:
    """Embedded tokens (tokens, size) to next-token logits (tokens, vocabulary).

    Where there are fewer key than query heads, neighbouring query heads share one (Ainslie et
    al. 2023).
    """
    tokens, size = x.shape
    width = size // num_heads
    causal = np.triu(np.full((tokens, tokens), -np.inf), 1)
    layer = 0
    while f"{naming.layer}.{layer}.{naming.query}.weight" in weights:
        prefix = f"{naming.layer}.{layer}."
        normed = rms_norm(weights, prefix + naming.attention_norm, x, eps)
        query = linear(weights, prefix + naming.query, normed)
        key = linear(weights, prefix + naming.key, normed)
        value = linear(weights, prefix + naming.value, normed)
        shared = num_heads // (key.shape[1] // width)
        heads = []
        for h in range(num_heads):
            own = slice(h * width, (h + 1) * width)
            theirs = slice(h // shared * width, (h // shared + 1) * width)
            q = rotate(query[:, own], theta, naming.pairs_neighbours)
            k = rotate(key[:, theirs], theta, naming.pairs_neighbours)
            heads.append(attend(q, k, value[:, theirs], causal))
        x = x + linear(weights, prefix + naming.out, np.concatenate(heads, axis=1))

        normed = rms_norm(weights, prefix + naming.feed_forward_norm, x, eps)
        gate = silu(linear(weights, prefix + naming.gate, normed))
        inner = gate * linear(weights, prefix + naming.up, normed)
        x = x + linear(weights, prefix + naming.down, inner)
        layer += 1
    assert layer
    return linear(weights, naming.output, rms_norm(weights, naming.norm, x, eps))


def greedy(
    weights: Weights, ids: Sequence[int], steps: int, num_heads: int, naming: Naming
) -> list[int]:
    """Append the likeliest token ``steps`` times; the whole prefix is read again each time."""
    found = list(ids)
    for _ in range(steps):
        scores = logits(weights, embed(weights, found, naming), num_heads, naming)
        found.append(int(scores[-1].argmax()))
    return found[len(ids) :]
