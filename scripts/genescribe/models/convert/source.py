"""Reading published checkpoints: lazily, and without running anything that is inside.

Pickles are read by torch's restricted unpickler, which knows tensors and plain containers only.
Tensors stay in their files (``mapped``); only what torch saved before version 1.6 is read whole.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genescribe.errors import CheckpointError, InputError
from genescribe.files import check_readable
from genescribe.models.convert.mapped import map_pickle, map_safetensors

ZIP_MAGIC = b"PK\x03\x04"  # what torch.save has written since version 1.6
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
WEIGHT_ENDINGS = (".safetensors", ".pth", ".pt", ".bin")


@dataclass(frozen=True)
class Source:
    """A checkpoint: its ``tensors`` by name, and what else lay beside them in the file.

    ``tensors`` are views of the files and must not be written to; ``facts`` are the other
    entries of a training checkpoint, such as ``config``, ``optimizer`` or ``model_args``.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """The folder that the checkpoint is or lies in."""
        return self.path if self.path.is_dir() else self.path.parent


def read_source(path: Path) -> Source:
    """Open a checkpoint: a file, or a folder with one file or with shards and their index.

    Raises InputError if there is no checkpoint, CheckpointError for one that is truncated,
    damaged or holds objects that are no weights.
    """
    if not path.is_dir():
        return _read_file(path)
    index = next(
        (path / f"{n}.index.json" for n in WEIGHT_FILES if (path / f"{n}.index.json").is_file()),
        None,
    )
    if index is not None:
        return _read_shards(path, index)
    found = [path / name for name in WEIGHT_FILES if (path / name).is_file()]
    found = found or sorted(p for p in path.iterdir() if p.suffix in WEIGHT_ENDINGS)
    if not found:
        raise InputError(f"{path}: no checkpoint in this folder; give the file itself")
    if len(found) > 1 and found[0].name not in WEIGHT_FILES:
        names = ", ".join(p.name for p in found[:3])
        raise InputError(f"{path}: several checkpoints ({names}); give the one to convert")
    file = _read_file(found[0])
    return Source(path, file.tensors, file.facts)


def _read_shards(folder: Path, index: Path) -> Source:
    """Join the shards that an index of transformers names."""
    try:
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{index}: not an index of shards; fetch it again") from error
    tensors: dict[str, Tensor] = {}
    for name in shards:
        tensors |= _read_file(folder / Path(name).name).tensors
    return Source(folder, tensors, {})


def _read_file(path: Path) -> Source:
    check_readable(path)
    content: Any = _safetensors(path) if path.suffix == ".safetensors" else _pickle(path)
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}, not weights by name")
    weights = content
    facts: dict[str, Any] = {}
    if isinstance(content.get("model"), Mapping):  # beside it, the state of a training loop
        weights = content["model"]
        facts = {str(name): value for name, value in content.items() if name != "model"}
    tensors = {str(name): value for name, value in weights.items() if isinstance(value, Tensor)}
    if not tensors:
        raise CheckpointError(f"{path}: no weights inside; give the checkpoint itself")
    facts |= {str(name): value for name, value in weights.items() if str(name) not in tensors}
    return Source(path, tensors, facts)


def _safetensors(path: Path) -> Mapping[str, Tensor]:
    try:
        return map_safetensors(path)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise _damaged(path) from error


def _pickle(path: Path) -> Any:
    """Unpickle tensors, containers and the argument list that RNA-FM's file has, nothing else."""
    with path.open("rb") as handle:
        is_zip = handle.read(len(ZIP_MAGIC)) == ZIP_MAGIC
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return map_pickle(path) if is_zip else torch.load(path, "cpu", weights_only=True)
    except Exception as error:
        foreign = re.search(r"GLOBAL ([\w.]+)", str(error))
        if foreign:
            raise CheckpointError(
                f"{path}: holds {foreign[1]}, which is code and not weights; it was not run: get "
                "the weights from a source that you trust, best as safetensors"
            ) from error
        raise _damaged(path) from error


def _damaged(path: Path) -> CheckpointError:
    return CheckpointError(f"{path}: truncated, damaged or not a checkpoint; fetch it again")
