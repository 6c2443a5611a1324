"""From a model spec to the configuration of its model, and to the model without weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from genescribe.errors import CheckpointError, InputError, Remedy
from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.modeling import SequenceChatModel
from genescribe.specs.spec import ModelSpec

CONFIG_FILE = "config.json"

ROPE_THETA = "rope_theta"
"""A key of published files that transformers keeps inside ``rope_parameters``."""


def configuration_of(spec: ModelSpec) -> PreTrainedConfig:
    """Return the configuration of a spec's model, whether its weights are installed or not.

    Installed weights bring their own config.json, and what the spec says in ``config`` must
    agree with it. Raises CheckpointError where it does not or where neither says enough, and
    InputError for a key that the configuration does not know.
    """
    said = dict(spec.config or {})
    if spec.architecture == "causal_lm":
        folder = spec.weights.of("language_model")
        return _part(spec, "text_config", said.get("text_config"), folder)
    if not spec.weights.parts and (spec.weights.folder / CONFIG_FILE).is_file():
        config = read_config(spec.weights.folder)
        if not isinstance(config, SequenceChatConfig):
            raise CheckpointError(
                f"{spec.weights.folder / CONFIG_FILE}: a {config.model_type} model, but model "
                f"{spec.name} is a sequence_chat model",
                Remedy.CONVERT_CHECKPOINT,
            )
        _check_agreement(spec, said, config)
        return config
    for key, part in (("encoder_config", "encoder"), ("text_config", "language_model")):
        folder = spec.weights.of(part)
        said[key] = _part(spec, key, said.get(key), folder).to_dict()
    return SequenceChatConfig(**said)


def empty_model(config: PreTrainedConfig) -> PreTrainedModel:
    """Return the model of a configuration on the meta device: shapes without memory.

    Raises InputError for settings that cannot be built.
    """
    try:
        with torch.device("meta"):
            if isinstance(config, SequenceChatConfig):
                return SequenceChatModel(config)
            model: PreTrainedModel = AutoModelForCausalLM.from_config(config)
            return model
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"no model can be built from this configuration: {reason}") from error


def _part(
    spec: ModelSpec, key: str, said: Mapping[str, Any] | None, folder: Path
) -> PreTrainedConfig:
    """Return the configuration of encoder or language model: the folder's, else the spec's."""
    if (folder / CONFIG_FILE).is_file():
        config = read_config(folder)
        _check_agreement(spec, {key: said} if said else {}, {key: config})
        return config
    if said is None:
        raise CheckpointError(
            f"{folder / CONFIG_FILE}: missing, and model {spec.name} does not say {key} either; "
            f"{spec.weights.how_to_get or 'get the weights, or describe the model in the spec'}"
        )
    try:
        config = AutoConfig.for_model(**said)
    except StrictDataclassError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"model {spec.name}: {key} is not usable: {reason}") from error
    except ValueError as error:
        kind = said["model_type"]
        raise InputError(
            f"model {spec.name}: {key}.model_type {kind!r} is unknown to transformers and "
            "genescribe; correct it"
        ) from error
    known = type(config)()
    for name in said:
        if name not in ("model_type", ROPE_THETA) and not hasattr(known, name):
            kind = config.model_type
            raise InputError(
                f"model {spec.name}: {key}.{name} is unknown to a {kind} model; correct it"
            )
    return config


def read_config(folder: Path) -> PreTrainedConfig:
    """Read config.json; never from the network, never code. CheckpointError if not usable."""
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, StrictDataclassError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(f"{folder / CONFIG_FILE}: not usable ({reason})") from error
    return config


def _check_agreement(
    spec: ModelSpec, said: Mapping[str, Any], config: PreTrainedConfig | Mapping[str, Any]
) -> None:
    for key, ours, theirs in _differences(said, config):
        raise CheckpointError(
            f"{CONFIG_FILE} of model {spec.name}: {key} is {theirs!r}, but the spec says {ours!r}; "
            "correct the spec, or point it at the weights it means"
        )


def _differences(
    said: Mapping[str, Any], config: PreTrainedConfig | Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Yield (key, the spec's value, the folder's value) where the two differ."""
    for key, ours in said.items():
        theirs = config.get(key) if isinstance(config, Mapping) else _value(config, key)
        if isinstance(ours, Mapping) and theirs is not None:
            yield from _differences(ours, theirs, f"{prefix}{key}.")
        elif ours != theirs:
            yield f"{prefix}{key}", ours, theirs


def _value(config: PreTrainedConfig, key: str) -> Any:
    if key == ROPE_THETA:
        return (getattr(config, "rope_parameters", None) or {}).get(key)
    return getattr(config, key, None)
