"""Nucleotide Transformer v2 (Dalla-Torre et al. 2024): transformers' ESM with a gated SiLU.

Version 1 needs no class: it is ``EsmModel`` with learned positions.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import EsmConfig, EsmModel


class NucleotideTransformerConfig(EsmConfig):
    """Sizes and settings, as those of ESM."""

    model_type = "nucleotide_transformer"


class GatedIntermediate(nn.Module):
    """silu(gate) * value, the two from one projection without bias (SwiGLU, Shazeer 2020)."""

    def __init__(self, config: NucleotideTransformerConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        gate, value = self.dense(hidden).chunk(2, dim=-1)  # (B, T, F) each, gates first
        gated: Tensor = F.silu(gate) * value
        return gated


class NucleotideTransformerModel(EsmModel):
    """``EsmModel`` whose feed-forward parts are gated and have no biases."""

    config_class = NucleotideTransformerConfig

    def __init__(self, config: NucleotideTransformerConfig) -> None:
        super().__init__(config, add_pooling_layer=False)
        del self.contact_head
        layer: Any
        for layer in self.encoder.layer:
            layer.intermediate = GatedIntermediate(config)
            layer.output.dense = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.post_init()
