"""What a feature type says: its level in a gene model, and the biotype of the gene.

Types are Sequence Ontology terms and what programs write in their place. The level is told from
the ending of the name, because ontology terms are built that way (``tRNA_gene``, ``lnc_RNA``,
``pseudogenic_transcript``) and new ones keep appearing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

Attributes = Mapping[str, Sequence[str]]

PROTEIN_CODING = "protein_coding"
PSEUDOGENE = "pseudogene"
UNKNOWN = "unknown"

EXCLUDED_BIOTYPES = ("*pseudogene", "transposable_element*")
"""Biotypes that get no text unless asked for: a sentence about the protein of a gene that makes
none misleads more than it helps. Shell patterns."""

GENE_KEYS = ("gene_biotype", "gene_type", "biotype")
TRANSCRIPT_KEYS = ("transcript_biotype", "transcript_type", "biotype")

_PLAIN_TYPES = frozenset({"transcript", "primary_transcript", "rna", "gene", "exon", "cds", ""})
_CDS_TYPES = frozenset({"cds", "pseudogenic_cds", "edited_cds"})
_SAME = {"mRNA": PROTEIN_CODING, "lnc_RNA": "lncRNA"}  # NCBI states RNA types as biotypes


class Level(Enum):
    """The place of a feature type in a gene model."""

    GENE = "gene"
    TRANSCRIPT = "transcript"
    EXON = "exon"
    CDS = "CDS"
    UTR = "UTR"
    STOP_CODON = "stop_codon"
    OTHER = "other"


def level_of(feature_type: str) -> Level:
    """Return the level of a feature type; OTHER for what is not part of a gene model."""
    name = feature_type.lower()
    if name == "stop_codon":
        return Level.STOP_CODON
    if name == "exon" or name.endswith("_exon"):
        return Level.EXON
    if name in _CDS_TYPES:
        return Level.CDS
    if name.endswith("utr"):
        return Level.UTR
    if name.endswith("gene"):
        return Level.GENE
    if name.endswith(("rna", "transcript", "transcript_variant", "gene_segment")):
        return Level.TRANSCRIPT
    return Level.OTHER


class Levels(dict[str, Level]):
    """``level_of`` remembered for the few types that a file has."""

    def __missing__(self, feature_type: str) -> Level:
        level = self[feature_type] = level_of(feature_type)
        return level


def first_value(attributes: Attributes, keys: Iterable[str]) -> str:
    """Return the first value of the first of ``keys`` that has one, else ""."""
    return next((attributes[key][0] for key in keys if attributes.get(key)), "")


def is_pseudo(feature_type: str, attributes: Attributes) -> bool:
    """Tell whether a gene line calls its gene a pseudogene (by type, or INSDC qualifiers)."""
    return (
        "pseudogen" in feature_type.lower()
        or first_value(attributes, ("pseudo",)).lower() == "true"
        or "pseudogene" in attributes
    )


def stated_biotype(feature_type: str, attributes: Attributes) -> str:
    """Return the biotype that a gene line gives, "" if it gives none.

    In this order: the attributes ``gene_biotype`` (NCBI, Ensembl GTF), ``gene_type`` (GENCODE),
    ``biotype`` (Ensembl GFF3); what precedes ``_gene`` in its type (``tRNA_gene``). A gene that
    is called a pseudogene in any other way is ``pseudogene`` unless its biotype says so itself.
    """
    stated = first_value(attributes, GENE_KEYS)
    if PSEUDOGENE not in stated and is_pseudo(feature_type, attributes):
        return PSEUDOGENE
    if not stated and feature_type.endswith("_gene") and feature_type != "ncRNA_gene":
        stated = feature_type.removesuffix("_gene")
    return stated


def biotype_of_type(feature_type: str, coding: bool) -> str:
    """Return the biotype of a transcript from its type and whether it has a CDS, "" if open."""
    if "pseudogenic" in feature_type or PSEUDOGENE in feature_type:
        return PSEUDOGENE
    if coding:
        return PROTEIN_CODING
    name = feature_type.removesuffix("_primary_transcript")
    return "" if name.lower() in _PLAIN_TYPES else _SAME.get(name, name)


def gene_biotype(stated: str, transcript_biotypes: Sequence[str]) -> str:
    """Return the biotype of a gene: as stated, else from its transcripts, else ``unknown``.

    A gene with any protein-coding transcript is protein-coding; otherwise the first transcript
    that says anything decides.
    """
    if stated:
        return stated
    if PROTEIN_CODING in transcript_biotypes:
        return PROTEIN_CODING
    return next((name for name in transcript_biotypes if name and name != UNKNOWN), UNKNOWN)
