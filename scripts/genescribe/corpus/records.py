"""What a corpus consists of: one record for each sequence, question and answer."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from genescribe.artifacts.codec import JsonLines
from genescribe.errors import FormatError, Remedy
from genescribe.records import SequenceRecord, View

PRODUCT_NAME = "product name"
FUNCTION = "function"
SUMMARY = "summary"
GENE_SYMBOL = "gene symbol"
EC_NUMBER = "EC number"
PROCESS = "process"
BIOTYPE = "biotype"
QUESTIONS = (PRODUCT_NAME, FUNCTION, SUMMARY, GENE_SYMBOL, EC_NUMBER, PROCESS, BIOTYPE)
"""What a model can be asked about a gene; the first is asked unless someone says otherwise.

A product name is there twice where its source says whose naming style it follows: once under the
question ``product name (STYLE)``, once under ``product name``, in any style.
"""


@dataclass(frozen=True, slots=True)
class CorpusRecord:
    """One answer to one question about one sequence; JSONL keys are the field names.

    ``sequence`` is upper case DNA of the sense strand, in ``view`` cds in frame; ``sha256`` is that
    of the sequence. ``informative`` is False for answers that say that nothing is known
    ("hypothetical protein"). ``provenance`` is ``file:line attribute`` of the answer.
    """

    gene_id: str
    source: str
    organism: str | None
    biotype: str
    view: View
    sequence: str
    sha256: str
    question: str
    answer: str
    informative: bool
    provenance: str

    def sequence_record(self) -> SequenceRecord:
        """Return the gene as a model reads it."""
        return SequenceRecord(self.gene_id, self.view, self.biotype, self.sequence, self.sha256)


def in_style(question: str, style: str | None) -> str:
    """Return ``question (style)``, or the question itself without a style."""
    return f"{question} ({style})" if style else question


def without_style(question: str) -> str:
    """Undo ``in_style``."""
    return PRODUCT_NAME if question.startswith(f"{PRODUCT_NAME} (") else question


def by_gene(records: Iterable[CorpusRecord]) -> Iterator[list[CorpusRecord]]:
    """Yield the records of each sequence; they stand together in every corpus."""
    for _, group in groupby(records, key=lambda record: record.sha256):
        yield list(group)


class _Corpus(JsonLines[CorpusRecord]):
    """Corpus records; those of a gene share one sequence string."""

    def record(self, values: Any) -> CorpusRecord:
        """Return a JSON value as a record; raises ValueError for what is none."""
        if isinstance(values, dict) and isinstance(values.get("sequence"), str):
            values["sequence"] = sys.intern(values["sequence"])
        return super().record(values)


_CORPUS = _Corpus(CorpusRecord, "a corpus record", Remedy.BUILD_CORPUS)


def write_corpus(path: Path, records: Iterable[CorpusRecord]) -> None:
    """Write ``.jsonl``, or ``.jsonl.gz`` by its name; the same records give the same bytes."""
    _CORPUS.write(path, records)


def read_corpus(path: Path) -> list[CorpusRecord]:
    """Read a corpus, ``.jsonl`` or ``.jsonl.gz``; the records of a gene share one sequence string.

    Raises FormatError with ``file:line`` for what is no record, and for a file without any.
    """
    records = list(_CORPUS.read(path))
    if not records:
        raise FormatError(path, None, "holds no record; build the corpus anew")
    return records


def beside(path: Path, ending: str) -> Path:
    """Return the path of a companion: corpus.jsonl.gz -> corpus.report.json."""
    return path.with_name(path.name.split(".")[0] + ending)
