"""Finding and taking out genescribe's attributes in a GFF3 or GTF, from the file alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from genescribe.errors import AnnotationError, Remedy
from genescribe.files import BUFFER_BYTES, encode_line, open_binary
from genescribe.genome.decoration.column9 import (
    STATUS_KEY,
    UndecodableError,
    dialect_of_decoration,
    remove,
)
from genescribe.genome.gff import starts_fasta, text_lines

log = logging.getLogger(__name__)


def strip(in_path: Path, out: BinaryIO) -> None:
    """Write to ``out`` the bytes that ``in_path`` (plain or gzip) had before it was decorated.

    A file without genescribe's attributes is copied, with a warning. Raises AnnotationError
    where a decorated line was changed by hand so that the text cannot be found.
    """
    stripped = 0
    with open_binary(in_path) as handle:
        for number, line, decorated in _marked_lines(handle):
            if decorated:
                try:
                    line = remove(line)
                except UndecodableError as error:
                    raise AnnotationError(
                        in_path, number, f"{error}; decorate the original annotation again"
                    ) from error
                stripped += 1
            out.write(encode_line(line))
    if not stripped:
        log.warning("%s: nothing of genescribe's in it; copied as it is", in_path)
    log.info("%s: attributes taken out of %d lines", in_path, stripped)


def check_undecorated(annotation_path: Path) -> None:
    """Raise AnnotationError at the first feature line that is decorated already.

    ``strip`` could not tell attributes added before from those to be added.
    """
    if not _mentions_status(annotation_path):
        return
    with open_binary(annotation_path) as handle:
        for number, _, decorated in _marked_lines(handle):
            if decorated:
                raise AnnotationError(
                    annotation_path, number, "already decorated", Remedy.STRIP_FIRST
                )


def _marked_lines(handle: BinaryIO) -> Iterator[tuple[int, str, bool]]:
    """Yield (1-based number, line with its ending, whether it is a decorated feature line)."""
    features = True
    for number, line in text_lines(handle):
        features = features and not starts_fasta(line)
        suspect = STATUS_KEY in line and features and not line.startswith("#")
        yield number, line, suspect and dialect_of_decoration(line) is not None


def _mentions_status(path: Path) -> bool:
    """Search blocks, not lines: nearly all files are new to us, and this costs them least."""
    key, tail = STATUS_KEY.encode(), b""
    with open_binary(path) as handle:
        while block := handle.read(BUFFER_BYTES):
            if key in tail + block:
                return True
            tail = block[-len(key) :]
    return False
