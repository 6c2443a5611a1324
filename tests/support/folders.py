"""Loading a folder of weights that no spec pins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from genescribe.models.checkpoint import load
from genescribe.models.convert.folder import write_sums
from genescribe.specs.parts import Weights
from genescribe.specs.prompts import Prompts, PromptVariant
from genescribe.specs.spec import ModelSpec, load_spec


def load_folder(folder: Path, prompt: PromptVariant, device: str, dtype: torch.dtype) -> Any:
    """Return model and processor of a sequence-chat model in one folder, as ``load`` does."""
    write_sums(folder)
    return load(over(folder, prompt), device, dtype)


def over(folder: Path, prompt: PromptVariant) -> ModelSpec:
    """Return tiny's spec with other weights, which it does not pin, and another prompt."""
    changes = {"weights": Weights(folder=folder), "prompts": Prompts.model_validate(prompt)}
    return load_spec("tiny").model_copy(update=changes)
