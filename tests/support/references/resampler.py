"""The perceiver resampler of Flamingo (Alayrac et al. 2022, figure 5 and appendix A.1.1)."""

from __future__ import annotations

import numpy as np

from support.references import Array, Weights, attend, gelu, layer_norm, linear

EPS = 1e-5


def resample(weights: Weights, vectors: Array, num_heads: int) -> Array:
    """Vectors of one gene (n, size) to the language model's (latents, text size).

    In each layer, with X the vectors and Z the latents:
    Z += Attention(q = LN(Z), k = v = [LN'(X); LN(Z)]); Z += GELU(LN''(Z) W_1) W_2.
    At the end LN(Z) W + b.
    """
    z = weights["latents"]
    layer = 0
    while f"layers.{layer}.query.weight" in weights:
        prefix = f"layers.{layer}."
        normed = layer_norm(weights, f"{prefix}latent_norm", z, EPS)
        seen = np.concatenate([layer_norm(weights, f"{prefix}vector_norm", vectors, EPS), normed])
        query = linear(weights, f"{prefix}query", normed)
        key, value = (linear(weights, f"{prefix}{part}", seen) for part in ("key", "value"))
        width = query.shape[1] // num_heads
        heads = []
        for h in range(num_heads):
            own = slice(h * width, (h + 1) * width)
            heads.append(attend(query[:, own], key[:, own], value[:, own]))
        z = z + linear(weights, f"{prefix}out", np.concatenate(heads, axis=1))
        inner = layer_norm(weights, f"{prefix}feed_forward.0", z, EPS)
        inner = gelu(linear(weights, f"{prefix}feed_forward.1", inner))
        z = z + linear(weights, f"{prefix}feed_forward.3", inner)
        layer += 1
    assert layer
    return linear(weights, "out", layer_norm(weights, "norm", z, EPS))
