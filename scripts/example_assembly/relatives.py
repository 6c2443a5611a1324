"""Two made-up relatives of the example assembly, with descriptions: what a model is trained on.

Each has the molecules of the example with exchanged residues (bases, of RNAs) and codons drawn
anew, on one contig without introns, as a GFF3 that ends in its sequence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from example_assembly.dna import back_translate, random_dna, reverse_complement
from example_assembly.formats import LINE, SOURCE
from example_assembly.genes import SEED
from example_assembly.molecules import PROTEINS, RNAS, Molecule

RESIDUES = ("C", "P", "G", "AST", "ILMV", "FWY", "DENQ", "HKR")
"""Residues of like chemistry, which replace each other."""
BASES = ("ACGT",)
KEPT = 3
"""Letters at either end that stay, so that genes keep their start codon."""


@dataclass(frozen=True)
class Relative:
    """A genome, and how many of its residues and bases differ from the example's (shares)."""

    name: str
    residues: float
    bases: float


RELATIVES = (Relative("near", 0.15, 0.04), Relative("far", 0.35, 0.10))


def gff3(relative: Relative) -> str:
    """Return annotation and sequence of a relative, the same at every call."""
    rng = random.Random(f"{SEED}/relative/{relative.name}")
    contig = f"{relative.name}_1"
    rows, parts, position = [], [], 0
    for number, molecule in enumerate((*PROTEINS, *RNAS), start=1):
        strand, spacer = rng.choice("+-"), random_dna(rng, rng.randint(40, 90))
        sense = _sense(rng, molecule, relative)
        start = position + len(spacer)
        position = start + len(sense)
        parts += [spacer, sense if strand == "+" else reverse_complement(sense)]
        for kind, phase, attributes in _features(f"{relative.name}_{10 * number:04d}", molecule):
            place = (contig, SOURCE, kind, str(start + 1), str(position), ".", strand, phase)
            rows.append("\t".join((*place, attributes)))
    sequence = "".join(parts)
    lines = [sequence[at : at + LINE] for at in range(0, len(sequence), LINE)]
    head = ["##gff-version 3", f"##sequence-region {contig} 1 {len(sequence)}"]
    return "\n".join([*head, *rows, "##FASTA", f">{contig}", *lines]) + "\n"


def _sense(rng: random.Random, molecule: Molecule, relative: Relative) -> str:
    if molecule.biotype == "protein_coding":
        return back_translate(rng, _diverged(rng, molecule.sequence, relative.residues, RESIDUES))
    return _diverged(rng, molecule.sequence, relative.bases, BASES)


def _diverged(rng: random.Random, letters: str, share: float, groups: Sequence[str]) -> str:
    """Exchange a share of the letters for others of their group, where it has any."""
    changed = list(letters)
    for at in range(KEPT, len(letters) - KEPT):
        group = next(group for group in groups if letters[at] in group)
        if len(group) > 1 and rng.random() < share:
            changed[at] = rng.choice(group.replace(letters[at], ""))
    return "".join(changed)


def _features(gene_id: str, molecule: Molecule) -> Iterator[tuple[str, str, str]]:
    """Yield (type, phase, attributes) of a gene and of what it makes."""
    is_coding = molecule.biotype == "protein_coding"
    yield "gene", ".", f"ID={gene_id};gene_biotype={molecule.biotype}"
    product = re.sub(r" \([^()]*\)$", "", molecule.description)  # the organism it was taken from
    kind, phase = ("CDS", "0") if is_coding else (molecule.biotype, ".")
    text = quote(product, safe=" []()'/:")
    yield kind, phase, f"ID={gene_id}.1;Parent={gene_id};product={text}"
