"""Loading checkpoints: every file is compared with its pinned sha256 before it is parsed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
from transformers.utils import logging as transformers_logging

from genescribe.errors import CheckpointError
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SequenceChatProcessor
from genescribe.models.prompts import PromptVariant
from genescribe.models.spec import ModelSpec, verify


def load(
    spec: ModelSpec, device: str | torch.device, dtype: torch.dtype
) -> tuple[SequenceChatModel, SequenceChatProcessor]:
    """Return model (in evaluation mode) and processor of a spec, without any network access.

    Raises CheckpointError if a file is missing, or differs from what the spec pins, or does not
    hold all the weights of the architecture.
    """
    verify(spec)
    return load_folder(spec.weights, spec.prompt, device, dtype)


def load_folder(
    folder: Path, prompt: PromptVariant, device: str | torch.device, dtype: torch.dtype
) -> tuple[SequenceChatModel, SequenceChatProcessor]:
    """Return model and processor of a checkpoint folder that no spec pins (yet)."""
    with _no_progress_bars():
        loaded: Any = SequenceChatModel.from_pretrained(
            str(folder),
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    model, info = cast(tuple[SequenceChatModel, dict[str, set[str]]], loaded)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[kind]:
            names = ", ".join(sorted(str(key) for key in info[kind])[:3])
            raise CheckpointError(f"{folder}: {kind.replace('_', ' ')}: {names}; convert it again")
    processor = SequenceChatProcessor.from_pretrained(folder, model.config, prompt)
    torch.nn.Module.to(model, device)  # transformers' own `to` is wrapped without its types
    return model.eval(), processor


@contextlib.contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Keep transformers' bars out of the user's terminal: these checkpoints load in a blink."""
    enabled = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if enabled:
            transformers_logging.enable_progress_bar()
