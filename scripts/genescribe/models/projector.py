"""Projectors: from the vectors of the encoder to vectors of the language model's width.

``linear`` and ``mlp`` map every vector on its own, ``identity`` leaves them as they are; the
resampler turns the vectors of a gene, however many, into a fixed number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genescribe.models.configuration import NUM_LATENTS


class ResamplerLayer(nn.Module):
    """Latents attend to the gene's vectors and to themselves, then pass a feed-forward net."""

    def __init__(self, size: int, num_heads: int, head_size: int, intermediate_size: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        width = num_heads * head_size
        self.vector_norm = nn.LayerNorm(size)
        self.latent_norm = nn.LayerNorm(size)
        self.query = nn.Linear(size, width, bias=False)
        self.key = nn.Linear(size, width, bias=False)
        self.value = nn.Linear(size, width, bias=False)
        self.out = nn.Linear(width, size, bias=False)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(size),
            nn.Linear(size, intermediate_size, bias=False),
            nn.GELU(),
            nn.Linear(intermediate_size, size, bias=False),
        )

    def forward(self, latents: Tensor, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the new latents (genes, latents, size).

        ``vectors`` (genes, vectors, size); ``mask`` (genes, 1, 1, vectors + latents) is True
        where a latent may look.
        """
        normed = self.latent_norm(latents)  # (G, L, D)
        seen = torch.cat([self.vector_norm(vectors), normed], dim=1)  # (G, N + L, D)
        attended = F.scaled_dot_product_attention(
            self._heads(self.query(normed)),
            self._heads(self.key(seen)),
            self._heads(self.value(seen)),
            attn_mask=mask,
        )  # (G, heads, L, head_size)
        latents = latents + self.out(attended.transpose(1, 2).flatten(2))  # (G, L, D)
        updated: Tensor = latents + self.feed_forward(latents)
        return updated

    def _heads(self, states: Tensor) -> Tensor:
        head_size = states.shape[-1] // self.num_heads
        return states.view(*states.shape[:2], self.num_heads, head_size).transpose(1, 2)


class Resampler(nn.Module):
    """Question-independent perceiver resampler (Flamingo, Alayrac et al. 2022, fig. 5).

    Learned latents read the gene in a few layers, at the encoder's width; keys and values are
    the gene's vectors *and* the latents. The result is normalised and mapped to the text's width.
    The order of a gene's vectors counts only as far as the encoder put it into them.
    """

    def __init__(
        self,
        encoder_size: int,
        text_size: int,
        *,
        num_latents: int = NUM_LATENTS,
        num_layers: int = 3,
        num_heads: int = 8,
        head_size: int = 64,
        intermediate_size: int | None = None,
    ) -> None:
        """``intermediate_size`` is four times the encoder's width if left out, as in Flamingo."""
        super().__init__()
        self.latents = nn.Parameter(torch.empty(num_latents, encoder_size))
        nn.init.normal_(self.latents, std=0.02)
        inner = intermediate_size or 4 * encoder_size
        self.layers = nn.ModuleList(
            ResamplerLayer(encoder_size, num_heads, head_size, inner) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(encoder_size)
        self.out = nn.Linear(encoder_size, text_size)

    def forward(self, vectors: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return (genes * num_latents, text_size) and ``num_latents`` for each gene.

        ``vectors`` (total, encoder_size) are those of all genes one after the other, ``counts``
        (genes,) how many each gene has.
        """
        genes, num_latents = len(counts), len(self.latents)
        padded = nn.utils.rnn.pad_sequence(
            list(vectors.split(counts.tolist())), batch_first=True
        )  # (G, N, D)
        real = torch.arange(padded.shape[1], device=counts.device) < counts.unsqueeze(1)  # (G, N)
        mask = F.pad(real, (0, num_latents), value=True)[:, None, None]  # (G, 1, 1, N + L)
        latents = self.latents.expand(genes, -1, -1)  # (G, L, D)
        for layer in self.layers:
            latents = layer(latents, padded, mask)
        return self.out(self.norm(latents)).flatten(0, 1), torch.full_like(counts, num_latents)


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Return linear layers from each of ``sizes`` to the next, with GELU between them."""
    layers: list[nn.Module] = []
    for size, following in pairwise(sizes):
        layers += [nn.Linear(size, following), nn.GELU()]
    return nn.Sequential(*layers[:-1])


def build_projector(
    kind: str, encoder_size: int, text_size: int, settings: Mapping[str, Any] | None = None
) -> nn.Module:
    """Return the projector that ``kind`` names: identity, linear, mlp or resampler.

    ``settings``: for mlp ``hidden_sizes`` (one layer of ``text_size`` if left out), for the
    resampler the keywords of ``Resampler``. Raises ValueError for an unknown kind or setting, and
    for identity between different sizes.
    """
    settings = dict(settings or {})
    if kind not in PROJECTOR_SETTINGS:
        known = ", ".join(PROJECTOR_SETTINGS)
        raise ValueError(f"projector_type {kind!r} is unknown; choose one of {known}")
    unknown = ", ".join(sorted(settings.keys() - PROJECTOR_SETTINGS[kind]))
    if unknown:
        allowed = ", ".join(sorted(PROJECTOR_SETTINGS[kind])) or "none"
        raise ValueError(
            f"projector_settings {unknown}: unknown for projector_type {kind}; known: {allowed}"
        )
    if kind == "identity":
        if encoder_size != text_size:
            raise ValueError(
                f"projector_type identity needs an encoder as wide as the language model, but "
                f"they are {encoder_size} and {text_size} wide"
            )
        return nn.Identity()
    if kind == "resampler":
        return Resampler(encoder_size, text_size, **settings)
    if kind == "mlp":
        return mlp([encoder_size, *settings.get("hidden_sizes", [text_size]), text_size])
    return nn.Linear(encoder_size, text_size)


PROJECTOR_SETTINGS = {
    "identity": frozenset[str](),
    "linear": frozenset[str](),
    "mlp": frozenset({"hidden_sizes"}),
    "resampler": frozenset(
        {"num_latents", "num_layers", "num_heads", "head_size", "intermediate_size"}
    ),
}
"""What ``projector_settings`` may hold for each ``projector_type``."""


def project(projector: nn.Module, vectors: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Project the vectors (total, encoder_size) of genes that have ``counts`` (genes,) of them.

    Returns the vectors of the language model's width, gene after gene, and their counts.
    """
    if isinstance(projector, Resampler):
        projected: tuple[Tensor, Tensor] = projector(vectors, counts)
        return projected
    return projector(vectors), counts
