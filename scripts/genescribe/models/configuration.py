"""Configuration of sequence-chat models, in the conventions of transformers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from transformers import AutoConfig, EsmConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from genescribe.models.gene_memory import SEEDS, array_shapes

NUM_LATENTS = 64
"""Vectors that a resampler makes of a gene unless its settings say otherwise (as in Flamingo)."""

NT_PER_TOKEN = {"nucleotide": 1, "six-mer": 6, "bpe": 5}
"""Nucleotides that a token of each kind of sequence tokenizer stands for.

Five for byte pairs is DNABERT-2's average (Zhou et al. 2024, arXiv 2306.15006).
"""


class KmerBagConfig(PreTrainedConfig):
    """Encoder that reads a gene as bags of hashed k-mers (see ``genescribe.kmers``).

    Its output has ``windows`` vectors for stretches along the gene and ``global_slots`` for the
    whole of it, each ``hidden_size`` wide.
    """

    model_type = "kmer_bag"

    table_bits: int = 17
    bag_size: int = 64
    windows: int = 6
    global_slots: int = 4
    hidden_size: int = 256
    num_attention_heads: int = 4
    num_hidden_layers: int = 2
    dropout: float = 0.0

    @property
    def num_slots(self) -> int:
        """How many vectors the encoder gives for one gene."""
        return self.windows + self.global_slots


class GeneMemoryConfig(PreTrainedConfig):
    """Encoder that reads the texts of a gene's relatives (``genescribe.models.gene_memory``).

    Its output has one vector for the gene and one for each of ``text_tokens`` places in the texts
    of ``num_relatives`` relatives, made from the language model's token embeddings, so that
    ``hidden_size`` is its own and ``projector_type`` ``identity``. ``num_genes``,
    ``num_postings`` (for each seed) and ``num_text_tokens`` are the sizes of what is stored.
    """

    model_type = "gene_memory"

    num_relatives: int = 6
    text_tokens: int = 8
    hidden_size: int = 256
    feature_size: int = 64
    num_genes: int = 0
    num_postings: list[int] | tuple[int, ...] = (0,) * len(SEEDS)
    num_text_tokens: int = 0

    @property
    def num_slots(self) -> int:
        """How many vectors the encoder gives for one gene."""
        return 1 + self.num_relatives * self.text_tokens

    @property
    def stored_bytes(self) -> int:
        """What the stored genes take, in memory and in the file of the weights."""
        shapes = array_shapes(self.num_genes, self.num_postings, self.num_text_tokens)
        return sum(length * np.dtype(dtype).itemsize for length, dtype in shapes.values())


class Dnabert2Config(PreTrainedConfig):
    """DNABERT-2 (Zhou et al. 2024, arXiv 2306.15006): a MosaicBERT over 4,096 byte-pair tokens.

    ALiBi in place of learned positions, gated GELU, layer norms after each block. The defaults
    are those of the published 117M model.
    """

    model_type = "dnabert2"

    vocab_size: int = 4096
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 3
    initializer_range: float = 0.02


class NucleotideTransformerConfig(EsmConfig):
    """Nucleotide Transformer v2 (Dalla-Torre et al. 2024): an ESM-2 with a gated feed-forward part.

    Version 1 is transformers' ``EsmConfig`` itself.
    """

    model_type = "nucleotide_transformer"


class SequenceChatConfig(PreTrainedConfig):
    """A sequence encoder, pooling, a projector and a causal language model.

    The defaults are those of an encoder that turns a gene into a fixed number of vectors by itself
    (``pooling`` None). Encoders of tokens need ``sequence_tokenizer`` (``bpe``,
    ``nucleotide`` or ``six-mer``) and ``pooling``: ``none`` keeps one vector per token,
    ``chunk-mean`` and ``attention`` make one of each chunk. ``pool_special_tokens`` tells
    whether the tokens that frame a chunk count among its tokens.

    A gene is read in chunks: one begins every ``chunk_length`` nt and takes in the
    ``chunk_overlap`` nt before it as well (None: the gene in one piece).

    ``sequence_token_id`` is the placeholder in the prompt that a sequence vector replaces; it may
    lie outside the vocabulary (LLaVA's -200), as no published system adds a token for it.
    ``null_slots`` is the number of learned vectors that stand for "no sequence", over and over
    where a gene has more placeholders; 0 for weights that were trained without this condition.
    """

    model_type = "sequence_chat"
    sub_configs_defaults: ClassVar[dict[str, SubConfigSpec]] = {
        "encoder_config": SubConfigSpec(config_class=AutoConfig, model_type="kmer_bag"),
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="llama"),
    }

    encoder_config: Any = None
    text_config: Any = None
    pooling: str | None = None
    pool_special_tokens: bool = False
    sequence_tokenizer: str | None = None
    chunk_length: int | None = None
    chunk_overlap: int = 0
    projector_type: str = "mlp"
    projector_settings: dict[str, Any] | None = None
    sequence_token_id: int = 3
    null_slots: int = 10

    def num_placeholders(self, num_vectors: int) -> int:
        """How many placeholders stand for a gene of which pooling makes ``num_vectors``."""
        if self.projector_type == "resampler":
            return int((self.projector_settings or {}).get("num_latents", NUM_LATENTS))
        return num_vectors

    def expected_placeholders(self, length: int) -> int:
        """How many placeholders a gene of ``length`` nt takes, before it is tokenised.

        Exact but for one vector per token (``pooling`` "none"), where it is the usual number.
        """
        if self.pooling is None:
            vectors = self.encoder_config.num_slots
        elif self.pooling == "none":
            vectors = math.ceil(length / NT_PER_TOKEN[self.sequence_tokenizer or "nucleotide"])
        else:
            vectors = math.ceil(length / (self.chunk_length or length))
        return self.num_placeholders(vectors)


AutoConfig.register(KmerBagConfig.model_type, KmerBagConfig)
AutoConfig.register(GeneMemoryConfig.model_type, GeneMemoryConfig)
AutoConfig.register(Dnabert2Config.model_type, Dnabert2Config)
AutoConfig.register(NucleotideTransformerConfig.model_type, NucleotideTransformerConfig)
AutoConfig.register(SequenceChatConfig.model_type, SequenceChatConfig)
