"""A corpus in which the sequence decides the text, and a model that learns it within a test."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

from genescribe.corpus.records import CorpusRecord, write_corpus
from genescribe.corpus.splits import Side, SplitRow, write_splits
from genescribe.records import View, sequence_sha256
from genescribe.training.train import TrainInputs
from support.toy_model import ENCODER, TEXT, TOKENS

PRODUCTS = ("kinase", "histone", "permease", "helicase")
CODONS = [a + b + "A" for a in "ACG" for b in "ACGT"]

SPEC: dict[str, Any] = {
    "name": "toy",
    "summary": "Learns four products.",
    "architecture": "sequence_chat",
    "license": "Apache-2.0",
    "trained_on": "random genes",
    "config": {
        "encoder_config": {"model_type": "kmer_bag", **ENCODER, "dropout": 0.1},
        "projector_type": "mlp",
        "null_slots": 10,
        "text_config": {"model_type": "llama", **TEXT, "max_position_embeddings": 128},
    },
    "prompt": {"id": "toy-1", "template": "{question}; {biotype}: {sequence}"},
    "question": "product name",
    "views": {"default": "cds"},
    "max_length": 3000,
    "generation": {"max_new_tokens": 16},
    "calibration": None,
    "min_lift": 0.1,
    "min_score": 0,
}
TOKENS_SPEC = {**SPEC, "config": {**SPEC["config"], **TOKENS}}
"""With an encoder that another process knows, too."""
STAGE: dict[str, Any] = {
    "name": "all",
    "train": ["encoder", "projector", "language_model"],
    "steps": 12,
    "learning_rate": 0.003,
    "warmup": 2,
    "batch_genes": 8,
}
CONFIG: dict[str, Any] = {
    "spec": SPEC,
    "new": ["encoder", "projector", "language_model"],
    "vocabulary": 320,
    "stages": [STAGE],
    "drop_sequence": 0.2,
    "evaluate_every": 4,
    "checkpoint_every": 4,
    "seed": 1,
}


def toy_records(count: int, seed: int = 0) -> list[CorpusRecord]:
    """Genes of four kinds, each of three codons of its own; two answers each."""
    rng = random.Random(seed)
    records = []
    for number in range(count):
        kind = number % len(PRODUCTS)
        codons = rng.choices(CODONS[3 * kind : 3 * kind + 3], k=rng.randrange(40, 80))
        sequence = "ATG" + "".join(codons) + "TAA"
        for question, answer in (
            ("product name", PRODUCTS[kind]),
            ("summary", f"a {PRODUCTS[kind]}"),
        ):
            records.append(
                CorpusRecord(
                    f"gene{number}", "toy", "Toy organism", "protein_coding", View.CDS, sequence,
                    sequence_sha256(sequence), question, answer, True, f"toy:{number} product",
                )
            )  # fmt: skip
    return records


def toy_inputs(
    folder: Path, config: dict[str, Any] | None = None, genes: int = 80, **changes: Any
) -> TrainInputs:
    """Write configuration, corpus and split; every fifth gene is for validation."""
    records = toy_records(genes)
    inputs = TrainInputs(folder / "train.yaml", folder / "corpus.jsonl", folder / "splits.tsv")
    folder.mkdir(parents=True, exist_ok=True)
    inputs.config.write_text(
        yaml.safe_dump({**(config or CONFIG), **changes}, sort_keys=False), encoding="utf-8"
    )
    write_corpus(inputs.corpus, records)
    write_splits(
        inputs.splits,
        [
            SplitRow(
                record.sha256, record.gene_id, record.source, record.organism, number, number,
                Side.VALIDATION if number % 5 == 0 else Side.TRAIN,
            )
            for number, record in enumerate(records[::2])
        ],
    )  # fmt: skip
    return inputs


def stage(**changes: Any) -> dict[str, Any]:
    """Return the toy's stage with changes; None takes a key out."""
    changed = {**STAGE, **changes}
    return {key: value for key, value in changed.items() if value is not None}
