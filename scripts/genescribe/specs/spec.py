"""Model specs: one YAML file pins everything that decides a model's text.

Importing this module loads neither torch nor transformers, so that listing models and the
extraction step, which asks a spec for its views and limits, stay fast.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, create_model, model_validator

from genescribe.errors import CheckpointError, FormatError, InputError
from genescribe.files import check_readable
from genescribe.keys import Count, Keys, Number, Share, Text, checked, conforms, key, problem, wrong
from genescribe.records import View
from genescribe.specs.parts import (
    Calibration,
    ChatConfig,
    Dtype,
    Dtypes,
    Generation,
    Task,
    Weights,
)
from genescribe.specs.pins import SUMS_FILE, check_pin, read_pins
from genescribe.specs.places import spec_path, specs_folder
from genescribe.specs.prompts import Prompts, PromptVariant

MANUAL = "config/models/template.yaml"


def _check_default(views: Mapping[str, View]) -> None:
    if "default" not in views:
        raise wrong("missing; give the view of all other biotypes", "default")


class ModelSpec(Keys):
    """A model spec as read from its YAML file; ``config/models/template.yaml`` is its manual."""

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9._-]*$")] = key("stands beside every text")
    summary: Text = key("one sentence for lists of models")
    architecture: Literal["sequence_chat", "causal_lm"] = key(
        "encoder, projector and language model; or the sequence as text in the prompt"
    )
    license: Text = key("terms of the weights, of all parts")
    trained_on: Text = key("what the weights learned from")
    source: Text = key("where the weights come from", "")
    citation: Text = key("what to cite", "")
    weights: Weights = key("where the weights lie, and their pins")
    config: Annotated[dict[str, Any], conforms(ChatConfig)] | None = key(
        "how the parts are put together; a folder's config.json says it, too", None
    )
    prompts: Prompts = key("how the model is asked: as in its training", validation_alias="prompt")
    question: Text | None = key("asked where nobody asks another", None)
    tasks: dict[str, Task] = key("further questions that it was trained to answer, by name", {})
    views: Annotated[dict[str, Annotated[View, Field(strict=False)]], checked(_check_default)] = (
        key("the stretch of a gene that is read, by biotype; default for all others")
    )
    max_length: Count = key("nt read at most")
    window: Text = key(
        "what becomes of the rest, in words", "the first nucleotides are read, the rest is left out"
    )
    generation: Annotated[dict[str, Any], conforms(Generation)] = key("how a text is written")
    no_sequence: Literal["learned", "shuffled"] = key(
        "what lift compares with: learned vectors, or the gene shuffled", "learned"
    )
    calibration: Calibration | None = key(
        "from log p and lift to the probability of a correct text; null: the score is "
        "exp(mean log p), and is said to be uncalibrated"
    )
    min_lift: Number = key("texts with less (nats per token) are uncertain")
    min_score: Share = key("texts with a lower score are uncertain")
    dtype: Annotated[dict[str, Dtype], conforms(Dtypes)] = key(
        "numbers to compute with", {"cpu": "float32", "cuda": "float32"}
    )
    quantisation: Literal["none", "8bit", "4bit"] = key(
        "of a language model that does not fit else; CUDA only", "none"
    )

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        is_chat, parts = self.architecture == "sequence_chat", self.weights.parts
        needed = ["encoder", "projector", "language_model"] if is_chat else ["language_model"]
        missing = [part for part in needed if part not in parts]
        foreign = [part for part in parts if part not in [*needed, "adapter"]]
        if missing and "folder" not in self.weights.model_fields_set:
            rule = f"neither folder nor {missing[0]}; give folder, or {', '.join(needed)}"
            raise wrong(rule, "weights")
        if foreign:
            raise wrong(f"an architecture {self.architecture} has none", "weights", foreign[0])
        if is_chat and parts and self.config is None:
            rule = "missing; with weights in parts it says how the parts are put together"
            raise wrong(rule, "config")
        return self

    @model_validator(mode="after")
    def _check_question(self) -> Self:
        # a task's question may also come from who calls for the task
        asking = [prompt.id for prompt in self.prompts.variants.values() if prompt.asks]
        if asking and self.question is None:
            rule = f"missing, but the template of prompt {asking[0]} asks {{question}}"
            raise wrong(rule, "question")
        return self

    @model_validator(mode="after")
    def _check_no_sequence(self) -> Self:
        config, is_learned = self.config or {}, self.no_sequence == "learned"
        if self.architecture == "causal_lm":
            foreign = [key for key in config if key != "text_config"]
            if foreign:
                rule = f"{foreign[0]} is for sequence_chat; causal_lm takes text_config only"
                raise wrong(rule, "config")
            if is_learned:
                raise wrong("a causal_lm learned no such condition; give shuffled", "no_sequence")
        elif is_learned and config.get("null_slots") == 0:
            raise wrong("null_slots is 0, nothing was learned; give shuffled", "no_sequence")
        return self

    @property
    def prompt(self) -> PromptVariant:
        """The selected prompt."""
        return self.prompts.selected

    @property
    def prompt_id(self) -> str:
        """The id of the selected prompt."""
        return self.prompt.id

    @property
    def is_installed(self) -> bool:
        """Whether the weights lie where the spec says (not whether they are undamaged)."""
        return all(path.exists() for path in self.weights.paths)

    @property
    def files(self) -> dict[Path, str]:
        """The pinned sha256 of each file of the weights, by absolute path.

        Raises CheckpointError where the weights are not installed, or nothing pins them.
        """
        for path in self.weights.paths:
            if not path.exists():
                how = self.weights.how_to_get or "get the weights and check the paths in the spec"
                raise CheckpointError(f"{path}: missing, but model {self.name} needs it; {how}")
        if self.weights.sha256:
            return {self.weights.folder / name: pin for name, pin in self.weights.sha256.items()}
        return {file: pin for path in self.weights.paths for file, pin in read_pins(path).items()}

    @property
    def sha256(self) -> str:
        """The sha256 of the weights file; where there are several files, that of their sha256."""
        pins = self.files
        weights = [pin for path, pin in pins.items() if path.suffix == ".safetensors"]
        if len(weights) == 1:
            return weights[0]
        return hashlib.sha256("\n".join(sorted(pins.values())).encode("ascii")).hexdigest()

    @property
    def identity(self) -> str:
        """Name and beginning of the weights' hash: what wrote a text, e.g. tiny@0123456789ab."""
        return f"{self.name}@{self.sha256[:12]}"

    def with_prompt(self, variant: str) -> ModelSpec:
        """Return this spec with another of its prompts; InputError names those there are."""
        variants = self.prompts.variants
        if variant not in variants:
            raise InputError(
                f"model {self.name} has no prompt {variant!r}; it has: {', '.join(variants)}"
            )
        prompts = self.prompts.model_copy(update={"variant": variant})
        return self.model_copy(update={"prompts": prompts})

    def with_question(self, question: str) -> ModelSpec:
        """Return this spec asking something else; its prompt id tells the question apart.

        Raises InputError where the prompt has no place for a question.
        """
        if not self.prompt.asks:
            raise InputError(
                f"prompt {self.prompt.id} of model {self.name} takes no question; leave it out, "
                "or choose another prompt or model"
            )
        if question == self.question:
            return self
        mark = hashlib.sha256(question.encode("utf-8")).hexdigest()[:8]
        return self._asking(f"{self.prompt.id}+{mark}", question=question)

    def with_settings(self, settings: Mapping[str, float]) -> ModelSpec:
        """Return this spec with other thresholds (``min_*``) or generation settings.

        Raises InputError naming the first setting that is unknown or out of range.
        """
        try:
            _settings_model().model_validate(dict(settings))
        except ValidationError as error:
            where, message = problem(error)
            raise InputError(f"{f'setting {where}'.rstrip()}: {message}") from error
        thresholds = {key: settings[key] for key in THRESHOLDS if key in settings}
        generation = {key: settings[key] for key in settings if key not in thresholds}
        return self.model_copy(
            update={"generation": {**self.generation, **generation}, **thresholds}
        )

    def for_task(self, task: str) -> ModelSpec:
        """Return this spec with the prompt (or question) of a task selected.

        Raises InputError naming the tasks that the model was trained for.
        """
        if task not in self.tasks:
            known = ", ".join(self.tasks) or "none; ask with a question instead"
            raise InputError(f"model {self.name} has no task {task!r}; it has: {known}")
        chosen = self.tasks[task]
        spec = self if chosen.question is None else self.with_question(chosen.question)
        generation = dict(self.generation)
        if chosen.max_new_tokens is not None:
            generation["max_new_tokens"] = chosen.max_new_tokens
        return spec._asking(
            chosen.id,
            chosen.template,
            max_length=chosen.max_length or self.max_length,
            generation=generation,
        )

    def _asking(self, prompt_id: str, template: str | None = None, **changes: Any) -> ModelSpec:
        """Return this spec with another text in the selected prompt's place."""
        prompt = self.prompt.model_copy(
            update={"id": prompt_id, "template": template or self.prompt.template}
        )
        return self.model_copy(update={"prompts": self.prompts.with_selected(prompt), **changes})


THRESHOLDS = ("min_lift", "min_score")


def _settings_model() -> type[Keys]:
    """Return the table of what a run may set otherwise than a spec: each key may be left out."""
    fields = {**Generation.model_fields, **{k: ModelSpec.model_fields[k] for k in THRESHOLDS}}
    del fields["stop"]
    keys: Any = {name: (field.rebuild_annotation(), None) for name, field in fields.items()}
    model: type[Keys] = create_model("Settings", __base__=Keys, **keys)
    return model


def list_specs() -> list[ModelSpec]:
    """Read all specs that come with genescribe, by name."""
    return [load_spec(path) for path in sorted(specs_folder().glob("*.yaml"))]


def load_spec(name_or_path: str | Path) -> ModelSpec:
    """Read a spec by the name of one that comes with genescribe, or by its path (``spec_path``).

    Raises UnknownModelError, or InputError for a file that is not a spec.
    """
    path = spec_path(name_or_path)
    return make_spec(path, read_yaml(path))


def make_spec(path: Path, content: object) -> ModelSpec:
    """Return the spec that ``path`` would hold with this content; InputError if it is none."""
    return ModelSpec.read(content, path, MANUAL)


def verify(spec: ModelSpec) -> None:
    """Raise CheckpointError unless all pinned files are there and unchanged, and all are pinned.

    A file is hashed once per process, as long as its size and times stay the same.
    """
    pins = spec.files
    for path, pin in pins.items():
        check_pin(path, pin, spec.name)
    for folder in spec.weights.paths:
        for path in folder.glob("*.safetensors"):
            if path not in pins:
                raise CheckpointError(f"{path}: not pinned; add it to {SUMS_FILE} or remove it")


def read_yaml(path: Path) -> Any:
    """Return what a YAML file holds; FormatError, with its line, where it is not YAML."""
    check_readable(path)
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "not UTF-8 text"
        line = mark.line + 1 if mark else None
        raise FormatError(path, line, f"not YAML ({reason}); correct it") from error
