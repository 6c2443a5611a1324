"""Pairs of gene and description: cleaned texts, a view for each gene, no gene twice."""

from __future__ import annotations

import gzip
import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from genescribe.errors import FormatError, InputError
from genescribe.records import SequenceRecord, View, sequence_sha256

logger = logging.getLogger(__name__)

CODING_BIOTYPES = frozenset({"protein_coding", "CDS", "mRNA", "gene", "transcript"})
USEFUL_CLASSES = frozenset({"informative", "unknown_plus_clue"})
MIN_CODONS = 15
MIN_ORF_CODONS = 100
"""An open reading frame of 100 codons rarely arises by chance (Basrai et al. 1997)."""

_STOPS = re.compile("TAA|TAG|TGA")
_SPACES = re.compile(r"\s+")
_NA = re.compile(r"(?:^|[;,]\s*)NA(?=[;,]|$)")
_ENDS = re.compile(r"(?<=[.;])\s+")


@dataclass(frozen=True, slots=True)
class Source:
    """One file of pairs (``NAME.jsonl.gz``), and the organism that the prompt names."""

    name: str
    organism: str | None
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """A gene as the model reads it and the text that it should write."""

    record: SequenceRecord
    organism: str | None
    source: str
    held_out: bool
    text: str


def clean_text(text: str) -> str:
    """Flatten white space, drop literal "NA" values and trailing punctuation."""
    flat = _SPACES.sub(" ", text.replace("\\n", " ")).strip()
    return _NA.sub("", flat).strip(" ;,.")


def shorten(text: str, max_words: int) -> str:
    """Cut a text at the last end of a sentence or clause that leaves at most ``max_words``."""
    if len(text.split()) <= max_words:
        return text
    kept: list[str] = []
    for clause in _ENDS.split(text):
        if kept and sum(len(part.split()) for part in [*kept, clause]) > max_words:
            break
        kept.append(clause)
    return " ".join(" ".join(kept).split()[:max_words]).strip(" ;,.")


def is_open_frame(sequence: str) -> bool:
    """Tell whether a sequence is one reading frame without TAA or TAG inside (TGA may be W)."""
    codons = [sequence[i : i + 3] for i in range(0, len(sequence) - 3, 3)]
    return len(sequence) % 3 == 0 and "TAA" not in codons and "TAG" not in codons


def longest_orf(sequence: str) -> str:
    """Return the longest ATG..stop of the three forward frames, or ""."""
    best = ""
    for frame in range(3):
        start = -1
        for i in range(frame, len(sequence) - 2, 3):
            codon = sequence[i : i + 3]
            if start < 0 and codon == "ATG":
                start = i
            elif start >= 0 and _STOPS.fullmatch(codon):
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
            return View.CDS, sequence, "protein_coding"
        orf = longest_orf(sequence)
        if len(orf) >= 3 * MIN_ORF_CODONS:
            return View.CDS, orf, "protein_coding"
    return View.TRANSCRIPT, sequence, biotype.removesuffix("_gene")


def read_pairs(
    folder: Path, sources: Iterable[Source], *, max_length: int, max_words: int
) -> list[Pair]:
    """Read the informative pairs of all sources, each distinct sequence once.

    ``max_length`` is in nt. The first source that has a sequence keeps it, but held-out sources
    go first: what they hold is never trained on.
    """
    pairs: dict[str, Pair] = {}
    for source in sorted(sources, key=lambda source: not source.held_out):
        before = len(pairs)
        for pair in _read_source(folder, source, max_length, max_words):
            pairs.setdefault(pair.record.sha256, pair)
        logger.info("read pairs: source=%s new=%d", source.name, len(pairs) - before)
    if not pairs:
        raise InputError(f"{folder}: no pair with an informative description; check the sources")
    return list(pairs.values())


def _read_source(folder: Path, source: Source, max_length: int, max_words: int) -> Iterator[Pair]:
    path = folder / f"{source.name}.jsonl.gz"
    if not path.is_file():
        raise InputError(f"{path}: no such file; check `sources` and the folder of pairs")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                sequence, text = row["seq"].upper(), clean_text(row["desc"])
            except (ValueError, KeyError) as error:
                raise FormatError(path, number, f"not a pair ({error!r}); correct it") from error
            if row["class"] not in USEFUL_CLASSES or not text or not sequence.isascii():
                continue
            view, sequence, biotype = choose_view(sequence, row["biotype"])
            sequence = sequence[:max_length]
            record = SequenceRecord(row["id"], view, biotype, sequence, sequence_sha256(sequence))
            yield Pair(
                record, source.organism, source.name, source.held_out, shorten(text, max_words)
            )
