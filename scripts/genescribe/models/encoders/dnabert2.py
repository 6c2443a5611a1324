"""DNABERT-2 (Zhou et al. 2024, arXiv 2306.15006): a MosaicBERT over byte-pair tokens of DNA.

Differs from BERT in three things: attention with linear biases (ALiBi, Press et al. 2022) in
place of learned positions, in the symmetric form for encoders; a gated GELU feed-forward part
(Shazeer 2020); and one fused projection for queries, keys and values. Parameters have the names
of the published weights (hence ``Wqkv``, and ``LayerNorm`` beside ``layernorm``), so that these
load without a map. There is no dropout.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

TOKEN_TYPES = 2
"""BERT's segments; a gene is always the first."""


class Dnabert2Config(PreTrainedConfig):
    """Sizes of DNABERT-2; the defaults are those of the published 117M model."""

    model_type = "dnabert2"

    vocab_size: int = 4096
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 3
    initializer_range: float = 0.02


def alibi_slopes(num_heads: int) -> list[float]:
    """Return the slope of each head (Press et al. 2022, section 3 and their published code).

    For a power of two the geometric sequence that begins at, and has the ratio, 2^(-8/heads);
    otherwise that of the next lower power of two, then every other slope of the next higher.
    """
    lower = 2 ** math.floor(math.log2(num_heads))
    slopes = [2 ** (-8 * (head + 1) / lower) for head in range(lower)]
    if lower < num_heads:
        slopes += alibi_slopes(2 * lower)[::2][: num_heads - lower]
    return slopes


class Embeddings(nn.Module):
    """Token plus segment embedding, normalised; positions come with the attention."""

    def __init__(self, config: Dnabert2Config) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(TOKEN_TYPES, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, input_ids: Tensor) -> Tensor:
        embedded = self.word_embeddings(input_ids) + self.token_type_embeddings.weight[0]
        normed: Tensor = self.LayerNorm(embedded)  # (B, T, D)
        return normed


class Layer(nn.Module):
    """Attention, then a gated feed-forward part, each with residual and layer norm (post-LN)."""

    def __init__(self, config: Dnabert2Config) -> None:
        super().__init__()
        size, inner, eps = config.hidden_size, config.intermediate_size, config.layer_norm_eps
        self.num_heads = config.num_attention_heads
        attention = {"Wqkv": nn.Linear(size, 3 * size)}
        output = {"dense": nn.Linear(size, size), "LayerNorm": nn.LayerNorm(size, eps=eps)}
        self.attention = nn.ModuleDict(
            {"self": nn.ModuleDict(attention), "output": nn.ModuleDict(output)}
        )
        self.mlp = nn.ModuleDict(
            {
                "gated_layers": nn.Linear(size, 2 * inner, bias=False),  # gates first, then values
                "wo": nn.Linear(inner, size),
                "layernorm": nn.LayerNorm(size, eps=eps),
            }
        )

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        """Return the new vectors (B, T, D); ``bias`` is added to the scores (B, h, T, T)."""
        attention: Any = self.attention
        mlp: Any = self.mlp
        batch, tokens, size = hidden.shape
        heads = (batch, tokens, 3, self.num_heads, size // self.num_heads)
        query, key, value = attention["self"]["Wqkv"](hidden).view(heads).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)  # (B, h, T, d)
        attended = attended.transpose(1, 2).reshape(batch, tokens, size)  # (B, T, D)
        output = attention["output"]
        hidden = output["LayerNorm"](output["dense"](attended) + hidden)  # (B, T, D)
        gate, value = mlp["gated_layers"](hidden).chunk(2, dim=-1)  # (B, T, F) each
        normed: Tensor = mlp["layernorm"](mlp["wo"](F.gelu(gate) * value) + hidden)  # (B, T, D)
        return normed


class Encoder(nn.Module):
    """The layers, with the bias that they share."""

    def __init__(self, config: Dnabert2Config) -> None:
        super().__init__()
        # Plain numbers and no buffer: a buffer would be lost where the model is built on the
        # meta device, as from_pretrained does.
        self.slopes = alibi_slopes(config.num_attention_heads)
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))

    def bias(self, hidden: Tensor, attention_mask: Tensor | None) -> Tensor:
        """Return what is added to the scores: -slope * |i - j|, and next to -inf at padding.

        (1 or batch, heads, tokens, tokens), in the type and on the device of ``hidden``.
        """
        slopes = hidden.new_tensor(self.slopes)  # (h,)
        position = torch.arange(hidden.shape[1], device=hidden.device)
        distance = (position[:, None] - position).abs()  # (T, T)
        bias = (-slopes[:, None, None] * distance).unsqueeze(0)  # (1, h, T, T)
        if attention_mask is None:
            return bias
        is_padding = ~attention_mask.bool()[:, None, None]  # (B, 1, 1, T)
        return bias.masked_fill(is_padding, torch.finfo(bias.dtype).min)

    def forward(self, hidden: Tensor, attention_mask: Tensor | None) -> Tensor:
        bias = self.bias(hidden, attention_mask)
        for layer in self.layer:
            hidden = layer(hidden, bias)
        return hidden


class Dnabert2Model(PreTrainedModel):
    """Vectors for the tokens of chunks of any length, without pooler or language model head."""

    config_class = Dnabert2Config
    _supports_sdpa = True

    def __init__(self, config: Dnabert2Config) -> None:
        super().__init__(config)
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the token embedding."""
        return self.embeddings.word_embeddings

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> BaseModelOutput:
        """Return ``last_hidden_state`` (chunks, tokens, hidden_size).

        ``input_ids`` and ``attention_mask`` are (chunks, tokens), the mask 0 at padding; without
        a mask, which is faster, no token is padding. Vectors at padding mean nothing.
        """
        hidden = self.encoder(self.embeddings(input_ids), attention_mask)
        return BaseModelOutput(last_hidden_state=hidden)
