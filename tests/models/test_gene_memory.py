"""The gene memory: similarities against a plain loop, what may and what must not be found."""

from __future__ import annotations

import math
import random
from collections import Counter
from functools import cache

import numpy as np
import pytest
from Bio.Seq import Seq

from genescribe.kmers import REDUCED_GROUPS, posting_dtype
from genescribe.models import gene_memory
from genescribe.models.gene_memory import NONE, SEEDS, GeneMemory, Relatives, array_shapes

SPACED = (0, 1, 3, 4, 7, 9)


def related_genes(count: int, seed: int = 0) -> tuple[list[str], list[bool]]:
    """Genes in families of four, of which two in three are coding; letters differ within."""
    rng = random.Random(seed)
    genes, proteins = [], []
    for i in range(count):
        if i % 4 == 0:
            ancestor = rng.choices("ACGT", k=rng.randrange(200, 400))
        changed = {place: rng.choice("ACGT") for place in rng.sample(range(len(ancestor)), 20)}
        genes.append("".join(changed.get(j, base) for j, base in enumerate(ancestor)))
        proteins.append(i // 4 % 3 != 2)
    return genes, proteins


def kmers(sequence: str, is_protein: bool) -> list[set[str]]:
    """The k-mers of each seed, by their letters; a stop or an N is in none."""
    if not is_protein:
        eight = {sequence[i : i + 8] for i in range(len(sequence) - 7)}
        return [set(), set(), {word for word in eight if set(word) <= set("ACGT")}]
    codons = [sequence[i : i + 3] for i in range(0, len(sequence) - 2, 3)]
    residues = "".join("W" if codon == "TGA" else str(Seq(codon).translate()) for codon in codons)
    if codons and codons[-1] in ("TAA", "TAG", "TGA"):
        residues = residues[:-1]
    group = {letter: str(i) for i, group in enumerate(REDUCED_GROUPS) for letter in group}
    reduced = [group.get(letter, "?") for letter in residues]
    four = {residues[i : i + 4] for i in range(len(residues) - 3)}
    windows = [reduced[i : i + SPACED[-1] + 1] for i in range(len(reduced) - SPACED[-1])]
    spaced = {"-".join(window[offset] for offset in SPACED) for window in windows}
    return [
        {word for word in four if not set(word) & set("*X")},
        {word for word in spaced if "?" not in word},
        set(),
    ]


def idf_squared(stored: list[set[str]]) -> dict[str, float]:
    frequency = Counter(word for words in stored for word in words)
    return {word: math.log((len(stored) + 1) / n) ** 2 for word, n in frequency.items()}


def similarities(
    query: tuple[str, bool], genes: list[str], proteins: list[bool], hidden: set[int]
) -> list[list[tuple[float, float]]]:
    """(similarity, share) of a gene with every stored one by each seed, by the definition."""
    found = []
    for seed, own in enumerate(kmers(*query)):
        stored = [kmers(*gene)[seed] for gene in zip(genes, proteins, strict=True)]
        kind = [i for i, protein in enumerate(proteins) if protein == query[1]]
        weights = idf_squared([stored[i] for i in kind])
        seen = idf_squared([stored[i] for i in kind if i not in hidden])
        norm = sum(seen.get(word, 0.0) for word in own)
        row = []
        for i, words in enumerate(stored):
            both = own & words if i not in hidden else set()
            shared = sum(seen[word] for word in both)
            other = sum(weights.get(word, 0.0) for word in words)
            row.append((shared / math.sqrt(norm * other), len(both) / len(own)) if both else (0, 0))
        found.append(row)
    return found


def built(genes: list[str], proteins: list[bool], texts: list[list[int]]) -> GeneMemory:
    """Store genes in an empty memory."""
    shapes = array_shapes(0, [0] * len(SEEDS), 0)
    empty = {name: np.zeros(length, dtype) for name, (length, dtype) in shapes.items()}
    return GeneMemory.from_arrays(empty).extend(genes, proteins, texts)


@cache
def stored() -> tuple[GeneMemory, list[str], list[bool]]:
    genes, proteins = related_genes(36)
    return built(genes, proteins, [[i] * (i % 5) for i in range(36)]), genes, proteins


@pytest.mark.parametrize("number", [0, 5, 9, 33])
@pytest.mark.parametrize(
    "hidden", [set(), {0, 1, 33}, {0, 1, 2, 5, 9, 10, 32, 33, 34, 35}], ids=len
)
def test_similarity_is_as_defined(number: int, hidden: set[int]) -> None:
    memory, genes, proteins = stored()
    query = genes[number][: len(genes[number]) // 2], proteins[number]
    expected = np.array(similarities(query, genes, proteins, hidden))  # (seeds, genes, 2)
    found = memory.relatives([query[0]], [query[1]], 40, [np.array(sorted(hidden), dtype=int)])
    total = expected[..., 0].sum(0)
    order = sorted(np.flatnonzero(total), key=lambda i: (-round(total[i], 12), i))
    assert found.genes[0].tolist() == order + [NONE] * (40 - len(order))
    assert np.allclose(found.similarities[0, : len(order)].T, expected[:, order, 0], atol=1e-6)
    assert np.allclose(found.shared[0, : len(order)].T, expected[:, order, 1], atol=1e-6)
    assert not found.similarities[0, len(order) :].any()
    assert hidden.isdisjoint(found.genes[0].tolist())


def test_a_gene_finds_itself_first() -> None:
    memory, genes, proteins = stored()
    found = memory.relatives(genes, proteins, 3)
    assert found.genes[:, 0].tolist() == list(range(36))
    assert np.allclose(found.similarity[:, 0], 1)
    assert (found.similarity[:, 1] < 0.9).all()
    families = found.genes[:, 1] // 4
    assert families.tolist() == [i // 4 for i in range(36)]
    assert np.allclose(found.stretch[:, 0], 0)


def test_what_is_left_out_makes_no_kmer_known() -> None:
    """A training gene looks as it would if its family had never been stored."""
    memory, genes, proteins = stored()
    family = np.arange(4)
    without = built(genes[4:], proteins[4:], [[]] * 32)
    alone = without.relatives(genes[:1], proteins[:1], 5)
    found = memory.relatives(genes[:1], proteins[:1], 5, [family])
    assert found.genes.tolist() == np.where(alone.genes == NONE, NONE, alone.genes + 4).tolist()
    assert np.array_equal(found.shared, alone.shared)
    assert np.allclose(found.similarities, alone.similarities, rtol=0.1)  # norms of so few others


def test_ties_go_by_number() -> None:
    genes, _ = related_genes(4)
    twice = [genes[3], *genes, genes[3]]
    memory = built(twice, [True] * 6, [[]] * 6)
    found = memory.relatives([genes[3]], [True], 4)
    assert found.genes[0, :3].tolist() == [0, 4, 5]
    assert memory.relatives([genes[3]], [True], 2).genes[0].tolist() == [0, 4]


@pytest.mark.parametrize("sequence", ["", "AT", "ATGGCT", "N" * 60, "ATGNCT" * 20, "NNNNNNNNA" * 9])
@pytest.mark.parametrize("is_protein", [True, False])
def test_genes_without_kmers_have_no_relatives(sequence: str, is_protein: bool) -> None:
    memory, genes, proteins = stored()
    found = memory.relatives([sequence], [is_protein], 3)
    assert found.genes.tolist() == [[NONE] * 3]
    assert not found.features.any()
    extended = memory.extend([sequence], [is_protein], [[7]])
    assert np.array_equal(
        extended.relatives(genes, proteins, 3).genes, memory.relatives(genes, proteins, 3).genes
    )


def test_coding_genes_have_no_relatives_among_others() -> None:
    memory, genes, proteins = stored()
    found = memory.relatives(genes, proteins, 36).genes
    for row, protein in zip(found, proteins, strict=True):
        assert {proteins[i] for i in row if i != NONE} == {protein}
    coding = built(genes[:8], [True] * 8, [[]] * 8)
    assert coding.relatives(genes[:1], [False], 3).genes.tolist() == [[NONE] * 3]


def test_a_batch_is_its_genes_one_by_one() -> None:
    memory, genes, proteins = stored()
    left_out = [np.array([i]) for i in range(36)]
    together = memory.relatives(genes, proteins, 4, left_out)
    for i in range(0, 36, 5):
        alone = memory.relatives([genes[i]], [proteins[i]], 4, [left_out[i]])
        for name in Relatives.__slots__:
            assert np.array_equal(getattr(alone, name), getattr(together, name)[[i]]), name


def same(one: GeneMemory, other: GeneMemory) -> bool:
    arrays, others = one.arrays(), other.arrays()
    return arrays.keys() == others.keys() and all(
        array.dtype == others[name].dtype and np.array_equal(array, others[name])
        for name, array in arrays.items()
    )


@pytest.mark.parametrize("most", [3000, 3])
def test_extending_is_building_on_the_union(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Also for k-mers that were too frequent already, or become so."""
    monkeypatch.setattr(gene_memory, "MAX_FREQUENCY", most)
    genes, proteins = related_genes(24, seed=1)
    texts = [[i, i + 1] for i in range(24)]
    whole = built(genes, proteins, texts)
    for cut in (1, 6, 23):
        part = built(genes[:cut], proteins[:cut], texts[:cut])
        assert same(part.extend(genes[cut:], proteins[cut:], texts[cut:]), whole)
    frequencies = whole.indices[0].kmers.frequencies
    assert frequencies.max() == min(most + 1, 5)
    assert len(whole.indices[0].kmers.postings) == frequencies[frequencies <= most].sum()


def test_kmers_of_too_many_genes_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gene_memory, "MAX_FREQUENCY", 3)
    genes, _ = related_genes(8)
    common, rare = genes[0][:90], genes[4][:90]
    memory = built([common] * 4 + [common + rare], [True] * 5, [[]] * 5)
    assert memory.relatives([common], [True], 2).genes.tolist() == [[NONE, NONE]]
    found = memory.relatives([common + rare], [True], 2)
    assert found.genes.tolist() == [[4, NONE]]
    assert np.allclose(found.similarity[0, 0], 1)
    whole, part = kmers(common + rare, True)[0], kmers(common, True)[0]
    assert found.shared[0, 0, 0] == pytest.approx(len(whole - part) / len(whole))


def test_more_genes_than_sixteen_bits_number() -> None:
    assert posting_dtype(65_536) is np.uint16
    assert posting_dtype(65_537) is np.int32


def test_texts() -> None:
    memory = built(["ATG"] * 4, [True] * 4, [[5, 6, 7], [], [8], [9, 10]])
    tokens = memory.text_tokens(np.array([[3, NONE], [0, 1]]), 2)
    assert tokens.tolist() == [[[9, 10], [NONE, NONE]], [[5, 6], [NONE, NONE]]]
    assert [memory.text(i) for i in range(4)] == [[5, 6, 7], [], [8], [9, 10]]


def test_arrays_are_all_there_is() -> None:
    memory, genes, proteins = stored()
    again = GeneMemory.from_arrays(memory.arrays())
    assert same(again, memory)
    found, expected = (m.relatives(genes, proteins, 5) for m in (again, memory))
    assert np.array_equal(found.features, expected.features)
    sizes = gene_memory.array_shapes(
        len(memory), [len(index.kmers.postings) for index in memory.indices], len(memory.texts)
    )
    assert {name: (len(a), a.dtype) for name, a in memory.arrays().items()} == sizes


def test_size() -> None:
    """30,000 genes of 350 residues, read by two seeds, must leave room for a model in 60 MB."""
    shapes = gene_memory.array_shapes(30_000, [30_000 * 350, 30_000 * 350, 0], 30_000 * 8)
    size = sum(length * np.dtype(dtype).itemsize for length, dtype in shapes.values())
    assert size < 48e6
