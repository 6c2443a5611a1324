"""Writing a converted model: all of it or nothing, in bounded memory, the same bytes each time."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import save_file
from torch import Tensor

from genescribe.errors import InputError
from genescribe.files import output_error, refuse_existing, sha256_of
from genescribe.records import Progress

SUMS_FILE = "SHA256SUMS"
INDEX_FILE = "model.safetensors.index.json"
SHARD_BYTES = 2_000_000_000
"""At most one shard of merged weights is in memory at a time."""


@contextlib.contextmanager
def atomic_folder(target: Path, force: bool) -> Iterator[Path]:
    """Yield a temporary folder beside ``target`` that takes its place if the block succeeds.

    Raises OutputExistsError if ``target`` is there and ``force`` is not given, InputError if it
    is no folder that was written here (``force`` must not delete other things), and OutputError
    where the place cannot be written or is full.
    """
    refuse_existing([target], force)
    is_other = target.exists() and not (target / SUMS_FILE).is_file()
    if is_other and not (target.is_dir() and not any(target.iterdir())):
        raise InputError(f"{target}: not a converted model; choose another folder")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise output_error(target, error) from error
    try:
        made, old = temporary / "new", temporary / "old"
        made.mkdir()
        yield made
        if target.exists():
            target.rename(old)
        made.rename(target)
    except OSError as error:
        raise output_error(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_weights(
    folder: Path,
    shapes: Mapping[str, Tensor],
    build: Callable[[str], Tensor],
    progress: Progress | None = None,
) -> int:
    """Write safetensors as transformers shards them; return the number of bytes of weights.

    ``shapes`` are tensors on the meta device, of the types to write; ``build`` makes one, and
    ``progress`` is told of tensors.
    """
    split = split_torch_state_dict_into_shards(dict(shapes), max_shard_size=SHARD_BYTES)
    done = 0
    for name, keys in split.filename_to_tensors.items():
        if progress is not None:
            progress(done, len(shapes))
        save_file({key: build(key) for key in keys}, folder / name, metadata={"format": "pt"})
        (folder / name).chmod(folder.stat().st_mode & 0o666)  # safetensors lets only the owner read
        done += len(keys)
    if progress is not None:
        progress(done, len(shapes))
    if split.is_sharded:
        index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
        text = json.dumps(index, indent=2, sort_keys=True) + "\n"
        (folder / INDEX_FILE).write_text(text, encoding="utf-8")
    return int(split.metadata["total_size"])


def write_sums(folder: Path) -> None:
    """Write the sha256 of every file below ``folder``, as ``sha256sum -c`` reads it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / SUMS_FILE).write_text("".join(lines), encoding="utf-8")
