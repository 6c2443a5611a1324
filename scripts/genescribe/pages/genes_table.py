"""The table of genes in a browser: the data, the script and the style that it is made of."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Sequence
from typing import Any

from genescribe.pages.html import asset, module
from genescribe.records import Description, GeneRow

LEVEL = 6
"""Of gzip: 9 takes three times as long for 2 % less."""


def script(own: str) -> str:
    """Return the module of the table, and behind it the module ``own`` that uses it."""
    return module(asset(__package__, "genes_table.js"), own)


def style() -> str:
    """Return the style sheet of the table; the page gives the colours."""
    return asset(__package__, "genes_table.css")


def packed(entries: Sequence[tuple[GeneRow, Description]], **more: Any) -> bytes:
    """Return gzipped JSON: ``columns``, one value per gene in each, and whatever else is given.

    Coordinates are 1-based and closed; a number that a gene lacks is null.
    """
    columns: dict[str, list[Any]] = {
        "gene_id": [row.gene_id for row, _ in entries],
        "name": [row.name for row, _ in entries],
        "seqid": [row.seqid for row, _ in entries],
        "start": [row.start + 1 for row, _ in entries],
        "end": [row.end for row, _ in entries],
        "strand": [row.strand for row, _ in entries],
        "biotype": [row.biotype for row, _ in entries],
        "status": [description.status for _, description in entries],
        "reason": [description.reason for _, description in entries],
        "text": [description.text for _, description in entries],
        "score": [_rounded(description.score) for _, description in entries],
        "calibrated": [_calibrated(description) for _, description in entries],
        "lift": [_rounded(description.lift) for _, description in entries],
        "product": [row.product for row, _ in entries],
        "transcripts": [row.transcripts for row, _ in entries],
        "transcript_id": [row.transcript_id for row, _ in entries],
        "exons": [row.exons for row, _ in entries],
        "view": [row.view for row, _ in entries],
        "length": [row.length for row, _ in entries],
        "truncated": [description.truncated for _, description in entries],
        "gc": [_rounded(row.gc) for row, _ in entries],
        "model": [description.model for _, description in entries],
        "prompt": [description.prompt for _, description in entries],
    }
    text = json.dumps({"columns": columns, **more}, separators=(",", ":"), allow_nan=False)
    return gzip.compress(text.encode("ascii"), LEVEL, mtime=0)


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 4)


def _calibrated(description: Description) -> str:
    """Return whether the score is calibrated, "" where there is none."""
    return "" if description.score is None else "yes" if description.calibrated else "no"
