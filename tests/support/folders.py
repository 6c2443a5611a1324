"""Loading a folder of weights that no spec pins."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from genescribe.models.checkpoint import load
from genescribe.models.convert.folder import write_sums
from genescribe.specs.prompts import PromptVariant
from genescribe.specs.spec import load_spec


def load_folder(folder: Path, prompt: PromptVariant, device: str, dtype: torch.dtype) -> Any:
    """Return model and processor of a sequence-chat model in one folder, as ``load`` does."""
    write_sums(folder)
    spec = dataclasses.replace(load_spec("tiny"), weights=folder, pins={}, prompt=prompt)
    return load(spec, device, dtype)
