"""Writing BGZF: gzip in small blocks, which can be indexed.

pysam writes it as well, but loading pysam takes longer than writing a yeast genome's genes, and
it keeps to itself why a write failed, a full disk for instance.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# SAM specification, section 4.1 "The BGZF compression format": a gzip member with an extra
# field "BC" that holds its size less one, for at most 2^16 bytes before and after compression.
_HEADER = struct.Struct("<4BI2BH2B2H")
_FOOTER = struct.Struct("<2I")
_END_OF_FILE = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_BLOCK_BYTES = 0xFF00  # leaves room for data that cannot be compressed


class BgzipWriter:
    """Cuts what is written into blocks; the same input gives the same bytes."""

    def __init__(self, out: BinaryIO, level: int, strategy: int) -> None:
        self._out = out
        self._level = level
        self._strategy = strategy
        self._pending = bytearray()

    def write(self, data: bytes) -> None:
        """Append ``data``; OSError where the disk does not take it."""
        self._pending += data
        while len(self._pending) >= _BLOCK_BYTES:
            self._write_block(bytes(self._pending[:_BLOCK_BYTES]))
            del self._pending[:_BLOCK_BYTES]

    def finish(self) -> None:
        """Write what is pending and the marker of the file's end."""
        if self._pending:
            self._write_block(bytes(self._pending))
        self._out.write(_END_OF_FILE)

    def _write_block(self, data: bytes) -> None:
        compressor = zlib.compressobj(
            self._level, zlib.DEFLATED, -zlib.MAX_WBITS, 9, self._strategy
        )
        packed = compressor.compress(data) + compressor.flush()
        size = _HEADER.size + len(packed) + _FOOTER.size
        header = _HEADER.pack(31, 139, 8, 4, 0, 0, 255, 6, ord("B"), ord("C"), 2, size - 1)
        self._out.write(header + packed + _FOOTER.pack(zlib.crc32(data), len(data)))


@contextlib.contextmanager
def bgzip_writer(
    path: Path, level: int = 6, strategy: int = zlib.Z_DEFAULT_STRATEGY
) -> Iterator[BgzipWriter]:
    """Open ``path`` for writing bgzip with zlib's ``level`` and ``strategy``."""
    with path.open("wb") as out:
        writer = BgzipWriter(out, level, strategy)
        yield writer
        writer.finish()
