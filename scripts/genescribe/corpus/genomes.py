"""Genes of an annotation that carries descriptions: sequences as ``genescribe run`` reads them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from genescribe.corpus.source_genes import MAX_LENGTH, MIN_LENGTH, Drop, Field, SourceGene, Text
from genescribe.errors import InputError
from genescribe.genome.annotation import Annotation, LineText, read_annotation, read_texts
from genescribe.genome.extract import Reading, extract
from genescribe.genome.fasta import Genome
from genescribe.genome.settings import ExtractSettings
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


def read_genome(annotation: Path, genome: Path | None) -> Iterator[SourceGene]:
    """Yield the genes of an annotation (GFF3 or GTF) with the texts of all their lines.

    A gene is read as its CDS, or its transcript where it has none. Without ``genome`` the
    annotation must carry its own sequences. Raises what reading and extraction raise.
    """
    gene_models = read_annotation(annotation)
    if genome is None and not gene_models.has_fasta:
        raise InputError(f"{annotation}: carries no sequences (##FASTA); give its genome as well")
    lines = read_texts(gene_models, _FIELDS)
    genes = {gene.gene_id: gene for gene in gene_models.genes}
    reading = Reading(View.CDS, MAX_LENGTH)
    settings = ExtractSettings(min_length=MIN_LENGTH, allow_missing_contigs=True)
    with (
        tempfile.TemporaryDirectory(prefix="genescribe.") as scratch,
        Genome.open(genome or annotation, Path(scratch)) as opened,
    ):
        for row, sequence in extract(gene_models, opened, settings, lambda biotype: reading):
            texts = _texts(gene_models, lines.get(row.gene_id, ()))
            texts += _own_texts(genes[row.gene_id], gene_models, not texts)
            drop = Drop(row.reason) if row.reason else None
            view = View(row.view or View.GENE)
            yield SourceGene(row.gene_id, row.biotype, view, sequence, texts, drop=drop)


def _own_texts(gene: Gene, annotation: Annotation, with_product: bool) -> tuple[Text, ...]:
    """Return what the gene model says: its symbol, and its product where no line says anything."""
    place = f"{annotation.path.name}:{gene.lines[0]}"
    texts = [Text(Field.SYMBOL, gene.name, f"{place} name")] if gene.name else []
    if gene.product and with_product:
        texts.append(Text(Field.PRODUCT, gene.product, f"{place} product"))
    return tuple(texts)


def _texts(annotation: Annotation, lines: Iterable[LineText]) -> tuple[Text, ...]:
    """Return the texts of a gene's lines, none twice.

    Of a list of products the first counts, the others are its synonyms. NCBI writes GO terms as
    ``name|number|reference|evidence``.
    """
    texts: dict[tuple[Field, str], Text] = {}
    for number, key, values in lines:
        field = _FIELDS[key.lower()]
        if field is Field.NOTE or field is Field.DESCRIPTION:
            values = [", ".join(values)]  # bare commas of a sentence that was not encoded
        elif field is Field.PRODUCT:
            values = values[:1]
        for value in (value.split("|")[0] for value in values):
            place = f"{annotation.path.name}:{number} {key}"
            texts.setdefault((field, value), Text(field, value, place))
    return tuple(texts.values())
