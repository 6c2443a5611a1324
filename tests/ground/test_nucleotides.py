"""Letters of nucleotides: every code's complement, and the genetic code."""

from __future__ import annotations

import pytest
from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import Seq

from genescribe.nucleotides import (
    IUPAC_DNA,
    RESIDUES,
    complement,
    protein,
    residue_codes,
    reverse_complement,
)

COMPLEMENT = dict(zip("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN", strict=True))


def test_complement_of_every_code() -> None:
    codes = "".join(COMPLEMENT)
    assert reverse_complement(codes) == "".join(COMPLEMENT[code] for code in reversed(codes))
    assert reverse_complement(reverse_complement(codes)) == codes
    assert complement(codes) == "".join(COMPLEMENT.values())
    assert set(codes) == set(IUPAC_DNA)
    assert complement(IUPAC_DNA) == str(Seq(IUPAC_DNA).complement())


def residues(sequence: str) -> str:
    return "".join("?" if code == 255 else RESIDUES[code] for code in residue_codes(sequence))


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
    assert protein(sequence) == expected.replace("?", "X")


def test_translation_agrees_with_biopythons_table() -> None:
    table = unambiguous_dna_by_id[4]  # TGA is W there
    for codon, residue in table.forward_table.items():
        assert residues(codon + "AAA") == residue + "K"
