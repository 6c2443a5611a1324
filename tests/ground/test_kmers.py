"""K-mers: genetic codes, and ambiguity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genescribe.kmers import (
    RESIDUES,
    Seed,
    nucleotide_codes,
    packed_kmers,
    translate,
)


def residues(sequence: str) -> str:
    return "".join("?" if code == 255 else RESIDUES[code] for code in translate(sequence))


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
