"""From molecules and a layout to contigs with placed genes.

Coordinates are 0-based and half-open; pieces of a transcript stand in transcription order.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from example_assembly.dna import back_translate, intron, random_dna, reverse_complement
from example_assembly.layout import CONTIGS, Contig, Locus
from example_assembly.molecules import PROTEINS, RNAS, Molecule

SEED = "genescribe"
MOLECULES = {molecule.name: molecule for molecule in (*PROTEINS, *RNAS)}
ISOFORMS = frozenset({1, 2})

Pieces = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Block:
    """A stretch of a gene, 5' to 3': exonic in ``isoforms`` (in none: an intron)."""

    sequence: str
    isoforms: frozenset[int] = frozenset()
    coding: bool = False


@dataclass(frozen=True)
class Isoform:
    """Exons and coding pieces of a transcript."""

    exons: Pieces
    cds: Pieces


@dataclass(frozen=True)
class PlacedGene:
    """A gene with its coordinates; ``end`` may exceed the length of a circular contig."""

    gene_id: str
    locus: Locus
    molecule: Molecule
    start: int
    end: int
    isoforms: tuple[Isoform, ...]

    @property
    def biotype(self) -> str:
        """What the annotation calls the gene."""
        return "pseudogene" if self.locus.pseudo else self.molecule.biotype

    @property
    def first_phase(self) -> int:
        """Phase of the first coding base: 2 where the contig begins inside a codon."""
        return 2 if self.locus.lost else 0

    def moved(self, by: int) -> PlacedGene:
        """Return the gene ``by`` bases further right."""
        isoforms = tuple(
            Isoform(_moved(isoform.exons, by), _moved(isoform.cds, by)) for isoform in self.isoforms
        )
        return replace(self, start=self.start + by, end=self.end + by, isoforms=isoforms)


@dataclass(frozen=True)
class Assembled:
    """A contig with its sequence and its genes, by start."""

    contig: Contig
    sequence: str
    genes: tuple[PlacedGene, ...]


def assemble() -> list[Assembled]:
    """Return the whole assembly, the same at every call."""
    assembly: list[Assembled] = []
    for contig in CONTIGS:
        assembly.append(_lay_out(contig, sum(len(before.genes) for before in assembly) + 1))
    return assembly


def _lay_out(contig: Contig, first_number: int) -> Assembled:
    rng = random.Random(f"{SEED}/{contig.name}")
    parts = [] if contig.loci[0].lost else [random_dna(rng, rng.randint(300, 700))]
    genes = []
    for number, locus in enumerate(contig.loci, start=first_number):
        start = sum(map(len, parts))
        sequence, gene = _place(f"exg_{10 * number:05d}", locus, start)
        genes.append(gene)
        parts += [sequence, random_dna(rng, rng.randint(250, 900))]
        if contig.gap and number == first_number:
            parts += ["N" * 100, random_dna(rng, 200)]
    parts += ["ca" * 40, random_dna(rng, 100)]  # lower case: a repeat, soft-masked
    sequence = "".join(parts)
    if contig.circular:
        return _opened(contig, sequence, genes)
    return Assembled(contig, sequence, tuple(genes))


def _opened(contig: Contig, sequence: str, genes: list[PlacedGene]) -> Assembled:
    """Open a circle in the middle of its first gene, which then ends behind the sequence's end.

    So the GFF3 specification ("Circular Genomes") writes a gene that crosses the origin.
    """
    first, *rest = genes
    cut = (first.start + first.end) // 2
    moved = [gene.moved(-cut) for gene in rest] + [first.moved(len(sequence) - cut)]
    return Assembled(contig, sequence[cut:] + sequence[:cut], tuple(moved))


def _place(gene_id: str, locus: Locus, start: int) -> tuple[str, PlacedGene]:
    """Return a gene's forward-strand sequence, and the gene with its first base at ``start``."""
    rng = random.Random(f"{SEED}/{gene_id}/{locus.molecule}")
    molecule = MOLECULES[locus.molecule]
    blocks = _blocks(rng, locus, molecule)
    sense = "".join(block.sequence for block in blocks)
    isoforms = []
    for number in sorted(ISOFORMS):
        isoform = _isoform(blocks, number)
        if locus.strand == "-":
            isoform = Isoform(
                _mirrored(isoform.exons, len(sense)), _mirrored(isoform.cds, len(sense))
            )
        if isoform not in isoforms:
            isoforms.append(isoform)
    gene = PlacedGene(gene_id, locus, molecule, 0, len(sense), tuple(isoforms)).moved(start)
    return sense if locus.strand == "+" else reverse_complement(sense), gene


def _blocks(rng: random.Random, locus: Locus, molecule: Molecule) -> list[Block]:
    """Return the stretches of a gene, 5' to 3'."""
    if molecule.biotype != "protein_coding":
        return [Block(molecule.sequence, ISOFORMS)]
    cds = back_translate(rng, molecule.sequence)
    if locus.pseudo:
        return [Block(_decayed(rng, cds), ISOFORMS)]
    if locus.lost:
        cds = cds[3 * locus.lost - 2 :]  # the contig begins at the second base of a codon
    blocks = list(_coding_blocks(rng, locus, cds))
    if not locus.utr:
        return blocks
    trailer = Block(random_dna(rng, rng.randint(60, 180)), ISOFORMS)
    if locus.lost:
        return [*blocks, trailer]
    leader = Block(random_dna(rng, rng.randint(20, 90)) + "AAAA", ISOFORMS)
    if not locus.two_leaders:
        return [leader, *blocks, trailer]
    first, second = (Block(random_dna(rng, 45 + 20 * n), frozenset({n})) for n in sorted(ISOFORMS))
    return [first, Block(intron(rng)), second, Block(intron(rng)), leader, *blocks, trailer]


def _coding_blocks(rng: random.Random, locus: Locus, cds: str) -> Iterator[Block]:
    """Cut a coding sequence into exons, with introns between them."""
    cuts = set(rng.sample(range(30, len(cds) - 30, 25), locus.introns))
    skipped = (0, 0)
    if locus.skip:
        skipped = (3 * locus.skip[0], 3 * locus.skip[1])
        cuts = {cut for cut in cuts if not skipped[0] <= cut <= skipped[1]} | set(skipped)
    borders = [0, *sorted(cuts), len(cds)]
    for start, end in pairwise(borders):
        if start:
            yield Block(intron(rng))
        isoforms = frozenset({1}) if (start, end) == skipped else ISOFORMS
        yield Block(cds[start:end], isoforms, coding=True)


def _decayed(rng: random.Random, cds: str) -> str:
    """Return an old retrocopy of a coding sequence: early stop, lost base, poly-A tail."""
    stop, lost = 3 * rng.randint(20, 25), len(cds) // 2
    return cds[:stop] + "TAG" + cds[stop + 3 : lost] + cds[lost + 1 :] + "A" * 24


def _isoform(blocks: list[Block], number: int) -> Isoform:
    """Return the pieces of one isoform, counted from the gene's 5' end."""
    exons, cds, start = [], [], 0
    for block in blocks:
        piece = (start, start := start + len(block.sequence))
        if number in block.isoforms:
            exons.append(piece)
            if block.coding:
                cds.append(piece)
    return Isoform(_joined(exons), tuple(cds))


def _joined(pieces: Iterable[tuple[int, int]]) -> Pieces:
    """Join pieces that touch; they ascend."""
    joined: list[tuple[int, int]] = []
    for start, end in pieces:
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]
        joined.append((start, end))
    return tuple(joined)


def _moved(pieces: Pieces, by: int) -> Pieces:
    return tuple((start + by, end + by) for start, end in pieces)


def _mirrored(pieces: Pieces, length: int) -> Pieces:
    return tuple((length - end, length - start) for start, end in pieces)
