"""Finding the genes that a person asks about: in genome and annotation, or in a FASTA file."""

from __future__ import annotations

import contextlib
import difflib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from genescribe.errors import FormatError, InputError
from genescribe.genome.annotation import Annotation, read_annotation
from genescribe.genome.biotypes import PROTEIN_CODING, UNKNOWN
from genescribe.genome.extract import extract
from genescribe.genome.fasta import Genome
from genescribe.genome.settings import ExtractSettings
from genescribe.pipeline.options import reading_of
from genescribe.pipeline.stages import own_fasta
from genescribe.records import Gene, Reason, Segment, SequenceRecord, Transcript, View
from genescribe.specs.routing import one_model
from genescribe.specs.spec import ModelSpec

STANDARD_INPUT = Path("-")


@dataclass(frozen=True, kw_only=True)
class GeneChoice:
    """Which genes, and where they stand: in ``annotation`` (and ``genome``), or in ``fasta``.

    ``fasta`` may be "-", standard input. ``gene_ids`` are gene ids, or names of FASTA records;
    none means all. ``view`` None takes what the model spec says.
    """

    genome: Path | None = None
    annotation: Path | None = None
    fasta: Path | None = None
    gene_ids: tuple[str, ...] = ()
    view: View | None = None


class FoundGene(NamedTuple):
    """A gene with what the model reads of it; ``reason`` says why ``record`` is None."""

    gene_id: str
    record: SequenceRecord | None
    reason: Reason = Reason.NONE


def find_genes(choice: GeneChoice, spec: ModelSpec) -> list[FoundGene]:
    """Return the chosen genes in the order of ``gene_ids``, or all in the order of the file.

    Genes that are named are taken whatever their biotype and length. Raises InputError for an id
    that is not there, naming the closest ones, for a named gene without a sequence to read, and
    all that reading the files raises.
    """
    # a folder for the letters of compressed genomes; nothing is written beside the user's files
    with tempfile.TemporaryDirectory(prefix="genescribe.") as scratch:
        if choice.fasta is None:
            return _of_annotation(choice, spec, Path(scratch))
        return _of_fasta(choice, spec, Path(scratch))


def _of_annotation(choice: GeneChoice, spec: ModelSpec, scratch: Path) -> list[FoundGene]:
    assert choice.annotation is not None, "neither annotation nor fasta"
    gene_models = read_annotation(choice.annotation)
    genes = _named(choice.gene_ids, gene_models.genes, choice.annotation, "gene")
    fasta = choice.genome or own_fasta(gene_models)
    with Genome.open(fasta, scratch) as genome:
        return _extracted(replace(gene_models, genes=genes), genome, choice, spec)


def _of_fasta(choice: GeneChoice, spec: ModelSpec, scratch: Path) -> list[FoundGene]:
    """Take each record for a gene that spans the whole of its sequence."""
    assert choice.fasta is not None, "no fasta"
    view = choice.view or View(spec.views["default"])
    with _on_disk(choice.fasta, scratch) as path, Genome.open(path, scratch) as genome:
        records = [_whole(name, length, view) for name, length in genome.lengths.items()]
        genes = _named(choice.gene_ids, records, choice.fasta, "record")
        gene_models = Annotation(choice.fasta, "gff3", genes, frozenset(), False, b"\n")
        return _extracted(gene_models, genome, replace(choice, view=view), spec)


def _extracted(
    gene_models: Annotation, genome: Genome, choice: GeneChoice, spec: ModelSpec
) -> list[FoundGene]:
    found = []
    settings = ExtractSettings(view=choice.view)
    if choice.gene_ids or choice.fasta:
        settings = ExtractSettings(view=choice.view, min_length=1, exclude_biotypes=())
    read = reading_of(one_model(spec), choice.view)
    for row, sequence in extract(gene_models, genome, settings, read):
        if not row.reason:
            view = View(row.view)
            record = SequenceRecord(
                row.gene_id, view, row.biotype, sequence, row.sha256, row.truncated
            )
            found.append(FoundGene(row.gene_id, record))
        elif choice.gene_ids:
            raise InputError(
                f"{gene_models.path}: {row.gene_id} has no sequence to read ({row.reason}); "
                "ask about another one"
            )
        else:
            found.append(FoundGene(row.gene_id, None, row.reason))
    return found


def _named(gene_ids: Sequence[str], genes: list[Gene], path: Path, what: str) -> list[Gene]:
    if not gene_ids:
        return genes
    by_id = {gene.gene_id: gene for gene in genes}
    for gene_id in gene_ids:
        if gene_id not in by_id:
            of_that_name = [gene.gene_id for gene in genes if gene.name == gene_id]
            closest = difflib.get_close_matches(gene_id, by_id, n=3, cutoff=0)
            hints = list(dict.fromkeys(of_that_name + closest))[:3]
            raise InputError(f"{path}: no {what} {gene_id!r}; closest: {', '.join(hints)}")
    return [by_id[gene_id] for gene_id in dict.fromkeys(gene_ids)]


def _whole(name: str, length: int, view: View) -> Gene:
    """Return the gene model of a sequence that is read from end to end in ``view``."""
    piece = Segment(0, length, "+", phase=0)
    is_cds = view is View.CDS
    biotype = PROTEIN_CODING if is_cds else UNKNOWN
    transcript = Transcript(name, biotype, (piece,), (piece,) if is_cds else ())
    return Gene(name, name, 0, length, "+", biotype, "", "", (piece,), (transcript,), (1,))


@contextlib.contextmanager
def _on_disk(fasta: Path, scratch: Path) -> Iterator[Path]:
    """Give the path of a FASTA that can be read twice: a pipe is copied, and named as it was."""
    name = "standard input" if fasta == STANDARD_INPUT else str(fasta)
    if fasta != STANDARD_INPUT and not fasta.is_fifo():
        yield fasta
        return
    copy = scratch / "pipe.fa"
    with contextlib.ExitStack() as opened, copy.open("wb") as handle:
        is_standard = fasta == STANDARD_INPUT
        pipe = sys.stdin.buffer if is_standard else opened.enter_context(fasta.open("rb"))
        shutil.copyfileobj(pipe, handle)
    try:
        yield copy
    except FormatError as error:
        error.path = Path(name)
        raise
