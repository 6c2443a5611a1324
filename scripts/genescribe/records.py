"""The records that travel between the rooms (floor 0: knows nothing of files or models).

Coordinates are 0-based and half-open everywhere inside the library; only the readers and
writers of GTF/GFF3 and the tables for people use 1-based closed positions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from genescribe.errors import InputError

Progress = Callable[[int, int], None]
"""Told now and then how many genes, tensors or steps are done, and of how many."""


ModelChoice = str | Mapping[str, str]
"""One model (name, or path of a spec) for all genes, or biotype pattern -> model or ``skip``."""


class Status(StrEnum):
    """What became of a gene; every gene of the input gets exactly one."""

    DESCRIBED = "described"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a gene is not ``described``; written wherever the status is."""

    NONE = ""
    BIOTYPE_EXCLUDED = "biotype_excluded"
    NO_MODEL = "no_model"
    NO_SEQUENCE = "no_sequence"
    TOO_SHORT = "too_short"
    MOSTLY_N = "mostly_n"
    LOW_LIFT = "low_lift"
    LOW_SCORE = "low_score"
    EMPTY_TEXT = "empty_text"
    OUT_OF_MEMORY = "out_of_memory"
    REJECTED = "rejected"


class View(StrEnum):
    """Which stretch of a gene a model reads."""

    GENE = "gene"
    TRANSCRIPT = "transcript"
    CDS = "cds"


class Segment(NamedTuple):
    """One piece of a feature: 0-based half-open, ``phase`` as in GFF3 column 8 or -1.

    ``end`` may exceed the length of a circular sequence: the piece then goes on at its start
    (GFF3 specification, "Circular Genomes").
    """

    start: int
    end: int
    strand: str
    phase: int = -1


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript; ``exons`` and ``cds`` stand in transcription order, 5' to 3'.

    Pieces may differ in strand (trans-splicing). A transcript given only by CDS lines has its
    CDS pieces as exons; ``cds`` is empty for non-coding transcripts and includes the stop codon
    whenever the annotation has it (GTF ``stop_codon`` lines are merged in).
    """

    transcript_id: str
    biotype: str
    exons: tuple[Segment, ...]
    cds: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Gene:
    """One gene of the input, whatever dialect it came in.

    ``start``/``end`` span all ``parts``; ``parts`` has more than one piece for genes written on
    several lines (trans-spliced, or split at the origin). ``lines`` are the 1-based numbers of
    the annotation lines that carry this gene's attributes: the gene lines, or, where the file
    has none, those of its topmost features. ``product`` is what the input says the gene makes
    ("" if it says nothing).
    """

    gene_id: str
    seqid: str
    start: int
    end: int
    strand: str
    biotype: str
    name: str
    product: str
    parts: tuple[Segment, ...]
    transcripts: tuple[Transcript, ...]
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GeneRow:
    """One row of ``genes.tsv``: a gene and what was extracted for it.

    ``start``/``end`` are 0-based half-open here and 1-based closed in the file. ``length`` is
    that of the extracted sequence in nt (after cutting), ``truncated`` the number of nt left out
    to fit the model's limit. ``reason`` is empty where a sequence was extracted.
    """

    gene_id: str
    seqid: str
    start: int
    end: int
    strand: str
    biotype: str
    name: str
    product: str
    transcripts: int
    transcript_id: str
    exons: int
    view: str
    length: int
    truncated: int
    gc: float
    sha256: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class SequenceRecord:
    """The nucleotides that a model reads for one gene: upper case DNA, sense strand, 5' to 3'.

    In view ``cds`` the sequence starts in frame. ``truncated`` is the number of nt left out at its
    3' end to fit the model's limit.
    """

    gene_id: str
    view: View
    biotype: str
    sequence: str
    sha256: str
    truncated: int = 0


@dataclass(frozen=True, slots=True)
class Description:
    """What a model wrote about one gene, and how far the sequence supports it.

    ``score`` is a probability in 0..1, ``lift`` is in nats per token; both are None where no text
    was generated. Unless ``calibrated``, the score is only the likelihood per token that the model
    gives its own words. ``model`` is ``name@weights-hash``, ``prompt`` the prompt id.
    ``truncated`` is the number of nt of the gene that the model did not read, for its limit.
    """

    gene_id: str
    text: str
    status: Status
    reason: Reason
    score: float | None
    lift: float | None
    n_tokens: int
    model: str
    prompt: str
    truncated: int = 0
    calibrated: bool = True

    @classmethod
    def skipped(cls, row: GeneRow, model: str = "", prompt: str = "") -> Description:
        """Return what stands for a gene that no model read, for the reason in its row."""
        return cls(row.gene_id, "", Status.SKIPPED, row.reason, None, None, 0, model, prompt)

    @classmethod
    def failed(cls, record: SequenceRecord, reason: Reason, model: str, prompt: str) -> Description:
        """Return what stands for a gene of which its model could make nothing."""
        return cls(
            record.gene_id, "", Status.FAILED, reason, None, None, 0, model, prompt,
            record.truncated,
        )  # fmt: skip


def check_same_genes(gene_ids: Iterable[str], described: Collection[str], where: str) -> None:
    """Raise InputError unless each gene of ``where`` has a description, and no other gene has."""
    known = dict.fromkeys(gene_ids)
    undescribed = [gene_id for gene_id in known if gene_id not in described]
    unknown = [gene_id for gene_id in described if gene_id not in known]
    for found, what in (
        (undescribed, "genes have no description"),
        (unknown, "descriptions are of genes that it does not have"),
    ):
        if found:
            raise InputError(
                f"{where}: {len(found)} {what} (first: {', '.join(found[:3])}); "
                "give the descriptions of all its genes, and of no others"
            )


def biotype_matches(biotype: str, pattern: str) -> bool:
    """Tell whether a shell pattern such as ``*RNA`` matches a biotype; case is ignored."""
    return fnmatchcase(biotype.lower(), pattern.lower())


def sequence_sha256(sequence: str) -> str:
    """Return the hex sha256 of the upper-case sequence, the identity of a gene's input."""
    return hashlib.sha256(sequence.encode("ascii")).hexdigest()
