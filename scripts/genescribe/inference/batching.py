"""Genes in batches that fill the memory and no more, each text paid for once."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import torch

from genescribe.errors import Cancelled
from genescribe.inference.cache import Cache, Generation
from genescribe.inference.params import DescribeParams
from genescribe.inference.scheduling import TokenBudget
from genescribe.inference.writer import Writer
from genescribe.models.footprint import Needs, free_memory, needs_of, precision
from genescribe.records import Progress, SequenceRecord

log = logging.getLogger(__name__)

BATCH_TOKENS = {"cpu": 1 << 13, "cuda": 1 << 18}
"""Tokens per batch at most: more would not make it faster, on a CPU even slower, since a batch
takes as many steps as its longest text, and leaves the caches. Where this is too much for the
memory the batches are smaller, and out-of-memory halves them, so this only sets the pace."""

PROMPT_TOKENS = 64
"""What the words of a prompt usually take; only the size of batches hangs on it."""


class Generated(NamedTuple):
    """What the model gave for ``records[place]``; ``record`` is as much of it as the model read.

    ``generation`` is None for a gene that did not fit into memory.
    """

    place: int
    record: SequenceRecord
    generation: Generation | None


class Batching:
    """Has a model write about any number of genes; ``computed`` counts the texts it wrote."""

    def __init__(self, writer: Writer, cache: Cache) -> None:
        self.writer, self.cache = writer, cache
        self.computed = 0

    def generations(
        self,
        records: Sequence[SequenceRecord],
        params: DescribeParams,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[list[Generated]]:
        """Yield what the model gave, batch by batch, in no particular order.

        Records that ask for the very same thing are computed once; what the cache knows is not
        computed at all. Raises InputError, naming the gene, for one that cannot be read, before
        anything is computed, and Cancelled between two batches once ``cancel`` is set.
        """
        same: dict[str, list[tuple[int, SequenceRecord]]] = defaultdict(list)
        for place, record in enumerate(records):
            self.writer.processor.check(record)
            fitting = self.writer.context.fitting(record, params)
            same[self.writer.key(fitting, params)].append((place, fitting))
        distinct = {key: group[0][1] for key, group in same.items()}
        done = 0
        for batch in self._by_key(distinct, params, cancel):
            found = [
                Generated(place, record, generation)
                for key, generation in batch.items()
                for place, record in same[key]
            ]
            done += len(found)
            if progress:
                progress(done, len(records))
            yield found

    def budget(self, records: Sequence[SequenceRecord], params: DescribeParams) -> TokenBudget:
        """Cut records into batches that fill the memory which is free now."""
        tokens = params.batch_tokens or self._batch_tokens()
        return TokenBudget(records, tokens, self.cost, self._width)

    def cost(self, length: int) -> int:
        """Return the tokens that a gene of ``length`` nt makes the model hold in memory."""
        beams = int(self.writer.spec.generation.get("num_beams", 1))
        return self._width(length) * beams

    def _by_key(
        self,
        distinct: Mapping[str, SequenceRecord],
        params: DescribeParams,
        cancel: threading.Event | None,
    ) -> Iterator[dict[str, Generation | None]]:
        """Yield key -> generation: first all that the cache knows, then computed batches."""
        keys = {id(record): key for key, record in distinct.items()}
        known = {key: hit for key in distinct if (hit := self.cache.get(key)) is not None}
        if known:
            log.info("%d of %d texts come from the cache", len(known), len(distinct))
            yield dict(known)
        budget = self.budget([r for key, r in distinct.items() if key not in known], params)
        for batch in budget:
            if cancel is not None and cancel.is_set():
                raise Cancelled("stopped as asked; what was finished is kept")
            values = self._write(batch, params, budget)
            result = {keys[id(r)]: value for r, value in zip(batch, values, strict=True)}
            self.cache.put({key: value for key, value in result.items() if value is not None})
            yield result

    def _write(
        self, batch: Sequence[SequenceRecord], params: DescribeParams, budget: TokenBudget
    ) -> list[Generation | None]:
        """Write one batch; on out-of-memory halve it, down to single genes, and go on."""
        try:
            values = self.writer.write(batch, params)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            self.computed += len(batch)
            return list(values)
        # outside the except block: the traceback would keep the tensors of the failed try
        if self.writer.device == "cuda":
            torch.cuda.empty_cache()
        if len(batch) == 1:
            log.warning("%s: does not fit in memory even alone", batch[0].gene_id)
            return [None]
        budget.halve()
        half = len(batch) // 2
        log.warning("out of memory with %d genes, going on with %d at a time", len(batch), half)
        return [
            *self._write(batch[:half], params, budget),
            *self._write(batch[half:], params, budget),
        ]

    def _width(self, length: int) -> int:
        """Return the tokens of prompt and text of a gene of ``length`` nt."""
        written = PROMPT_TOKENS + int(self.writer.spec.generation["max_new_tokens"])
        gene: int = self.writer.processor.expected_tokens(length)
        return written + gene

    @cached_property
    def _needs(self) -> Needs:
        return needs_of(self.writer.spec)

    def _batch_tokens(self) -> int:
        """Return the tokens of a batch that fills the memory which is free now."""
        spec, device = self.writer.spec, self.writer.device
        needs, name = self._needs, precision(spec, self.writer.model.dtype)
        genes = needs.genes(free_memory(device) + needs.weights(name), name)
        return min(BATCH_TOKENS[device], max(1, genes) * self.cost(spec.max_length))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell out-of-memory from other errors; the CPU allocator raises a plain RuntimeError."""
    return isinstance(
        error, (torch.OutOfMemoryError, MemoryError)
    ) or "DefaultCPUAllocator: can't allocate memory" in str(error)
