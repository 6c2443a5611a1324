"""A GFF3 sorted, compressed and indexed for genome browsers (JBrowse, IGV, tabix)."""

from __future__ import annotations

import errno
import os
import re
import shutil
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import pysam
from Bio.bgzf import BgzfWriter

from genescribe.files import BUFFER_BYTES, atomic_path
from genescribe.genome.gff import BOM, starts_fasta

TBI_MAX_END = 1 << 29  # tabix(1), "-C": the coordinates that a .tbi can hold
NEARLY_FULL = 1 << 16  # bytes; htslib does not tell why it could not write
_BOM = BOM.encode()
# The key comes before the look-behind, because a literal prefix makes the search fast.
_ID = re.compile(rb"ID=(?<=[\t; ]ID=)([^;\r\n]+)")
_PARENT = re.compile(rb"Parent=(?<=[\t; ]Parent=)([^;\r\n]+)")


@dataclass
class _Scan:
    """The features of a GFF3 in file order, as columns, to save memory.

    ``offsets`` and ``lengths`` in bytes; ``seqids`` are numbers in order of first appearance;
    ``starts`` as in the file. ``parents_first`` tells whether no child precedes its parent.
    """

    header: list[bytes] = field(default_factory=list)
    offsets: array[int] = field(default_factory=lambda: array("q"))
    lengths: array[int] = field(default_factory=lambda: array("q"))
    seqids: array[int] = field(default_factory=lambda: array("q"))
    starts: array[int] = field(default_factory=lambda: array("q"))
    max_end: int = 0
    parents_first: bool = True


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
        with new_target.open("wb") as raw, BgzfWriter(fileobj=raw) as out:
            out.write(b"".join(scan.header))
            for line in _sorted_lines(gff3, scan):
                out.write(line)
        _write_index(new_target, new_index, csi)
    stale.unlink(missing_ok=True)  # of an earlier run; programs would take it for this file's
    return [target, index]


def _scan(gff3: Path) -> _Scan:
    scan = _Scan()
    numbers: dict[bytes, int] = {}
    named_parents: set[bytes] = set()
    last_parents = b""
    end = 0
    with gff3.open("rb", BUFFER_BYTES) as handle:
        for raw in handle:
            line = raw.removeprefix(_BOM) if end == 0 else raw
            end += len(raw)
            if line[:1] in b"#>":
                if starts_fasta(line[:8].decode("latin-1")):
                    break
                if line.rstrip() != b"###":
                    scan.header.append(_with_line_feed(line))
                continue
            columns = line.split(b"\t", 5)
            if len(columns) < 5:
                continue  # blank
            scan.offsets.append(end - len(line))
            scan.lengths.append(len(line))
            scan.seqids.append(numbers.setdefault(columns[0], len(numbers)))
            scan.starts.append(int(columns[3]))
            scan.max_end = max(scan.max_end, int(columns[4]))
            parents, own = _PARENT.search(columns[5]), _ID.search(columns[5])
            if parents and parents[1] != last_parents:
                last_parents = parents[1]
                named_parents.update(last_parents.split(b","))
            if own and own[1] in named_parents:
                scan.parents_first = False
    return scan


def _sorted_lines(gff3: Path, scan: _Scan) -> Iterator[bytes]:
    order = np.lexsort((np.frombuffer(scan.starts, "q"), np.frombuffer(scan.seqids, "q"))).tolist()
    with gff3.open("rb") as handle:

        def lines(positions: Iterable[int]) -> Iterator[bytes]:
            for at in positions:
                raw = os.pread(handle.fileno(), scan.lengths[at], scan.offsets[at])
                yield _with_line_feed(raw)

        if scan.parents_first:  # then the sort, being stable, leaves them first
            yield from lines(order)
            return
        for _, group in groupby(order, key=lambda at: (scan.seqids[at], scan.starts[at])):
            yield from _parents_first(list(lines(group)))


def _parents_first(lines: list[bytes]) -> list[bytes]:
    """Sort lines that start at the same place so that parents precede children.

    The parents of a feature start no later than it does, so those that matter are all here.
    """
    ids = [match[1] if (match := _ID.search(line)) else b"" for line in lines]
    parents = [match[1].split(b",") if (match := _PARENT.search(line)) else [] for line in lines]
    ordered: list[int] = []
    waiting = list(range(len(lines)))
    while waiting:
        pending = {ids[at] for at in waiting}
        ready = [at for at in waiting if pending.isdisjoint(parents[at])]
        if not ready:  # parents of each other, by an id used twice: any order will do
            ready = waiting
        ordered += ready
        waiting = sorted(set(waiting).difference(ready))
    return [lines[at] for at in ordered]


def _write_index(compressed: Path, index: Path, csi: bool) -> None:
    verbosity = pysam.set_verbosity(0)  # htslib would print what the exception says
    try:
        pysam.tabix_index(str(compressed), preset="gff", index=str(index), csi=csi, force=True)
    except OSError as error:
        if error.errno is None and shutil.disk_usage(index.parent).free < NEARLY_FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise
    finally:
        pysam.set_verbosity(verbosity)


def _with_line_feed(line: bytes) -> bytes:
    return line.rstrip(b"\r\n") + b"\n"
