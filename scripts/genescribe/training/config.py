"""The training configuration, read from ``config/train/*.yaml`` with every key checked."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from genescribe.errors import InputError
from genescribe.files import check_readable


@dataclass(frozen=True, slots=True)
class Source:
    """One file of pairs (``NAME.jsonl.gz``), and the organism that the prompt names."""

    name: str
    organism: str | None
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that decides the outcome of a training run; ``config/train/tiny.yaml`` explains.

    ``steps`` is the length of the learning rate schedule, ``max_length`` is in nt.
    """

    prompt_template: str
    sources: tuple[Source, ...]
    encoder: dict[str, Any]
    text: dict[str, Any]
    projector: str
    vocabulary: int
    max_text_tokens: int
    max_length: int
    max_words: int
    batch_size: int
    steps: int
    alignment_steps: int
    warmup: int
    words_weight: float
    learning_rate: float
    table_learning_rate: float
    weight_decay: float
    drop_sequence: float
    drop_organism: float
    drop_kmers: float
    validation_families: int
    evaluate_every: int
    patience: int
    threads: int
    seed: int


def load_train_config(path: Path) -> TrainConfig:
    """Read a training configuration; raises InputError naming the key that is wrong."""
    check_readable(path)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = {field.name for field in fields(TrainConfig)}
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a mapping of keys to values; see config/train/tiny.yaml")
    for name in sorted(content.keys() ^ known):
        problem = "unknown" if name in content else "missing"
        raise InputError(f"{path}: key {name!r} is {problem}; see config/train/tiny.yaml")
    sources = tuple(Source(**source) for source in content.pop("sources"))
    return TrainConfig(sources=sources, **content)
