"""Model specs: one YAML file pins everything that decides a model's text.

Importing this module loads neither torch nor transformers, so that ``genescribe models list``
and the extraction step, which asks a spec for its views and limits, stay fast.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from genescribe.errors import CheckpointError, FormatError, InputError, UnknownModelError
from genescribe.files import check_readable
from genescribe.specs.pins import SUMS_FILE, check_pin, read_pins
from genescribe.specs.prompts import PromptVariant
from genescribe.specs.schema import COMPONENTS, SETTINGS_SCHEMA, SPEC_SCHEMA, problems

MODELS_VARIABLE = "GENESCRIBE_MODELS"
USER_MODELS = "~/.local/share/genescribe/models"
SPEC_FILE = "spec.yaml"
"""The spec of a model that was trained here, in the folder of its weights."""

DTYPES = {"cpu": "float32", "cuda": "float32"}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling (Platt 1999): probability = 1 / (1 + exp(-(intercept + slopes . x))).

    x is the text's mean log p per token given the gene, in nats, and its lift, in nats per token.
    """

    intercept: float
    log_prob: float
    lift: float

    def probability(self, mean_log_prob: float, lift: float) -> float:
        """Return the probability in 0..1 that a text with these two numbers is right."""
        logit = self.intercept + self.log_prob * mean_log_prob + self.lift * lift
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))  # 60: exp stays finite


@dataclass(frozen=True, slots=True)
class Task:
    """A question that a model was trained to answer: a template of its own, or a question.

    ``max_length`` (nt) and ``max_new_tokens``, where given, hold instead of the spec's.
    """

    id: str
    template: str | None = None
    question: str | None = None
    max_length: int | None = None
    max_new_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model spec as read from its YAML file; ``config/models/template.yaml`` explains each key.

    ``weights`` is the folder of the checkpoint. Where ``components`` (``encoder``,
    ``projector``, ``language_model``, ``adapter``) is not empty, the weights lie at those paths
    instead. ``pins`` is the sha256 of files as the spec gives it; empty means that SHA256SUMS
    beside the files does. ``views`` maps biotypes (and "default") to ``cds``, ``transcript`` or
    ``gene``; ``max_length`` is in nt. ``prompt`` is the selected one of ``prompts``. Without
    ``calibration`` the score of a text is exp(mean log p), not a calibrated probability.
    """

    name: str
    summary: str
    architecture: str
    license: str
    trained_on: str
    weights: Path
    components: Mapping[str, Path]
    pins: Mapping[str, str]
    install: str
    prompt: PromptVariant
    prompts: Mapping[str, PromptVariant]
    question: str | None
    tasks: Mapping[str, Task]
    views: Mapping[str, str]
    max_length: int
    window: str
    generation: Mapping[str, Any]
    calibration: Calibration | None
    min_lift: float
    min_score: float
    no_sequence: str
    dtype: Mapping[str, str]
    quantisation: str
    config: Mapping[str, Any] | None
    source: str
    citation: str

    @property
    def prompt_id(self) -> str:
        """The id of the selected prompt."""
        return self.prompt.id

    @property
    def prompt_template(self) -> str:
        """The template of the selected prompt."""
        return self.prompt.template

    @property
    def is_installed(self) -> bool:
        """Whether the weights lie where the spec says (not whether they are undamaged)."""
        return all(path.exists() for path in self.paths())

    @property
    def files(self) -> dict[Path, str]:
        """The pinned sha256 of each file of the weights, by absolute path.

        Raises CheckpointError where the weights are not installed, or nothing pins them.
        """
        for path in self.paths():
            if not path.exists():
                how = self.install or "get the weights and check the paths in the spec"
                raise CheckpointError(f"{path}: missing, but model {self.name} needs it; {how}")
        if self.pins:
            return {self.weights / name: pin for name, pin in self.pins.items()}
        return {file: pin for path in self.paths() for file, pin in read_pins(path).items()}

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

    def paths(self) -> list[Path]:
        """Return the folders and files that the weights consist of."""
        return list(self.components.values()) or [self.weights]

    def with_prompt(self, variant: str) -> ModelSpec:
        """Return this spec with another of its prompts; InputError names those there are."""
        if variant not in self.prompts:
            raise InputError(
                f"model {self.name} has no prompt {variant!r}; it has: {', '.join(self.prompts)}"
            )
        return dataclasses.replace(self, prompt=self.prompts[variant])

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
        prompt = dataclasses.replace(self.prompt, id=f"{self.prompt.id}+{mark}")
        return dataclasses.replace(self, prompt=prompt, question=question)

    def with_settings(self, settings: Mapping[str, float]) -> ModelSpec:
        """Return this spec with other thresholds (``min_*``) or generation settings.

        Raises InputError naming the first setting that is unknown or out of range.
        """
        where, message = next(schema_problems(settings, SETTINGS_SCHEMA), ("", ""))
        if message:
            raise InputError(f"{f'setting {where}'.rstrip()}: {message}")
        thresholds: dict[str, Any] = {
            key: settings[key] for key in ("min_lift", "min_score") if key in settings
        }
        generation = {key: settings[key] for key in settings if key not in thresholds}
        return dataclasses.replace(self, generation={**self.generation, **generation}, **thresholds)

    def for_task(self, task: str) -> ModelSpec:
        """Return this spec with the prompt (or question) of a task selected.

        Raises InputError naming the tasks that the model was trained for.
        """
        if task not in self.tasks:
            known = ", ".join(self.tasks) or "none; ask with a question instead"
            raise InputError(f"model {self.name} has no task {task!r}; it has: {known}")
        chosen = self.tasks[task]
        spec = self if chosen.question is None else self.with_question(chosen.question)
        template = chosen.template or self.prompt.template
        generation = dict(self.generation)
        if chosen.max_new_tokens is not None:
            generation["max_new_tokens"] = chosen.max_new_tokens
        return dataclasses.replace(
            spec,
            prompt=dataclasses.replace(self.prompt, id=chosen.id, template=template),
            max_length=chosen.max_length or self.max_length,
            generation=generation,
        )


def specs_folder() -> Path:
    """Return the folder of the specs that come with genescribe."""
    return _resource("config_models", "config/models")


def weights_folder() -> Path:
    """Return the folder of the checkpoints that come with genescribe."""
    return _resource("models", "models")


def user_weights_folder() -> Path:
    """Return the folder of the checkpoints that this user converted or downloaded."""
    return Path(os.environ.get(MODELS_VARIABLE) or USER_MODELS).expanduser()


def _resource(installed: str, checkout: str) -> Path:
    """Find a folder in an installed package (as package data), else in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "resources" / installed
    return inside if inside.is_dir() else package.parent.parent / checkout


def list_specs() -> list[ModelSpec]:
    """Read all specs that come with genescribe, by name."""
    return [_spec(path, read_yaml(path)) for path in sorted(specs_folder().glob("*.yaml"))]


def spec_path(name_or_path: str | Path) -> Path:
    """Return the file of a spec: of one that comes with genescribe, by its name, or a YAML file's.

    A folder stands for the SPEC_FILE in it, which ``genescribe train`` writes. Raises
    UnknownModelError, naming the known ones.
    """
    name = str(name_or_path)
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    path = specs_folder() / f"{name}.yaml"
    if Path(name).name == name and path.is_file():
        return path
    if (Path(name) / SPEC_FILE).is_file():
        return Path(name) / SPEC_FILE
    known = ", ".join(sorted(known.stem for known in specs_folder().glob("*.yaml")))
    raise UnknownModelError(
        f"no model named {name!r}; known: {known or 'none'}; or give the path of a .yaml spec"
    )


def load_spec(name_or_path: str | Path) -> ModelSpec:
    """Read a spec by the name of one that comes with genescribe, or by its path (``spec_path``).

    A file is checked against the schema; for those that come with genescribe a test did that,
    which spares each start of the command the time to import a validator.
    Raises UnknownModelError, or InputError for a file that is not a spec.
    """
    path = spec_path(name_or_path)
    content = read_yaml(path)
    if path.parent == specs_folder() and path.stem == str(name_or_path):
        return _spec(path, content)
    return make_spec(path, content)


def make_spec(path: Path, content: Mapping[str, Any]) -> ModelSpec:
    """Return the spec that ``path`` would hold with this content; InputError if it is none."""
    _check_schema(path, content)
    return _spec(path, content)


def verify(spec: ModelSpec) -> None:
    """Raise CheckpointError unless all pinned files are there and unchanged, and all are pinned.

    A file is hashed once per process, as long as its size and times stay the same.
    """
    pins = spec.files
    for path, pin in pins.items():
        check_pin(path, pin, spec.name)
    for folder in spec.paths():
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


def _spec(path: Path, content: Mapping[str, Any]) -> ModelSpec:
    weights, prompt, calibration = content["weights"], content["prompt"], content["calibration"]
    folder = _weights_path(path, weights["folder"]) if "folder" in weights else path.parent
    variants = prompt.get("variants", {"default": prompt})
    prompts = {name: PromptVariant(**variant) for name, variant in variants.items()}
    return ModelSpec(
        name=content["name"],
        summary=content["summary"],
        architecture=content["architecture"],
        license=content["license"],
        trained_on=content["trained_on"],
        weights=folder,
        components={p: _weights_path(path, weights[p]) for p in COMPONENTS if p in weights},
        pins=weights.get("sha256", {}),
        install=weights.get("install", "").replace("{path}", str(folder)),
        prompt=prompts[prompt.get("variant", "default")],
        prompts=prompts,
        question=content.get("question"),
        tasks={name: Task(**task) for name, task in content.get("tasks", {}).items()},
        views=content["views"],
        max_length=content["max_length"],
        window=content.get("window", "the first nucleotides are read, the rest is left out"),
        generation=content["generation"],
        calibration=Calibration(**calibration) if calibration else None,
        min_lift=content["min_lift"],
        min_score=content["min_score"],
        no_sequence=content.get("no_sequence", "learned"),
        dtype=content.get("dtype", DTYPES),
        quantisation=content.get("quantisation", "none"),
        config=content.get("config"),
        source=content.get("source", ""),
        citation=content.get("citation", ""),
    )


def _weights_path(spec: Path, name: str) -> Path:
    """Return where weights lie: a name is looked up, a path is relative to the spec's file."""
    if "/" in name:
        return (spec.parent / name).resolve()
    shipped = weights_folder() / name
    return (shipped if shipped.exists() else user_weights_folder() / name).resolve()


def _check_schema(path: Path, content: object) -> None:
    """Raise InputError naming the first key that is unknown, missing or wrong."""
    where, message = next(_problems(content), ("", ""))
    if message:
        raise InputError(
            f"{path}: in {where or 'the file'}: {message}; config/models/template.yaml explains it"
        )


def _problems(content: Any) -> Iterator[tuple[str, str]]:
    yield from schema_problems(content, SPEC_SCHEMA)
    yield from problems(content)  # reached only where the schema found nothing


def schema_problems(content: Any, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong) of what disagrees most with the schema, if anything does."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(content))
    if error is None:
        return
    message = error.message
    if error.validator == "additionalProperties":
        message += f"; allowed: {', '.join(sorted(error.schema['properties']))}"
    yield ".".join(str(key) for key in error.absolute_path), message
