"""Sequence encoders: from the inputs of a batch of genes to vectors.

Importing this package registers all of them with transformers' ``AutoModel``. A *token encoder*
(DNABERT-2, ESM, Nucleotide Transformer) is called as those of transformers,
``encoder(input_ids, attention_mask).last_hidden_state``, each (chunks, tokens[, dim]); the k-mer
bag and the gene memory give the vectors of a gene themselves, (batch, slots, dim). RNA-FM and the
first Nucleotide Transformer are transformers' ``EsmModel`` with the right configuration.
"""

from __future__ import annotations

from transformers import AutoModel, PreTrainedConfig, PreTrainedModel

from genescribe.models.encoders.dnabert2 import Dnabert2Model
from genescribe.models.encoders.kmer_bag import KmerBagEncoder
from genescribe.models.encoders.nucleotide_transformer import NucleotideTransformerModel
from genescribe.models.encoders.relatives import GeneMemoryEncoder

__all__ = [
    "Dnabert2Model",
    "GeneMemoryEncoder",
    "KmerBagEncoder",
    "NucleotideTransformerModel",
    "build_encoder",
    "masked_lm_head_parameters",
    "max_tokens",
]


def build_encoder(config: PreTrainedConfig) -> PreTrainedModel:
    """Return the encoder of a configuration, with random weights.

    ESM's pooler and contact head are left out: they play no part in the vectors, and the
    published nucleotide models come without them.
    """
    encoder: PreTrainedModel = AutoModel.from_config(config)
    for head in ("pooler", "contact_head"):
        if hasattr(encoder, head):
            setattr(encoder, head, None)
    return encoder


def max_tokens(config: PreTrainedConfig) -> int | None:
    """Return how many tokens, special ones included, an encoder has positions for; None: any.

    ESM numbers its learned positions from ``pad_token_id`` + 1: 1,024 remain of RNA-FM's 1,026.
    """
    if getattr(config, "position_embedding_type", None) != "absolute":
        return None
    return int(config.max_position_embeddings) - int(config.pad_token_id) - 1


def masked_lm_head_parameters(config: PreTrainedConfig) -> int:
    """Return the size of the head that published counts include and that is not loaded here.

    A square layer, a layer norm and a bias per token (Devlin et al. 2019), the decoder tied:
    with it DNABERT-2 has 117.07 M parameters (116.48 M without) and RNA-FM 99.52 M (99.11 M).
    """
    size = int(config.hidden_size)
    return size * size + 3 * size + int(config.vocab_size)
