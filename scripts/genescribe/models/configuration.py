"""Configuration of sequence-chat models, in the conventions of transformers."""

from __future__ import annotations

from typing import Any, ClassVar

from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec


class KmerBagConfig(PreTrainedConfig):
    """Encoder that reads a gene as bags of hashed k-mers (see ``genescribe.models.kmers``).

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


class SequenceChatConfig(PreTrainedConfig):
    """A sequence encoder, a projector and a causal language model.

    ``sequence_token_id`` is the placeholder in the prompt that a sequence vector replaces.
    ``null_slots`` is the number of learned vectors that stand for "no sequence": that of the
    encoder's vectors per gene, or 0 for weights that were trained without this condition.
    """

    model_type = "sequence_chat"
    sub_configs_defaults: ClassVar[dict[str, SubConfigSpec]] = {
        "encoder_config": SubConfigSpec(config_class=AutoConfig, model_type="kmer_bag"),
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="llama"),
    }

    encoder_config: Any = None
    text_config: Any = None
    projector_type: str = "mlp"
    sequence_token_id: int = 3
    null_slots: int = 10


AutoConfig.register(KmerBagConfig.model_type, KmerBagConfig)
AutoConfig.register(SequenceChatConfig.model_type, SequenceChatConfig)
