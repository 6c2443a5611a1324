"""The Describer: sequences in, one description per gene out, in the same order."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import torch

from genescribe.errors import InputError, Remedy
from genescribe.inference.batching import Batching
from genescribe.inference.cache import Cache, Generation, NoCache
from genescribe.inference.params import DescribeParams
from genescribe.inference.settings import SHIPPED_MODEL
from genescribe.inference.writer import Writer
from genescribe.models.checkpoint import load
from genescribe.records import Description, Progress, Reason, SequenceRecord, Status
from genescribe.specs.spec import ModelSpec, load_spec


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
        model: str | Path | ModelSpec = SHIPPED_MODEL,
        *,
        device: str = "auto",
        dtype: torch.dtype | Literal["auto"] = "auto",
        cache: Cache | None = None,
    ) -> None:
        self.spec = model if isinstance(model, ModelSpec) else load_spec(model)
        self.device = pick_device(device)
        number = getattr(torch, self.spec.dtype[self.device]) if dtype == "auto" else dtype
        self.model, self.processor = load(self.spec, device=self.device, dtype=number)
        self.writer = Writer(self.spec, self.device, self.model, self.processor)
        self.batching = Batching(self.writer, cache or NoCache())

    @property
    def computed(self) -> int:
        """How many texts were computed, not found in the cache."""
        return self.batching.computed

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

        Raises InputError, naming the gene, for one that the model cannot read, before anything is
        computed.
        """
        found = self.batching.generations(records, params or DescribeParams(), progress, cancel)
        for batch in found:
            yield [described(self.spec, one.record, one.generation) for one in batch]


def described(
    spec: ModelSpec, record: SequenceRecord, generation: Generation | None
) -> Description:
    """Give what a model wrote (None: the gene did not fit into memory) a status and its reason."""
    model, prompt = spec.identity, spec.prompt_id
    if generation is None:
        return Description.failed(record, Reason.OUT_OF_MEMORY, model, prompt)
    score = _score(spec, generation)
    status, reason = Status.UNCERTAIN, Reason.NONE
    if not generation.text:
        status, reason = Status.FAILED, Reason.EMPTY_TEXT
    elif generation.lift < spec.min_lift:
        reason = Reason.LOW_LIFT
    elif score < spec.min_score:
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
        calibrated=spec.calibration is not None,
    )


def _score(spec: ModelSpec, generation: Generation) -> float:
    """Return the calibrated probability that a text is right; exp(mean log p) without."""
    if spec.calibration is None:
        return math.exp(generation.log_prob)
    return spec.calibration.probability(generation.log_prob, generation.lift)


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
