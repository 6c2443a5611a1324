"""Genes of a GenBank flat file, with the qualifiers that describe them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path

from Bio import BiopythonParserWarning, SeqIO
from Bio.Seq import UndefinedSequenceError
from Bio.SeqFeature import SeqFeature
from Bio.SeqRecord import SeqRecord

from genescribe.corpus.source_genes import MAX_LENGTH, Drop, Field, SourceGene, Text, problem_of
from genescribe.errors import FormatError
from genescribe.files import open_binary
from genescribe.genome.biotypes import PROTEIN_CODING, PSEUDOGENE
from genescribe.records import View

_FIELDS = {
    "product": Field.PRODUCT,
    "note": Field.NOTE,
    "function": Field.FUNCTION,
    "GO_process": Field.PROCESS,
    "EC_number": Field.EC,
    "gene": Field.SYMBOL,
}
"""Qualifiers of the INSDC feature table (and NCBI's GO_process) that describe a gene."""


def read_genbank(path: Path) -> Iterator[SourceGene]:
    """Yield the genes of a GenBank file, plain or gzip: each CDS, and each RNA but mRNA.

    Of the CDS of one locus tag the longest stands for the gene, as in ``genescribe run``. Raises
    FormatError for what Biopython cannot read, and for entries without their sequence.
    """
    entries: dict[str, SourceGene] = {}
    with (
        open_binary(path) as opened,
        io.TextIOWrapper(opened, encoding="utf-8") as handle,
        warnings.catch_warnings(),
    ):
        # columns out of place, which many programs write and Biopython reads all the same
        warnings.simplefilter("ignore", BiopythonParserWarning)
        try:
            for record in SeqIO.parse(handle, "genbank"):
                for feature in record.features:
                    if _is_product(feature.type):
                        entry = _entry(feature, record, path)
                        known = entries.setdefault(entry.gene_id, entry)
                        if len(entry.sequence) > len(known.sequence):
                            entries[entry.gene_id] = entry
        except UndefinedSequenceError as error:
            problem = "an entry has no sequence (ORIGIN); fetch the full GenBank file"
            raise FormatError(path, None, problem) from error
        except (ValueError, EOFError) as error:
            raise FormatError(path, None, f"not a GenBank file ({error}); check it") from error
    if not entries:
        raise FormatError(path, None, "has no CDS or RNA feature; is it annotated GenBank?")
    yield from entries.values()


def _is_product(feature_type: str) -> bool:
    """Tell whether a feature is what a gene makes; an mRNA is described by its CDS."""
    return feature_type == "CDS" or (feature_type.endswith("RNA") and feature_type != "mRNA")


def _entry(feature: SeqFeature, record: SeqRecord, path: Path) -> SourceGene:
    qualifiers = feature.qualifiers
    is_cds = feature.type == "CDS"
    location = feature.location
    if location is None:
        raise ValueError(f"{feature.type} of {record.id} without a location")
    place = f"{record.id}:{int(location.start) + 1}-{int(location.end)}"
    names = (qualifiers.get(key) for key in ("locus_tag", "protein_id", "gene"))
    gene_id = next((values[0] for values in names if values), place)
    biotype = PROTEIN_CODING if is_cds else feature.type
    if "pseudo" in qualifiers or "pseudogene" in qualifiers:
        biotype = PSEUDOGENE
    sequence = ""  # where pieces lie in another entry
    drop: Drop | None = Drop.NO_SEQUENCE
    if not any(part.ref for part in location.parts):
        offset = int(qualifiers.get("codon_start", ["1"])[0]) - 1
        sequence = str(feature.extract(record.seq)).upper()[offset:][:MAX_LENGTH]
        drop = problem_of(sequence, biotype)
    texts = tuple(
        Text(field, value, f"{path.name}:{place} {key}")
        for key, field in _FIELDS.items()
        for value in qualifiers.get(key, ())
    )
    view = View.CDS if is_cds else View.TRANSCRIPT
    organism = str(record.annotations.get("organism", "")) or None
    return SourceGene(gene_id, biotype, view, sequence, texts, organism, drop)
