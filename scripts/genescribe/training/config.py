"""The training configuration: what ``config/train/*.yaml`` may say.

``config/train/tiny.yaml`` explains the keys and how to choose their values.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from genescribe.keys import Count, Keys, Natural, NotNegative, Positive, Share, Text, wrong
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

    rank: Count = Field(description="rank of the adapter")
    alpha: Positive = Field(description="the adapter counts alpha / rank times")
    target_modules: Annotated[tuple[Text, ...], Field(strict=False)] = Field(
        min_length=1, description="layers of the language model that get one"
    )
    dropout: Share = Field(default=0.0, description="of what the adapter reads")


class Stage(Keys):
    """One stage of training: which parts learn, from what prompt, how fast and how long."""

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]*$")] = Field(
        description="names the stage in the log"
    )
    train: Parts = Field(description="parts that learn; all others stay as they are")
    learning_rate: Positive = Field(description="of AdamW, at its highest")
    lora: Lora | None = Field(
        default=None, description="an adapter that learns in the language model's place"
    )
    prompt: Text | None = Field(default=None, description="a variant of the spec's prompts")
    question: str | None = Field(
        default=None, description="asked in place of each answer's own; may be empty"
    )
    questions: Shares | None = Field(
        default=None, description="hold instead of the configuration's"
    )
    steps: Count | None = Field(default=None, description="length in steps, or in epochs")
    epochs: Positive | None = Field(
        default=None,
        description="length in epochs: one answer to each question of each cluster of near copies",
    )
    learning_rates: dict[Part, Positive] = Field(
        default_factory=dict, description="other learning rates, by part"
    )
    schedule: Text = Field(
        default="cosine", description="of the learning rate, as transformers.get_scheduler names it"
    )
    schedule_settings: dict[str, Any] = Field(
        default_factory=dict, description="what that schedule takes"
    )
    warmup: Natural = Field(default=0, description="steps until the highest learning rate")
    weight_decay: NotNegative = Field(default=0.0, description="of matrices")
    batch_genes: Count | None = Field(default=None, description="genes of a batch, or tokens")
    batch_tokens: Count | None = Field(
        default=None, description="the language model's tokens of a batch, padding counted"
    )
    gradient_accumulation: Count = Field(
        default=1, description="batches of a step, on each process"
    )
    max_grad_norm: Positive = Field(default=1.0, description="longer gradients are cut to it")

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

    base: Text | None = Field(
        default=None, validation_alias="from", description="the model to train further"
    )
    spec: dict[str, Any] = Field(
        default_factory=dict, description="the new model's spec; with `from`, the keys that differ"
    )
    new: Annotated[frozenset[Part], Field(strict=False), BeforeValidator(_each_once)] = Field(
        default=frozenset(), description="parts that begin with random weights"
    )
    vocabulary: Count | None = Field(
        default=None, description="tokens of a new language model, learned from the answers"
    )
    stages: Annotated[tuple[Stage, ...], Field(strict=False)] = Field(
        min_length=1, description="one after the other; each ends with its best weights"
    )
    precision: Literal["no", "bf16", "fp16"] = Field(
        default="no", description="mixed precision of the computation"
    )
    drop_sequence: Share = Field(
        default=0.15, description="share of genes that are shown as 'no sequence'"
    )
    drop_organism: Share = Field(
        default=0.0, description="share of prompts without the organism's name"
    )
    leave_out_family: Share = Field(
        default=0.5,
        description="share of draws in which a gene does not find its family in a gene memory",
    )
    questions: Shares = Field(
        default_factory=dict,
        description="share of the answers to take part in an epoch, by patterns of questions; the "
        "first that matches decides",
    )
    uninformative: Share = Field(
        default=0.0, description="the same for answers that say that nothing is known"
    )
    validation_answers: Count = Field(
        default=1000, description="answers of the validation side that tell when to stop"
    )
    evaluate_every: Count = Field(default=500, description="steps between two looks at them")
    patience: Count = Field(
        default=5, description="looks without a lower loss after which training stops"
    )
    checkpoint_every: Count = Field(default=500, description="steps between checkpoints")
    gradient_checkpointing: bool = Field(
        default=False, description="recompute activations: less memory, a third slower"
    )
    workers: Natural = Field(default=0, description="processes that read ahead")
    tensorboard: bool = Field(default=False, description="whether to log for TensorBoard, too")
    save: Literal["whole", "parts"] = Field(
        default="whole", description="one folder, or only what was trained"
    )
    weights_dtype: Dtype = Field(default="float32", description="of the weights that are saved")
    seed: Natural = Field(default=0, description="of all that is drawn at random")

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
