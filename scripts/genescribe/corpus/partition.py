"""``split`` divides the genes of a corpus into sides, and says what the sides share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genescribe.artifacts.codec import cell, write_rows
from genescribe.corpus import mmseqs
from genescribe.corpus.families import (
    FAMILY_CONTAINMENT,
    NEAR_COPY_CONTAINMENT,
    Numbers,
    joined,
    kmer_partitions,
)
from genescribe.corpus.records import (
    FUNCTION,
    PRODUCT_NAME,
    SUMMARY,
    CorpusRecord,
    beside,
    by_gene,
    read_corpus,
)
from genescribe.corpus.settings import By, SplitSettings
from genescribe.corpus.splits import Side, SplitRow, write_splits
from genescribe.errors import InputError, Remedy
from genescribe.files import refuse_existing

MAX_FAMILY = 60
"""Larger families stay in training: one of them would be most of a side."""


class Relatives(NamedTuple):
    """The numbers of families and of near-copies, each (genes,)."""

    family: Numbers
    near_copy: Numbers


class Leakage(NamedTuple):
    """How much of a side is known from training: counts of its genes.

    ``described`` have an informative name, function or summary; ``same_answer`` counts those of
    which one such text is that of a training gene.
    """

    side: Side
    genes: int
    described: int
    families: int
    near_copy_in_train: int
    family_in_train: int
    same_answer_in_train: int


Genes = Sequence[Sequence[CorpusRecord]]
"""The records of each gene, as ``by_gene`` groups them."""


def split(
    corpus: Path,
    out: Path,
    settings: SplitSettings,
    *,
    force: bool = False,
) -> list[Leakage]:
    """Write on which side each sequence of a corpus is to ``out`` (.tsv).

    What the sides share is returned, and written beside it as ``.leakage.tsv``. Raises
    OutputExistsError unless ``force``, and what ``divide`` and ``find_relatives`` raise.

    >>> from genescribe import corpus
    >>> from genescribe.corpus.settings import SplitSettings
    >>> settings = SplitSettings(by="random", validation=0, test=1, mmseqs=False)
    >>> (test,) = corpus.split(Path("corpus.jsonl.gz"), Path("splits.tsv"), settings)
    >>> test.side, test.genes, test.same_answer_in_train
    (<Side.TEST: 'test'>, 1, 0)
    """
    report_path = beside(out, ".leakage.tsv")
    refuse_existing([out, report_path], force)
    genes = list(by_gene(read_corpus(corpus)))
    check_organisms(genes, settings)
    relatives = find_relatives(genes, use_mmseqs=settings.mmseqs, threads=settings.threads)
    rows = divide(genes, settings, relatives)
    report = leakage(genes, rows)
    write_splits(out, rows)
    write_rows(report_path, Leakage._fields, (map(cell, side) for side in report))
    return report


def find_relatives(genes: Genes, *, use_mmseqs: bool, threads: int = 1) -> Relatives:
    """Find families and near-copies, by shared k-mers and, with ``use_mmseqs``, by alignment.

    Near-copies are always of one family. Raises what running mmseqs raises.
    """
    if use_mmseqs:
        mmseqs.find_program()
    sequences = [gene[0].sequence_record() for gene in genes]
    family, near_copy = kmer_partitions(sequences, FAMILY_CONTAINMENT, NEAR_COPY_CONTAINMENT)
    if use_mmseqs:
        near_copy = joined(near_copy, mmseqs.clusters(sequences, mmseqs.NEAR_COPY, threads))
        family = joined(family, mmseqs.clusters(sequences, mmseqs.FAMILY, threads))
    return Relatives(joined(family, near_copy), near_copy)


def divide(genes: Genes, settings: SplitSettings, relatives: Relatives) -> list[SplitRow]:
    """Put every sequence of a corpus on a side; the same seed gives the same sides.

    A sequence that an organism held out shares with another is held out. Raises what
    ``check_organisms`` raises, and InputError where a side that was asked for stays empty.
    """
    check_organisms(genes, settings)
    held_out = np.array([not _organisms(gene).isdisjoint(settings.held_out) for gene in genes])
    family = relatives.family
    unit = np.arange(len(genes)) if settings.by is By.RANDOM else family
    sides = np.full(len(genes), Side.TRAIN, dtype=object)  # (genes,)
    sides[held_out] = Side.HELD_OUT
    rng = np.random.default_rng(settings.seed)
    counted = np.array([bool(_descriptions(gene)) for gene in genes]) & ~held_out
    for side, size in ((Side.TEST, settings.test_size), (Side.VALIDATION, settings.validation)):
        free = sides == Side.TRAIN
        wanted = round(size * counted.sum()) if size < 1 else int(size)
        sides[free & _choose(unit, free, free & counted, wanted, rng)] = side
    _check_sides(sides, counted, settings)
    return [
        SplitRow(
            sha256=gene[0].sha256,
            gene_id=gene[0].gene_id,
            source=gene[0].source,
            organism=gene[0].organism,
            family=int(family[at]),
            near_copy=int(relatives.near_copy[at]),
            side=Side(sides[at]),
        )
        for at, gene in enumerate(genes)
    ]


def leakage(genes: Genes, rows: Sequence[SplitRow]) -> list[Leakage]:
    """Return what each side but training shares with it; ``rows`` as ``divide`` returns them."""
    texts = [_descriptions(gene) for gene in genes]
    train = [at for at, row in enumerate(rows) if row.side is Side.TRAIN]
    families = {rows[at].family for at in train}
    copies = {rows[at].near_copy for at in train}
    known = set().union(*(texts[at] for at in train))
    report = []
    for side in (Side.VALIDATION, Side.TEST, Side.HELD_OUT):
        own = [at for at, row in enumerate(rows) if row.side is side]
        if own:
            report.append(
                Leakage(
                    side,
                    len(own),
                    sum(bool(texts[at]) for at in own),
                    len({rows[at].family for at in own}),
                    sum(rows[at].near_copy in copies for at in own),
                    sum(rows[at].family in families for at in own),
                    sum(not texts[at].isdisjoint(known) for at in own),
                )
            )
    return report


def check_organisms(genes: Genes, settings: SplitSettings) -> None:
    """Raise InputError for organisms held out that the corpus does not have, or none by species."""
    known = sorted(name for name in set().union(*map(_organisms, genes)) if name)
    named = ", ".join(known) or "none: the corpus names no organism"
    for name in settings.held_out:
        if name not in known:
            raise InputError(f"{name!r} is to be held out: not in the corpus; choose from {named}")
    if settings.by is By.SPECIES and not settings.held_out:
        raise InputError(f"a split by species holds out organisms: {named}", Remedy.HOLD_OUT)


def _organisms(gene: Sequence[CorpusRecord]) -> set[str | None]:
    return {record.organism for record in gene}


def _choose(
    unit: Numbers,
    free: NDArray[np.bool_],
    counted: NDArray[np.bool_],
    wanted: int,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Mark whole units with ``free`` genes until ``wanted`` are ``counted``, (genes,) bool."""
    sizes = np.bincount(unit)
    worth = np.bincount(unit[counted], minlength=len(sizes))
    candidates = np.bincount(unit[free], minlength=len(sizes)) > 0
    order = rng.permutation(np.flatnonzero(candidates & (sizes <= MAX_FAMILY)))
    needed = int(np.searchsorted(np.cumsum(worth[order]), wanted)) + 1 if wanted else 0
    return np.isin(unit, order[:needed])


def _check_sides(
    sides: NDArray[np.object_], counted: NDArray[np.bool_], settings: SplitSettings
) -> None:
    sizes = {Side.TRAIN: 1.0, Side.VALIDATION: settings.validation, Side.TEST: settings.test_size}
    for side, size in sizes.items():
        if size and not (counted & (sides == side)).any():
            raise InputError(
                f"a split by {settings.by} leaves no described gene on the side {side}",
                Remedy.SMALLER_SIDES,
            )


def _descriptions(gene: Sequence[CorpusRecord]) -> set[str]:
    """Return what is known of a gene in words."""
    in_words = (PRODUCT_NAME, FUNCTION, SUMMARY)
    return {record.answer for record in gene if record.informative and record.question in in_words}
