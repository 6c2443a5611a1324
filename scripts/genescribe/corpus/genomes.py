"""Genes of an annotation that carries descriptions: sequences as ``genescribe run`` reads them."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from genescribe.corpus.entries import MAX_LENGTH, MIN_LENGTH, Drop, Entry, Field, Text
from genescribe.errors import InputError
from genescribe.files import open_binary
from genescribe.genome.annotation import Annotation, read_annotation
from genescribe.genome.annotation.draft import Row, Warnings
from genescribe.genome.annotation.gtf import gtf_ids
from genescribe.genome.annotation.read import FileFacts, features
from genescribe.genome.biotypes import EXCLUDED_BIOTYPES, Level, Levels
from genescribe.genome.extract import ExtractSettings, Reading, extract
from genescribe.genome.fasta import Genome
from genescribe.genome.gff import parse_gff3_attributes, parse_gtf_attributes
from genescribe.records import Gene, View

_FIELDS = {
    "product": Field.PRODUCT,
    "description": Field.DESCRIPTION,
    "note": Field.NOTE,
    "function": Field.FUNCTION,
    "go_process": Field.PROCESS,
    "ec_number": Field.EC,
}
"""Attributes that describe a gene, in lower case."""
_LEVELS = frozenset({Level.GENE, Level.TRANSCRIPT, Level.CDS})


class _Line(NamedTuple):
    """A feature line with its texts; ``owner`` is the gene where the line itself says it."""

    id: str
    parents: Sequence[str]
    owner: str
    texts: list[Text]


def read_genome(annotation: Path, genome: Path | None) -> Iterator[Entry]:
    """Yield the genes of an annotation (GFF3 or GTF) with the texts of all their lines.

    A gene is read as its CDS, or its transcript where it has none. Without ``genome`` the
    annotation must carry its own sequences. Raises what reading and extraction raise.
    """
    gene_models = read_annotation(annotation)
    if genome is None and not gene_models.has_fasta:
        raise InputError(f"{annotation}: carries no sequences (##FASTA); give its genome as well")
    texts = _texts_of_genes(gene_models)
    names = {gene.gene_id: gene for gene in gene_models.genes}
    settings = ExtractSettings(
        reading=lambda biotype: Reading(View.CDS, MAX_LENGTH),
        min_length=MIN_LENGTH,
        exclude_biotypes=frozenset(EXCLUDED_BIOTYPES),
        allow_missing_contigs=True,
    )
    with (
        tempfile.TemporaryDirectory(prefix="genescribe.") as scratch,
        Genome.open(genome or annotation, Path(scratch)) as opened,
    ):
        for row, sequence in extract(gene_models, opened, settings):
            gene = names[row.gene_id]
            found = [*texts.get(row.gene_id, ()), *_own_texts(gene, annotation, texts)]
            drop = Drop(row.reason) if row.reason else None
            view = View(row.view or View.GENE)
            yield Entry(row.gene_id, row.biotype, view, sequence, tuple(found), drop=drop)


def _own_texts(gene: Gene, path: Path, texts: Mapping[str, Sequence[Text]]) -> Iterator[Text]:
    """Yield what the gene model says: its symbol, and its product where no line of it does."""
    place = f"{path.name}:{gene.lines[0]}"
    if gene.name:
        yield Text(Field.SYMBOL, gene.name, f"{place} name")
    if gene.product and not texts.get(gene.gene_id):
        yield Text(Field.PRODUCT, gene.product, f"{place} product")


def _texts_of_genes(annotation: Annotation) -> dict[str, list[Text]]:
    """Return the texts of each gene, from its own lines and those of its transcripts and CDS."""
    lines = list(_lines(annotation))
    owners = {line.id: line.owner for line in lines if line.id and line.owner}
    parents = {line.id: line.parents for line in lines if line.id}
    texts: defaultdict[str, dict[tuple[Field, str], Text]] = defaultdict(dict)
    for line in lines:
        for gene in [line.owner] if line.owner else _genes_above(line.parents, owners, parents):
            for text in line.texts:
                texts[gene].setdefault((text.field, text.value), text)
    return {gene: list(found.values()) for gene, found in texts.items()}


def _genes_above(
    names: Sequence[str], owners: Mapping[str, str], parents: Mapping[str, Sequence[str]]
) -> set[str]:
    """Return the genes over features; ``read_annotation`` has refused cycles."""
    genes: set[str] = set()
    for name in names:
        if name in owners:
            genes.add(owners[name])
        else:
            genes |= _genes_above(parents.get(name, ()), owners, parents)
    return genes


def _lines(annotation: Annotation) -> Iterator[_Line]:
    gene_ids = {gene.gene_id for gene in annotation.genes}
    gene_of_line = {line: gene.gene_id for gene in annotation.genes for line in gene.lines}
    levels = Levels()
    is_gtf = annotation.dialect == "gtf"
    with open_binary(annotation.path) as handle:
        for row in features(handle, annotation.path, FileFacts(), Warnings(annotation.path)):
            if levels[row[2]] not in _LEVELS:
                continue
            number, column = row[0], row[7]
            owner = gene_of_line.get(number, "")
            if is_gtf:
                owner = owner or gtf_ids(column)[0]
                pairs = parse_gtf_attributes(column)
                yield _Line(
                    "", (), owner if owner in gene_ids else "", _texts(pairs, row, annotation)
                )
            else:
                pairs = parse_gff3_attributes(column)
                own = (pairs.get("ID") or [""])[0]
                yield _Line(own, pairs.get("Parent", ()), owner, _texts(pairs, row, annotation))


def _texts(pairs: Mapping[str, Sequence[str]], row: Row, annotation: Annotation) -> list[Text]:
    """Return the texts of one line; of a list of products the first, the others are its synonyms.

    NCBI writes GO terms as ``name|number|reference|evidence``.
    """
    place = f"{annotation.path.name}:{row[0]}"
    found = []
    for key, values in pairs.items():
        field = _FIELDS.get(key.lower())
        if field is None or not values:
            continue
        if field is Field.NOTE or field is Field.DESCRIPTION:
            values = [", ".join(values)]  # bare commas of a sentence that was not encoded
        elif field is Field.PRODUCT:
            values = values[:1]
        found += [Text(field, value.split("|")[0], f"{place} {key}") for value in values]
    return found
