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

    Encoder and ``processor`` share the new memory, which is saved with the weights. Texts are
    stored with the tokenizer's end token, so that where to end can be copied too.
    """
    tokenizer = processor.tokenizer
    ids = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    before = encoder.memory()
    memory = before.extend(
        [record.sequence for record in records],
        [record.view == View.CDS for record in records],
        [[*text, tokenizer.eos_token_id] for text in ids],
    )
    encoder.store(memory)
    processor.memory = memory
    return range(len(before), len(memory))
