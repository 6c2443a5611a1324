"""K-mers of a gene, as numbers, and which of many sequences share them.

A coding sequence is translated in frame and read as residues, everything else as nucleotides.
NumPy only: this module must be usable without torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genescribe.nucleotides import RESIDUES, UNKNOWN, nucleotide_codes, residue_codes

REDUCED_GROUPS = ("LVIM", "C", "A", "G", "ST", "P", "FY", "W", "EDNQ", "KR", "H")
"""Murphy, Wallqvist and Levy (2000, Protein Engineering 13:149), ten letters, W on its own."""

_REDUCED = np.full(256, UNKNOWN, dtype=np.uint8)
for _group, _letters in enumerate(REDUCED_GROUPS):
    for _letter in _letters:
        _REDUCED[RESIDUES.index(_letter)] = _group


class Seed(NamedTuple):
    """One kind of k-mer: the offsets of its letters and the size of their alphabet."""

    offsets: tuple[int, ...]
    alphabet: int
    reduced: bool = False

    @property
    def num_codes(self) -> int:
        """How many different k-mers there are."""
        return int(self.alphabet ** len(self.offsets))


RESIDUE_SEEDS = (
    Seed((0, 1, 2, 3), len(RESIDUES)),
    Seed((0, 1, 3, 4, 7, 9), len(REDUCED_GROUPS), reduced=True),  # spaced: 1101100101
)
"""Exact 4-mers find near relatives, the spaced seed over the reduced alphabet far ones."""

NUCLEOTIDE_SEED = Seed(tuple(range(8)), 4)


def letter_codes(sequence: str, is_protein: bool) -> NDArray[np.uint8]:
    """Return what the k-mers of a gene are made of, (letters,): residues, or nucleotides."""
    return residue_codes(sequence) if is_protein else nucleotide_codes(sequence)


def packed_kmers(
    letters: NDArray[np.uint8], seed: Seed
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the k-mers of one seed as numbers in base ``seed.alphabet``, and where they start.

    Both are (n_kmers,), unsigned and signed 64-bit; k-mers with an unknown letter are left out.
    """
    alphabet = _REDUCED[letters] if seed.reduced else letters
    count = max(0, len(letters) - seed.offsets[-1])
    codes = np.zeros(count, dtype=np.uint64)
    known = np.ones(count, dtype=bool)
    for offset in seed.offsets:
        letter = alphabet[offset : offset + count]
        codes = codes * np.uint64(seed.alphabet) + letter
        known &= letter != UNKNOWN
    starts = np.flatnonzero(known)
    return codes[starts], starts


def distinct_kmers(letters: NDArray[np.uint8], seed: Seed) -> NDArray[np.int64]:
    """Return the different k-mers of one seed, ascending, (n_kmers,)."""
    codes = np.sort(packed_kmers(letters, seed)[0].astype(np.int64))
    is_first = np.diff(codes, prepend=-1) != 0  # np.unique takes six times as long for so few
    distinct: NDArray[np.int64] = codes[is_first]
    return distinct


class KmerIndex:
    """Which sequences have each k-mer: an inverted index, as search engines hold for words.

    Zobel and Moffat (2006, ACM Computing Surveys 38(2):6). ``frequencies`` (codes,): how many
    sequences have the k-mer, ``max_frequency`` + 1 standing for all that is more; ``postings``:
    the numbers of the sequences, k-mer after k-mer, ascending, none for k-mers of more than
    ``max_frequency`` of them.
    """

    def __init__(
        self,
        frequencies: NDArray[np.integer],
        postings: NDArray[np.integer],
        num_sequences: int,
        max_frequency: int,
    ) -> None:
        self.frequencies, self.postings = frequencies, postings
        self.num_sequences, self.max_frequency = num_sequences, max_frequency
        self.sizes = np.where(frequencies > max_frequency, 0, frequencies)  # (codes,)
        self.ends = np.cumsum(self.sizes, dtype=np.int64)  # (codes,)

    @classmethod
    def build(
        cls, kmers: Sequence[NDArray[np.int64]], num_codes: int, max_frequency: int | None = None
    ) -> KmerIndex:
        """Index sequences by their distinct k-mers, which are numbers below ``num_codes``."""
        most = len(kmers) if max_frequency is None else max_frequency
        empty = cls(np.zeros(num_codes, np.int32), np.zeros(0, np.int32), 0, most)
        return empty.extend(kmers)

    def extend(self, kmers: Sequence[NDArray[np.int64]]) -> KmerIndex:
        """Return the index with further sequences, one array of distinct k-mers for each."""
        total = self.num_sequences + len(kmers)
        added = np.repeat(np.arange(self.num_sequences, total), [len(own) for own in kmers])
        new = np.concatenate([*kmers, np.zeros(0, np.int64)])
        known = np.repeat(np.arange(len(self.sizes)), self.sizes)
        entries = np.concatenate([known * total + self.postings, new * total + added])
        entries.sort(kind="stable")  # quick for what is in order already: each sequence's own
        frequencies = np.minimum(
            self.frequencies + np.bincount(new, minlength=len(self.sizes)), self.max_frequency + 1
        ).astype(self.frequencies.dtype)
        code, sequence = np.divmod(entries, max(1, total))
        postings = sequence[frequencies[code] <= self.max_frequency].astype(posting_dtype(total))
        return KmerIndex(frequencies, postings, total, self.max_frequency)

    def find(self, kmers: NDArray[np.int64]) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
        """Return the sequences that have each k-mer, and how many those are, (hits,), (k-mers,).

        K-mers of too many sequences are left out of both.
        """
        frequencies = self.frequencies[kmers].astype(np.int64)
        is_kept = frequencies <= self.max_frequency
        ends, sizes = self.ends[kmers[is_kept]], frequencies[is_kept]
        places = np.repeat(ends - sizes.cumsum(), sizes)  # (hits,)
        places += np.arange(len(places))
        return self.postings.take(places), sizes

    def count(self, hits: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return how often each sequence is among ``hits``: k-mers that it shares, (sequences,)."""
        return np.bincount(hits, minlength=self.num_sequences)


def posting_dtype(num_sequences: int) -> type[np.uint16 | np.int32]:
    """Return the smallest dtype that holds the numbers of so many sequences."""
    return np.uint16 if num_sequences <= 1 << 16 else np.int32
