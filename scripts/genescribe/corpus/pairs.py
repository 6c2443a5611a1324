"""Pairs of sequence and text as JSON lines.

Each line is an object with ``id``, ``seq`` (sense strand) and ``desc``; ``biotype``, ``symbol``,
``product``, ``name``, ``note``, ``function``, ``ec`` and ``organism`` may be there. A ``desc``
beside a ``product`` is taken for a summary of all fields, and not used itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genescribe.corpus.source_genes import Field, SourceGene, Text, problem_of
from genescribe.errors import FormatError
from genescribe.files import open_binary
from genescribe.genome.biotypes import PROTEIN_CODING
from genescribe.nucleotides import INNER_STOP_CODONS, START_CODON, STOP_CODONS
from genescribe.records import View

CODING_BIOTYPES = frozenset({"protein_coding", "CDS", "mRNA", "gene", "transcript"})
MIN_CODONS = 15
MIN_ORF_CODONS = 100
"""An open reading frame of 100 codons rarely arises by chance (Basrai et al. 1997)."""

_KEYS = {
    "product": Field.PRODUCT,
    "name": Field.NAME,
    "desc": Field.DESCRIPTION,
    "note": Field.NOTE,
    "function": Field.FUNCTION,
    "ec": Field.EC,
    "symbol": Field.SYMBOL,
}


def read_pairs(path: Path) -> Iterator[SourceGene]:
    """Yield the genes of a file of pairs, plain or gzip; FormatError for what is no pair."""
    with open_binary(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                yield _entry(row, f"{path.name}:{number}")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                problem = f"not a pair ({error!r}); it needs id, seq and desc"
                raise FormatError(path, number, problem) from error


def _entry(row: dict[str, Any], place: str) -> SourceGene:
    given, stated = row["seq"].upper(), row.get("biotype") or "gene"
    drop = problem_of(given, stated)
    view, sequence, biotype = choose_view(given, stated)
    if "desc" not in row and "product" not in row:
        raise KeyError("desc")
    texts = tuple(
        Text(field, row[key], f"{place} {key}")
        for key, field in _KEYS.items()
        if row.get(key) and not (key == "desc" and row.get("product"))
    )
    return SourceGene(row["id"], biotype, view, sequence, texts, drop=drop)


def is_open_frame(sequence: str) -> bool:
    """Tell whether a sequence is one reading frame without TAA or TAG inside (TGA may be W)."""
    codons = [sequence[i : i + 3] for i in range(0, len(sequence) - 3, 3)]
    return len(sequence) % 3 == 0 and INNER_STOP_CODONS.isdisjoint(codons)


def longest_orf(sequence: str) -> str:
    """Return the longest ATG..stop of the three forward frames, or ""."""
    best = ""
    for frame in range(3):
        start = -1
        for i in range(frame, len(sequence) - 2, 3):
            codon = sequence[i : i + 3]
            if start < 0 and codon == START_CODON:
                start = i
            elif start >= 0 and codon in STOP_CODONS:
                best = max(best, sequence[start : i + 3], key=len)
                start = -1
    return best


def choose_view(sequence: str, biotype: str) -> tuple[View, str, str]:
    """Return view, sequence and biotype as the model will meet them in an annotation.

    A coding gene is read as its CDS: the sequence itself if it is an open frame, else (gene
    spans with introns or UTRs) its longest open reading frame of 100 codons or more.
    """
    if biotype in CODING_BIOTYPES:
        if len(sequence) >= 3 * MIN_CODONS and is_open_frame(sequence):
            return View.CDS, sequence, PROTEIN_CODING
        orf = longest_orf(sequence)
        if len(orf) >= 3 * MIN_ORF_CODONS:
            return View.CDS, orf, PROTEIN_CODING
    return View.TRANSCRIPT, sequence, biotype.removesuffix("_gene")
