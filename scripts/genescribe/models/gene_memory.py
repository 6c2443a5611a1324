"""The gene memory: which stored genes are relatives of a gene, by the k-mers that they share.

For each *seed* (a kind of k-mer) there is an index of the genes that have each k-mer. A k-mer that
few genes have tells more than one that many have: its weight is the square of its inverse document
frequency (Sparck Jones 1972, Journal of Documentation 28:11), so that two genes are as similar as
their idf vectors are by cosine. NumPy only: this module must be usable without torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from genescribe.kmers import (
    NUCLEOTIDE_SEED,
    RESIDUE_SEEDS,
    KmerIndex,
    distinct_kmers,
    letter_codes,
    posting_dtype,
)

SEEDS = (*RESIDUE_SEEDS, NUCLEOTIDE_SEED)
"""Coding genes are looked up by the first two, all others by the last, nucleotide 8-mers."""

MAX_FREQUENCY = 3000
"""K-mers of more genes than these are not looked up: they tell little and would cost most."""

NUM_FEATURES = 2 * len(SEEDS) + 1
"""Numbers that tell how a gene and its relative are alike, see ``Relatives.features``."""

NONE = -1
"""Marks the place of a relative, or of a token of its text, that there is not."""

Arrays = dict[str, NDArray[Any]]


def seeds_of(is_protein: bool) -> range:
    """Return the numbers of the seeds that genes of a kind are looked up by."""
    return range(len(RESIDUE_SEEDS)) if is_protein else range(len(RESIDUE_SEEDS), len(SEEDS))


@dataclass(frozen=True, slots=True)
class Relatives:
    """The stored genes that are most like each gene of a batch, the best first.

    ``genes`` (batch, k): their numbers, ``NONE`` where there are no more. ``similarities``
    (batch, k, seeds): cosines of idf vectors, 0 to 1, by each seed. ``shared`` (batch, k, seeds):
    the share of the gene's k-mers that the relative has too. ``stretch`` (batch, k): log of the
    gene's length over the relative's. ``lengths`` (batch,): letters of the genes (residues if
    ``is_protein`` (batch,), else nucleotides).
    """

    genes: NDArray[np.int32]
    similarities: NDArray[np.float32]
    shared: NDArray[np.float32]
    stretch: NDArray[np.float32]
    lengths: NDArray[np.int32]
    is_protein: NDArray[np.bool_]

    @property
    def similarity(self) -> NDArray[np.float32]:
        """The mean over the seeds that the gene was looked up by, 0 to 1, (batch, k)."""
        seeds = np.where(self.is_protein, len(seeds_of(True)), len(seeds_of(False)))  # (batch,)
        mean: NDArray[np.float32] = self.similarities.sum(2) / seeds[:, None].astype(np.float32)
        return mean

    @property
    def features(self) -> NDArray[np.float32]:
        """Similarities, shares and stretch side by side, (batch, k, NUM_FEATURES)."""
        return np.concatenate([self.similarities, self.shared, self.stretch[..., None]], axis=2)


class SeedIndex:
    """The stored genes by their k-mers of one seed, each k-mer with its weight.

    ``kmers``: which of all stored genes have each k-mer; ``num_stored`` counts the genes of this
    seed's kind. ``scales`` (genes,): what turns products with a gene's idf vector into cosines.
    """

    def __init__(self, kmers: KmerIndex, num_stored: int) -> None:
        self.kmers, self.num_stored = kmers, num_stored
        weights = np.repeat(self.weights(kmers.sizes, num_stored), kmers.sizes)  # (postings,)
        norms = np.bincount(kmers.postings, weights, minlength=kmers.num_sequences)  # (genes,)
        self.scales = 1 / np.sqrt(np.maximum(norms, np.finfo(np.float64).tiny))  # (genes,)

    @staticmethod
    def weights(frequencies: NDArray[np.integer], num_stored: int) -> NDArray[np.float64]:
        """Return idf squared of k-mers that so many of ``num_stored`` genes have; 0 for none.

        One is added to the number of genes, so that a k-mer of all of them still counts.
        """
        idf = np.log((num_stored + 1) / np.maximum(frequencies, 1))
        return np.where(frequencies > 0, idf * idf, 0.0)

    def compare(
        self, codes: NDArray[np.int64], hidden: NDArray[np.integer]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return similarity to, and share of k-mers with, every stored gene, each (genes,).

        ``codes`` are the distinct k-mers of one gene. ``hidden`` are numbers of stored genes that
        are not found, nor do they make a k-mer known or frequent.
        """
        hits, sizes = self.kmers.find(codes)  # (hits,), (k-mers,)
        if len(hidden):
            visible = np.ones(self.kmers.num_sequences, dtype=np.bool_)
            visible[hidden] = False
            kept = visible[hits]
            kmers = np.repeat(np.arange(len(sizes)), sizes)[kept]
            hits, sizes = hits[kept], np.bincount(kmers, minlength=len(sizes))
        weights = self.weights(sizes, self.num_stored - len(hidden))  # (k-mers,)
        products = np.bincount(hits, np.repeat(weights, sizes), self.kmers.num_sequences)
        norm = max(float(weights.sum()), np.finfo(np.float64).tiny)
        return (
            products * self.scales / np.sqrt(norm),
            self.kmers.count(hits) / max(1, len(codes)),
        )


class GeneMemory:
    """Stored genes: their k-mers to find them by, and the token ids of their texts.

    ``texts`` (tokens,) are the texts one after the other, ``text_lengths`` (genes,) their tokens,
    ``lengths`` (genes,) the letters of the genes, ``is_protein`` (genes,) whether they were read
    as residues. Nothing in it changes, so threads may share it.
    """

    def __init__(
        self,
        indices: Sequence[SeedIndex],
        texts: NDArray[np.int32],
        text_lengths: NDArray[np.int32],
        lengths: NDArray[np.int32],
        is_protein: NDArray[np.bool_],
    ) -> None:
        self.indices = tuple(indices)
        self.texts, self.text_lengths = texts, text_lengths
        self.lengths, self.is_protein = lengths, is_protein
        self.text_ends = np.cumsum(text_lengths, dtype=np.int64)  # (genes,)

    def __len__(self) -> int:
        return len(self.lengths)

    def extend(
        self,
        sequences: Sequence[str],
        is_protein: Sequence[bool],
        texts: Sequence[Sequence[int]],
    ) -> Self:
        """Return a memory with further genes, the very one that results from all of them at once.

        ``sequences`` are upper case DNA, in frame if ``is_protein``; ``texts`` the token ids of
        their texts. Near copies are better not stored: they crowd out further relatives.
        """
        letters = [letter_codes(*gene) for gene in zip(sequences, is_protein, strict=True)]
        proteins = np.concatenate([self.is_protein, np.array(is_protein, dtype=np.bool_)])
        indices = []
        for number, (seed, index) in enumerate(zip(SEEDS, self.indices, strict=True)):
            is_coding = number in seeds_of(True)
            codes = [
                distinct_kmers(own, seed) if protein == is_coding else np.zeros(0, np.int64)
                for own, protein in zip(letters, is_protein, strict=True)
            ]
            stored = int((proteins == is_coding).sum())
            indices.append(SeedIndex(index.kmers.extend(codes), stored))
        return type(self)(
            indices,
            np.concatenate([self.texts, *(np.array(ids, dtype=np.int32) for ids in texts)]),
            _join(self.text_lengths, [len(ids) for ids in texts]),
            _join(self.lengths, [len(own) for own in letters]),
            proteins,
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the memory that ``arrays`` were of, without copying them."""
        proteins = arrays["is_protein"]
        indices = []
        for i in range(len(SEEDS)):
            kmers = KmerIndex(
                arrays[f"frequencies_{i}"], arrays[f"postings_{i}"], len(proteins), MAX_FREQUENCY
            )
            indices.append(SeedIndex(kmers, int((proteins == (i in seeds_of(True))).sum())))
        return cls(indices, *(arrays[name] for name in PER_GENE))

    def arrays(self) -> Arrays:
        """Return all that has to be saved, by name; the inverse of ``from_arrays``."""
        named: Arrays = {name: getattr(self, name) for name in PER_GENE}
        for i, index in enumerate(self.indices):
            named[f"frequencies_{i}"] = index.kmers.frequencies
            named[f"postings_{i}"] = index.kmers.postings
        return named

    def relatives(
        self,
        sequences: Sequence[str],
        is_protein: Sequence[bool],
        k: int,
        left_out: Sequence[NDArray[np.integer]] | None = None,
    ) -> Relatives:
        """Find the ``k`` stored genes that are most like each of ``sequences``.

        Ordered by ``similarity``, then by number; genes that share no k-mer are none. A gene too
        short or too ambiguous for any k-mer has no relatives. ``left_out`` names for each gene
        the stored ones that must not be found: itself and its near copies while training, so
        that training genes look as new ones will. (What these add to the norms of other stored
        genes stays in them.)
        """
        shape = (len(sequences), k)
        relatives = Relatives(
            genes=np.full(shape, NONE, dtype=np.int32),
            similarities=np.zeros((*shape, len(SEEDS)), dtype=np.float32),
            shared=np.zeros((*shape, len(SEEDS)), dtype=np.float32),
            stretch=np.zeros(shape, dtype=np.float32),
            lengths=np.zeros(len(sequences), dtype=np.int32),
            is_protein=np.array(is_protein, dtype=np.bool_),
        )
        for row, (sequence, protein) in enumerate(zip(sequences, is_protein, strict=True)):
            letters = letter_codes(sequence, protein)
            relatives.lengths[row] = len(letters)
            hidden = np.unique(left_out[row]) if left_out is not None else np.zeros(0, np.int64)
            hidden = hidden[self.is_protein[hidden] == protein]
            compared, total = {}, np.zeros(len(self))
            for number in seeds_of(protein):
                codes = distinct_kmers(letters, SEEDS[number])
                compared[number] = self.indices[number].compare(codes, hidden)
                total += compared[number][0]
            best = _largest(total, k)
            relatives.genes[row, : len(best)] = best
            relatives.stretch[row, : len(best)] = np.log(len(letters) / self.lengths[best])
            for number, (similarity, share) in compared.items():
                relatives.similarities[row, : len(best), number] = similarity[best]
                relatives.shared[row, : len(best), number] = share[best]
        return relatives

    def text_tokens(self, genes: NDArray[np.integer], width: int) -> NDArray[np.int32]:
        """Return the first ``width`` token ids of genes' texts: (genes..., width).

        ``NONE`` where a text is shorter and where ``genes`` is ``NONE``.
        """
        tokens = np.full((*genes.shape, width), NONE, dtype=np.int32)
        known = genes != NONE
        chosen = genes[known]
        starts = self.text_ends[chosen] - self.text_lengths[chosen]  # (known,)
        place = np.arange(width)
        within = place < self.text_lengths[chosen][:, None]  # (known, width)
        rows = np.full(within.shape, NONE, dtype=np.int32)
        rows[within] = self.texts[(starts[:, None] + place)[within]]
        tokens[known] = rows
        return tokens

    def text(self, gene: int) -> list[int]:
        """Return all token ids of the text of one stored gene."""
        end = self.text_ends[gene]
        ids: list[int] = self.texts[end - self.text_lengths[gene] : end].tolist()
        return ids


PER_GENE = ("texts", "text_lengths", "lengths", "is_protein")
"""Arrays of a memory beside those of its indices, in the order of its arguments."""


def array_shapes(
    num_genes: int, num_postings: Sequence[int], num_text_tokens: int
) -> dict[str, tuple[int, type[Any]]]:
    """Return length and dtype of each of the arrays of a memory of this size."""
    shapes: dict[str, tuple[int, type[Any]]] = {
        "texts": (num_text_tokens, np.int32),
        "text_lengths": (num_genes, np.int32),
        "lengths": (num_genes, np.int32),
        "is_protein": (num_genes, np.bool_),
    }
    for i, (seed, postings) in enumerate(zip(SEEDS, num_postings, strict=True)):
        shapes[f"frequencies_{i}"] = (seed.num_codes, np.uint16)
        shapes[f"postings_{i}"] = (postings, posting_dtype(num_genes))
    return shapes


def _join(known: NDArray[np.int32], added: Sequence[int]) -> NDArray[np.int32]:
    return np.concatenate([known, np.array(added, dtype=np.int32)])


def _largest(values: NDArray[np.float64], k: int) -> list[int]:
    """Return where the ``k`` largest positive values stand, the largest first, ties by place."""
    places: list[int] = []
    left = values.copy()
    while len(places) < min(k, len(left)) and left[place := int(left.argmax())] > 0:
        places.append(place)
        left[place] = 0
    return places
