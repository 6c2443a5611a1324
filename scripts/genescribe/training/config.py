"""The training configuration: what ``config/train/*.yaml`` may say, each key checked.

``config/train/tiny.yaml`` explains the keys and how to choose their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from genescribe.errors import InputError
from genescribe.specs.spec import read_yaml, schema_problems

PARTS = ("encoder", "projector", "language_model")
"""Parts of a model that train, or begin anew. What stands between encoder and language model
(pooling, projector, the "no sequence" vectors) is one of them."""

_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 1}
_NATURAL = {"type": "integer", "minimum": 0}
_RATE = {"type": "number", "exclusiveMinimum": 0}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_SHARES = {"type": "object", "additionalProperties": _SHARE}
_PARTS = {"type": "array", "items": {"enum": list(PARTS)}, "uniqueItems": True}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_LORA = _object(
    {
        "rank": _COUNT,
        "alpha": _RATE,
        "dropout": _SHARE,
        "target_modules": {"type": "array", "items": _TEXT, "minItems": 1},
    },
    "rank",
    "alpha",
    "target_modules",
)
_STAGE = {
    **_object(
        {
            "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
            "train": _PARTS,
            "lora": _LORA,
            "prompt": _TEXT,
            "question": {"type": "string"},
            "questions": _SHARES,
            "steps": _COUNT,
            "epochs": _RATE,
            "learning_rate": _RATE,
            "learning_rates": {
                "type": "object",
                "propertyNames": {"enum": list(PARTS)},
                "additionalProperties": _RATE,
            },
            "schedule": _TEXT,
            "schedule_settings": {"type": "object"},
            "warmup": _NATURAL,
            "weight_decay": {"type": "number", "minimum": 0},
            "batch_genes": _COUNT,
            "batch_tokens": _COUNT,
            "gradient_accumulation": _COUNT,
            "max_grad_norm": _RATE,
        },
        "name",
        "train",
        "learning_rate",
    ),
    "allOf": [
        {"oneOf": [{"required": ["steps"]}, {"required": ["epochs"]}]},
        {"oneOf": [{"required": ["batch_genes"]}, {"required": ["batch_tokens"]}]},
    ],
}
SCHEMA = _object(
    {
        "from": _TEXT,
        "spec": {"type": "object"},
        "new": _PARTS,
        "vocabulary": _COUNT,
        "stages": {"type": "array", "items": _STAGE, "minItems": 1},
        "precision": {"enum": ["no", "bf16", "fp16"]},
        "drop_sequence": _SHARE,
        "drop_organism": _SHARE,
        "leave_out_family": _SHARE,
        "questions": _SHARES,
        "uninformative": _SHARE,
        "validation_answers": _COUNT,
        "evaluate_every": _COUNT,
        "patience": _COUNT,
        "checkpoint_every": _COUNT,
        "gradient_checkpointing": {"type": "boolean"},
        "workers": _NATURAL,
        "tensorboard": {"type": "boolean"},
        "save": {"enum": ["whole", "parts"]},
        "weights_dtype": {"enum": ["float32", "bfloat16", "float16"]},
        "seed": _NATURAL,
    },
    "stages",
)


@dataclass(frozen=True, slots=True)
class Lora:
    """A low-rank adapter on the language model (Hu et al. 2022), in the words of peft."""

    rank: int
    alpha: float
    target_modules: tuple[str, ...]
    dropout: float = 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of training: which parts learn, from what prompt, how fast and how long.

    Exactly one of ``steps`` and ``epochs`` is given, and one of ``batch_genes`` and
    ``batch_tokens`` (of the language model). ``question`` is asked in place of each answer's own,
    ``prompt`` names a variant of the spec, ``questions`` hold instead of the configuration's. A
    step takes in ``gradient_accumulation`` batches on each process.
    """

    name: str
    train: tuple[str, ...]
    learning_rate: float
    lora: Lora | None = None
    prompt: str | None = None
    question: str | None = None
    questions: Mapping[str, float] | None = None
    steps: int | None = None
    epochs: float | None = None
    learning_rates: Mapping[str, float] = field(default_factory=dict)
    schedule: str = "cosine"
    schedule_settings: Mapping[str, Any] = field(default_factory=dict)
    warmup: int = 0
    weight_decay: float = 0.0
    batch_genes: int | None = None
    batch_tokens: int | None = None
    gradient_accumulation: int = 1
    max_grad_norm: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that decides the outcome of a training run, beside corpus and split.

    ``base`` is the spec to begin from, ``spec`` the keys that differ in the new one, ``new`` the
    parts that begin with random weights. ``questions`` gives the share of the answers to take
    part in an epoch by patterns of questions, the first that matches; ``leave_out_family`` how
    often a gene is looked up without its whole family and not just its near copies.
    """

    stages: tuple[Stage, ...]
    base: str | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)
    new: frozenset[str] = frozenset()
    vocabulary: int | None = None
    precision: str = "no"
    drop_sequence: float = 0.15
    drop_organism: float = 0.0
    leave_out_family: float = 0.5
    questions: Mapping[str, float] = field(default_factory=dict)
    uninformative: float = 0.0
    validation_answers: int = 1000
    evaluate_every: int = 500
    patience: int = 5
    checkpoint_every: int = 500
    gradient_checkpointing: bool = False
    workers: int = 0
    tensorboard: bool = False
    save: str = "whole"
    weights_dtype: str = "float32"
    seed: int = 0

    def share(self, stage: Stage, question: str, is_informative: bool) -> float:
        """Return how many of the answers to a question take part in an epoch of a stage, 0..1."""
        shares = self.questions if stage.questions is None else stage.questions
        matching = (share for pattern, share in shares.items() if fnmatchcase(question, pattern))
        return next(matching, 1.0) * (1.0 if is_informative else self.uninformative)


def load_train_config(path: Path) -> TrainConfig:
    """Read a training configuration; raises InputError naming the key that is wrong."""
    return make_train_config(path, read_yaml(path))


def make_train_config(path: Path, content: Any) -> TrainConfig:
    """Return the configuration that ``path`` holds with this content; InputError if it is none."""
    where, message = next(schema_problems(content, SCHEMA), ("", ""))
    if not message:
        where, message = _problem(content)
    if message:
        raise InputError(
            f"{path}: in {where or 'the file'}: {message}; config/train/tiny.yaml explains the keys"
        )
    values = {**content, "stages": tuple(_stage(stage) for stage in content["stages"])}
    values["base"] = values.pop("from", None)
    values["new"] = frozenset(values.get("new", ()))
    return TrainConfig(**values)


def _stage(content: Mapping[str, Any]) -> Stage:
    values = {**content, "train": tuple(content["train"])}
    if "lora" in content:
        lora = content["lora"]
        values["lora"] = Lora(**{**lora, "target_modules": tuple(lora["target_modules"])})
    return Stage(**values)


def _problem(content: Mapping[str, Any]) -> tuple[str, str]:
    """Return (key, what is wrong) of what a schema cannot say; two empty texts if nothing is."""
    new, stages = content.get("new", ()), content["stages"]
    if "from" not in content and "spec" not in content:
        return "from", "missing; name a model to begin from, or describe a new one in spec"
    if ("language_model" in new) != ("vocabulary" in content):
        return "vocabulary", "needed where the language_model is new, and only there"
    names = [stage["name"] for stage in stages]
    if len(set(names)) < len(names):
        return "stages", "two have the same name; give each its own"
    adapters = [stage["lora"] for stage in stages if "lora" in stage]
    if any(adapter != adapters[0] for adapter in adapters):
        return "stages", "lora differs between stages; a later one goes on with the same adapter"
    adapted = False
    for i, stage in enumerate(stages):
        adapted = adapted or "lora" in stage
        if adapted and "language_model" in stage["train"]:
            return f"stages.{i}", "the language_model cannot train beside or after its lora"
        if not stage["train"] and "lora" not in stage:
            return f"stages.{i}.train", "nothing trains; name parts, or give lora"
    return "", ""
