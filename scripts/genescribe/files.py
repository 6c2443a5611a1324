"""Opening, replacing and hashing files (floor 0: knows nothing of their formats)."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from genescribe.errors import FormatError, InputError, OutputError, OutputExistsError, Remedy

GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952, section 2.3.1; BGZF blocks begin with it too
BUFFER_BYTES = 1 << 20

ENCODING = "utf-8"
ENCODING_ERRORS = "surrogateescape"
"""Bytes that are not UTF-8 pass through unchanged (PEP 383)."""


def decode_line(raw: bytes) -> str:
    """Decode a line so that ``encode_line`` gives back exactly the same bytes."""
    return raw.decode(ENCODING, ENCODING_ERRORS)


def encode_line(text: str) -> bytes:
    """Undo ``decode_line``."""
    return text.encode(ENCODING, ENCODING_ERRORS)


def is_gzip(path: Path) -> bool:
    """Tell by its first two bytes, not by its name, whether a file is gzip or bgzip."""
    with path.open("rb") as handle:
        return handle.read(2) == GZIP_MAGIC


def check_readable(path: Path) -> None:
    """Raise InputError unless ``path`` is a readable, non-empty regular file."""
    if not path.exists():
        raise InputError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise InputError(f"{path}: is a directory; give the file inside it")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: not readable by you; check its permissions")
    if path.is_file() and path.stat().st_size == 0:
        raise FormatError(path, None, "the file is empty; check the download or the step before")


@contextlib.contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a plain, gzip or bgzip file for reading bytes, decompressed.

    Raises InputError for what is not a readable file and FormatError for damaged gzip data.
    """
    check_readable(path)
    try:
        if is_gzip(path):
            with gzip.open(path, "rb") as handle:
                yield cast(BinaryIO, handle)
        else:
            with path.open("rb", buffering=BUFFER_BYTES) as plain:
                yield plain
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(
            path, None, f"damaged or truncated gzip ({error}); fetch or compress the file again"
        ) from error


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` that replaces it if the block succeeds.

    On any error the temporary file is removed and an older ``target`` stays as it was. Raises
    OutputError where the folder cannot be written or the disk is full.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
        temporary.touch(exist_ok=False)  # with the mode that the user's umask leaves
    except OSError as error:
        raise output_error(target, error) from error
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        if error.filename not in (None, str(temporary), str(target)):
            raise  # not about this output: an input file, say
        raise output_error(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def output_error(target: Path, error: OSError) -> OutputError:
    """Turn an OSError from writing ``target`` into one line that says what to do."""
    if error.errno == errno.ENOSPC:
        return OutputError(f"{target}: disk full; free space or choose another output folder")
    what = error.strerror or str(error)
    return OutputError(f"{target}: cannot be written ({what}); choose another output folder")


def refuse_existing(paths: list[Path], force: bool) -> None:
    """Raise OutputExistsError if any of ``paths`` exists and ``force`` is not given."""
    existing = [path for path in paths if path.exists()]
    if existing and not force:
        raise OutputExistsError(f"{existing[0]}: already exists", Remedy.OVERWRITE)


@contextlib.contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Keep other runs out of ``folder`` while the block lasts; it is made, and gone if left empty.

    The lock (flock(2)) ends with the process, however it ends. Raises OutputError where another
    run holds it, or the folder cannot be made.
    """
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise output_error(folder, error) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"{folder}: another run is writing here; wait for it, or choose another folder"
            ) from error
        except OSError:
            pass  # a file system without locks, as some network mounts are
        yield
    finally:
        os.close(descriptor)
        if is_new:
            with contextlib.suppress(OSError):
                folder.rmdir()


def sha256_of(path: Path) -> str:
    """Return the hex sha256 of a file's bytes as they lie on the disk."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
