"""Giving a gene memory genes to remember."""

from __future__ import annotations

from collections.abc import Sequence

from genescribe.models.encoders import GeneMemoryEncoder
from genescribe.models.processing import SequenceChatProcessor
from genescribe.records import SequenceRecord, View


def remember(
    encoder: GeneMemoryEncoder,
    processor: SequenceChatProcessor,
    records: Sequence[SequenceRecord],
    texts: Sequence[str],
) -> range:
    """Store genes with their texts beside those that there are; return their numbers.

    Encoder and ``processor`` share the new memory, which is saved with the weights.
    """
    before = encoder.memory()
    memory = before.extend(
        [record.sequence for record in records],
        [record.view == View.CDS for record in records],
        [processor.tokenizer.encode(text, add_special_tokens=False) for text in texts],
    )
    encoder.store(memory)
    processor.memory = memory
    return range(len(before), len(memory))
