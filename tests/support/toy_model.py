"""Genes and a model small enough to train within a test."""

from __future__ import annotations

import random
from functools import cache

import torch
from transformers import LlamaConfig

from genescribe.models.configuration import KmerBagConfig, SequenceChatConfig
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SEQUENCE_TOKEN, SequenceChatProcessor
from genescribe.records import SequenceRecord, View, sequence_sha256
from genescribe.specs.prompts import PromptVariant
from genescribe.training.vocabulary import train_tokenizer

ENCODER = {
    "table_bits": 8, "bag_size": 8, "hidden_size": 16, "num_attention_heads": 2,
    "num_hidden_layers": 1, "dropout": 0.1,
}  # fmt: skip
TEXT = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
    "attention_dropout": 0.1, "tie_word_embeddings": True,
}  # fmt: skip
PROMPT = PromptVariant("toy-1", "{organism}; {biotype}: {sequence}")
TEXTS = ("a protein kinase of yeast", "tRNA-Ala; unknown", "50S ribosomal protein L2", "histone H4")


def random_record(rng: random.Random, view: View | None = None) -> SequenceRecord:
    """A gene of 3 to 1,500 random nucleotides."""
    sequence = "".join(rng.choices("ACGT", k=rng.randrange(3, 1500)))
    biotype = rng.choice(["protein_coding", "tRNA", "long_non_coding_RNA"])
    view = view or rng.choice([View.CDS, View.TRANSCRIPT])
    return SequenceRecord("g", view, biotype, sequence, sequence_sha256(sequence))


@cache
def toy() -> tuple[SequenceChatModel, SequenceChatProcessor]:
    """An untrained model with its processor; seeded."""
    tokenizer = train_tokenizer(TEXTS * 4, 320)
    torch.manual_seed(1)
    encoder = KmerBagConfig(**ENCODER)
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **TEXT,
    )
    config = SequenceChatConfig(
        encoder_config=encoder,
        text_config=text,
        projector_type="mlp",
        sequence_token_id=tokenizer.get_vocab()[SEQUENCE_TOKEN],
        null_slots=encoder.num_slots,
    )
    model = SequenceChatModel(config).eval()
    return model, SequenceChatProcessor(tokenizer, model.config, PROMPT)
