"""Pins: the sha256 of weights files, and the files that say them. Loads neither torch nor yaml."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from genescribe.errors import CheckpointError, FormatError, Remedy
from genescribe.files import sha256_of

SUMS_FILE = "SHA256SUMS"
"""Pins of a folder's files, in the format of ``sha256sum`` (and ``sha256sum -c``)."""


def check_pin(path: Path, pin: str, model: str) -> None:
    """Raise CheckpointError unless a file of a model is there and has the sha256 ``pin``.

    It is hashed once per process, as long as its size and times stay the same.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: missing, but model {model} needs it; restore the file")
    status = path.stat()
    found = _sha256(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if found != pin:
        raise CheckpointError(
            f"{path}: sha256 is {found[:12]}..., but model {model} pins {pin[:12]}...; the file "
            "is damaged or another version, restore it"
        )


def read_pins(path: Path) -> dict[Path, str]:
    """Return what SHA256SUMS pins of a file, or of all files of a folder, by their paths.

    Raises CheckpointError where there is no SHA256SUMS, or it leaves out the file, and
    FormatError where it is no output of sha256sum.
    """
    sums = (path if path.is_dir() else path.parent) / SUMS_FILE
    if not sums.is_file():
        raise CheckpointError(
            f"{sums}: missing, so nothing tells whether the weights are undamaged; write it in "
            f"{sums.parent} with 'sha256sum *.* > {SUMS_FILE}'",
            Remedy.CONVERT_CHECKPOINT,
        )
    pins = _read_sums(sums, sums.stat().st_mtime_ns)
    if path.is_dir():
        return pins
    if path not in pins:
        raise CheckpointError(f"{sums}: says nothing of {path.name}; add its line with sha256sum")
    return {path: pins[path]}


@lru_cache(maxsize=256)
def _sha256(path: Path, _size: int, _mtime: int, _ctime: int) -> str:
    return sha256_of(path)


@lru_cache(maxsize=64)
def _read_sums(sums: Path, _mtime: int) -> dict[Path, str]:
    pins = {}
    for number, line in enumerate(sums.read_text(encoding="utf-8").splitlines(), 1):
        pin, _, name = line.partition(" ")
        if len(pin) != 64 or not name[1:]:
            raise FormatError(sums, number, "not a line of sha256sum; write the file again")
        if name[1:] != SUMS_FILE:  # as 'sha256sum *' has it, of a file not yet written
            pins[sums.parent / name[1:]] = pin  # name[0] is a space (text) or * (binary)
    return pins
