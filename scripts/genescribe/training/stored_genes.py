"""Filling a model's gene memory from the training side, and hiding a gene's own relatives in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genescribe.corpus.records import CorpusRecord
from genescribe.corpus.splits import SplitRow
from genescribe.models.encoders import GeneMemoryEncoder
from genescribe.models.processing import SequenceChatProcessor
from genescribe.models.remember import remember
from genescribe.training.examples import Example


class StoredGenes:
    """Which stored genes are near copies, or of the family, of which training genes."""

    def __init__(self, rows: Sequence[SplitRow], first: int) -> None:
        """``rows`` are those of the stored genes, of which the first has the number ``first``."""
        near_copies: dict[int, list[int]] = defaultdict(list)
        families: dict[int, list[int]] = defaultdict(list)
        for number, row in enumerate(rows, start=first):
            near_copies[row.near_copy].append(number)
            families[row.family].append(number)
        self._near_copies, self._families = near_copies, families

    def left_out(self, example: Example, without_family: bool) -> NDArray[np.int64]:
        """Return the numbers of stored genes that a training gene must not find."""
        if without_family:
            return np.array(self._families.get(example.family, []), dtype=np.int64)
        return np.array(self._near_copies.get(example.near_copy, []), dtype=np.int64)


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
    if not isinstance(encoder, GeneMemoryEncoder):
        return None
    chosen: dict[int, CorpusRecord] = {}
    for record in records:
        if record.question == question and record.informative:
            chosen.setdefault(splits[record.sha256].near_copy, record)
    genes = list(chosen.values())
    numbers = remember(
        encoder,
        processor,
        [gene.sequence_record() for gene in genes],
        [gene.answer for gene in genes],
    )
    return StoredGenes([splits[gene.sha256] for gene in genes], numbers.start)
