"""Validation genes without relatives among the training genes.

A light stand-in for clustering by alignment: genes that share k-mers are linked, linked genes
form families, and whole families go to one side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from genescribe.models.kmers import RESIDUES, Seed, nucleotide_codes, packed_kmers, translate
from genescribe.records import SequenceRecord, View

RESIDUE_SEED = Seed(tuple(range(7)), len(RESIDUES))
NUCLEOTIDE_SEED = Seed(tuple(range(16)), 4)
"""Two unrelated genes of 1,000 letters share one by chance in less than 1 of 1,000 cases."""

MIN_SHARED = 2
MIN_CONTAINMENT = 0.05
MAX_GENES_PER_KMER = 100
MAX_FAMILY = 60


def family_kmers(record: SequenceRecord) -> NDArray[np.uint64]:
    """Return the distinct k-mers by which a gene's relatives are found, (n_kmers,)."""
    if record.view == View.CDS:
        return np.unique(packed_kmers(translate(record.sequence), RESIDUE_SEED)[0])
    return np.unique(packed_kmers(nucleotide_codes(record.sequence), NUCLEOTIDE_SEED)[0])


def families(records: Sequence[SequenceRecord]) -> NDArray[np.int32]:
    """Number the family of each gene, (genes,): all that are linked, directly or over others.

    Two genes are linked if they share at least ``MIN_SHARED`` k-mers and ``MIN_CONTAINMENT`` of
    those of the smaller one; k-mers of more than ``MAX_GENES_PER_KMER`` genes (low complexity)
    do not count.
    """
    kmers = [family_kmers(record) for record in records]
    genes = np.repeat(np.arange(len(records)), [len(own) for own in kmers])
    _, columns, counts = np.unique(np.concatenate(kmers), return_inverse=True, return_counts=True)
    keep = (counts[columns] > 1) & (counts[columns] <= MAX_GENES_PER_KMER)
    membership = coo_matrix(
        (np.ones(int(keep.sum()), dtype=np.int32), (genes[keep], columns[keep])),
        shape=(len(records), len(counts)),
    ).tocsr()
    shared = (membership @ membership.T).tocoo()  # (genes, genes): number of shared k-mers
    sizes = np.array([len(own) for own in kmers])
    smaller = np.minimum(sizes[shared.row], sizes[shared.col])
    linked = (shared.data >= MIN_SHARED) & (shared.data >= MIN_CONTAINMENT * smaller)
    links = coo_matrix(
        (shared.data[linked], (shared.row[linked], shared.col[linked])), shape=shared.shape
    )
    numbers: NDArray[np.int32] = connected_components(links, directed=False)[1]
    return numbers


def choose_validation(
    family: NDArray[np.int32], size: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Mark at least ``size`` genes in whole families of at most ``MAX_FAMILY``, (genes,) bool."""
    sizes = np.bincount(family)
    order = rng.permutation(np.flatnonzero(sizes <= MAX_FAMILY))
    chosen = order[: int(np.searchsorted(np.cumsum(sizes[order]), size)) + 1]
    return np.isin(family, chosen)
