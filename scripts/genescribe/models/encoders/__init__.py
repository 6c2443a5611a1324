"""Sequence encoders: from the genes of a batch to vectors. One file each, one line each below.

A *token encoder* (DNABERT-2, ESM, Nucleotide Transformer) is called as those of transformers,
``encoder(input_ids, attention_mask).last_hidden_state``, each (chunks, tokens[, dim]), and its
reader is ``TokenReader``, which also serves any encoder that transformers has by itself: RNA-FM
and the first Nucleotide Transformer are its ``EsmModel`` with the right configuration. The others
give the vectors of a gene themselves (``genescribe.models.encoders.reader``).
"""

from __future__ import annotations

from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.encoders.dnabert2 import Dnabert2Config, Dnabert2Model
from genescribe.models.encoders.nucleotide_transformer import (
    NucleotideTransformerConfig,
    NucleotideTransformerModel,
)
from genescribe.models.encoders.reader import SequenceReader
from genescribe.models.encoders.relatives import (
    GeneMemoryConfig,
    GeneMemoryEncoder,
    RelativesReader,
)
from genescribe.models.encoders.tokens import TokenReader

_READERS: dict[str, type[SequenceReader]] = {}


def register(
    config: type[PreTrainedConfig], module: type[PreTrainedModel], reader: type[SequenceReader]
) -> None:
    """Make an encoder known by the ``model_type`` of its configuration, to transformers, too."""
    AutoConfig.register(config.model_type, config)
    AutoModel.register(config, module)
    _READERS[config.model_type] = reader


register(Dnabert2Config, Dnabert2Model, TokenReader)
register(NucleotideTransformerConfig, NucleotideTransformerModel, TokenReader)
register(GeneMemoryConfig, GeneMemoryEncoder, RelativesReader)


def make_reader(config: SequenceChatConfig) -> SequenceReader:
    """Return the reader of a model's encoder, not yet loaded.

    Raises ValueError for a configuration that does not say what the encoder is, or how it reads.
    """
    if config.encoder_config is None:
        raise ValueError("encoder_config is missing; say by its model_type which encoder it is")
    return _READERS.get(config.encoder_config.model_type, TokenReader)(config)


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
