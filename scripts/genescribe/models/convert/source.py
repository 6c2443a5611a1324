"""Reading published checkpoints: lazily, and without running anything that is inside.

Pickles are read by torch's restricted unpickler, which knows tensors and plain containers only.
Tensors are read-only views of the files they lie in, however much larger than the memory; only what
torch saved before version 1.6 is read whole. torch and safetensors map files privately and
writable, for which Linux wants as much memory as the file is large. A read-only mapping needs none:
pages come when they are read, and may go.
"""

from __future__ import annotations

import argparse
import json
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genescribe.errors import CheckpointError, InputError
from genescribe.files import check_readable

ZIP_MAGIC = b"PK\x03\x04"  # what torch.save has written since version 1.6
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
WEIGHT_ENDINGS = (".safetensors", ".pth", ".pt", ".bin")

SAFETENSORS_TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


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
    for index in (path / f"{name}.index.json" for name in WEIGHT_FILES):
        if index.is_file():
            return _read_shards(path, index)
    files = [path / name for name in WEIGHT_FILES if (path / name).is_file()]
    files = files or sorted(p for p in path.iterdir() if p.suffix in WEIGHT_ENDINGS)
    if not files:
        raise InputError(f"{path}: no checkpoint in this folder; give the file itself")
    if len(files) > 1 and files[0].name not in WEIGHT_FILES:
        names = ", ".join(p.name for p in files[:3])
        raise InputError(f"{path}: several checkpoints ({names}); give the one to convert")
    return replace(_read_file(files[0]), path=path)


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
    content: Any = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
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


def _read_safetensors(path: Path) -> Mapping[str, Tensor]:
    try:
        return _map_safetensors(path)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise _damaged(path) from error


def _read_pickle(path: Path) -> Any:
    """Unpickle tensors, containers and the argument list that RNA-FM's file has, nothing else."""
    with path.open("rb") as handle:
        is_zip = handle.read(len(ZIP_MAGIC)) == ZIP_MAGIC
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return _map_pickle(path) if is_zip else torch.load(path, "cpu", weights_only=True)
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


def _map_pickle(path: Path) -> Any:
    """Return what ``torch.save`` wrote to a zip file, the tensors among a dict's values mapped.

    Those further inside are left on the meta device. Raises what torch or zipfile raise for a
    damaged file, and ValueError for tensors that are compressed or beyond the file's end.
    """
    with zipfile.ZipFile(path) as archive:
        if any(record.compress_type != zipfile.ZIP_STORED for record in archive.infolist()):
            raise ValueError("compressed")
    content = torch.load(path, map_location="meta", weights_only=True)
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    return _mapped(raw, content)


def _mapped(raw: NDArray[np.uint8], content: Any) -> Any:
    if isinstance(content, Tensor):
        storage: Any = content.untyped_storage()  # where it lies: torch's serialization notes
        whole = _view(raw, content.dtype, storage._checkpoint_offset, storage.nbytes())
        return whole.as_strided(content.size(), content.stride(), content.storage_offset())
    if isinstance(content, Mapping):
        return {name: _mapped(raw, value) for name, value in content.items()}
    return content


def _map_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file by name.

    Its format: the header's length in 8 bytes, little-endian; the header, JSON with type, shape
    and place of each tensor; the tensors (github.com/huggingface/safetensors, Format). Raises
    ValueError or KeyError for a file that is not so, or is shorter than its header says.
    """
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    length = int.from_bytes(raw[:8].tobytes(), "little")
    header = json.loads(raw[8 : 8 + length].tobytes())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            dtype = SAFETENSORS_TYPES[entry["dtype"]]
            tensors[name] = _view(raw, dtype, 8 + length + begin, end - begin).view(entry["shape"])
    return tensors


def _view(raw: NDArray[np.uint8], dtype: torch.dtype, offset: int, nbytes: int) -> Tensor:
    if nbytes == 0:
        return torch.empty(0, dtype=dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given buffer is not writable")  # as it should be
        count = nbytes // dtype.itemsize
        return torch.frombuffer(raw, dtype=dtype, count=count, offset=offset)
