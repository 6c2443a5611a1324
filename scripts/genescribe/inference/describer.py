"""The Describer: sequences in, one description per gene out, in the same order."""

from __future__ import annotations

import logging
import math
import random
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch

from genescribe.errors import Cancelled, InputError, Remedy
from genescribe.inference.cache import Cache, Generation, NoCache, cache_key
from genescribe.inference.context import fitting_record
from genescribe.inference.scheduling import TokenBudget
from genescribe.models.checkpoint import load
from genescribe.models.footprint import Needs, free_memory, needs_of, precision
from genescribe.records import (
    Description,
    Progress,
    Reason,
    SequenceRecord,
    Status,
    sequence_sha256,
)
from genescribe.specs.prompts import Turn
from genescribe.specs.spec import ModelSpec, load_spec

log = logging.getLogger(__name__)

BATCH_TOKENS = {"cpu": 1 << 13, "cuda": 1 << 18}
"""Tokens per batch at most: more would not make it faster, on a CPU even slower, since a batch
takes as many steps as its longest text, and leaves the caches. Where this is too much for the
memory the batches are smaller, and out-of-memory halves them, so this only sets the pace."""

PROMPT_TOKENS = 64
"""What the words of a prompt usually take; only the size of batches hangs on it."""


@dataclass(frozen=True, kw_only=True)
class DescribeParams:
    """What a caller may choose per run; everything else that decides a text is in the spec.

    ``question`` replaces the spec's; ``history`` are earlier turns about the same gene, and
    ``context`` what else the asker tells of it. Without ``use_sequence`` the model writes from
    what the spec calls "no sequence": what it says out of habit.
    """

    organism: str | None = None
    question: str = ""
    history: tuple[Turn, ...] = ()
    context: str = ""
    use_sequence: bool = True
    batch_tokens: int | None = None


class Generated(NamedTuple):
    """What the model gave for ``records[place]``; ``record`` is as much of it as the model read.

    ``generation`` is None for a gene that did not fit into memory.
    """

    place: int
    record: SequenceRecord
    generation: Generation | None


class Describer:
    """Describe genes with one model, without sampling: the same input gives the same text.

    ``device`` is ``auto`` (CUDA if there is one), ``cpu`` or ``cuda``; weights are computed with
    in ``dtype``, whatever they are stored in, ``auto`` being what the spec says for the device.
    Raises UnknownModelError, CheckpointError, and InputError where CUDA is asked for and absent.

    >>> import genescribe
    >>> from genescribe.artifacts.sequences import read_sequences
    >>> records = list(read_sequences(Path("results/sequences.fa.gz")))  # written by annotate
    >>> describer = genescribe.Describer("tiny", device="cpu")
    >>> [description.text for description in describer.describe(records[:2])]
    ['Histone H3', 'Histone H4']
    """

    def __init__(
        self,
        model: str | Path | ModelSpec = "tiny",
        *,
        device: str = "auto",
        dtype: torch.dtype | Literal["auto"] = "auto",
        seed: int = 0,
        cache: Cache | None = None,
    ) -> None:
        self.spec = model if isinstance(model, ModelSpec) else load_spec(model)
        self.device = pick_device(device)
        torch.manual_seed(seed)
        self.cache = cache or NoCache()
        number = getattr(torch, self.spec.dtype[self.device]) if dtype == "auto" else dtype
        self.model, self.processor = load(self.spec, device=self.device, dtype=number)
        self.dtype = str(self.model.dtype).removeprefix("torch.")
        self.computed = 0

    def describe(
        self,
        records: Sequence[SequenceRecord],
        params: DescribeParams | None = None,
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[Description]:
        """Yield one description per record, in input order.

        Raises Cancelled between two batches once ``cancel`` is set.
        """
        finished: dict[str, Description] = {}
        waiting = iter(records)
        gene_id = next(waiting).gene_id if records else None
        for batch in self.batches(records, params, progress=progress, cancel=cancel):
            finished.update((row.gene_id, row) for row in batch)
            while gene_id is not None and gene_id in finished:
                yield finished.pop(gene_id)
                gene_id = next((record.gene_id for record in waiting), None)

    def batches(
        self,
        records: Sequence[SequenceRecord],
        params: DescribeParams | None = None,
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[list[Description]]:
        """Yield descriptions batch by batch, as they are finished, in no particular order.

        Records that ask the model for the very same thing are computed once; what the cache
        knows is not computed at all. Raises InputError, naming the gene, for one that the model
        cannot read, before anything is computed.
        """
        for batch in self.generations(records, params, progress=progress, cancel=cancel):
            yield [self.judge(found.record, found.generation) for found in batch]

    def generations(
        self,
        records: Sequence[SequenceRecord],
        params: DescribeParams | None = None,
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[list[Generated]]:
        """Yield what ``batches`` does, before it is judged."""
        params = params or DescribeParams()
        same: dict[str, list[tuple[int, SequenceRecord]]] = defaultdict(list)
        for index, record in enumerate(records):
            self.processor.check(record)
            fitting = self.fitting(record, params)
            same[self.key(fitting, params)].append((index, fitting))
        done = 0
        for batch in self._generations({k: g[0][1] for k, g in same.items()}, params, cancel):
            found = [
                Generated(index, record, value)
                for key, value in batch.items()
                for index, record in same[key]
            ]
            done += len(found)
            if progress:
                progress(done, len(records))
            yield found

    def key(self, record: SequenceRecord, params: DescribeParams) -> str:
        """Return the identity of the text that would be written: equal keys, equal texts."""
        return cache_key(
            {
                "sequence": record.sha256,
                "view": record.view,
                "biotype": record.biotype,
                "organism": params.organism,
                "question": self._question(params),
                "context": params.context,
                "history": params.history,
                "weights": self.spec.sha256,
                "config": self.spec.config,
                "prompt": self.spec.prompt.model_dump(),
                "generation": dict(self.spec.generation),
                "no_sequence": self.spec.no_sequence,
                "dtype": self.dtype,
                "quantisation": self.spec.quantisation,
                # named only where it is off, so that caches of older versions stay valid
                **({} if params.use_sequence else {"use_sequence": False}),
            }
        )

    def budget(self, records: Sequence[SequenceRecord], params: DescribeParams) -> TokenBudget:
        """Cut records into batches that fill the memory which is free now."""
        tokens = params.batch_tokens or self._batch_tokens()
        return TokenBudget(records, tokens, self._cost, self._width)

    @property
    def max_prompt_tokens(self) -> int:
        """How many tokens a prompt may have, the gene's included, beside the longest text."""
        context: int = self.model.language_model.config.get_text_config().max_position_embeddings
        return context - int(self.spec.generation["max_new_tokens"])

    def prompt_tokens(self, record: SequenceRecord, params: DescribeParams) -> int:
        """Return the tokens of a gene's prompt, whether there is room for them or not."""
        return self.processor.prompt_tokens(record, **self._asked(params))

    def judge(self, record: SequenceRecord, generation: Generation | None) -> Description:
        """Turn what the model gave (None: it did not fit) into a status with its reason."""
        model, prompt = self.spec.identity, self.spec.prompt_id
        if generation is None:
            return Description.failed(record, Reason.OUT_OF_MEMORY, model, prompt)
        score = self._score(generation)
        status, reason = Status.UNCERTAIN, Reason.NONE
        if not generation.text:
            status, reason = Status.FAILED, Reason.EMPTY_TEXT
        elif generation.lift < self.spec.min_lift:
            reason = Reason.LOW_LIFT
        elif score < self.spec.min_score:
            reason = Reason.LOW_SCORE
        else:
            status = Status.DESCRIBED
        return Description(
            gene_id=record.gene_id,
            text=generation.text,
            status=status,
            reason=reason,
            score=round(score, 4),
            lift=round(generation.lift, 4),
            n_tokens=generation.n_tokens,
            model=model,
            prompt=prompt,
            truncated=record.truncated,
            calibrated=self.spec.calibration is not None,
        )

    def _generations(
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
            values = self._generate(batch, params, budget)
            result = {keys[id(r)]: value for r, value in zip(batch, values, strict=True)}
            self.cache.put({key: value for key, value in result.items() if value is not None})
            yield result

    def _generate(
        self, batch: Sequence[SequenceRecord], params: DescribeParams, budget: TokenBudget
    ) -> list[Generation | None]:
        """Run one batch; on out-of-memory halve it, down to single genes, and go on."""
        try:
            values = self._forward(batch, params)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            self.computed += len(batch)
            return list(values)
        # outside the except block: the traceback would keep the tensors of the failed try
        if self.device == "cuda":
            torch.cuda.empty_cache()
        if len(batch) == 1:
            log.warning("%s: does not fit in memory even alone", batch[0].gene_id)
            return [None]
        budget.halve()
        half = len(batch) // 2
        log.warning("out of memory with %d genes, going on with %d at a time", len(batch), half)
        return [
            *self._generate(batch[:half], params, budget),
            *self._generate(batch[half:], params, budget),
        ]

    @torch.inference_mode()
    def _forward(self, batch: Sequence[SequenceRecord], params: DescribeParams) -> list[Generation]:
        """Write the texts of a batch, then read them again with and without the sequence."""
        settings = dict(self.spec.generation)
        stop = settings.pop("stop", [])
        if stop:
            settings.update(stop_strings=stop, tokenizer=self.processor.tokenizer)
        shuffle = self.spec.no_sequence == "shuffled"
        others = [self.fitting(shuffled(r), params) for r in batch] if shuffle else batch
        shown = batch if params.use_sequence else others
        use_sequence = params.use_sequence or shuffle
        inputs = self.model.with_features(self.inputs(shown, params), use_sequence)
        text_ids = self.model.generate(**inputs, **settings)  # (batch, text tokens)
        texts, mask = self.processor.read(text_ids, self.model.text_mask(text_ids), stop)
        given = self.model.text_log_probs(inputs, text_ids, True, mask)  # (batch, text tokens)
        if shuffle:
            inputs = self.inputs(others, params)
        without = self.model.text_log_probs(inputs, text_ids, shuffle, mask)
        n_tokens = mask.sum(dim=1)  # (batch,)
        means = [
            (log_probs.double() * mask).sum(dim=1) / n_tokens.clamp(min=1)  # (batch,)
            for log_probs in (given, without)
        ]
        return [
            Generation(*values)
            for values in zip(
                texts,
                means[0].tolist(),
                (means[0] - means[1]).tolist(),
                n_tokens.tolist(),
                strict=True,
            )
        ]

    def inputs(self, records: Sequence[SequenceRecord], params: DescribeParams) -> Any:
        """Return the processor's inputs for a batch, on the model's device."""
        return self.processor(records, **self._asked(params)).to(self.device)

    def _asked(self, params: DescribeParams) -> dict[str, Any]:
        return {
            "organism": params.organism,
            "question": self._question(params),
            "history": params.history,
            "context": params.context,
        }

    def _question(self, params: DescribeParams) -> str:
        return params.question or self.spec.question or ""

    def fitting(self, record: SequenceRecord, params: DescribeParams) -> SequenceRecord:
        """Return the gene, cut where it does not fit into the language model's context."""
        words = self.processor.text_tokens(record.biotype, **self._asked(params))
        gene = self.processor.expected_tokens(len(record.sequence))
        if words + gene <= self.max_prompt_tokens:
            return record  # the usual case, told without tokenising the gene
        return fitting_record(self, record, params)

    def _score(self, generation: Generation) -> float:
        """Return the calibrated probability that a text is right; exp(mean log p) without."""
        if self.spec.calibration is None:
            return math.exp(generation.log_prob)
        return self.spec.calibration.probability(generation.log_prob, generation.lift)

    def _width(self, length: int) -> int:
        """Return the tokens of prompt and text of a gene of ``length`` nt."""
        written = PROMPT_TOKENS + int(self.spec.generation["max_new_tokens"])
        return written + self.processor.expected_tokens(length)

    def _cost(self, length: int) -> int:
        """Return the tokens that a gene of ``length`` nt makes the model hold in memory."""
        beams = int(self.spec.generation.get("num_beams", 1))
        return self._width(length) * beams + self.processor.encoder_cost(length)

    @cached_property
    def _needs(self) -> Needs:
        return needs_of(self.spec)

    def _batch_tokens(self) -> int:
        """Return the tokens of a batch that fills the memory which is free now."""
        needs, name = self._needs, precision(self.spec, self.model.dtype)
        genes = needs.genes(free_memory(self.device) + needs.weights(name), name)
        return min(BATCH_TOKENS[self.device], max(1, genes) * self._cost(self.spec.max_length))


def shuffled(record: SequenceRecord) -> SequenceRecord:
    """Return a gene with its letters in another order, always the same for the same sequence."""
    letters = list(record.sequence)
    random.Random(record.sha256).shuffle(letters)
    sequence = "".join(letters)
    return replace(record, sequence=sequence, sha256=sequence_sha256(sequence))


def pick_device(device: str) -> str:
    """Return ``cpu`` or ``cuda`` for ``auto``, ``cpu`` or ``cuda``; InputError if not there."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "device cuda: torch sees none here; install the CUDA build of torch and check "
            "nvidia-smi",
            Remedy.USE_CPU,
        )
    return device


def is_out_of_memory(error: BaseException) -> bool:
    """Tell out-of-memory from other errors; the CPU allocator raises a plain RuntimeError."""
    return isinstance(
        error, (torch.OutOfMemoryError, MemoryError)
    ) or "DefaultCPUAllocator: can't allocate memory" in str(error)
