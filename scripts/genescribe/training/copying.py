"""Weights to begin with from which a language model can copy the texts of a gene's relatives.

Found by gradient descent alone, copying needs thousands of steps on small batches (on two cores,
an hour without any), because two matrices must first agree about thousands of tokens. Beginning
with one attention head that already does it is a mimetic initialisation (Trockman and Kolter 2023,
arXiv 2305.09828); training remains free to undo it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from genescribe.models.encoders import GeneMemoryEncoder
from genescribe.models.modeling import SequenceChatModel

GAIN = 3.0
"""Of the head's queries and of its keys: a token that stands after the one just written gets about
nine times the logit of chance agreement (3 squared, over unit vectors)."""


@torch.no_grad()
def start_copying(model: SequenceChatModel, opening_id: int) -> None:
    """Let a new Llama-style language model copy from its gene memory, before any training.

    Token embeddings become nearly orthogonal unit vectors, and the output layer their copy. The
    first head of the first layer looks for the vector whose previous token is the one just written
    and passes on the token that it holds. ``opening_id`` is the last token of the prompt, after
    which an answer begins.
    """
    encoder, text = model.encoder, model.config.text_config
    assert isinstance(encoder, GeneMemoryEncoder)
    embedding: Any = model.get_input_embeddings()
    output = model.language_model.get_output_embeddings()
    size, head = text.hidden_size, text.hidden_size // text.num_attention_heads
    nn.init.normal_(embedding.weight, std=size**-0.5)
    output.weight.copy_(embedding.weight)
    encoder.opening.copy_(embedding.weight[opening_id])
    seen = torch.linalg.qr(torch.randn(size, head))[0].T  # (head, D)
    passed = torch.linalg.qr(torch.randn(size, head))[0].T  # (head, D)
    attention = model.language_model.model.layers[0].self_attn
    attention.q_proj.weight[:head] = GAIN * seen
    attention.k_proj.weight[:head] = GAIN * seen @ encoder.previous.weight.T
    attention.v_proj.weight[:head] = passed
    attention.o_proj.weight[:, :head] = passed.T
