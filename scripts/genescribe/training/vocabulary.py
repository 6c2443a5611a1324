"""The vocabulary of a language model that is trained from scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from genescribe.corpus.records import CorpusRecord
from genescribe.models.processing import SEQUENCE_TOKEN, PromptProcessor
from genescribe.specs.spec import ModelSpec

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"


def train_tokenizer(texts: Sequence[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Learn a byte-level BPE vocabulary; ids 0 to 3 are <pad>, <bos>, <eos>, <sequence>."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, BOS, EOS, SEQUENCE_TOKEN],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BOS, eos_token=EOS
    )


def learn_tokenizer(
    records: Sequence[CorpusRecord], spec: ModelSpec, vocabulary: int
) -> PreTrainedTokenizerFast:
    """Learn the vocabulary of the training answers and of the words around them in prompts."""
    bare = PromptProcessor(train_tokenizer([], 0), spec.prompt)
    asked = ((r.biotype, r.organism, r.question) for r in records)
    segments = {about: " ".join(bare.segments(*about)) for about in dict.fromkeys(asked)}
    texts = [record.answer for record in records]
    return train_tokenizer([*texts, *segments.values()], vocabulary)


def sized(config: Mapping[str, Any], tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Return a spec's ``config`` with what the learned vocabulary decides."""
    text = {
        **config.get("text_config", {}),
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    token = tokenizer.get_vocab()[SEQUENCE_TOKEN]
    return {**config, "text_config": text, "sequence_token_id": token}
