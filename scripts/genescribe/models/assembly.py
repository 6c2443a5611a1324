"""From a model spec to the configuration of its model, and to the model without weights."""

from __future__ import annotations

from collections.abc import Mapping
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
    stated = dict(spec.config or {})
    if spec.architecture == "causal_lm":
        folder = spec.weights.of("language_model")
        return _part(spec, "text_config", stated.get("text_config"), folder)
    if not spec.weights.parts and (spec.weights.folder / CONFIG_FILE).is_file():
        config = read_config(spec.weights.folder)
        if not isinstance(config, SequenceChatConfig):
            raise CheckpointError(
                f"{spec.weights.folder / CONFIG_FILE}: a {config.model_type} model, but model "
                f"{spec.name} is a sequence_chat model",
                Remedy.CONVERT_CHECKPOINT,
            )
        _check_agreement(spec, stated, config)
        return config
    for key, part in (("encoder_config", "encoder"), ("text_config", "language_model")):
        folder = spec.weights.of(part)
        stated[key] = _part(spec, key, stated.get(key), folder).to_dict()
    return SequenceChatConfig(**stated)


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
    spec: ModelSpec, key: str, stated: Mapping[str, Any] | None, folder: Path
) -> PreTrainedConfig:
    """Return the configuration of encoder or language model: the folder's, else the spec's."""
    if (folder / CONFIG_FILE).is_file():
        config = read_config(folder)
        _check_agreement(spec, stated or {}, config, f"{key}.")
        return config
    if stated is None:
        raise CheckpointError(
            f"{folder / CONFIG_FILE}: missing, and model {spec.name} does not say {key} either; "
            f"{spec.weights.how_to_get or 'get the weights, or describe the model in the spec'}"
        )
    try:
        config = AutoConfig.for_model(**stated)
    except StrictDataclassError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"model {spec.name}: {key} is not usable: {reason}") from error
    except ValueError as error:
        kind = stated["model_type"]
        raise InputError(
            f"model {spec.name}: {key}.model_type {kind!r} is unknown to transformers and "
            "genescribe; correct it"
        ) from error
    known = type(config)()
    for name in stated:
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
    spec: ModelSpec,
    stated: Mapping[str, Any],
    config: PreTrainedConfig | Mapping[str, Any],
    prefix: str = "",
) -> None:
    """Raise CheckpointError for a key of which spec and config.json say different things."""
    for key, ours in stated.items():
        if isinstance(config, Mapping):
            theirs = config.get(key)
        elif key == ROPE_THETA:
            theirs = (getattr(config, "rope_parameters", None) or {}).get(key)
        else:
            theirs = getattr(config, key, None)
        if isinstance(ours, Mapping) and theirs is not None:
            _check_agreement(spec, ours, theirs, f"{prefix}{key}.")
        elif ours != theirs:
            raise CheckpointError(
                f"{CONFIG_FILE} of model {spec.name}: {prefix}{key} is {theirs!r}, but the spec "
                f"says {ours!r}; correct the spec, or point it at the weights it means"
            )
