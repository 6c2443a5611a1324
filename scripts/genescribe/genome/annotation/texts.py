"""What the lines of each gene say of it: products, notes, descriptions, and the like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from genescribe.files import open_binary
from genescribe.genome.annotation.draft import Warnings
from genescribe.genome.annotation.gtf import gtf_ids
from genescribe.genome.annotation.read import Annotation, FileFacts, features
from genescribe.genome.biotypes import Level, Levels, first_value
from genescribe.genome.gff import parse_gff3_attributes, parse_gtf_attributes

_LEVELS = frozenset({Level.GENE, Level.TRANSCRIPT, Level.CDS})


class LineText(NamedTuple):
    """One attribute of a feature line: ``line`` is 1-based, ``key`` as it stands there.

    ``values`` are decoded; GFF3 parts them at bare commas, those of a sentence too.
    """

    line: int
    key: str
    values: Sequence[str]


class _Line(NamedTuple):
    """A feature line; ``gene_id`` is empty where only its Parents lead to the gene."""

    gene_id: str
    id: str
    parents: Sequence[str]
    texts: list[LineText]


def read_texts(annotation: Annotation, keys: Collection[str]) -> dict[str, list[LineText]]:
    """Return what the lines of each gene say under ``keys`` (lower case; the file's may not be).

    By gene_id, in the order of the lines: those of the gene, its transcripts and its CDS. A line
    under several genes speaks of each. Reads the file once more.
    """
    lines = list(_lines(annotation, keys))
    gene_of = {line.id: line.gene_id for line in lines if line.id and line.gene_id}
    parents = {line.id: line.parents for line in lines if line.id}
    texts: defaultdict[str, list[LineText]] = defaultdict(list)
    for line in lines:
        if not line.texts:
            continue
        for gene_id in [line.gene_id] if line.gene_id else _above(line.parents, gene_of, parents):
            texts[gene_id] += line.texts
    return texts


def _lines(annotation: Annotation, keys: Collection[str]) -> Iterator[_Line]:
    gene_of_line = {line: gene.gene_id for gene in annotation.genes for line in gene.lines}
    gene_ids = {gene.gene_id for gene in annotation.genes}
    levels, is_gtf = Levels(), annotation.dialect == "gtf"
    parse = parse_gtf_attributes if is_gtf else parse_gff3_attributes
    with open_binary(annotation.path) as handle:
        for row in features(handle, annotation.path, FileFacts(), Warnings(annotation.path)):
            if levels[row[2]] not in _LEVELS:
                continue
            number, column = row[0], row[7]
            pairs = parse(column)
            texts = [
                LineText(number, key, values)
                for key, values in pairs.items()
                if values and key.lower() in keys
            ]
            gene_id = gene_of_line.get(number, "")
            if is_gtf:
                gene_id = gene_id or gtf_ids(column)[0]
                yield _Line(gene_id if gene_id in gene_ids else "", "", (), texts)
            else:
                own_id = first_value(pairs, ("ID",))
                yield _Line(gene_id, own_id, pairs.get("Parent", ()), texts)


def _above(
    ids: Sequence[str], gene_of: Mapping[str, str], parents: Mapping[str, Sequence[str]]
) -> set[str]:
    """Return the genes that Parent ids lead to; ``read_annotation`` has refused cycles."""
    genes: set[str] = set()
    for one in ids:
        if one in gene_of:
            genes.add(gene_of[one])
        else:
            genes |= _above(parents.get(one, ()), gene_of, parents)
    return genes
