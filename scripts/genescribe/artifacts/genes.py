"""``genes.tsv``: every gene of an annotation, and what was extracted for it.

Coordinates are 1-based and closed in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genescribe.artifacts.codec import AS_IS, START, Table, one_of
from genescribe.errors import Remedy
from genescribe.records import GeneRow, View

GENES = Table(
    GeneRow,
    "genes.tsv",
    Remedy.EXTRACT_AGAIN,
    start=START,
    strand=one_of("+-.?"),
    view=one_of(["", *View]),
    sha256=AS_IS,
)


def write_genes_tsv(path: Path, rows: Sequence[GeneRow]) -> None:
    """Write one line per gene, in the order of ``rows``, or leave ``path`` as it was."""
    GENES.write(path, rows)


def read_genes_tsv(path: Path) -> list[GeneRow]:
    """Read what ``write_genes_tsv`` wrote; FormatError names the line that it did not write."""
    return GENES.read(path)
