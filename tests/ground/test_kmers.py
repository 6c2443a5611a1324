"""K-mers: their numbers, and ambiguity."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genescribe.kmers import KmerIndex, Seed, distinct_kmers, packed_kmers
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


@given(st.text("ACGTN", max_size=60))
def test_distinct_kmers_ascend(sequence: str) -> None:
    seed = Seed((0, 1), 4)
    letters = nucleotide_codes(sequence)
    expected = sorted(set(packed_kmers(letters, seed)[0].tolist()))
    assert distinct_kmers(letters, seed).tolist() == expected
    assert not expected or expected[-1] < seed.num_codes == 16


kmer_sets = st.lists(st.sets(st.integers(0, 9)), max_size=6)


@given(kmer_sets, st.integers(0, 6), st.sets(st.integers(0, 9)), st.integers(1, 4))
def test_index_finds_what_sets_share(
    stored: list[set[int]], cut: int, query: set[int], most: int
) -> None:
    arrays = [np.array(sorted(own), dtype=np.int64) for own in stored]
    index = KmerIndex.build(arrays[:cut], 10, most).extend(arrays[cut:])
    having = {kmer: [n for n, own in enumerate(stored) if kmer in own] for kmer in sorted(query)}
    counted = [own for own in having.values() if len(own) <= most]
    hits, sizes = index.find(np.array(sorted(query), dtype=np.int64))
    assert hits.tolist() == [number for own in counted for number in own]
    assert sizes.tolist() == [len(own) for own in counted]
    whole = KmerIndex.build(arrays, 10)
    hits, _ = whole.find(np.array(sorted(query), dtype=np.int64))
    assert whole.count(hits).tolist() == [len(own & query) for own in stored]
