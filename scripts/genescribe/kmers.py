"""K-mers of a gene: nucleotides in, numbers out, the same on every machine.

A coding sequence is translated in frame and read as residues, everything else as nucleotides.
NumPy only: this module must be usable without torch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

STANDARD_CODE = "FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
"""Residues of the 64 codons in TCAG order, with TGA read as W.

NCBI genetic code 1 but for TGA, which is W in code 4 (Mycoplasma, many mitochondria). Reading
every TGA inside a gene as W serves both codes without asking which one holds: under code 1 an
annotated CDS has TGA only at its end (which is left out), or where it is selenocysteine.
"""

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
REDUCED_GROUPS = ("LVIM", "C", "A", "G", "ST", "P", "FY", "W", "EDNQ", "KR", "H")
"""Murphy, Wallqvist and Levy (2000, Protein Engineering 13:149), ten letters, W on its own."""

_UNKNOWN = 255  # marks a letter that no k-mer may contain
_TCAG = np.full(256, _UNKNOWN, dtype=np.uint8)
_TCAG[np.frombuffer(b"TCAG", dtype=np.uint8)] = np.arange(4, dtype=np.uint8)
_CODON_RESIDUES = np.array(
    [_UNKNOWN if r == "*" else RESIDUES.index(r) for r in STANDARD_CODE], dtype=np.uint8
)
_REDUCED = np.full(256, _UNKNOWN, dtype=np.uint8)
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


def nucleotide_codes(sequence: str) -> NDArray[np.uint8]:
    """Return T, C, A, G as 0..3 and any other letter as 255, (length,)."""
    return _TCAG[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]


def translate(sequence: str) -> NDArray[np.uint8]:
    """Translate a CDS that starts in frame to residue codes (codons,), its last stop left out.

    Unknown residues and stops inside are 255. TGA inside is W, see ``STANDARD_CODE``.
    """
    bases = nucleotide_codes(sequence)
    codons = bases[: len(bases) // 3 * 3].reshape(-1, 3).astype(np.int64)  # (codons, 3)
    index = codons @ np.array([16, 4, 1])  # (codons,)
    known = (codons != _UNKNOWN).all(axis=1)
    residues = np.where(known, _CODON_RESIDUES[np.where(known, index, 0)], _UNKNOWN)
    if sequence[len(residues) * 3 - 3 : len(residues) * 3] in ("TAA", "TAG", "TGA"):
        residues = residues[:-1]
    return residues.astype(np.uint8)


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
        known &= letter != _UNKNOWN
    starts = np.flatnonzero(known)
    return codes[starts], starts
