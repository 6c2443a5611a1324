"""Projectors: from the encoder's width to the language model's."""

from __future__ import annotations

from torch import nn


def build_projector(kind: str, encoder_size: int, text_size: int) -> nn.Module:
    """Return a module (..., encoder_size) -> (..., text_size); ``kind`` is linear or mlp."""
    if kind == "linear":
        return nn.Linear(encoder_size, text_size)
    if kind == "mlp":
        return nn.Sequential(
            nn.Linear(encoder_size, text_size), nn.GELU(), nn.Linear(text_size, text_size)
        )
    raise ValueError(f"projector_type {kind!r} is unknown; choose linear or mlp")
