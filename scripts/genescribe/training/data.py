"""Training batches: hashed once per gene, bucketed by text length, the same on every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from genescribe.models.kmers import KmerBag
from genescribe.models.modeling import IGNORE_INDEX
from genescribe.models.processing import SEQUENCE_TOKEN, SequenceChatProcessor
from genescribe.models.sequence_inputs import collate_kmer_bags, kmer_bag_of
from genescribe.training.config import TrainConfig
from genescribe.training.corpus import Pair

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"


def train_tokenizer(texts: Sequence[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Learn a byte-level BPE vocabulary; ids 0 to 3 are <pad>, <bos>, <eos>, <sequence>."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, BOS, EOS, SEQUENCE_TOKEN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BOS, eos_token=EOS
    )


@dataclass(frozen=True, slots=True)
class Example:
    """A pair as numbers: k-mers, token ids of both prompts (with and without organism), text."""

    bag: KmerBag
    prompt_ids: tuple[int, ...]
    anonymous_prompt_ids: tuple[int, ...]
    text_ids: tuple[int, ...]


def build_examples(
    pairs: Sequence[Pair], processor: SequenceChatProcessor, max_text_tokens: int
) -> list[Example]:
    """Hash and tokenise all pairs once; texts end with <eos> and have at most max_text_tokens."""
    tokenizer = processor.tokenizer
    prompts: dict[tuple[str, str | None], tuple[int, ...]] = {}

    def prompt_ids(biotype: str, organism: str | None) -> tuple[int, ...]:
        if (biotype, organism) not in prompts:
            around = processor.segments(biotype, organism)
            slots = processor.config.encoder_config.num_slots
            prompts[biotype, organism] = tuple(processor.prompt_ids(*around, slots))
        return prompts[biotype, organism]

    texts = tokenizer([pair.text for pair in pairs], add_special_tokens=False)["input_ids"]
    return [
        Example(
            kmer_bag_of(pair.record, processor.config.encoder_config),
            prompt_ids(pair.record.biotype, pair.organism),
            prompt_ids(pair.record.biotype, None),
            (*text[: max_text_tokens - 1], tokenizer.eos_token_id),
        )
        for pair, text in zip(pairs, texts, strict=True)
    ]


def epoch_batches(
    lengths: NDArray[np.int64], batch_size: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Split genes into batches of similar text length, in random order; every gene once."""
    jitter = lengths + rng.uniform(-3, 3, len(lengths))  # other neighbours in every epoch
    order = np.argsort(jitter, kind="stable")
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def thin(bag: KmerBag, most: float, rng: np.random.Generator) -> KmerBag:
    """Hide a random share of a gene's k-mers, between none and ``most`` of them.

    A fixed share would teach the encoder sums of a size that it never meets in use.
    """
    keep = rng.random(len(bag.rows)) >= rng.uniform(0, most)
    return replace(bag, rows=bag.rows[keep], windows=bag.windows[keep])


def collate(
    examples: Sequence[Example], config: TrainConfig, windows: int, rng: np.random.Generator | None
) -> dict[str, Tensor]:
    """Build the model's inputs and labels for a batch; ``rng`` turns on all the dropping.

    Prompts are padded on the left and texts on the right, as in generation: (batch, tokens).
    """
    bags = [example.bag for example in examples]
    prompts = [example.anonymous_prompt_ids for example in examples]
    drop_sequence = np.zeros(len(examples), dtype=bool)
    if rng is not None:
        bags = [thin(bag, config.drop_kmers, rng) for bag in bags]
        drop_sequence = rng.random(len(examples)) < config.drop_sequence
        named = rng.random(len(examples)) >= config.drop_organism
        prompts = [
            example.prompt_ids if with_name else example.anonymous_prompt_ids
            for example, with_name in zip(examples, named, strict=True)
        ]
    width = max(len(prompt) for prompt in prompts)
    text_width = max(len(example.text_ids) for example in examples)
    input_ids = torch.zeros(len(examples), width + text_width, dtype=torch.long)  # (B, T); 0 pads
    mask, labels = torch.zeros_like(input_ids), torch.full_like(input_ids, IGNORE_INDEX)
    for row, (prompt, example) in enumerate(zip(prompts, examples, strict=True)):
        first, last = width - len(prompt), width + len(example.text_ids)
        input_ids[row, first:last] = torch.tensor([*prompt, *example.text_ids])
        mask[row, first:last] = 1
        labels[row, width:last] = input_ids[row, width:last]
    return {
        "input_ids": input_ids,
        "attention_mask": mask,
        "labels": labels,
        "drop_sequence": torch.from_numpy(drop_sequence),
        **collate_kmer_bags(bags, windows),
    }
