"""A new encoder takes one file and one registration: this one stands in ``tests/support``."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genescribe.inference.describer import Describer
from genescribe.models.checkpoint import load
from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.encoders import make_reader
from genescribe.models.footprint import needs_of
from genescribe.models.modeling import SequenceChatModel
from genescribe.specs.spec import load_spec
from genescribe.training.train import train
from support.kmer_bag import (
    NUCLEOTIDE_SEEDS,
    PROTEIN_SEEDS,
    KmerBagConfig,
    KmerBagEncoder,
    KmerBagReader,
    hash_rows,
    kmer_bag,
)
from support.toy_training import stage, toy_inputs, toy_records


def test_it_goes_all_the_way(tmp_path: Path) -> None:
    """Training (processing, saving), the estimate of memory, loading, describing."""
    inputs = toy_inputs(tmp_path, stages=[stage(steps=4)], genes=20)
    train(inputs, tmp_path / "work", tmp_path / "model", device="cpu")
    spec = load_spec(str(tmp_path / "model"))
    needs = needs_of(spec)
    model, processor = load(spec, "cpu", torch.float32)
    assert isinstance(model.encoder, KmerBagEncoder)
    assert isinstance(processor.reader, KmerBagReader)
    assert needs.loaded.encoder == sum(p.numel() for p in model.encoder.parameters())
    assert needs.published == needs.loaded
    assert needs.stored == (0, 0)
    assert needs.encoding("float32") == 0
    genes = [record.sequence_record() for record in toy_records(4, seed=5)[::2]]
    rows = list(Describer(spec, device="cpu").describe(genes))
    assert [row.gene_id for row in rows] == [gene.gene_id for gene in genes]
    inputs = processor(genes)
    places = model.placeholders(inputs["input_ids"]).sum(1).tolist()
    assert places == [model.config.encoder_config.num_slots] * 4
    assert processor.expected_tokens(900) == places[0]
    assert processor.evidence(genes[0]) == []


def test_no_other_file_tells_encoders_apart(root: Path) -> None:
    """Those that convert published weights build configurations, and ask of none what it is."""
    library, kinds, asked = root / "scripts" / "genescribe", set(), {}
    for path in library.rglob("*.py"):
        tree = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        if path.parent == library / "models" / "encoders":
            kinds |= {node.name for node in tree if isinstance(node, ast.ClassDef)}
            continue
        calls = [node for node in tree if isinstance(node, ast.Call)]
        asked[path] = {
            name.id
            for call in calls
            if isinstance(call.func, ast.Name) and call.func.id in ("isinstance", "issubclass")
            for name in ast.walk(call)
            if isinstance(name, ast.Name)
        }
    assert {"GeneMemoryEncoder", "GeneMemoryConfig", "RelativesReader", "TokenReader"} <= kinds
    assert not {path: names & kinds for path, names in asked.items() if names & kinds}


def test_nothing_of_it_stands_in_the_library(root: Path) -> None:
    texts = {path: path.read_text("utf-8") for path in (root / "scripts").rglob("*.py")}
    assert not [path for path, text in texts.items() if "kmer_bag" in text or "KmerBag" in text]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "encoder_config is missing; say by its model_type which encoder it is"),
        (
            {"encoder_config": {"hidden_size": 8}},
            "Cannot resolve `encoder_config`: no `model_type`",
        ),
        ({"encoder_config": {"model_type": "esm"}}, "a esm, which reads tokens; say sequence_tok"),
    ],
)
def test_a_configuration_says_which_encoder(config: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SequenceChatModel(SequenceChatConfig(**config))


def test_the_batch_is_the_genes_end_to_end() -> None:
    reader = make_reader(SequenceChatConfig(encoder_config=KmerBagConfig(windows=3)))
    genes = [record.sequence_record() for record in toy_records(2)[::2]]
    readings = [reader.read(gene) for gene in genes]
    assert [reading.inputs["counts"].shape for reading in readings] == [(3,), (3,)]
    assert readings[0].inputs["rows"].shape == (int(readings[0].inputs["counts"].sum()),)


# ---- the k-mers


def splitmix64(value: int) -> int:
    """The published finaliser in Python's own integers, one number at a time."""
    mask = (1 << 64) - 1
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return value ^ (value >> 31)


@given(st.lists(st.integers(0, 2**40), min_size=1), st.integers(0, 5), st.integers(1, 31))
def test_hash_is_splitmix64(codes: list[int], seed: int, bits: int) -> None:
    expected = [
        splitmix64((code + (seed + 1) * 0x9E3779B97F4A7C15) % 2**64) >> (64 - bits)
        for code in codes
    ]
    assert hash_rows(np.array(codes, dtype=np.uint64), seed, bits).tolist() == expected


def test_hash_has_not_changed() -> None:
    """Shipped weights depend on these numbers: they may never change."""
    assert hash_rows(np.arange(4, dtype=np.uint64), 0, 17).tolist() == GOLDEN_HASH
    bag = kmer_bag("ATGGCTAAACGTTGGGATGAACATCTTTAA", is_protein=True, windows=2, table_bits=17)
    assert bag.rows[:4].tolist() == GOLDEN_ROWS
    assert bag.windows.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]


GOLDEN_HASH = [115777, 74260, 77488, 14870]
GOLDEN_ROWS = [59472, 64856, 47888, 121347]


def test_short_or_ambiguous_genes_give_an_empty_bag() -> None:
    for sequence in ("", "A", "N" * 500):
        for is_protein in (True, False):
            bag = kmer_bag(sequence, is_protein=is_protein, windows=6, table_bits=17)
            assert len(bag.rows) == len(bag.windows) == 0


@given(st.text("ACGT", min_size=40, max_size=400), st.booleans())
def test_bag_has_one_row_for_each_kmer(sequence: str, is_protein: bool) -> None:
    bag = kmer_bag(sequence, is_protein=is_protein, windows=6, table_bits=10)
    seeds = PROTEIN_SEEDS if is_protein else NUCLEOTIDE_SEEDS
    letters = bag.length
    most = sum(max(0, letters - seed.offsets[-1]) for seed in seeds)
    assert len(bag.rows) <= most
    if not is_protein:
        assert len(bag.rows) == most
    assert ((bag.rows >= 0) & (bag.rows < 2**10)).all()
    assert ((bag.windows >= 0) & (bag.windows < 6)).all()
