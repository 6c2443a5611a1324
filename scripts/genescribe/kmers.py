"""Hashed k-mers of a gene: nucleotides in, table rows out, the same on every machine.

A coding sequence is translated in frame and read as residues, everything else as nucleotides.
Each k-mer becomes one row of an embedding table by a fixed integer hash, so no vocabulary has to
be built or shipped. NumPy only: this module must be usable without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    Seed((0, 1, 2, 3, 4, 5), len(REDUCED_GROUPS), reduced=True),
    Seed((0, 1, 3, 4, 7, 9), len(REDUCED_GROUPS), reduced=True),  # spaced: 1101100101
)
NUCLEOTIDE_SEEDS = tuple(Seed(tuple(range(k)), 4) for k in (5, 8, 11))


@dataclass(frozen=True, slots=True)
class KmerBag:
    """The k-mers of one gene: ``rows`` of the table and the ``windows`` they lie in, (n_kmers,).

    ``length`` counts the letters read (residues if ``is_protein``, else nucleotides).
    """

    rows: NDArray[np.int32]
    windows: NDArray[np.int8]
    length: int
    is_protein: bool


def hash_rows(codes: NDArray[np.uint64], seed_index: int, table_bits: int) -> NDArray[np.int32]:
    """Map packed k-mer codes of one seed to rows in [0, 2**table_bits), same shape.

    The finaliser of SplitMix64 (Steele, Lea and Flood 2014) over code + (seed_index + 1) * the
    golden gamma, all in unsigned 64-bit arithmetic modulo 2**64; the top ``table_bits`` are kept.
    """
    gamma = ((seed_index + 1) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    mixed = codes + np.uint64(gamma)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(64 - table_bits)).astype(np.int32)


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


def kmer_bag(sequence: str, *, is_protein: bool, windows: int, table_bits: int) -> KmerBag:
    """Hash all k-mers of a sequence (upper case DNA, in frame if ``is_protein``).

    ``windows`` equal stretches along the gene tell where each k-mer starts. A sequence too short
    or too ambiguous for any k-mer gives an empty bag.
    """
    letters = translate(sequence) if is_protein else nucleotide_codes(sequence)
    seeds = RESIDUE_SEEDS if is_protein else NUCLEOTIDE_SEEDS
    first_index = 0 if is_protein else len(RESIDUE_SEEDS)
    rows, places = [], []
    for index, seed in enumerate(seeds, start=first_index):
        codes, starts = packed_kmers(letters, seed)
        rows.append(hash_rows(codes, index, table_bits))
        places.append((starts * windows // max(1, len(letters))).astype(np.int8))
    return KmerBag(np.concatenate(rows), np.concatenate(places), len(letters), is_protein)
