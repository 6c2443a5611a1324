"""K-mers: their numbers, and ambiguity."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from genescribe.kmers import Seed, packed_kmers
from genescribe.nucleotides import nucleotide_codes


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
