"""What the models wrote, a row per gene: ``descriptions.jsonl`` and ``descriptions.tsv``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genescribe.artifacts.codec import JsonLines, Table, cell, write_rows
from genescribe.artifacts.genes import GENES
from genescribe.errors import Remedy
from genescribe.records import Description, GeneRow, check_same_genes

DESCRIPTION_COLUMNS = (
    "gene_id", "seqid", "start", "end", "strand", "biotype", "name", "status", "reason",
    "score", "lift", "n_tokens", "model", "prompt", "truncated", "calibrated", "product", "text",
)  # fmt: skip


class _Descriptions(JsonLines[Description]):
    """Descriptions, which are checked for what they say, too."""

    def record(self, values: Any) -> Description:
        """Return a JSON value as a description; raises ValueError for what is none."""
        found = super().record(values)
        if found.score is not None and not 0 <= found.score <= 1:
            raise ValueError(f"score is {found.score}, not between 0 and 1")
        for name, count in (("n_tokens", found.n_tokens), ("truncated", found.truncated)):
            if count < 0:
                raise ValueError(f"{name} is {count}, less than 0")
        return found


_CELLS = Table(Description, "descriptions.tsv", Remedy.DESCRIBE_AGAIN)
DESCRIPTIONS = _Descriptions(Description, "a description", Remedy.DESCRIBE_AGAIN)


def read_descriptions(path: Path) -> Iterator[Description]:
    """Yield the descriptions of a JSONL file; raises FormatError with ``file:line``.

    An empty file is legal: a shard may have no genes, and an assembly none that is described.
    """
    if path.is_file() and path.stat().st_size == 0:
        return iter(())
    return DESCRIPTIONS.read(path)


def write_descriptions(path: Path, descriptions: Iterable[Description]) -> None:
    """Write a JSONL file in one go; nothing half-written is left on an error."""
    DESCRIPTIONS.write(path, descriptions)


def write_descriptions_tsv(
    path: Path, rows: Sequence[GeneRow], descriptions: Mapping[str, Description]
) -> None:
    """Write one line per gene, in the order of ``rows``, with the description of its gene_id.

    The bare text of a description is in the JSONL file. Raises InputError for a gene without a
    description: every gene has exactly one.
    """
    check_same_genes((row.gene_id for row in rows), descriptions, "the table of genes")
    found = [descriptions[row.gene_id] for row in rows]
    cells = GENES.columns(rows) | _CELLS.columns(found)
    cells["calibrated"] = ("" if one.score is None else cell(one.calibrated) for one in found)
    columns = [cells[name] for name in DESCRIPTION_COLUMNS]
    write_rows(path, DESCRIPTION_COLUMNS, zip(*columns, strict=True))
