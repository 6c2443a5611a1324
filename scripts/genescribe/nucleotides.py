"""The letters of nucleotides: their codes and complements, and the residues that codons stand for.

Letters are upper case throughout. NumPy is loaded by the first who asks for codes: cutting genes
out of a genome needs letters alone.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IUPAC_DNA = "ACGTRYSWKMBDHVN"
"""Nucleotide codes of NC-IUB (1985, Nucleic Acids Research 13:3021)."""
_COMPLEMENT = str.maketrans(IUPAC_DNA, "TGCAYRSWMKVHDBN")

START_CODON = "ATG"
INNER_STOP_CODONS = frozenset({"TAA", "TAG"})
"""Codons that end a protein wherever they stand, see ``STANDARD_CODE``."""
STOP_CODONS = INNER_STOP_CODONS | {"TGA"}

STANDARD_CODE = "FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
"""Residues of the 64 codons in TCAG order, with TGA read as W.

NCBI genetic code 1 but for TGA, which is W in code 4 (Mycoplasma, many mitochondria). Reading
every TGA inside a gene as W serves both codes without asking which one holds: under code 1 an
annotated CDS has TGA only at its end (which is left out), or where it is selenocysteine.
"""
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"

UNKNOWN = 255
"""The code of a letter that is none of T, C, A, G, or none of ``RESIDUES``."""


class _Tables(NamedTuple):
    """Codes of the 256 bytes, residues of the 64 codons, letters of the 256 residue codes."""

    nucleotides: NDArray[np.uint8]
    codons: NDArray[np.uint8]
    letters: NDArray[np.uint8]


@cache
def _tables() -> _Tables:
    import numpy as np

    nucleotides = np.full(256, UNKNOWN, dtype=np.uint8)
    nucleotides[np.frombuffer(b"TCAG", dtype=np.uint8)] = np.arange(4, dtype=np.uint8)
    residues = [UNKNOWN if r == "*" else RESIDUES.index(r) for r in STANDARD_CODE]
    letters = np.frombuffer(RESIDUES.ljust(256, "X").encode(), dtype=np.uint8)
    return _Tables(nucleotides, np.array(residues, dtype=np.uint8), letters)


def complement(sequence: str) -> str:
    """Return the letters that pair with those of IUPAC DNA, in the same order.

    The complement of a code stands for the complements of its bases.
    """
    return sequence.translate(_COMPLEMENT)


def reverse_complement(sequence: str) -> str:
    """Return the other strand of IUPAC DNA, 5' to 3'."""
    return sequence.translate(_COMPLEMENT)[::-1]


def nucleotide_codes(sequence: str) -> NDArray[np.uint8]:
    """Return T, C, A, G as 0..3 and any other letter as ``UNKNOWN``, (length,)."""
    import numpy as np

    return _tables().nucleotides[np.frombuffer(sequence.encode("ascii"), dtype=np.uint8)]


def residue_codes(sequence: str) -> NDArray[np.uint8]:
    """Translate a CDS that starts in frame to places in ``RESIDUES`` (codons,), no final stop.

    Unknown residues and stops inside are ``UNKNOWN``. TGA inside is W, see ``STANDARD_CODE``.
    """
    import numpy as np

    bases = nucleotide_codes(sequence)
    codons = bases[: len(bases) // 3 * 3].reshape(-1, 3).astype(np.int64)  # (codons, 3)
    index = codons @ np.array([16, 4, 1])  # (codons,)
    known = (codons != UNKNOWN).all(axis=1)
    residues = np.where(known, _tables().codons[np.where(known, index, 0)], UNKNOWN)
    if sequence[len(residues) * 3 - 3 : len(residues) * 3] in STOP_CODONS:
        residues = residues[:-1]
    return residues.astype(np.uint8)


def protein(sequence: str) -> str:
    """Translate as ``residue_codes`` does, to letters; X where a residue is unknown."""
    return _tables().letters[residue_codes(sequence)].tobytes().decode("ascii")
