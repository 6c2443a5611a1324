"""Model specs: one YAML file pins everything that decides a model's text.

Importing this module loads neither torch nor transformers, so that ``genescribe models list``
and the extraction step, which asks a spec for its views and limits, stay fast.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import genescribe
from genescribe.errors import CheckpointError, FormatError, InputError, UnknownModelError
from genescribe.files import check_readable, sha256_of
from genescribe.models.spec_schema import SPEC_SCHEMA

WEIGHTS_FILE = "model.safetensors"


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
class ModelSpec:
    """A model spec as read from its YAML file; ``config/models/tiny.yaml`` explains each key.

    ``weights`` is the folder of the checkpoint, ``files`` the pinned sha256 of its files,
    ``views`` maps biotypes (and "default") to ``cds``, ``transcript`` or ``gene``, and
    ``max_length`` is in nt.
    """

    name: str
    summary: str
    architecture: str
    license: str
    trained_on: str
    weights: Path
    files: Mapping[str, str]
    prompt_id: str
    prompt_template: str
    views: Mapping[str, str]
    max_length: int
    generation: Mapping[str, Any]
    calibration: Calibration
    min_lift: float
    min_score: float

    @property
    def sha256(self) -> str:
        """The pinned sha256 of the weights."""
        return self.files[WEIGHTS_FILE]

    @property
    def identity(self) -> str:
        """Name and beginning of the weights' hash: what wrote a text, e.g. tiny@0123456789ab."""
        return f"{self.name}@{self.sha256[:12]}"


def specs_folder() -> Path:
    """Return the folder of the specs that come with genescribe."""
    return _resource("config_models", "config/models")


def weights_folder() -> Path:
    """Return the folder of the checkpoints that come with genescribe."""
    return _resource("models", "models")


def _resource(installed: str, checkout: str) -> Path:
    """Find a folder in an installed package (as package data), else in a checkout."""
    package = Path(genescribe.__file__).parent
    inside = package / "resources" / installed
    return inside if inside.is_dir() else package.parent.parent / checkout


def list_specs() -> list[ModelSpec]:
    """Read all specs that come with genescribe, by name."""
    return [_spec(path, _content(path)) for path in sorted(specs_folder().glob("*.yaml"))]


def load_spec(name_or_path: str | Path) -> ModelSpec:
    """Read a spec by the name of one that comes with genescribe, or from a YAML file.

    A file is checked against the schema; for those that come with genescribe a test did that,
    which spares each start of the command the time to import a validator.
    Raises UnknownModelError, naming the known ones, or InputError for a file that is not a spec.
    """
    name = str(name_or_path)
    if name.endswith((".yaml", ".yml")):
        path, content = Path(name), _content(Path(name))
        _check_schema(path, content)
        return _spec(path, content)
    path = specs_folder() / f"{name}.yaml"
    if Path(name).name != name or not path.is_file():
        known = ", ".join(sorted(known.stem for known in specs_folder().glob("*.yaml")))
        raise UnknownModelError(
            f"no model named {name!r}; known: {known or 'none'}; or give the path of a .yaml spec"
        )
    return _spec(path, _content(path))


def verify(spec: ModelSpec) -> None:
    """Raise CheckpointError unless all files that the spec pins are there and unchanged."""
    for name, expected in spec.files.items():
        path = spec.weights / name
        if not path.is_file():
            raise CheckpointError(
                f"{path}: missing, but model {spec.name} needs it; restore the file"
            )
        found = sha256_of(path)
        if found != expected:
            raise CheckpointError(
                f"{path}: sha256 is {found[:12]}..., but model {spec.name} pins "
                f"{expected[:12]}...; the file is damaged or another version, restore it"
            )


def _content(path: Path) -> Any:
    check_readable(path)
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or "not UTF-8 text"
        line = mark.line + 1 if mark else None
        raise FormatError(path, line, f"not YAML ({reason}); correct it") from error


def _spec(path: Path, content: Mapping[str, Any]) -> ModelSpec:
    weights = content["weights"]
    is_shipped = "/" not in weights["folder"]
    folder = (weights_folder() if is_shipped else path.parent) / weights["folder"]
    return ModelSpec(
        name=content["name"],
        summary=content["summary"],
        architecture=content["architecture"],
        license=content["license"],
        trained_on=content["trained_on"],
        weights=folder.resolve(),
        files=weights["sha256"],
        prompt_id=content["prompt"]["id"],
        prompt_template=content["prompt"]["template"],
        views=content["views"],
        max_length=content["max_length"],
        generation=content["generation"],
        calibration=Calibration(**content["calibration"]),
        min_lift=content["min_lift"],
        min_score=content["min_score"],
    )


def _check_schema(path: Path, content: object) -> None:
    """Raise InputError naming the first key that is unknown, missing or wrong."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(SPEC_SCHEMA)
    error = jsonschema.exceptions.best_match(validator.iter_errors(content))
    if error is not None:
        where = ".".join(str(key) for key in error.absolute_path) or "the file"
        raise InputError(f"{path}: in {where}: {error.message}; see config/models/tiny.yaml")
