"""Train a small sequence-chat model from scratch.

    python -m genescribe.training.tiny --config config/train/tiny.yaml --pairs DIR --work DIR
        --out models/tiny

Run it again with the same ``--work`` to go on after a kill.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import LlamaConfig, PreTrainedTokenizerFast

from genescribe.errors import GenescribeError
from genescribe.models.configuration import KmerBagConfig, SequenceChatConfig
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SEQUENCE_TOKEN, SequenceChatProcessor
from genescribe.models.prompts import PromptVariant
from genescribe.training.config import TrainConfig, load_train_config
from genescribe.training.corpus import Pair, read_pairs
from genescribe.training.data import build_examples, train_tokenizer
from genescribe.training.loop import BEST, Trainer
from genescribe.training.splits import choose_validation, families

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Split:
    """The pairs to train on, those that tell when to stop, and those of held-out species."""

    training: list[Pair]
    validation: list[Pair]
    held_out: list[Pair]


def split_pairs(pairs: Sequence[Pair], config: TrainConfig) -> Split:
    """Split pairs: held-out sources apart, then whole families for validation."""
    known = [pair for pair in pairs if not pair.held_out]
    family = families([pair.record for pair in known])
    rng = np.random.default_rng(config.seed)
    is_validation = choose_validation(family, config.validation_families, rng)
    return Split(
        training=[p for p, chosen in zip(known, is_validation, strict=True) if not chosen],
        validation=[p for p, chosen in zip(known, is_validation, strict=True) if chosen],
        held_out=[pair for pair in pairs if pair.held_out],
    )


def read_split(folder: Path, config: TrainConfig) -> Split:
    """Read the pairs of a configuration and split them; the same on every call."""
    pairs = read_pairs(
        folder, config.sources, max_length=config.max_length, max_words=config.max_words
    )
    return split_pairs(pairs, config)


def build_tokenizer(split: Split, config: TrainConfig) -> PreTrainedTokenizerFast:
    """Learn the vocabulary from training texts and the words of their prompts."""
    prompts = (
        config.prompt_template.format(
            organism=pair.organism or "unknown organism",
            biotype=pair.record.biotype.replace("_", " "),
            sequence="",
        )
        for pair in split.training
    )
    texts = [pair.text for pair in split.training]
    return train_tokenizer([*texts, *prompts], config.vocabulary)


def build_model(config: TrainConfig, tokenizer: PreTrainedTokenizerFast) -> SequenceChatModel:
    """Build the untrained model of a configuration; seeded."""
    torch.manual_seed(config.seed)
    encoder = KmerBagConfig(**config.encoder)
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        tie_word_embeddings=True,
        **config.text,
    )
    return SequenceChatModel(
        SequenceChatConfig(
            encoder_config=encoder,
            text_config=text,
            projector_type=config.projector,
            sequence_token_id=tokenizer.get_vocab()[SEQUENCE_TOKEN],
            null_slots=encoder.num_slots,
        )
    )


def export(
    model: SequenceChatModel, processor: SequenceChatProcessor, best: Path, out: Path
) -> None:
    """Write the best weights in float16, the configuration and the tokenizer to ``out``."""
    model.load_state_dict(torch.load(best, weights_only=True))
    model.half().save_pretrained(str(out))
    processor.save_pretrained(out)


def train(config: TrainConfig, pairs: Path, work: Path, out: Path) -> float:
    """Train from scratch or go on, export to ``out``, return the best validation loss."""
    torch.set_num_threads(config.threads)
    split = read_split(pairs, config)
    logger.info(
        "split: training=%d validation=%d held_out=%d",
        len(split.training), len(split.validation), len(split.held_out),
    )  # fmt: skip
    tokenizer = build_tokenizer(split, config)
    model = build_model(config, tokenizer)
    processor = SequenceChatProcessor(
        tokenizer, model.config, PromptVariant("training", config.prompt_template)
    )
    trainer = Trainer(
        model,
        build_examples(split.training, processor, config.max_text_tokens),
        build_examples(split.validation, processor, config.max_text_tokens),
        config,
        work,
    )
    loss = trainer.run()
    export(model, processor, work / BEST, out)
    return loss


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Train a small sequence-chat model.")
    parser.add_argument("--config", type=Path, default=Path("config/train/tiny.yaml"))
    parser.add_argument("--pairs", type=Path, required=True, help="folder of NAME.jsonl.gz")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and log.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for the trained model")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        train(load_train_config(options.config), options.pairs, options.work, options.out)
    except GenescribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
