"""Giving a model with a gene memory genes to remember."""

from __future__ import annotations

from collections.abc import Sequence

from genescribe.models.encoders import GeneMemoryEncoder
from genescribe.models.gene_memory import GeneMemory
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SequenceChatProcessor
from genescribe.records import SequenceRecord, View


def remember(
    model: SequenceChatModel,
    processor: SequenceChatProcessor,
    records: Sequence[SequenceRecord],
    texts: Sequence[str],
) -> GeneMemory:
    """Store genes with their texts in a model, beside those that it remembers already.

    The genes are numbered in their order, after those stored before. Model and processor share
    the new memory, which is returned and saved with the weights. Raises TypeError for a model of
    another kind.
    """
    encoder = model.encoder
    if not isinstance(encoder, GeneMemoryEncoder):
        raise TypeError(f"an encoder of kind {encoder.config.model_type} has no gene memory")
    token_ids = processor.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    memory = encoder.memory().extend(
        [record.sequence for record in records],
        [record.view == View.CDS for record in records],
        token_ids,
    )
    encoder.store(memory)
    model.config.encoder_config = encoder.config
    processor.memory = memory
    return memory
