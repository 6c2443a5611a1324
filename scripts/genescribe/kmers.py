"""K-mers of a gene: nucleotides in, numbers out, the same on every machine.

A coding sequence is translated in frame and read as residues, everything else as nucleotides.
NumPy only: this module must be usable without torch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genescribe.nucleotides import RESIDUES, UNKNOWN

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


RESIDUE_SEEDS = (
    Seed((0, 1, 2, 3), len(RESIDUES)),
    Seed((0, 1, 3, 4, 7, 9), len(REDUCED_GROUPS), reduced=True),  # spaced: 1101100101
)
"""Exact 4-mers find near relatives, the spaced seed over the reduced alphabet far ones."""

NUCLEOTIDE_SEED = Seed(tuple(range(8)), 4)


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
