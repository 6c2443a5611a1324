"""Pooling: from the token vectors of a chunk to the vectors that stand for it in the prompt.

Every pooling is called with ``hidden`` (chunks, tokens, dim) and ``mask`` (chunks, tokens), which
is nonzero at the tokens to keep, at least one per chunk. It returns the vectors of all chunks one
after the other, (total, dim), and how many each chunk gave, (chunks,).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class NoPooling(nn.Module):
    """Every kept token is a vector of its own (RNA-GPT)."""

    def forward(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the kept vectors (total, dim) and how many each chunk has (chunks,)."""
        kept = mask.bool()  # (C, T)
        return hidden[kept], kept.sum(1)


class MeanPooling(nn.Module):
    """One vector per chunk: the mean over its kept tokens (GeneChat)."""

    def forward(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means (chunks, dim) and a one for each chunk."""
        kept = mask.to(hidden.dtype).unsqueeze(1)  # (C, 1, T)
        pooled = (kept @ hidden / kept.sum(2, keepdim=True)).squeeze(1)  # (C, D)
        return pooled, torch.ones_like(mask[:, 0], dtype=torch.long)


class AttentionPooling(nn.Module):
    """One vector per chunk: its kept tokens weighted by softmax(token . query / sqrt(dim)).

    The query is learned: one head of scaled dot-product attention (Vaswani et al. 2017, eq. 1)
    whose keys and values are the encoder's vectors themselves.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.empty(size))
        nn.init.normal_(self.query, std=0.02)

    def forward(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weighted sums (chunks, dim) and a one for each chunk."""
        scores = hidden @ self.query / math.sqrt(hidden.shape[-1])  # (C, T)
        weights = scores.masked_fill(~mask.bool(), -torch.inf).softmax(1).unsqueeze(1)  # (C, 1, T)
        pooled = (weights @ hidden).squeeze(1)  # (C, D)
        return pooled, torch.ones_like(mask[:, 0], dtype=torch.long)


def build_pooling(kind: str, size: int) -> nn.Module:
    """Return a pooling of vectors of ``size``; ``kind`` is none, chunk-mean or attention."""
    if kind == "none":
        return NoPooling()
    if kind == "chunk-mean":
        return MeanPooling()
    if kind == "attention":
        return AttentionPooling(size)
    raise ValueError(f"pooling {kind!r} is unknown; choose none, chunk-mean or attention")
