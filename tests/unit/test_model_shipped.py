"""The checkpoint that ships: loads, reads the gene, and does not mind its neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from genescribe.models.checkpoint import load
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SequenceChatProcessor
from genescribe.models.spec import load_spec
from genescribe.training.assess import Assessor, swap_sequences
from genescribe.training.config import Source
from genescribe.training.corpus import Pair, read_pairs

NEVER_SEEN = Source("ctrachomatis_pgap_FSW4", "Chlamydia trachomatis", held_out=True)


@pytest.fixture(scope="module")
def tiny() -> tuple[SequenceChatModel, SequenceChatProcessor]:
    return load(load_spec("tiny"), "cpu", torch.float32)


@pytest.fixture(scope="module")
def genes(test_data: Path) -> list[Pair]:
    pairs = read_pairs(test_data / "pairs", [NEVER_SEEN], max_length=12000, max_words=40)
    return pairs[:240]


def texts(model, processor, records, order, size: int) -> list[str]:
    found: dict[int, str] = {}
    for first in range(0, len(order), size):
        chosen = order[first : first + size]
        inputs = processor([records[i] for i in chosen], None)
        written = processor.decode(model.generate(**inputs, max_new_tokens=24))
        found.update(zip(chosen, written, strict=True))
    return [found[i] for i in sorted(found)]


def test_texts_do_not_depend_on_the_batch(tiny, genes: list[Pair]) -> None:
    records = [pair.record for pair in genes]
    in_order = texts(*tiny, records, list(range(len(records))), 64)
    shuffled = np.random.default_rng(0).permutation(len(records)).tolist()
    assert texts(*tiny, records, shuffled, 17) == in_order
    assert texts(*tiny, records, list(range(12)), 1) == in_order[:12]
    assert len(set(in_order)) > len(in_order) / 4


def test_the_sequence_supports_the_texts(tiny, genes: list[Pair]) -> None:
    assessor = Assessor(*tiny, max_new_tokens=24)
    own, none = assessor.reference_nats(genes)
    other, _ = assessor.reference_nats(swap_sequences(genes, np.random.default_rng(0)))
    assert own < none
    assert own < other - 0.2
