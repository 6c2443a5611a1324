"""References for descriptions that exist already: a corpus, an annotation, or a table of genes."""

from __future__ import annotations

import csv
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from genescribe.artifacts.codec import unescape
from genescribe.corpus.records import read_corpus
from genescribe.corpus.texts import clean_text, is_informative
from genescribe.errors import FormatError, InputError
from genescribe.evaluation.cases import Case, named
from genescribe.files import open_binary
from genescribe.genome.annotation import read_annotation
from genescribe.records import Description

log = logging.getLogger(__name__)

TABLE_COLUMNS = ("gene_id", "product")


class Reference(NamedTuple):
    """What one line of a reference file says about a gene; ``length`` in nt, None if not said."""

    gene_id: str
    text: str
    organism: str
    biotype: str
    length: int | None


def read_references(path: Path, question: str) -> tuple[list[Case], int]:
    """Return the cases of a reference file, and how many genes it says nothing about.

    Its name tells its kind: ``.jsonl[.gz]`` corpus, ``.tsv`` table, else GFF3 or GTF. Of a corpus,
    the answers to ``question``; of a table the column ``product`` beside ``gene_id`` (``genes.tsv``
    is one); of an annotation what it says that a gene makes. Texts that say that nothing is known
    are no references. Raises InputError where no reference is left.
    """
    name = path.name.removesuffix(".gz")
    if name.endswith(".jsonl"):
        read = _of_corpus(path, question)
    elif name.endswith(".tsv"):
        read = list(_of_table(path))
    else:
        read = [
            Reference(gene.gene_id, gene.product, "", gene.biotype, gene.end - gene.start)
            for gene in read_annotation(path).genes
        ]
    texts: dict[str, list[str]] = defaultdict(list)
    first: dict[str, Reference] = {}
    for one in read:
        first.setdefault(one.gene_id, one)
        text = clean_text(one.text)
        if text and is_informative(text) and text not in texts[one.gene_id]:
            texts[one.gene_id].append(text)
    if not any(texts.values()):
        raise InputError(
            f"{path}: none of its {len(first)} genes has an informative description to compare "
            "with; give an annotation that describes its genes"
        )
    cases = [
        Case(
            gene_id=gene_id,
            question=question,
            references=tuple(texts[gene_id]),
            organism=one.organism or "not stated",
            biotype=one.biotype,
            length=one.length,
        )
        for gene_id, one in first.items()
        if texts[gene_id]
    ]
    return cases, len(first) - len(cases)


def _of_corpus(path: Path, question: str) -> list[Reference]:
    records = [record for record in read_corpus(path) if record.question == question]
    if not records:
        raise InputError(f"{path}: no record answers {question!r}; choose another question")
    return [
        Reference(r.gene_id, r.answer, r.organism or "", r.biotype, len(r.sequence))
        for r in records
    ]


def _of_table(path: Path) -> Iterable[Reference]:
    with open_binary(path) as raw:
        lines = (line.decode("utf-8", "surrogateescape") for line in raw)
        table = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not set(TABLE_COLUMNS) <= set(table.fieldnames or ()):
            raise FormatError(path, 1, f"no columns {' and '.join(TABLE_COLUMNS)}; name them so")
        for row in table:
            length = row.get("length") or ""
            yield Reference(
                unescape(row["gene_id"]),
                unescape(row["product"] or ""),
                unescape(row.get("organism") or ""),
                unescape(row.get("biotype") or ""),
                int(length) if length.isdecimal() else None,
            )


def match(cases: Sequence[Case], descriptions: Mapping[str, Description]) -> list[Description]:
    """Return the description of each case.

    Descriptions of genes without reference are passed over, with a note in the log. Raises
    InputError where a gene of the references was not described: another assembly, most likely.
    """
    missing = [case.gene_id for case in cases if case.gene_id not in descriptions]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(cases)} genes of the references are not among the "
            f"{len(descriptions)} descriptions: {named(missing)} (described are "
            f"{named(list(descriptions))}); give references and descriptions of the same genes"
        )
    if others := len(descriptions) - len(cases):
        log.info("%d described genes have no reference and are not scored", others)
    return [descriptions[case.gene_id] for case in cases]
