"""Made-up DNA: meaningless stretches, back-translated proteins, introns."""

from __future__ import annotations

import random

STOP = "*"

# Codon usage of Saccharomyces cerevisiae, per thousand codons (Kazusa codon usage database).
CODON_USAGE = {
    "F": {"TTT": 26.1, "TTC": 18.4},
    "L": {"TTA": 26.2, "TTG": 27.2, "CTT": 12.3, "CTC": 5.4, "CTA": 13.4, "CTG": 10.5},
    "I": {"ATT": 30.1, "ATC": 17.2, "ATA": 17.8},
    "M": {"ATG": 20.9},
    "V": {"GTT": 22.1, "GTC": 11.8, "GTA": 11.8, "GTG": 10.8},
    "S": {"TCT": 23.5, "TCC": 14.2, "TCA": 18.7, "TCG": 8.6, "AGT": 14.2, "AGC": 9.8},
    "P": {"CCT": 13.5, "CCC": 6.8, "CCA": 18.3, "CCG": 5.3},
    "T": {"ACT": 20.3, "ACC": 12.7, "ACA": 17.8, "ACG": 8.0},
    "A": {"GCT": 21.2, "GCC": 12.6, "GCA": 16.2, "GCG": 6.2},
    "Y": {"TAT": 18.8, "TAC": 14.8},
    "H": {"CAT": 13.6, "CAC": 7.8},
    "Q": {"CAA": 27.3, "CAG": 12.1},
    "N": {"AAT": 35.7, "AAC": 24.8},
    "K": {"AAA": 41.9, "AAG": 30.8},
    "D": {"GAT": 37.6, "GAC": 20.2},
    "E": {"GAA": 45.6, "GAG": 19.2},
    "C": {"TGT": 8.1, "TGC": 4.8},
    "W": {"TGG": 10.4},
    "R": {"CGT": 6.4, "CGC": 2.6, "CGA": 3.0, "CGG": 1.7, "AGA": 21.3, "AGG": 9.2},
    "G": {"GGT": 23.9, "GGC": 9.8, "GGA": 10.9, "GGG": 6.0},
    STOP: {"TAA": 1.1, "TAG": 0.5, "TGA": 0.7},
}


def random_dna(rng: random.Random, length: int) -> str:
    """Return DNA without meaning, 38 % GC."""
    return "".join(rng.choices("ACGT", (31, 19, 19, 31), k=length))


def back_translate(rng: random.Random, protein: str) -> str:
    """Return a coding sequence for ``protein``, stop codon included, in yeast's codon usage."""
    choices = (CODON_USAGE[residue] for residue in protein + STOP)
    return "".join(rng.choices(list(codons), list(codons.values()))[0] for codons in choices)


def intron(rng: random.Random) -> str:
    """Return an intron with yeast's splice sites and branch point: GTATGT..TACTAAC..CAG."""
    body, tail = random_dna(rng, rng.randint(40, 220)), random_dna(rng, rng.randint(8, 25))
    return f"GTATGT{body}TACTAAC{tail}TTCAG"


def reverse_complement(sequence: str) -> str:
    """Return the other strand, 5' to 3'."""
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))
