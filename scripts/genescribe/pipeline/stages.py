"""Each stage of a run as one function: files in, files out, and what there is to note.

The Snakemake rules, ``genescribe run``, Galaxy and notebooks all call these.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genescribe.errors import InputError
from genescribe.files import output_error, refuse_existing, sha256_of
from genescribe.genome.annotation import Annotation, read_annotation
from genescribe.genome.extract import ExtractSettings, extract
from genescribe.genome.fasta import Genome
from genescribe.genome.strip import check_undecorated
from genescribe.genome.tables import (
    read_genes_tsv,
    read_sequences,
    write_descriptions_tsv,
    write_genes_tsv,
    write_sequences,
)
from genescribe.inference.batching import shard_members
from genescribe.inference.store import DescriptionLog, read_descriptions, write_descriptions
from genescribe.models.spec import ModelSpec, load_spec, verify
from genescribe.pipeline.record import StageRecord
from genescribe.records import Description, GeneRow, SequenceRecord, Status, View

if TYPE_CHECKING:
    from genescribe.genome.decorate import DecorateSettings
    from genescribe.inference.describer import Progress

log = logging.getLogger(__name__)

EXCLUDED_BIOTYPES = ("*pseudogene", "transposable_element*")
"""Biotypes that get no text unless asked for: a sentence about the protein of a gene that makes
none misleads more than it helps. Shell patterns."""


@dataclass(frozen=True, kw_only=True)
class ExtractOptions:
    """What a person may choose about extraction; None takes what the model spec says."""

    view: View | None = None
    flank: int = 0
    min_length: int = 30
    exclude_biotypes: tuple[str, ...] = EXCLUDED_BIOTYPES
    allow_missing_contigs: bool = False

    def settings(self, spec: ModelSpec) -> ExtractSettings:
        """Return the settings for sequences that ``spec`` is to read."""
        views = {"default": self.view} if self.view else dict(spec.views)
        return ExtractSettings(
            views={biotype: View(view) for biotype, view in views.items()},
            max_length=spec.max_length,
            flank=self.flank,
            min_length=self.min_length,
            max_n_fraction=0.5,
            exclude_biotypes=frozenset(self.exclude_biotypes),
            allow_missing_contigs=self.allow_missing_contigs,
        )


@dataclass(frozen=True, kw_only=True)
class DescribeOptions:
    """What a person may choose about inference."""

    model: str = "tiny"
    device: str = "auto"
    organism: str | None = None
    cache: Path | None = None
    threads: int | None = None
    shard: tuple[int, int] = (1, 1)


def extract_stage(
    genome: Path | None,
    annotation: Path,
    out: Path,
    options: ExtractOptions,
    model: str,
    record: StageRecord,
    *,
    force: bool,
) -> list[GeneRow]:
    """Write ``genes.tsv`` and ``sequences.fa.gz`` into ``out``; return the rows.

    Without ``genome`` the annotation must carry its own sequences (``##FASTA``). Sequences
    are streamed: memory holds the gene models, never the genome.
    """
    genes_tsv, sequences = out / "genes.tsv", out / "sequences.fa.gz"
    refuse_existing([genes_tsv, sequences], force)
    settings = options.settings(load_spec(model))
    check_undecorated(annotation)  # decorate would refuse it, after all the describing
    gene_models = read_annotation(annotation)
    gc.freeze()  # the models stay to the end: the collector need not walk through them again
    rows: list[GeneRow] = []

    def extracted(opened: Genome) -> Iterator[SequenceRecord]:
        for row, sequence in extract(gene_models, opened, settings):
            rows.append(row)
            if not row.reason:
                view = View(row.view)
                yield SequenceRecord(row.gene_id, view, row.biotype, sequence, row.sha256)

    with _scratch_folder(out) as scratch:
        fasta = genome or own_fasta(gene_models)
        with Genome.open(fasta, scratch) as opened:
            write_sequences(sequences, extracted(opened))
    write_genes_tsv(genes_tsv, rows)
    record.inputs(genome=genome, annotation=annotation)
    record.note(settings=asdict(options), genes_found=len(rows))
    log.info("%d genes, %d with a sequence to read", len(rows), sum(not r.reason for r in rows))
    return rows


def describe_stage(
    genes_tsv: Path,
    sequences: Path,
    out: Path,
    options: DescribeOptions,
    record: StageRecord,
    *,
    resume: bool,
    force: bool,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Write the descriptions of one shard's genes to ``out``, resumable at any moment."""
    # Threads that wait for each other by spinning (libgomp's default) stall a machine that has
    # other work, too; on an idle one a short spin is as fast. Read when torch is first loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "30000")
    # torch takes seconds to import; extraction and decoration never need it
    from genescribe.inference.describer import pick_device

    spec, device = load_spec(options.model), pick_device(options.device)
    verify(spec)
    index, total = options.shard
    rows = [row for row in read_genes_tsv(genes_tsv) if not row.reason]
    members = shard_members([row.length for row in rows], index, total)
    mine = {rows[position].gene_id for position in members}
    to_read = [found for found in read_sequences(sequences) if found.gene_id in mine]
    settings = {
        "sequences": sha256_of(sequences),
        "model": spec.identity,
        "prompt": spec.prompt_id,
        "organism": options.organism,
        "shard": f"{index}/{total}",
        **thresholds(spec),
    }
    record.inputs(sequences=sequences)
    record.note(
        settings={"organism": options.organism, **thresholds(spec)}, model=model_facts(spec)
    )
    with DescriptionLog(out, settings, resume=resume, force=force) as output:
        todo = [found for found in to_read if found.gene_id not in output.done]
        if progress:
            progress(len(output.done), len(mine))
        if todo:
            _describe(todo, spec, device, options, output, record, progress, cancel)
        else:
            record.note(computed=0)


def _describe(
    todo: Sequence[SequenceRecord],
    spec: ModelSpec,
    device: str,
    options: DescribeOptions,
    output: DescriptionLog,
    record: StageRecord,
    progress: Progress | None,
    cancel: threading.Event | None,
) -> None:
    """Load the model and append what it writes about ``todo``, batch by batch."""
    import torch

    from genescribe.inference.cache import FolderCache
    from genescribe.inference.describer import DescribeParams, Describer

    if options.threads:
        torch.set_num_threads(options.threads)
    cache = FolderCache(options.cache) if options.cache else None
    describer = Describer(spec, device=device, cache=cache)
    record.note(device=describer.device)
    before = len(output.done)

    def report(done: int, _: int) -> None:
        if progress:
            progress(before + done, before + len(todo))

    params = DescribeParams(organism=options.organism)
    for batch in describer.batches(todo, params, progress=report, cancel=cancel):
        output.append(batch)
    record.note(computed=describer.computed)


def gather_stage(
    genes_tsv: Path, parts: Sequence[Path], out: Path, record: StageRecord, *, force: bool
) -> list[Description]:
    """Join shards into ``out`` (.jsonl) and ``descriptions.tsv`` beside it: a row per gene.

    Raises InputError where a gene with a sequence has no description, or a description no gene.
    """
    table = out.with_suffix(".tsv")
    refuse_existing([out, table], force)
    rows = read_genes_tsv(genes_tsv)
    written = {row.gene_id: row for part in parts for row in read_descriptions(part)}
    complete = complete_descriptions(rows, written)
    write_descriptions(out, complete)
    write_descriptions_tsv(table, rows, {row.gene_id: row for row in complete})
    genes = dict(sorted(Counter(str(row.status) for row in complete).items()))
    record.note(genes=genes)
    log.info("%s", ", ".join(f"{count} {status}" for status, count in genes.items()))
    return complete


def complete_descriptions(
    rows: Sequence[GeneRow], written: Mapping[str, Description]
) -> list[Description]:
    """Return one description per row, in order; genes without a sequence become ``skipped``."""
    model, prompt = next(((d.model, d.prompt) for d in written.values()), ("", ""))
    complete, missing = [], []
    for row in rows:
        found = written.get(row.gene_id)
        if row.reason:
            found = Description(
                row.gene_id, "", Status.SKIPPED, row.reason, None, None, 0, model, prompt
            )
        if found is None:
            missing.append(row.gene_id)
        else:
            complete.append(found)
    if missing:
        raise InputError(
            f"{len(missing)} genes have no description ({', '.join(missing[:3])}...); "
            "describe every shard of this genes.tsv first"
        )
    unknown = sorted(written.keys() - {row.gene_id for row in rows})
    if unknown:
        raise InputError(
            f"{len(unknown)} descriptions belong to no gene of this genes.tsv "
            f"({', '.join(unknown[:3])}...); give the shards made from it"
        )
    return complete


def decorate_stage(
    annotation: Path,
    descriptions: Path,
    out: Path,
    settings: DecorateSettings,
    record: StageRecord,
    *,
    force: bool,
) -> list[Path]:
    """Write the decorated annotation as ``out`` and its companions; return what was written."""
    # imports numpy and pysam, which take longer to load than extraction takes for a yeast
    from genescribe.genome.decorate import decorate

    refuse_existing([out], force)
    by_gene = {row.gene_id: row for row in read_descriptions(descriptions)}
    written = decorate(annotation, by_gene, out, settings)
    record.inputs(annotation=annotation)
    record.note(settings=asdict(settings), files=[str(path) for path in written])
    return written


def report_stage(
    genes_tsv: Path,
    descriptions: Path,
    out: Path,
    run: Mapping[str, Any],
    record: StageRecord,
    *,
    title: str,
    force: bool,
) -> None:
    """Write the HTML report as ``out`` and ``genescribe_mqc.tsv`` beside it."""
    from genescribe.report import build_report, write_multiqc

    table = out.with_name("genescribe_mqc.tsv")
    refuse_existing([out, table], force)
    rows = read_genes_tsv(genes_tsv)
    by_gene = {row.gene_id: row for row in read_descriptions(descriptions)}
    build_report(rows, by_gene, run=run, title=title, out=out)
    write_multiqc(rows, by_gene, sample=title, out=table)
    record.note(report=str(out))


def own_fasta(gene_models: Annotation) -> Path:
    """Return the annotation's path if it carries its sequences itself, else refuse."""
    if not gene_models.has_fasta:
        raise InputError(
            f"{gene_models.path}: carries no sequences (##FASTA); give the genome with --genome"
        )
    return gene_models.path


@contextlib.contextmanager
def _scratch_folder(out: Path) -> Iterator[Path]:
    """Make ``out``, and in it a folder that is gone afterwards."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(prefix=".genome.", dir=out)
    except OSError as error:
        raise output_error(out, error) from error
    with scratch as name:
        yield Path(name)


def model_facts(spec: ModelSpec) -> dict[str, str]:
    """Return what identifies a model in a run record."""
    return {"name": spec.name, "identity": spec.identity, "sha256": spec.sha256}


def thresholds(spec: ModelSpec) -> dict[str, float]:
    """Return what separates ``described`` from ``uncertain``."""
    return {"min_lift": spec.min_lift, "min_score": spec.min_score}
