"""ESM (Rives et al. 2021; Lin et al. 2023) as RNA-FM and Nucleotide Transformer v2 use it.

Pre-LN transformers: x += Attention(LN(x)) W_o; x += FFN(LN(x)); a layer norm at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from support.references import Array, Weights, attend, gelu, layer_norm, linear, silu

RNA_FM_NAMES = {
    "self_attn_layer_norm": "attention.LayerNorm",
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.out_proj": "attention.output.dense",
    "final_layer_norm": "LayerNorm",
    "fc1": "intermediate.dense",
    "fc2": "output.dense",
    "embed_tokens": "embeddings.word_embeddings",
    "embed_positions": "embeddings.position_embeddings",
    "emb_layer_norm_before": "embeddings.layer_norm",
    "emb_layer_norm_after": "encoder.emb_layer_norm_after",
}
"""Names within a layer and outside, as RNA-FM's checkpoint has them, to those used here."""


def from_rna_fm(weights: Weights) -> dict[str, Array]:
    """Rename the tensors of RNA-FM's checkpoint; those of its language model head are left."""
    renamed = {}
    for name, array in weights.items():
        short = name.removeprefix("encoder.").removeprefix("sentence_encoder.")
        parts = short.split(".")
        layer = ""
        if parts[0] == "layers":
            layer, parts = f"encoder.layer.{parts[1]}.", parts[2:]
        module = ".".join(parts[:-1])
        if module in RNA_FM_NAMES:
            renamed[f"{layer}{RNA_FM_NAMES[module]}.{parts[-1]}"] = array
    return renamed


def rotate(x: Array) -> Array:
    """Su et al. 2021, eq. 13-15, with dimension i paired with i + d/2, angle m 10000^(-2i/d)."""
    tokens, width = x.shape
    rotated = np.empty_like(x)
    for m in range(tokens):
        for i in range(width // 2):
            angle = m * 10000 ** (-2 * i / width)
            first, second = x[m, i], x[m, i + width // 2]
            rotated[m, i] = first * np.cos(angle) - second * np.sin(angle)
            rotated[m, i + width // 2] = second * np.cos(angle) + first * np.sin(angle)
    return rotated


def gelu_part(weights: Weights, prefix: str, x: Array) -> Array:
    """GELU(x W_1 + b_1) W_2 + b_2."""
    inner = gelu(linear(weights, f"{prefix}intermediate.dense", x))
    return linear(weights, f"{prefix}output.dense", inner)


def swiglu_part(weights: Weights, prefix: str, x: Array) -> Array:
    """(SiLU(x W_gate) * (x W_value)) W_2 without biases (Shazeer 2020, eq. 6)."""
    both = linear(weights, f"{prefix}intermediate.dense", x)
    half = both.shape[1] // 2
    return linear(weights, f"{prefix}output.dense", silu(both[:, :half]) * both[:, half:])


def _encode(
    weights: Weights,
    x: Array,
    num_heads: int,
    eps: float,
    is_rotary: bool,
    feed_forward: Callable[[Weights, str, Array], Array],
) -> Array:
    width = x.shape[1] // num_heads
    layer = 0
    while f"encoder.layer.{layer}.output.dense.weight" in weights:
        prefix = f"encoder.layer.{layer}."
        normed = layer_norm(weights, f"{prefix}attention.LayerNorm", x, eps)
        query, key, value = (
            linear(weights, f"{prefix}attention.self.{part}", normed)
            for part in ("query", "key", "value")
        )
        heads = []
        for h in range(num_heads):
            own = slice(h * width, (h + 1) * width)
            q, k = query[:, own], key[:, own]
            if is_rotary:
                q, k = rotate(q), rotate(k)
            heads.append(attend(q, k, value[:, own]))
        together = np.concatenate(heads, axis=1)
        x = x + linear(weights, f"{prefix}attention.output.dense", together)
        x = x + feed_forward(weights, prefix, layer_norm(weights, f"{prefix}LayerNorm", x, eps))
        layer += 1
    assert layer
    return layer_norm(weights, "encoder.emb_layer_norm_after", x, eps)


def rna_fm(weights: Weights, ids: Sequence[int], num_heads: int) -> Array:
    """RNA-FM (Chen et al. 2022), an ESM-1b: learned positions from 2 on, LN before the layers."""
    rows = [
        weights["embeddings.word_embeddings.weight"][token]
        + weights["embeddings.position_embeddings.weight"][position]
        for position, token in enumerate(ids, start=2)
    ]
    x = layer_norm(weights, "embeddings.layer_norm", np.stack(rows), 1e-5)
    return _encode(weights, x, num_heads, 1e-5, False, gelu_part)


def nucleotide_transformer_v1(weights: Weights, ids: Sequence[int], num_heads: int) -> Array:
    """Nucleotide Transformer v1: learned positions from 2 on, no LN before the layers.

    Its tokens are scaled by 1 - 0.15 * 0.8, the share that pretraining did not mask (the
    ``token_dropout`` of ESM).
    """
    rows = [
        weights["embeddings.word_embeddings.weight"][token] * (1 - 0.15 * 0.8)
        + weights["embeddings.position_embeddings.weight"][position]
        for position, token in enumerate(ids, start=2)
    ]
    return _encode(weights, np.stack(rows), num_heads, 1e-12, False, gelu_part)


def nucleotide_transformer(weights: Weights, ids: Sequence[int], num_heads: int) -> Array:
    """Nucleotide Transformer v2 (Dalla-Torre et al. 2024): rotary positions, SwiGLU."""
    x = np.stack([weights["embeddings.word_embeddings.weight"][token] for token in ids])
    return _encode(weights, x, num_heads, 1e-12, True, swiglu_part)
