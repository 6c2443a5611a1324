"""A training configuration, genes and a model small enough to train within a test."""

from __future__ import annotations

import random
from functools import cache

from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SequenceChatProcessor
from genescribe.models.prompts import PromptVariant
from genescribe.records import SequenceRecord, View, sequence_sha256
from genescribe.training.config import Source, TrainConfig
from genescribe.training.corpus import Pair
from genescribe.training.data import train_tokenizer
from genescribe.training.tiny import build_model

CONFIG = TrainConfig(
    prompt_template="{organism}; {biotype}: {sequence}",
    sources=(Source("toy", "Toy organism"),),
    encoder={"table_bits": 8, "bag_size": 8, "hidden_size": 16, "num_attention_heads": 2,
             "num_hidden_layers": 1, "dropout": 0.1},
    text={"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
          "num_attention_heads": 2, "attention_dropout": 0.1},
    projector="mlp",
    vocabulary=320,
    max_text_tokens=16,
    max_words=40,
    max_length=3000,
    batch_size=8,
    steps=24,
    alignment_steps=6,
    warmup=4,
    words_weight=1.0,
    learning_rate=3e-3,
    table_learning_rate=3e-3,
    weight_decay=0.01,
    drop_sequence=0.2,
    drop_organism=0.5,
    drop_kmers=0.2,
    validation_families=8,
    evaluate_every=6,
    patience=10,
    threads=1,
    seed=1,
)  # fmt: skip

PROMPT = PromptVariant("toy-1", CONFIG.prompt_template)
TEXTS = ("a protein kinase of yeast", "tRNA-Ala; unknown", "50S ribosomal protein L2", "histone H4")


def random_record(rng: random.Random, view: View | None = None) -> SequenceRecord:
    """A gene of 3 to 1,500 random nucleotides."""
    sequence = "".join(rng.choices("ACGT", k=rng.randrange(3, 1500)))
    biotype = rng.choice(["protein_coding", "tRNA", "long_non_coding_RNA"])
    view = view or rng.choice([View.CDS, View.TRANSCRIPT])
    return SequenceRecord("g", view, biotype, sequence, sequence_sha256(sequence))


def toy_pairs(count: int) -> list[Pair]:
    """Random genes with one of four texts each."""
    rng = random.Random(count)
    return [
        Pair(random_record(rng), "Toy organism", "toy", False, rng.choice(TEXTS))
        for _ in range(count)
    ]


@cache
def toy() -> tuple[SequenceChatModel, SequenceChatProcessor]:
    """An untrained model with its processor; seeded."""
    tokenizer = train_tokenizer(TEXTS * 4, CONFIG.vocabulary)
    model = build_model(CONFIG, tokenizer).eval()
    processor = SequenceChatProcessor(tokenizer, model.config, PROMPT)
    return model, processor
