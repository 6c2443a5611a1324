"""The training configuration: what ``config/train/*.yaml`` may say.

``config/train/tiny.yaml`` explains the keys and how to choose their values.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from genescribe.keys import Count, Keys, Natural, NotNegative, Positive, Share, Text, key, wrong
from genescribe.specs.parts import Dtype
from genescribe.specs.spec import read_yaml

MANUAL = "config/train/tiny.yaml"

Part = Literal["encoder", "projector", "language_model"]
PARTS = get_args(Part)
"""Parts of a model that train, or begin anew. What stands between encoder and language model
(pooling, projector, the "no sequence" vectors) is one of them."""


def _each_once(parts: Any) -> Any:
    if isinstance(parts, list) and any(parts.count(part) > 1 for part in parts):
        raise ValueError("names a part twice; name each once")
    return parts


Shares = dict[str, Share]
Parts = Annotated[tuple[Part, ...], Field(strict=False), BeforeValidator(_each_once)]


class Lora(Keys):
    """A low-rank adapter on the language model (Hu et al. 2022), in the words of peft."""

    rank: Count = key("rank of the adapter")
    alpha: Positive = key("the adapter counts alpha / rank times")
    target_modules: Annotated[tuple[Text, ...], Field(strict=False)] = key(
        "layers of the language model that get one", min_length=1
    )
    dropout: Share = key("of what the adapter reads", 0.0)


class Stage(Keys):
    """One stage of training: which parts learn, from what prompt, how fast and how long."""

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]*$")] = key("names the stage in the log")
    train: Parts = key("parts that learn; all others stay as they are")
    learning_rate: Positive = key("of AdamW, at its highest")
    lora: Lora | None = key("an adapter that learns in the language model's place", None)
    prompt: Text | None = key("a variant of the spec's prompts", None)
    question: str | None = key("asked in place of each answer's own; may be empty", None)
    questions: Shares | None = key("hold instead of the configuration's", None)
    steps: Count | None = key("length in steps, or in epochs", None)
    epochs: Positive | None = key(
        "length in epochs: one answer to each question of each cluster of near copies", None
    )
    learning_rates: dict[Part, Positive] = key("other learning rates, by part", {})
    schedule: Text = key("of the learning rate, as transformers.get_scheduler names it", "cosine")
    schedule_settings: dict[str, Any] = key("what that schedule takes", {})
    warmup: Natural = key("steps until the highest learning rate", 0)
    weight_decay: NotNegative = key("of matrices", 0.0)
    batch_genes: Count | None = key("genes of a batch, or tokens", None)
    batch_tokens: Count | None = key(
        "the language model's tokens of a batch, padding counted", None
    )
    gradient_accumulation: Count = key("batches of a step, on each process", 1)
    max_grad_norm: Positive = key("longer gradients are cut to it", 1.0)

    @model_validator(mode="after")
    def _check_stage(self) -> Self:
        for one, other in (("steps", "epochs"), ("batch_genes", "batch_tokens")):
            if (getattr(self, one) is None) == (getattr(self, other) is None):
                raise wrong(f"give either {one} or {other}")
        if not self.train and self.lora is None:
            raise wrong("nothing trains; name parts, or give lora", "train")
        return self


class TrainConfig(Keys):
    """Everything that decides the outcome of a training run, beside corpus and split."""

    base: Text | None = key("the model to train further", None, validation_alias="from")
    spec: dict[str, Any] = key("the new model's spec; with `from`, the keys that differ", {})
    new: Annotated[frozenset[Part], Field(strict=False), BeforeValidator(_each_once)] = key(
        "parts that begin with random weights", frozenset()
    )
    vocabulary: Count | None = key("tokens of a new language model, learned from the answers", None)
    stages: Annotated[tuple[Stage, ...], Field(strict=False)] = key(
        "one after the other; each ends with its best weights", min_length=1
    )
    precision: Literal["no", "bf16", "fp16"] = key("mixed precision of the computation", "no")
    drop_sequence: Share = key("share of genes that are shown as 'no sequence'", 0.15)
    drop_organism: Share = key("share of prompts without the organism's name", 0.0)
    leave_out_family: Share = key(
        "share of draws in which a gene does not find its family in a gene memory", 0.5
    )
    questions: Shares = key(
        "share of the answers to take part in an epoch, by patterns of questions; the first "
        "that matches decides",
        {},
    )
    uninformative: Share = key("the same for answers that say that nothing is known", 0.0)
    validation_answers: Count = key("answers of the validation side that tell when to stop", 1000)
    evaluate_every: Count = key("steps between two looks at them", 500)
    patience: Count = key("looks without a lower loss after which training stops", 5)
    checkpoint_every: Count = key("steps between checkpoints", 500)
    gradient_checkpointing: bool = key("recompute activations: less memory, a third slower", False)
    workers: Natural = key("processes that read ahead", 0)
    tensorboard: bool = key("whether to log for TensorBoard, too", False)
    save: Literal["whole", "parts"] = key("one folder, or only what was trained", "whole")
    weights_dtype: Dtype = key("of the weights that are saved", "float32")
    seed: Natural = key("of all that is drawn at random", 0)

    def share(self, stage: Stage, question: str, is_informative: bool) -> float:
        """Return how many of the answers to a question take part in an epoch of a stage, 0..1."""
        shares = self.questions if stage.questions is None else stage.questions
        matching = (share for pattern, share in shares.items() if fnmatchcase(question, pattern))
        return next(matching, 1.0) * (1.0 if is_informative else self.uninformative)

    @model_validator(mode="after")
    def _check_start(self) -> Self:
        if self.base is None and not self.spec:
            rule = "missing; name a model to begin from, or describe a new one in spec"
            raise wrong(rule, "from")
        if ("language_model" in self.new) != (self.vocabulary is not None):
            rule = "needed where the language_model is new, and only there"
            raise wrong(rule, "vocabulary")
        return self

    @model_validator(mode="after")
    def _check_stages(self) -> Self:
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise wrong("two have the same name; give each its own", "stages")
        adapters = [stage.lora for stage in self.stages if stage.lora is not None]
        if any(adapter != adapters[0] for adapter in adapters):
            rule = "lora differs between stages; a later one goes on with the same adapter"
            raise wrong(rule, "stages")
        is_adapted = False
        for number, stage in enumerate(self.stages):
            is_adapted = is_adapted or stage.lora is not None
            if is_adapted and "language_model" in stage.train:
                rule = "the language_model cannot train beside or after its lora"
                raise wrong(rule, f"stages.{number}")
        return self


def load_train_config(path: Path) -> TrainConfig:
    """Read a training configuration; raises InputError naming the key that is wrong."""
    return TrainConfig.read(read_yaml(path), path, MANUAL)
