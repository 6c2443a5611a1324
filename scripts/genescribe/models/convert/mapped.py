"""Tensors as read-only views of the files they lie in, however much larger than the memory.

torch and safetensors map files privately and writable, for which Linux wants as much memory as
the file is large. A read-only mapping needs none: pages come when they are read, and may go.
"""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SAFETENSORS_TYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def map_pickle(path: Path) -> Any:
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


def map_safetensors(path: Path) -> dict[str, Tensor]:
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
