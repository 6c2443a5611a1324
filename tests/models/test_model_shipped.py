"""The checkpoint that ships: loads, reads the gene, and does not mind its neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from genescribe.corpus.collection import build_corpus
from genescribe.corpus.records import PRODUCT_NAME, CorpusRecord
from genescribe.corpus.sources import Source
from genescribe.models.checkpoint import load
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SequenceChatProcessor
from genescribe.specs.spec import load_spec

KNOWN = "ctrachomatis_pgap_FSW4"
"""Genes that the model remembers, though its weights never saw them."""


@pytest.fixture(scope="module")
def tiny() -> tuple[SequenceChatModel, SequenceChatProcessor]:
    return load(load_spec("tiny"), "cpu", torch.float32)


@pytest.fixture(scope="module")
def genes(test_data: Path) -> list[CorpusRecord]:
    path = test_data / "pairs" / f"{KNOWN}.jsonl.gz"
    records, _ = build_corpus([Source(KNOWN, path)])
    named = [record for record in records if record.question == PRODUCT_NAME]
    return [record for record in named if record.informative][:240]


def texts(model, processor, records, order, size: int) -> list[str]:
    found: dict[int, str] = {}
    for first in range(0, len(order), size):
        chosen = order[first : first + size]
        inputs = processor([records[i] for i in chosen], None)
        written = processor.decode(model.generate(**inputs, max_new_tokens=24))
        found.update(zip(chosen, written, strict=True))
    return [found[i] for i in sorted(found)]


def test_texts_do_not_depend_on_the_batch(tiny, genes: list[CorpusRecord]) -> None:
    records = [gene.sequence_record() for gene in genes]
    in_order = texts(*tiny, records, list(range(len(records))), 64)
    shuffled = np.random.default_rng(0).permutation(len(records)).tolist()
    assert texts(*tiny, records, shuffled, 17) == in_order
    assert texts(*tiny, records, list(range(12)), 1) == in_order[:12]
    assert len(set(in_order)) > len(in_order) / 4


def reference_nats(
    model, processor, genes: list[CorpusRecord], texts: list[str], use_sequence: bool
) -> float:
    """Return the nats per token of ``texts`` given the genes, or given none."""
    ids = processor.tokenizer(
        [text + processor.tokenizer.eos_token for text in texts],
        add_special_tokens=False,
        padding=True,
        padding_side="right",
        return_tensors="pt",
    )["input_ids"]  # (genes, tokens)
    inputs = processor([gene.sequence_record() for gene in genes], None)
    log_probs = model.text_log_probs(model.with_features(inputs, use_sequence), ids)
    return -float(log_probs.sum() / (ids != processor.tokenizer.pad_token_id).sum())


def test_the_sequence_supports_the_texts(tiny, genes: list[CorpusRecord]) -> None:
    texts = [gene.answer for gene in genes]
    own = reference_nats(*tiny, genes, texts, True)
    none = reference_nats(*tiny, genes, texts, False)
    other = reference_nats(*tiny, genes[1:] + genes[:1], texts, True)
    assert own < none
    assert own < other - 0.2
