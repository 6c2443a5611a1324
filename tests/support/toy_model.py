"""Genes and a model small enough to train within a test."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig

from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SEQUENCE_TOKEN, SequenceChatProcessor
from genescribe.records import SequenceRecord, View, sequence_sha256
from genescribe.specs.prompts import PromptVariant
from genescribe.training.model import train_tokenizer
from support.kmer_bag import KmerBagConfig

ENCODER = {
    "table_bits": 8, "bag_size": 8, "hidden_size": 16, "num_attention_heads": 2,
    "num_hidden_layers": 1, "dropout": 0.1,
}  # fmt: skip
TOKENS = {
    "encoder_config": {
        "model_type": "esm", "vocab_size": 25, "pad_token_id": 1, "mask_token_id": 24,
        "position_embedding_type": "rotary", "token_dropout": False, "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0, "hidden_size": 16, "intermediate_size": 24,
        "num_attention_heads": 2, "num_hidden_layers": 1,
    },
    "sequence_tokenizer": "nucleotide", "pooling": "chunk-mean", "chunk_length": 60,
}  # fmt: skip
"""In place of the k-mer bag where another process reads, which does not know of it."""
TEXT = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
    "attention_dropout": 0.1, "tie_word_embeddings": True,
}  # fmt: skip
PROMPT = PromptVariant(id="toy-1", template="{organism}; {biotype}: {sequence}")
TEXTS = ("a protein kinase of yeast", "tRNA-Ala; unknown", "50S ribosomal protein L2", "histone H4")


def random_record(rng: random.Random, view: View | None = None) -> SequenceRecord:
    """A gene of 3 to 1,500 random nucleotides."""
    sequence = "".join(rng.choices("ACGT", k=rng.randrange(3, 1500)))
    biotype = rng.choice(["protein_coding", "tRNA", "long_non_coding_RNA"])
    view = view or rng.choice([View.CDS, View.TRANSCRIPT])
    return SequenceRecord("g", view, biotype, sequence, sequence_sha256(sequence))


@cache
def toy() -> tuple[SequenceChatModel, SequenceChatProcessor]:
    """An untrained model that reads k-mers, with its processor; seeded."""
    encoder = KmerBagConfig(**ENCODER)
    return untrained({"encoder_config": encoder, "null_slots": encoder.num_slots})


def untrained(reading: Mapping[str, Any]) -> tuple[SequenceChatModel, SequenceChatProcessor]:
    """An untrained model with the encoder that ``reading`` configures; seeded."""
    tokenizer = train_tokenizer(TEXTS * 4, 320)
    torch.manual_seed(1)
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **TEXT,
    )
    config = SequenceChatConfig(
        text_config=text,
        projector_type="mlp",
        sequence_token_id=tokenizer.get_vocab()[SEQUENCE_TOKEN],
        **reading,
    )
    model = SequenceChatModel(config).eval()
    processor = SequenceChatProcessor(tokenizer, model.config, PROMPT)
    processor.reader.load(Path(), model.encoder)
    return model, processor
