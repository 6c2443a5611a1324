"""Filling a model's gene memory from the training side, and hiding a gene's own relatives in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genescribe.corpus.records import CorpusRecord
from genescribe.corpus.splits import SplitRow
from genescribe.models.gene_memory import NONE, GeneMemory
from genescribe.models.processing import SequenceChatProcessor
from genescribe.records import SequenceRecord, View
from genescribe.training.examples import Example

NEAR_COPY_SIMILARITY = 0.3
"""``Relatives.similarity`` of proteins that are 80 % identical: they share 0.41 of the 4-mers
(0.8 ** 4) and 0.26 of the spaced six (0.8 ** 6), more where letters of its alphabet agree."""
LOOKED_AT = 20
"""More near copies than there are: a model stores one gene of each cluster of them."""

Numbers = NDArray[np.int64]


class StoredGenes:
    """Which stored genes are near copies, or of the family, of which training genes."""

    def __init__(
        self, rows: Sequence[SplitRow], first: int, known: Mapping[str, Numbers] | None = None
    ) -> None:
        """``rows`` are those of the stored genes, of which the first has the number ``first``.

        ``known``: near copies of training genes, by their sha256, among the genes before ``first``.
        """
        near_copies: dict[int, list[int]] = defaultdict(list)
        families: dict[int, list[int]] = defaultdict(list)
        for number, row in enumerate(rows, start=first):
            near_copies[row.near_copy].append(number)
            families[row.family].append(number)
        self._near_copies, self._families, self._known = near_copies, families, known or {}

    def left_out(self, example: Example, without_family: bool) -> Numbers:
        """Return the numbers of stored genes that a training gene must not find."""
        own = self._families if without_family else self._near_copies
        added = own.get(example.family if without_family else example.near_copy, [])
        known = self._known.get(example.record.sha256, np.zeros(0, np.int64))
        return np.concatenate([known, np.array(added, dtype=np.int64)])


def store(
    encoder: Any,
    processor: SequenceChatProcessor,
    records: Sequence[CorpusRecord],
    splits: Mapping[str, SplitRow],
    question: str,
) -> StoredGenes | None:
    """Add a gene of each near-copy cluster to the encoder's memory; None where it has none.

    The text of a gene is its answer to ``question``; genes without one are not stored.
    """
    reader: Any = processor.reader
    if reader.memory is None:
        return None
    chosen: dict[int, CorpusRecord] = {}
    for record in records:
        if record.question == question and record.informative:
            chosen.setdefault(splits[record.sha256].near_copy, record)
    genes = list(chosen.values())
    known = near_copies(reader.memory, {r.sha256: r.sequence_record() for r in records})
    numbers = reader.remember(
        encoder,
        processor.tokenizer,
        [gene.sequence_record() for gene in genes],
        [gene.answer for gene in genes],
    )
    return StoredGenes([splits[gene.sha256] for gene in genes], numbers.start, known)


def near_copies(memory: GeneMemory, records: Mapping[str, SequenceRecord]) -> dict[str, Numbers]:
    """Return the numbers of the stored genes that nearly equal a gene, for each that has any."""
    if not len(memory):
        return {}
    sequences = [record.sequence for record in records.values()]
    is_protein = [record.view == View.CDS for record in records.values()]
    relatives = memory.relatives(sequences, is_protein, LOOKED_AT)
    near = (relatives.genes != NONE) & (relatives.similarity >= NEAR_COPY_SIMILARITY)  # (genes, k)
    pairs = zip(records, relatives.genes.astype(np.int64), near, strict=True)
    return {sha256: genes[which] for sha256, genes, which in pairs if which.any()}
