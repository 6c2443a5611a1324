"""A gene as a source gives it, before its texts become answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from genescribe.genome.biotypes import EXCLUDED_BIOTYPES
from genescribe.genome.fasta import LETTERS
from genescribe.records import View, biotype_matches

MIN_LENGTH = 30
"""nt; as in ``genescribe run``, a shorter sequence is not read."""
MAX_LENGTH = 160_000
"""nt; what GeneChat reads (``max_gene_length`` of its configuration), more than any other model."""

_DNA = frozenset(LETTERS.decode("ascii").upper())


class Field(StrEnum):
    """What a text of a source is about, whatever the source calls it."""

    PRODUCT = "product"
    NAME = "name"  # the gene's full name
    DESCRIPTION = "description"
    NOTE = "note"
    FUNCTION = "function"
    PROCESS = "process"
    EC = "ec"
    SYMBOL = "symbol"


class Drop(StrEnum):
    """Why a gene, or a text of it, is not in the corpus; the report counts each."""

    NO_DESCRIPTION = "no_description"
    DUBIOUS_GENE = "dubious_gene"
    BIOTYPE_EXCLUDED = "biotype_excluded"
    NO_SEQUENCE = "no_sequence"
    NOT_DNA = "not_dna"
    TOO_SHORT = "too_short"
    MOSTLY_N = "mostly_n"
    NAME_TOO_LONG = "text: name_too_long"
    SHORT_NOTE = "text: note_says_little"
    DUPLICATE = "text: duplicate"
    SAYS_LESS = "text: uninformative_beside_informative"


class Text(NamedTuple):
    """One text of a gene; ``provenance`` is ``file:line attribute``."""

    field: Field
    value: str
    provenance: str


@dataclass(frozen=True, slots=True)
class SourceGene:
    """One gene of one source; ``drop`` says why it cannot be used."""

    gene_id: str
    biotype: str
    view: View
    sequence: str
    texts: tuple[Text, ...]
    organism: str | None = None
    drop: Drop | None = None


def problem_of(sequence: str, biotype: str) -> Drop | None:
    """Return why a sequence (upper case) is of no use, None if it is."""
    if any(biotype_matches(biotype, pattern) for pattern in EXCLUDED_BIOTYPES):
        return Drop.BIOTYPE_EXCLUDED
    if not sequence:
        return Drop.NO_SEQUENCE
    if len(sequence) < MIN_LENGTH:
        return Drop.TOO_SHORT
    if not _DNA.issuperset(sequence):
        return Drop.NOT_DNA
    return Drop.MOSTLY_N if sequence.count("N") * 2 > len(sequence) else None
