"""Converting published checkpoints to safetensors folders that our models load.

A layout is data (``layouts``): which of its names becomes which of ours. Reading (``source``)
runs nothing and stays in the file; every tensor is accounted for before anything is written
(``tensors``); writing (``folder``) holds one shard at a time, so that a checkpoint may be larger
than the memory.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedConfig

from genescribe.errors import InputError, Remedy
from genescribe.models.assembly import empty_model
from genescribe.models.convert.configs import Companions
from genescribe.models.convert.folder import (
    atomic_folder,
    write_sums,
    write_weights,
)
from genescribe.models.convert.layouts import BASE_PREFIX, LAYOUTS
from genescribe.models.convert.source import Source, read_source
from genescribe.models.convert.tensors import Builder, check_layout, complete
from genescribe.models.convert.vocabulary import load_tokenizer
from genescribe.models.encoders import build_encoder
from genescribe.models.processing import SEQUENCE_TOKENIZER_FOLDER
from genescribe.models.sequence_tokenizers import sequence_tokenizer
from genescribe.records import Progress

__all__ = ["Companions", "Conversion", "convert"]

log = logging.getLogger(__name__)

WITHOUT_LAYOUT = (
    "RNA-GPT's authors publish no checkpoint: convert RNA-FM (layout rnafm), and name it, a "
    "Llama-3 and a projector of your own as the weights of a model spec"
)


@dataclass(frozen=True)
class Conversion:
    """What was written: a ``report`` on every tensor of the checkpoint, line by line, how many
    ``tensors`` there are now, and how many ``weight_bytes``."""

    report: list[str]
    tensors: int
    weight_bytes: int


def convert(
    layout: str,
    path: Path,
    target: Path,
    companions: Companions,
    *,
    dtype: torch.dtype | None = None,
    lora_alpha: float | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Conversion:
    """Convert the checkpoint at ``path``, of a published ``layout``, to the folder ``target``.

    The folder gets config.json, safetensors, tokenizer files and their SHA256SUMS. ``dtype`` None
    keeps the type of every tensor; ``lora_alpha`` is needed only where LoRA's rank is not the
    published one. Raises InputError for what cannot be converted, ConversionError (which has the
    report) for tensors that do not fit; then nothing is written.
    """
    if layout not in LAYOUTS:
        known = ", ".join(LAYOUTS)
        raise InputError(f"no layout {layout!r}; known: {known}. {WITHOUT_LAYOUT}")
    rules = LAYOUTS[layout]
    source = read_source(path)
    check_layout(source, rules)
    source = _with_base(source, companions.base)
    config = rules.config(source, companions)
    expected = _expected_tensors(config, rules.is_encoder)
    plan = complete(source, rules, expected)
    builder = Builder(source, plan, expected, config, lora_alpha, dtype)
    builder.check()
    with atomic_folder(target, force) as folder:
        if not rules.is_encoder:
            _write_text_tokenizer(source, companions, config, folder)
        if rules.sequence_tokenizer is not None:
            _write_sequence_tokenizer(*rules.sequence_tokenizer, source, companions, folder)
        config.save_pretrained(folder)
        written = write_weights(folder, builder.shapes(), builder.build, progress)
        write_sums(folder)
    log.info("%s: %d tensors, %d bytes of weights", target, len(expected), written)
    beside = [
        f"used    {name} -> config.json"
        if name == rules.settings
        else f"unused  {name} (state of training)"
        for name in source.facts
    ]
    return Conversion(plan.report() + beside, len(expected), written)


def _with_base(source: Source, base: Path | None) -> Source:
    """Add the weights of the language model from a folder of its own, if they are not inside."""
    if base is None or any("embed_tokens" in name for name in source.tensors):
        return source
    weights = {BASE_PREFIX + name: tensor for name, tensor in read_source(base).tensors.items()}
    return replace(source, tensors={**weights, **source.tensors})


def _expected_tensors(config: PreTrainedConfig, is_encoder: bool) -> dict[str, Tensor]:
    """Return the tensors of our model on the meta device, tied ones once."""
    with torch.device("meta"):
        model = build_encoder(config) if is_encoder else empty_model(config)
    state = model.state_dict(keep_vars=True)
    first = {id(tensor): name for name, tensor in reversed(state.items())}
    return {name: state[name].detach() for name in state if name in first.values()}


def _write_text_tokenizer(
    source: Source, companions: Companions, config: PreTrainedConfig, folder: Path
) -> None:
    """Write the language model's tokenizer; ``config`` learns the special ids that it lacks."""
    text = config.get_text_config()
    place = companions.tokenizer or companions.base or source.folder
    tokenizer = load_tokenizer(place)
    if len(tokenizer) > text.vocab_size:
        raise InputError(
            f"{place}: {len(tokenizer)} tokens, but the language model knows {text.vocab_size}",
            Remedy.GIVE_TOKENIZER,
        )
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        if getattr(text, name) is None:
            setattr(text, name, getattr(tokenizer, name))
    tokenizer.save_pretrained(folder)


def _write_sequence_tokenizer(
    kind: str, name: str, source: Source, companions: Companions, folder: Path
) -> None:
    """Copy the file of the sequence tokenizer, after a look inside."""
    place = companions.encoder_tokenizer or source.folder
    if not (place / name).is_file():
        raise InputError(f"{place / name}: missing", Remedy.GIVE_ENCODER_TOKENIZER)
    sequence_tokenizer(kind, place)
    (folder / SEQUENCE_TOKENIZER_FOLDER).mkdir()
    shutil.copyfile(place / name, folder / SEQUENCE_TOKENIZER_FOLDER / name)
