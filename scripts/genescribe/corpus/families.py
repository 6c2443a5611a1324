"""Which genes of a corpus are relatives, and which are nearly the same.

Two kinds of evidence make a family: protein alignment (MMseqs2, 30 % identity over half of both
sequences; Steinegger and Soding 2017) and shared k-mers, which also serve genes without a protein.
What either links is one family, so that no relative that one of them sees ends on another side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from genescribe.kmers import KmerIndex, Seed, distinct_kmers, letter_codes
from genescribe.nucleotides import RESIDUES
from genescribe.records import SequenceRecord, View

RESIDUE_SEED = Seed(tuple(range(7)), len(RESIDUES))
NUCLEOTIDE_SEED = Seed(tuple(range(16)), 4)
"""Two unrelated genes of 1,000 letters share one by chance in less than 1 of 1,000 cases."""

MIN_SHARED = 2
FAMILY_CONTAINMENT = 0.05
NEAR_COPY_CONTAINMENT = 0.2
"""What 80 % identity leaves of 7-mers of residues (0.8 ** 7), 90 % of 16-mers of nucleotides."""
MAX_GENES_PER_KMER = 100

Numbers = NDArray[np.int64]
"""The number of the family of each gene, (genes,)."""


def family_kmers(record: SequenceRecord) -> NDArray[np.int64]:
    """Return the distinct k-mers by which a gene's relatives are found, (n_kmers,)."""
    is_protein = record.view == View.CDS
    seed = RESIDUE_SEED if is_protein else NUCLEOTIDE_SEED
    return distinct_kmers(letter_codes(record.sequence, is_protein), seed)


def kmer_partitions(records: Sequence[SequenceRecord], *containments: float) -> list[Numbers]:
    """Number the families that shared k-mers make, (genes,), for each of ``containments``.

    Two genes are linked if they share at least ``MIN_SHARED`` k-mers and a containment of those
    of the smaller one, and linked genes are one family; k-mers of more than
    ``MAX_GENES_PER_KMER`` genes (low complexity) do not count.
    """
    kmers = [family_kmers(record) for record in records]
    sizes = np.array([len(own) for own in kmers])
    one, other, shared = _shared_kmers(kmers)
    smaller = np.minimum(sizes[one], sizes[other])
    partitions = []
    for containment in containments:
        linked = (shared >= MIN_SHARED) & (shared >= containment * smaller)
        partitions.append(_components(one[linked], other[linked], len(records)))
    return partitions


def _shared_kmers(kmers: Sequence[NDArray[np.int64]]) -> tuple[Numbers, Numbers, Numbers]:
    """Return pairs of genes that share k-mers, and how many of them: one, other, count (pairs,)."""
    genes = np.repeat(np.arange(len(kmers)), [len(own) for own in kmers])
    _, codes, counts = np.unique(np.concatenate(kmers), return_inverse=True, return_counts=True)
    is_shared = counts[codes] > 1
    numbers = np.cumsum(counts > 1)[codes[is_shared]] - 1  # of the k-mers of several genes
    ends = np.cumsum(np.bincount(genes[is_shared], minlength=len(kmers)))
    shared = np.split(numbers, ends[:-1])
    index = KmerIndex.build(shared, int((counts > 1).sum()), MAX_GENES_PER_KMER)
    pairs = []
    for gene, own in enumerate(shared):
        others, count = np.unique(index.find(own)[0], return_counts=True)
        pairs.append(np.stack([np.full(len(others), gene), others, count]))
    one, other, count = np.concatenate(pairs, axis=1)
    return one, other, count


def joined(*partitions: Numbers) -> Numbers:
    """Return the finest partition of which each given one is a refinement, (genes,).

    Families are numbered in the order of their first genes.
    """
    n = len(partitions[0])
    rows, columns = [], []
    for partition in partitions:
        _, first, member = np.unique(partition, return_index=True, return_inverse=True)
        rows.append(np.arange(n))
        columns.append(first[member])
    return _components(np.concatenate(rows), np.concatenate(columns), n)


def _components(rows: NDArray[np.integer], columns: NDArray[np.integer], n: int) -> Numbers:
    links = coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))
    labels = connected_components(links, directed=False)[1]
    _, first, member = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))  # component -> its rank by first gene
    return order[member].astype(np.int64)
