"""Configuration of sequence-chat models, in the conventions of transformers.

Those of the encoders stand beside what they configure, in ``genescribe.models.encoders``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

NUM_LATENTS = 64
"""Vectors that a resampler makes of a gene unless its settings say otherwise (as in Flamingo)."""


class EncoderSpec(SubConfigSpec):
    """No encoder is the usual one: a configuration says which, by its ``model_type``."""

    def default_config_fields(self) -> dict[str, Any]:
        """Return nothing: there is no usual encoder of which a file need not speak."""
        return {}


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
        "encoder_config": EncoderSpec(AutoConfig, model_type="", optional=True),
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


AutoConfig.register(SequenceChatConfig.model_type, SequenceChatConfig)
