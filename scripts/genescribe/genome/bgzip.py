"""Writing BGZF (SAM specification, section 4.1): gzip that can be indexed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pysam

BLOCK_BYTES = 1 << 16  # the most that one BGZF block holds


@contextlib.contextmanager
def bgzip_writer(path: Path, level: int) -> Iterator[pysam.BGZFile]:
    """Open ``path`` for writing bgzip at ``level`` 0..9; the same input gives the same bytes.

    Raises OSError with an errno where it can be told: htslib keeps it to itself and prints to
    stderr instead, which is silenced here.
    """
    verbosity = pysam.set_verbosity(0)
    try:
        # pysam's type stub knows neither the level in the mode nor that the index is optional.
        with pysam.BGZFile(str(path), f"w{level}") as out:  # type: ignore[call-arg]
            yield out
    except OSError as error:
        if error.errno is None and shutil.disk_usage(path.parent).free < BLOCK_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise
    finally:
        pysam.set_verbosity(verbosity)
