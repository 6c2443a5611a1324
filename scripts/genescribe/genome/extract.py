"""What a model reads of each gene: one row per gene of the input, and its sequence.

Which stretch it is (the *view*), and how much of it, depends on the biotype, since other models may
describe other biotypes; a gene that lacks what its view needs falls back, ``cds`` to ``transcript``
to ``gene``, and its row says which was used. The spliced views show one transcript: the one with
the longest CDS, among those the longest spliced one, among those the first in the file. Flanks are
added in view ``gene`` only: in a spliced sequence they would pass for exon. A sequence over the
length limit keeps its 5' part.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from genescribe.errors import Remedy, SequenceMismatchError
from genescribe.genome.fasta import Genome
from genescribe.genome.settings import ExtractSettings
from genescribe.genome.splice import in_frame, splice, spliced_length, with_flanks
from genescribe.records import (
    Gene,
    GeneRow,
    Reason,
    Segment,
    Transcript,
    View,
    biotype_matches,
    sequence_sha256,
)

if TYPE_CHECKING:
    from genescribe.genome.annotation import Annotation

log = logging.getLogger(__name__)

MAX_N_FRACTION = 0.5
"""A sequence with more unknown bases than this is not read; counted after cutting."""

_SHOWN = 5
_PREFIX = re.compile(r"^(chromosome|chrom|chr|scaffold|contig)[_ -]?(?=.)", re.IGNORECASE)
_VERSION = re.compile(r"\.\d+$")
_MITOCHONDRION = {"m", "mt", "mito", "mitochondrion"}


class Reading(NamedTuple):
    """What a model reads of a gene: a view, at most ``max_length`` nt of it (None: all)."""

    view: View
    max_length: int | None = None


ReadingOf = Callable[[str], Reading | None]


def extract(
    annotation: Annotation, genome: Genome, settings: ExtractSettings, read: ReadingOf
) -> Iterator[tuple[GeneRow, str]]:
    """Return (row, sequence) of every gene in the order of the annotation, one at a time.

    ``read`` gives what is read of the genes of a biotype, in place of ``settings.view``; None where
    no model describes them. The sequence is empty where ``row.reason`` is set. Raises
    SequenceMismatchError, before the first row where it can be told so early, for sequence names
    that the genome does not have (unless allowed) and for positions past the end of a sequence
    that is not circular.
    """
    used = dict.fromkeys(gene.seqid for gene in annotation.genes)
    check_seqids(annotation.path, used, genome.path, genome.lengths, settings.allow_missing_contigs)
    for gene in annotation.genes:
        if gene.seqid in genome.lengths:
            _check_inside(gene, gene.parts, annotation, genome)
    return (_extract_gene(gene, annotation, genome, settings, read) for gene in annotation.genes)


def representative(gene: Gene) -> Transcript | None:
    """Return the transcript with the longest CDS, then the longest spliced, then the first."""
    if len(gene.transcripts) == 1:
        return gene.transcripts[0]
    return max(
        gene.transcripts,
        key=lambda transcript: (spliced_length(transcript.cds), spliced_length(transcript.exons)),
        default=None,
    )


def _extract_gene(
    gene: Gene, annotation: Annotation, genome: Genome, settings: ExtractSettings, read: ReadingOf
) -> tuple[GeneRow, str]:
    transcript = representative(gene)
    if _matches(gene.biotype, settings.exclude_biotypes):
        return _row(gene, transcript, Reason.BIOTYPE_EXCLUDED), ""
    reading = read(gene.biotype)
    if reading is None:
        return _row(gene, transcript, Reason.NO_MODEL), ""
    if gene.seqid not in genome.lengths:
        return _row(gene, transcript, Reason.NO_SEQUENCE), ""
    view, pieces = _pieces_of_view(
        reading.view, settings.flank, gene, transcript, annotation, genome
    )
    _check_inside(gene, pieces, annotation, genome)
    total = spliced_length(pieces)
    sequence = splice(genome, gene.seqid, pieces, reading.max_length)
    reason = Reason.NONE
    if total < max(1, settings.min_length):
        reason = Reason.TOO_SHORT
    elif sequence.count("N") > MAX_N_FRACTION * len(sequence):
        reason = Reason.MOSTLY_N
    row = _row(gene, transcript, reason, view, sequence, total - len(sequence))
    return row, "" if reason else sequence


@cache  # an annotation has few biotypes and many genes
def _matches(biotype: str, patterns: tuple[str, ...]) -> bool:
    return any(biotype_matches(biotype, pattern) for pattern in patterns)


def _pieces_of_view(
    view: View,
    flank: int,
    gene: Gene,
    transcript: Transcript | None,
    annotation: Annotation,
    genome: Genome,
) -> tuple[View, Sequence[Segment]]:
    """Return the pieces to splice for ``view``, or for what it falls back to."""
    if view is View.CDS and transcript and transcript.cds:
        return View.CDS, in_frame(transcript.cds)
    if view is not View.GENE and transcript and transcript.exons:
        return View.TRANSCRIPT, transcript.exons
    if not flank:
        return View.GENE, gene.parts
    length, circular = genome.lengths[gene.seqid], gene.seqid in annotation.circular
    return View.GENE, with_flanks(gene.parts, flank, length, circular)


def _row(
    gene: Gene,
    transcript: Transcript | None,
    reason: Reason,
    view: View | None = None,
    sequence: str = "",
    truncated: int = 0,
) -> GeneRow:
    known = len(sequence) - sequence.count("N")
    return GeneRow(
        gene_id=gene.gene_id,
        seqid=gene.seqid,
        start=gene.start,
        end=gene.end,
        strand=gene.strand,
        biotype=gene.biotype,
        name=gene.name,
        product=gene.product,
        transcripts=len(gene.transcripts),
        transcript_id=transcript.transcript_id if transcript else "",
        exons=len(transcript.exons) if transcript else 0,
        view=view or "",
        length=len(sequence),
        truncated=truncated,
        gc=round((sequence.count("G") + sequence.count("C")) / known, 4) if known else 0.0,
        sha256="" if reason else sequence_sha256(sequence),
        reason=reason,
    )


def _check_inside(
    gene: Gene, pieces: Sequence[Segment], annotation: Annotation, genome: Genome
) -> None:
    """Raise SequenceMismatchError for a piece that the sequence of ``gene`` does not have."""
    length = genome.lengths[gene.seqid]
    circular = gene.seqid in annotation.circular
    for piece in pieces:
        if piece.end <= length or (circular and piece.end - piece.start <= length):
            continue
        raise SequenceMismatchError(
            f"{annotation.path}:{gene.lines[0]}: gene {gene.gene_id} reaches position "
            f"{piece.end} of {gene.seqid}, which has {length} nt in {genome.path}; give the FASTA "
            "that the annotation was made for, or, if the sequence is circular, mark it with a "
            "region feature that has Is_circular=true"
        )


def check_seqids(
    annotation: Path, used: Collection[str], fasta: Path, known: Collection[str], allow: bool
) -> None:
    """Raise SequenceMismatchError unless all ``used`` names are ``known``, or ``allow`` is set.

    ``used`` are the sequence names of the genes of ``annotation`` in file order, ``known``
    those of ``fasta``. With ``allow`` a warning is logged instead.
    """
    known = dict.fromkeys(known)
    missing = [name for name in used if name not in known]
    if not missing:
        return
    difference = (
        f"{annotation}: {len(missing)} of {len(used)} sequence names are not in {fasta}: "
        f"{_first(missing)}; the FASTA has {_first(known)}"
    )
    if allow:
        log.warning("%s; genes on these sequences are skipped", difference)
        return
    raise SequenceMismatchError(
        f"{difference}; {_hint(missing, known)}", Remedy.SKIP_MISSING_CONTIGS
    )


def _first(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _hint(missing: Collection[str], known: Collection[str]) -> str:
    """Say what to do; show a pair of names that differ only in prefix, version or the like."""
    by_core = {_core(name): name for name in known}
    for name in missing:
        if _core(name) in by_core:
            return f"{name} looks like {by_core[_core(name)]}: rename them in one of the files"
    return "give the FASTA that the annotation was made for"


def _core(name: str) -> str:
    """Return what is left of a name when the habits of databases are taken off.

    ``gi|49175990|ref|NC_000913.3|`` and ``accn|NC_000913`` both give ``nc_000913``; ``chr01``
    and ``1`` both give ``1``; ``chrM`` and ``MT`` both give ``mt``.
    """
    core = next((word for word in reversed(name.split("|")) if word), name)
    core = _VERSION.sub("", _PREFIX.sub("", core)).lower()
    return "mt" if core in _MITOCHONDRION else core.lstrip("0") or core
