"""The tables within a model spec: weights, how they are put together, tasks, calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from genescribe.errors import GenescribeError
from genescribe.keys import Count, Keys, Natural, Number, Positive, Text, checked, key, wrong
from genescribe.specs.places import weights_path
from genescribe.specs.prompts import Template

COMPONENTS = ("encoder", "projector", "language_model", "adapter")
"""Parts of a model whose weights a spec may name one by one."""

Dtype = Literal["float32", "bfloat16", "float16"]


def _located(value: object, info: ValidationInfo) -> Path:
    """Return where weights lie that a spec's file names."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError("give a name of weights, or a path with a slash")
    return weights_path((info.context or {}).get("file", Path()), value)


Place = Annotated[Path, BeforeValidator(_located)]


class Calibration(Keys):
    """Platt scaling (Platt 1999): probability = 1 / (1 + exp(-(intercept + slopes . x))).

    x is the text's mean log p per token given the gene, in nats, and its lift, in nats per token.
    """

    intercept: Number = key("log odds where both numbers are 0")
    log_prob: Number = key("slope of the mean log p per token")
    lift: Number = key("slope of the lift")

    def probability(self, mean_log_prob: float, lift: float) -> float:
        """Return the probability in 0..1 that a text with these two numbers is correct.

        Raises GenescribeError for numbers that are none (NaN), from which no score follows.
        """
        logit = self.intercept + self.log_prob * mean_log_prob + self.lift * lift
        if math.isnan(logit):
            raise GenescribeError(
                f"no score follows from log p {mean_log_prob} and lift {lift}; compute in another "
                "dtype, and with a cache that holds no such numbers"
            )
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))  # 60: exp stays finite


class Task(Keys):
    """A question that a model was trained to answer: a template of its own, or a question."""

    id: Text = key("names the prompt of the task beside every answer")
    template: Template | None = key("as in prompt", None)
    question: Text | None = key("asked with the selected prompt", None)
    max_length: Count | None = key("nt, in place of the spec's", None)
    max_new_tokens: Count | None = key("in place of the spec's", None)

    @model_validator(mode="after")
    def _check_text(self) -> Self:
        if (self.template is None) == (self.question is None):
            raise wrong("give either template or question")
        return self


class Weights(Keys):
    """Where the weights lie, one folder or each part, and the pins of their files.

    A bare name is looked up among the models that come with genescribe and the user's own;
    anything with a slash is a path relative to the spec's file.
    """

    folder: Place = key(
        "a folder with all, as save_pretrained writes it; with parts, the spec's own",
        "./",
        validate_default=True,
    )
    encoder: Place | None = key("a folder in the layout of transformers", None)
    projector: Place | None = key(
        "a safetensors file, or a folder with projector.safetensors", None
    )
    language_model: Place | None = key("a folder that AutoModelForCausalLM loads", None)
    adapter: Place | None = key("a LoRA adapter of peft on the language model", None)
    install: Text = key("told to whoever has no weights; {path} becomes the folder's path", "")
    sha256: dict[Text, Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = key(
        "pins of files, by path relative to the folder; left out: SHA256SUMS", {}, min_length=1
    )

    @model_validator(mode="before")
    @classmethod
    def _check_either(cls, content: Any) -> Any:
        if isinstance(content, Mapping) and "folder" in content:
            named = [part for part in COMPONENTS if part in content]
            if named:
                raise wrong(f"both folder and {named[0]}; give the folder or the parts, not both")
        return content

    @property
    def parts(self) -> dict[str, Path]:
        """Where the parts lie that the spec names one by one; empty for one folder."""
        places = {part: getattr(self, part) for part in COMPONENTS}
        return {part: place for part, place in places.items() if place is not None}

    @property
    def paths(self) -> list[Path]:
        """The folders and files that the weights consist of."""
        return list(self.parts.values()) or [self.folder]

    @property
    def how_to_get(self) -> str:
        """What to tell whoever has not got them; empty where the spec says nothing."""
        return self.install.replace("{path}", str(self.folder))

    def of(self, part: str) -> Path:
        """Return where the weights of a part lie: at its own place, or in the folder of all."""
        return self.parts.get(part, self.folder)


def _check_part(config: Mapping[str, Any]) -> None:
    kind = config.get("model_type")
    if not isinstance(kind, str) or not kind:
        raise wrong("missing; give it, as the part's config.json has it", "model_type")


PartConfig = Annotated[dict[str, Any], checked(_check_part)]
"""The configuration of encoder or language model, as in its config.json."""


class ChatConfig(Keys):
    """How the parts of a sequence_chat model are put together."""

    encoder_config: PartConfig = key("the encoder, as in its config.json", {})
    sequence_tokenizer: Literal["bpe", "nucleotide", "six-mer", None] = key(
        "how the encoder's tokens are made", None
    )
    chunk_length: Count | None = key(
        "nt from one chunk's start to the next; null: the gene in one piece", None
    )
    chunk_overlap: Natural = key("nt before its start that a chunk takes in as well", 0)
    pooling: Literal["none", "chunk-mean", "attention", None] = key(
        "a vector per token, or a mean of each chunk, plain or learned", None
    )
    pool_special_tokens: bool = key("whether [CLS], [SEP] and their like are pooled, too", False)
    projector_type: Literal["identity", "linear", "mlp", "resampler"] = key(
        "what makes the encoder's vectors the language model's", "mlp"
    )
    projector_settings: dict[str, Any] = key(
        "hidden_sizes of mlp; num_latents, ... of resampler", {}
    )
    sequence_token_id: int = key("the placeholder's token; may lie outside the vocabulary", 3)
    null_slots: Natural = key("learned vectors for 'no sequence'; 0 where none were learned", 10)
    text_config: PartConfig = key("the language model, as in its config.json", {})


class Generation(Keys):
    """How a text is written; nothing is drawn at random."""

    max_new_tokens: Count = key("the longest answer, in tokens")
    num_beams: Count = key("beams of beam search; 1: greedy", 1)
    repetition_penalty: Positive = key("above 1: what was written is less likely again", 1.0)
    no_repeat_ngram_size: Natural = key(
        "tokens of the shortest stretch that may not come twice; 0: any may", 0
    )
    length_penalty: Number = key("above 0: beam search prefers longer texts", 1.0)
    stop: list[Text] = key("texts that end an answer", [])


class Dtypes(Keys):
    """The numbers to compute with, by device."""

    cpu: Dtype = key("float32: exact repeats on every machine")
    cuda: Dtype = key("bfloat16: half the memory, several times the speed")
