"""A GFF3 sorted, compressed and indexed for genome browsers (JBrowse, IGV, tabix)."""

from __future__ import annotations

import os
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import pysam

from genescribe.files import BUFFER_BYTES, atomic_path
from genescribe.genome.bgzip import bgzip_writer
from genescribe.genome.gff import starts_fasta

TBI_MAX_END = 1 << 29  # tabix(1): "limited to 2^29"; CSI goes further
BGZIP_LEVEL = 6  # as bgzip(1) does
BOM = b"\xef\xbb\xbf"
_ID = re.compile(rb"[\t;]\s*ID=([^;\t\r\n]+)")
_PARENT = re.compile(rb"[\t;]\s*Parent=([^;\t\r\n]+)")


@dataclass
class _Scan:
    """Where the lines of a GFF3 are: offsets in bytes; ``seqids`` numbers the sequences in the
    order of their first feature; ``starts`` as in the file."""

    header: list[bytes] = field(default_factory=list)
    offsets: array[int] = field(default_factory=lambda: array("q"))
    lengths: array[int] = field(default_factory=lambda: array("q"))
    seqids: array[int] = field(default_factory=lambda: array("q"))
    starts: array[int] = field(default_factory=lambda: array("q"))
    max_end: int = 0


def write_sorted_copy(gff3: Path, target: Path) -> list[Path]:
    """Write ``gff3`` (plain) as ``target`` (bgzip) with a .tbi, or .csi, index; return both paths.

    Features stand by sequence (in order of first appearance) and start, parents before their
    children; comments and directives come first. ``###`` and embedded FASTA have no place in a
    sorted file and are left out; lines end in a line feed.
    """
    scan = _scan(gff3)
    csi = scan.max_end > TBI_MAX_END
    tbi_path, csi_path = (target.with_name(f"{target.name}.{kind}") for kind in ("tbi", "csi"))
    index, stale = (csi_path, tbi_path) if csi else (tbi_path, csi_path)
    with atomic_path(index) as new_index, atomic_path(target) as new_target:
        with bgzip_writer(new_target, BGZIP_LEVEL) as out:
            out.write(b"".join(scan.header))
            for line in _sorted_lines(gff3, scan):
                out.write(line)
        pysam.tabix_index(str(new_target), preset="gff", index=str(new_index), csi=csi, force=True)
    stale.unlink(missing_ok=True)  # of an earlier run; programs would take it for this file's
    return [target, index]


def _scan(gff3: Path) -> _Scan:
    scan = _Scan()
    numbers: dict[bytes, int] = {}
    offset = 0
    with gff3.open("rb", buffering=BUFFER_BYTES) as handle:
        for raw in handle:
            line = raw.removeprefix(BOM) if offset == 0 else raw
            start_of_line, offset = offset + len(raw) - len(line), offset + len(raw)
            if line[:1] in b"#>":
                if starts_fasta(line[:8].decode("latin-1")):
                    break
                if line.rstrip() != b"###":
                    scan.header.append(_with_line_feed(line))
                continue
            columns = line.split(b"\t", 5)
            if len(columns) < 5:
                continue  # blank
            scan.offsets.append(start_of_line)
            scan.lengths.append(len(line))
            scan.seqids.append(numbers.setdefault(columns[0], len(numbers)))
            scan.starts.append(int(columns[3]))
            scan.max_end = max(scan.max_end, int(columns[4]))
    return scan


def _sorted_lines(gff3: Path, scan: _Scan) -> Iterator[bytes]:
    order = np.lexsort((np.frombuffer(scan.starts, "q"), np.frombuffer(scan.seqids, "q")))

    def position(at: int) -> tuple[int, int]:
        return scan.seqids[at], scan.starts[at]

    with gff3.open("rb") as handle:
        for _, group in groupby(order.tolist(), key=position):
            lines = [
                _with_line_feed(os.pread(handle.fileno(), scan.lengths[at], scan.offsets[at]))
                for at in group
            ]
            yield from lines if len(lines) == 1 else _parents_first(lines)


def _parents_first(lines: list[bytes]) -> list[bytes]:
    """Sort lines that start at the same place so that parents precede children.

    The parents of a feature start no later than it does, so those that matter are all here.
    """
    ids = [_values(_ID, line) for line in lines]
    parents = [_values(_PARENT, line) for line in lines]
    ordered: list[int] = []
    waiting = list(range(len(lines)))
    while waiting:
        pending = {one for at in waiting for one in ids[at]}
        ready = [at for at in waiting if pending.isdisjoint(parents[at])]
        if not ready:  # parents of each other, by an id used twice: any order will do
            ready = waiting
        ordered += ready
        waiting = sorted(set(waiting).difference(ready))
    return [lines[at] for at in ordered]


def _values(key: re.Pattern[bytes], line: bytes) -> list[bytes]:
    found = key.search(line)
    return found[1].split(b",") if found else []


def _with_line_feed(line: bytes) -> bytes:
    return line.rstrip(b"\r\n") + b"\n"
