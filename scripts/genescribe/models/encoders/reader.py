"""What every kind of encoder tells processors, models, training and the estimate of memory.

An encoder is three classes in one file: its configuration, its module, and a reader, which knows
how genes get into the module. ``genescribe.models.encoders.register`` makes them known.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.gene_memory import GeneMemory
from genescribe.records import SequenceRecord


class Reading(NamedTuple):
    """What an encoder gets of one gene: inputs by name, which for a batch are put end to end, and
    the number of vectors that become of them."""

    inputs: dict[str, Tensor]
    num_vectors: int


class Stored(NamedTuple):
    """What an encoder holds beside parameters: genes; bytes of their k-mers and texts."""

    genes: int
    bytes: int


NOTHING_STORED = Stored(0, 0)


class SequenceReader:
    """How genes get into one kind of encoder: from records to inputs, from inputs to vectors.

    What stands here serves encoders that by themselves make ``num_slots`` vectors of their
    configuration of any gene: ``encoder(**inputs)`` is (batch, slots, hidden_size).
    """

    files: tuple[str, ...] = ()
    """Names of files that lie beside the weights of such an encoder, where it needs them."""

    memory: GeneMemory | None = None
    """The stored genes that the encoder looks genes up in, once they are loaded."""

    def __init__(self, config: SequenceChatConfig) -> None:
        self.config = config

    def load(self, folder: Path, encoder: Any) -> None:
        """Get ready to read: take what lies in ``folder`` and what the loaded ``encoder`` holds."""

    def check(self, record: SequenceRecord) -> None:
        """Raise InputError, naming the gene, for one that cannot be read."""

    def read(self, record: SequenceRecord, left_out: NDArray[np.integer] | None = None) -> Reading:
        """Return what the encoder gets of a gene; raises as ``check`` does.

        ``left_out`` are numbers of stored genes that must not be found.
        """
        raise NotImplementedError

    def encode(self, model: Any, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the vectors of a batch of genes, (total, hidden_size), and their counts, (batch,).

        ``model`` is the ``SequenceChatModel`` whose encoder it is.
        """
        slots = model.encoder(**inputs)  # (B, slots, D)
        counts = torch.full((len(slots),), slots.shape[1], device=slots.device)  # (B,)
        return slots.flatten(0, 1), counts

    def expected_vectors(self, _length: int) -> int:
        """Return about how many vectors become of a gene of ``length`` nt, before it is read."""
        return int(self.config.encoder_config.num_slots)

    def evidence(self, _record: SequenceRecord) -> list[tuple[list[int], float]]:
        """Return token ids of the texts of stored genes that are read of a gene, the most similar
        first, each with its similarity, 0 to 1."""
        return []

    @property
    def stored(self) -> Stored:
        """What comes with the weights beside parameters, as integers whatever the dtype."""
        return NOTHING_STORED

    @property
    def working_numbers(self) -> int:
        """How many numbers the encoder holds while it reads, however many genes there are."""
        return 0

    @property
    def head_parameters(self) -> int:
        """The size of the head that published counts include and that is not loaded here."""
        return 0
