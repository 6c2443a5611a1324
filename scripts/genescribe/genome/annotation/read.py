"""Read an annotation, GFF3 or GTF of any dialect, into one gene model.

``read_annotation`` is the door; the rules of reading stand where they are carried out:
levels and biotypes in ``biotypes``, features without a known gene in ``adopt``, several lines
under one gene id in ``draft``, the order of pieces and stop codons in ``build``.
"""

from __future__ import annotations

import contextlib
import gc
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genescribe.errors import AnnotationError
from genescribe.files import open_binary
from genescribe.genome.annotation.draft import Draft, Oddities
from genescribe.genome.annotation.gene_models import build_genes
from genescribe.genome.annotation.gff3 import read_gff3
from genescribe.genome.annotation.gtf import read_gtf
from genescribe.genome.annotation.lines import FileFacts, features, sniff_dialect
from genescribe.records import Gene

log = logging.getLogger(__name__)

_SHOWN_TYPES = 10


@dataclass(frozen=True, slots=True)
class Annotation:
    """What an annotation file says.

    ``dialect`` is ``gff3`` or ``gtf`` (GFF1 and GFF2 count as GTF). ``genes`` stand in the order
    of their first lines. ``circular`` holds the seqids whose region is marked ``Is_circular``.
    ``has_fasta`` tells of a FASTA section behind the features.
    """

    path: Path
    dialect: str
    genes: list[Gene]
    circular: frozenset[str]
    has_fasta: bool
    line_ending: bytes


def read_annotation(path: str | Path) -> Annotation:
    """Read GFF3 or GTF, plain, gzip or bgzip.

    Raises AnnotationError, with file and line, for what is illegal or would have to be guessed,
    and for a file without genes; FormatError and InputError for files that cannot be opened or
    decompressed. Logs a warning for each kind of oddity that was repaired.

    >>> import genescribe
    >>> annotation = genescribe.read_annotation("examples/example.gff3")
    >>> annotation.dialect, len(annotation.genes), annotation.genes[0].gene_id
    ('gff3', 53, 'exg_00010')
    """
    path = Path(path)
    with open_binary(path) as handle:
        dialect = sniff_dialect(handle)
    oddities, facts = Oddities(path), FileFacts()
    draft = Draft(path, oddities)
    with _collector_paused(), open_binary(path) as handle:
        rows = features(handle, path, facts, oddities)
        (read_gff3 if dialect == "gff3" else read_gtf)(rows, draft)
        genes = build_genes(draft)
    if not genes:
        raise AnnotationError(path, None, _no_genes(draft))
    if draft.ignored:
        log.info("%s: passed over features that are no genes: %s", path, _counts(draft))
    oddities.report()
    return Annotation(
        path, dialect, genes, frozenset(draft.circular), facts.has_fasta, facts.line_ending
    )


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector: it would walk the growing millions of pieces over and over."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _counts(draft: Draft) -> str:
    shown = [f"{kind} ({n})" for kind, n in draft.ignored.most_common(_SHOWN_TYPES)]
    more = len(draft.ignored) - len(shown)
    return ", ".join(shown) + (f" and {more} more types" if more > 0 else "")


def _no_genes(draft: Draft) -> str:
    if not draft.ignored:
        return "there are no features in this file; check that it is the right one"
    return f"there are no genes, transcripts or CDS in this file, only {_counts(draft)}"
