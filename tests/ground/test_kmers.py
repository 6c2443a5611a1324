"""Hashed k-mers: fixed values, genetic codes, ambiguity, windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genescribe.kmers import (
    NUCLEOTIDE_SEEDS,
    RESIDUE_SEEDS,
    RESIDUES,
    Seed,
    hash_rows,
    kmer_bag,
    nucleotide_codes,
    packed_kmers,
    translate,
)


def residues(sequence: str) -> str:
    return "".join("?" if code == 255 else RESIDUES[code] for code in translate(sequence))


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


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("ATGAAATAA", "MK"),
        ("ATGAAATGA", "MK"),  # a final TGA is a stop ...
        ("ATGTGAAAATAG", "MWK"),  # ... and one inside is read as W
        ("ATGTAAAAATAG", "M?K"),
        ("ATGNNNAAA", "M?K"),
        ("ATGAAAG", "MK"),  # an unfinished codon is left out
        ("AT", ""),
        ("", ""),
    ],
)
def test_translate(sequence: str, expected: str) -> None:
    assert residues(sequence) == expected


def test_translation_agrees_with_biopythons_table() -> None:
    data = pytest.importorskip("Bio.Data.CodonTable")
    table = data.unambiguous_dna_by_id[4]  # TGA is W there
    for codon, residue in table.forward_table.items():
        assert residues(codon + "AAA") == residue + "K"


@given(st.text("ACGTN", max_size=60))
def test_packed_kmers_are_those_of_a_plain_loop(sequence: str) -> None:
    seed = Seed((0, 2, 3), 4)
    codes, starts = packed_kmers(nucleotide_codes(sequence), seed)
    expected = []
    for start in range(len(sequence) - 3):
        letters = [sequence[start + offset] for offset in seed.offsets]
        if "N" not in letters:
            a, b, c = ("TCAG".index(letter) for letter in letters)
            expected.append((16 * a + 4 * b + c, start))
    assert list(zip(codes.tolist(), starts.tolist(), strict=True)) == expected


def test_short_or_ambiguous_genes_give_an_empty_bag() -> None:
    for sequence in ("", "A", "N" * 500):
        for is_protein in (True, False):
            bag = kmer_bag(sequence, is_protein=is_protein, windows=6, table_bits=17)
            assert len(bag.rows) == len(bag.windows) == 0


@given(st.text("ACGT", min_size=40, max_size=400), st.booleans())
def test_bag_has_one_row_for_each_kmer(sequence: str, is_protein: bool) -> None:
    bag = kmer_bag(sequence, is_protein=is_protein, windows=6, table_bits=10)
    seeds = RESIDUE_SEEDS if is_protein else NUCLEOTIDE_SEEDS
    letters = bag.length
    most = sum(max(0, letters - seed.offsets[-1]) for seed in seeds)
    assert len(bag.rows) <= most
    if not is_protein:
        assert len(bag.rows) == most
    assert ((bag.rows >= 0) & (bag.rows < 2**10)).all()
    assert ((bag.windows >= 0) & (bag.windows < 6)).all()
