"""What a model reads of a gene that comes as a bare sequence, without gene models."""

from __future__ import annotations

from genescribe.genome.biotypes import PROTEIN_CODING
from genescribe.nucleotides import INNER_STOP_CODONS, START_CODON, STOP_CODONS
from genescribe.records import View

CODING_BIOTYPES = frozenset({"protein_coding", "CDS", "mRNA", "gene", "transcript"})
MIN_CODONS = 15
MIN_ORF_CODONS = 100
"""An open reading frame of 100 codons rarely arises by chance (Basrai et al. 1997)."""


def is_open_frame(sequence: str) -> bool:
    """Tell whether a sequence is one reading frame without TAA or TAG inside (TGA may be W)."""
    codons = [sequence[i : i + 3] for i in range(0, len(sequence) - 3, 3)]
    return len(sequence) % 3 == 0 and INNER_STOP_CODONS.isdisjoint(codons)


def longest_orf(sequence: str) -> str:
    """Return the longest ATG..stop of the three forward frames, or ""."""
    best = ""
    for frame in range(3):
        start = -1
        for i in range(frame, len(sequence) - 2, 3):
            codon = sequence[i : i + 3]
            if start < 0 and codon == START_CODON:
                start = i
            elif start >= 0 and codon in STOP_CODONS:
                best = max(best, sequence[start : i + 3], key=len)
                start = -1
    return best


def choose_view(sequence: str, biotype: str) -> tuple[View, str, str]:
    """Return view, sequence and biotype as the model will meet them in an annotation.

    A coding gene is read as its CDS: the sequence itself if it is an open frame, else (gene
    spans with introns or UTRs) its longest open reading frame of 100 codons or more.
    """
    if biotype in CODING_BIOTYPES:
        if len(sequence) >= 3 * MIN_CODONS and is_open_frame(sequence):
            return View.CDS, sequence, PROTEIN_CODING
        orf = longest_orf(sequence)
        if len(orf) >= 3 * MIN_ORF_CODONS:
            return View.CDS, orf, PROTEIN_CODING
    return View.TRANSCRIPT, sequence, biotype.removesuffix("_gene")
