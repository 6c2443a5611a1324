"""Which genes share a batch, and which shard describes which gene.

Batches follow what a gene takes of the memory, which the model knows; shards what it takes of
the time, which grows with its length whatever the model.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from genescribe.errors import InputError
from genescribe.records import SequenceRecord

TEXT_COST = 128
"""What a gene's prompt and its longest text take of the time, in tokens; most of it for short
genes."""


MAX_PADDING = 2
"""The widest row of a batch over its narrowest, at most: more padding would cost more time than
a batch of its own."""


def gene_cost(length: int) -> int:
    """Return how long a gene of ``length`` nt takes, in tokens.

    One codon counts as one token: exact for codon and residue encoders, a little high for
    byte-pair encodings (about 5 nt a token, DNABERT-2 paper), a third for per-base encoders.
    Only ratios between genes matter here.
    """
    return TEXT_COST + length // 3


class TokenBudget:
    """Cut a list of records into batches, longest genes first; halves after out-of-memory.

    Longest first, so that a batch which cannot fit shows in the first minute of a run. By a
    gene's length in nt ``cost`` tells the tokens that it makes a model hold in memory, and
    ``width`` those of its row, which the rows of a batch are padded to; neither falls with it.
    """

    def __init__(
        self,
        records: Sequence[SequenceRecord],
        tokens: int,
        cost: Callable[[int], int],
        width: Callable[[int], int],
    ) -> None:
        self.tokens = tokens
        self._cost, self._width = cost, width
        # gene_id breaks ties, so that the batches do not depend on the order of the input
        self._waiting = deque(
            sorted(records, key=lambda record: (-len(record.sequence), record.gene_id))
        )

    def __iter__(self) -> Iterator[list[SequenceRecord]]:
        while self._waiting:
            batch = [self._waiting.popleft()]
            longest = len(batch[0].sequence)
            room = self.tokens // self._cost(longest)
            narrowest = self._width(longest) / MAX_PADDING
            while (
                len(batch) < room
                and self._waiting
                and self._width(len(self._waiting[0].sequence)) >= narrowest
            ):
                batch.append(self._waiting.popleft())
            yield batch

    def halve(self) -> None:
        """Make all later batches half as large."""
        self.tokens = max(1, self.tokens // 2)


def shard_members(lengths: Sequence[int], index: int, total: int) -> list[int]:
    """Return the positions of ``lengths`` that shard ``index`` (1-based) of ``total`` describes.

    Greedy longest-processing-time assignment (Graham 1969, "Bounds on multiprocessing timing
    anomalies"): the most loaded shard is at most 4/3 of the optimum. Every position falls into
    exactly one shard, whatever the number of shards.
    """
    if not 1 <= index <= total:
        raise InputError(f"shard {index}/{total}: give I/N with I from 1 to N")
    loads = [(0, shard) for shard in range(1, total + 1)]
    mine = []
    for position in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        load, shard = loads[0]
        heapq.heapreplace(loads, (load + gene_cost(lengths[position]), shard))
        if shard == index:
            mine.append(position)
    return sorted(mine)
