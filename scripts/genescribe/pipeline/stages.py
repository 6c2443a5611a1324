"""Each stage of a run as one function: files in, files out, and what there is to note.

All doors call these, and so does a whole run.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genescribe.artifacts.curation import curate, read_curation
from genescribe.artifacts.description_log import DescriptionLog
from genescribe.artifacts.descriptions import (
    read_descriptions,
    write_descriptions,
    write_descriptions_tsv,
)
from genescribe.artifacts.genes import read_genes_tsv, write_genes_tsv
from genescribe.artifacts.run_record import Recording, RunRecord, to_json
from genescribe.artifacts.sequences import read_sequences, write_sequences
from genescribe.errors import InputError, Remedy
from genescribe.files import output_error, refuse_existing, sha256_of
from genescribe.genome.annotation import Annotation, read_annotation
from genescribe.genome.decoration.strip import check_undecorated
from genescribe.genome.extract import extract
from genescribe.genome.fasta import Genome
from genescribe.genome.settings import ExtractSettings
from genescribe.inference.scheduling import shard_members
from genescribe.inference.settings import DescribeSettings
from genescribe.pipeline.options import (
    model_facts,
    reading_of,
    routes_of,
    text_settings,
)
from genescribe.records import (
    Description,
    GeneRow,
    ModelChoice,
    Progress,
    Reason,
    SequenceRecord,
    View,
    check_same_genes,
)
from genescribe.specs.routing import Routes, load_routes
from genescribe.specs.spec import verify

if TYPE_CHECKING:
    from genescribe.genome.settings import DecorateSettings

log = logging.getLogger(__name__)


def extract_stage(
    genome: Path | None,
    annotation: Path,
    out: Path,
    settings: ExtractSettings,
    model: ModelChoice,
    record: Recording,
    *,
    force: bool,
) -> Annotation:
    """Write ``genes.tsv`` and ``sequences.fa.gz`` into ``out``; return the annotation.

    Without ``genome`` the annotation must carry its own sequences (``##FASTA``). Sequences
    are streamed: memory holds the gene models, never the genome.
    """
    genes_tsv, sequences = out / "genes.tsv", out / "sequences.fa.gz"
    refuse_existing([genes_tsv, sequences], force)
    routes = load_routes(model)
    check_undecorated(annotation)  # decorate would refuse it, after all the describing
    gene_models = read_annotation(annotation)
    check_used(routes, gene_models)
    rows: list[GeneRow] = []

    def extracted(opened: Genome) -> Iterator[SequenceRecord]:
        read = reading_of(routes, settings.view)
        for row, sequence in extract(gene_models, opened, settings, read):
            rows.append(row)
            if not row.reason:
                yield SequenceRecord(
                    row.gene_id, View(row.view), row.biotype, sequence, row.sha256, row.truncated
                )

    with _scratch_folder(out) as scratch:
        fasta = genome or own_fasta(gene_models)
        with Genome.open(fasta, scratch) as opened:
            write_sequences(sequences, extracted(opened))
    write_genes_tsv(genes_tsv, rows)
    record.note_inputs(genome=genome, annotation=annotation)
    record.settings, record.genes_found = settings.model_dump(), len(rows)
    _log_extracted(rows)
    return gene_models


def check_used(routes: Routes, gene_models: Annotation) -> None:
    """Raise InputError where no gene's biotype leads to a model; warn of routes without genes."""
    genes = Counter(gene.biotype for gene in gene_models.genes)
    common = ", ".join(f"{biotype} ({count:,})" for biotype, count in genes.most_common(8))
    if not any(routes.spec_of(biotype) for biotype in genes):
        raise InputError(
            f"{gene_models.path}: no gene's biotype matches a route that names a model; "
            f"the biotypes are {common}"
        )
    used = {route.pattern for biotype in genes if (route := routes.route_of(biotype))}
    for pattern, spec in routes.routes:
        if spec is not None and pattern not in used:
            log.warning("route %s is used for no gene; the biotypes are %s", pattern, common)


def _log_extracted(rows: Sequence[GeneRow]) -> None:
    read = [row for row in rows if not row.reason]
    log.info("%d genes, %d with a sequence to read", len(rows), len(read))
    cut = Counter(row.length for row in read if row.truncated)
    if cut:
        limits = ", ".join(f"{count:,} to {limit:,} nt" for limit, count in sorted(cut.items()))
        log.info("%d genes longer than their model's limit were cut: %s", cut.total(), limits)


def describe_stage(
    genes_tsv: Path,
    sequences: Path,
    out: Path,
    options: DescribeSettings,
    record: Recording,
    *,
    resume: bool,
    force: bool,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Write the descriptions of one shard's genes to ``out``, resumable at any moment."""
    # torch takes seconds to import; extraction and decoration never need it
    from genescribe.inference.describer import pick_device

    routes, device = routes_of(options), pick_device(options.device)
    for spec in routes.specs:
        verify(spec)
    rows = read_genes_tsv(genes_tsv)
    check_extracted(rows, routes)
    to_describe = [row for row in rows if not row.reason]
    members = shard_members([row.length for row in to_describe], *options.shard)
    mine = {to_describe[position].gene_id for position in members}
    to_read = [found for found in read_sequences(sequences) if found.gene_id in mine]
    settings = {
        "sequences": (record.hashes or sha256_of)(sequences),
        "shard": "{}/{}".format(*options.shard),
        **text_settings(routes, options),
    }
    record.note_inputs(sequences=sequences)
    record.settings, record.model = {"organism": options.organism}, model_facts(routes)
    record.computed = 0
    with DescriptionLog(out, settings, resume=resume, force=force) as output:
        todo = [found for found in to_read if found.gene_id not in output.done]
        done = len(output.done)
        if progress:
            progress(done, len(mine))
        for batch in _describe(todo, routes, device, options, record, cancel) if todo else ():
            output.append(batch)
            done += len(batch)
            if progress:
                progress(done, len(mine))


def check_extracted(rows: Sequence[GeneRow], routes: Routes) -> None:
    """Raise InputError at the first gene that was not extracted for the model it leads to now."""
    specs = {biotype: routes.spec_of(biotype) for biotype in {row.biotype for row in rows}}
    for row in rows:
        spec = specs[row.biotype]
        skipped = row.reason == Reason.NO_MODEL and spec is not None
        unfit = not row.reason and (spec is None or row.length > spec.max_length)
        if skipped or unfit:
            raise InputError(
                f"gene {row.gene_id} ({row.biotype}): was extracted for other models",
                Remedy.EXTRACT_FOR_SAME_MODELS,
            )


def _describe(
    todo: Sequence[SequenceRecord],
    routes: Routes,
    device: str,
    options: DescribeSettings,
    record: Recording,
    cancel: threading.Event | None,
) -> Iterator[list[Description]]:
    """Yield what the models write about ``todo``, batch by batch, with one model loaded at a time.

    The memory of a model is given back before the next one is loaded.
    """
    import torch

    from genescribe.inference.cache import FolderCache
    from genescribe.inference.describer import Describer
    from genescribe.inference.params import DescribeParams
    from genescribe.models.footprint import check_fit

    if options.threads:
        torch.set_num_threads(options.threads)
    cache = FolderCache(options.cache) if options.cache else None
    params = DescribeParams(organism=options.organism)
    to_read = {
        spec.name: [found for found in todo if routes.spec_of(found.biotype) == spec]
        for spec in routes.specs
    }
    specs = [spec for spec in routes.specs if to_read[spec.name]]
    for spec in specs[1:]:  # loading checks the first; the others must not fail hours later
        check_fit(spec, torch.device(device), getattr(torch, spec.dtype[device]))
    computed = 0
    for spec in specs:
        records = to_read[spec.name]
        log.info("%s describes %d genes", spec.identity, len(records))
        if options.organism and not spec.prompt.tells_organism:
            log.info("%s is not told the organism: its prompt does not mention it", spec.name)
        describer = Describer(spec, device=device, cache=cache)
        yield from describer.batches(records, params, cancel=cancel)
        computed += describer.computed
        del describer
        gc.collect()  # modules refer to each other in circles
        if device == "cuda":
            torch.cuda.empty_cache()
    record.device, record.computed = device, computed


def gather_stage(
    genes_tsv: Path, parts: Sequence[Path], out: Path, record: Recording, *, force: bool
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
    record.genes = genes
    log.info("%s", ", ".join(f"{count} {status}" for status, count in genes.items()))
    return complete


def complete_descriptions(
    rows: Sequence[GeneRow], written: Mapping[str, Description]
) -> list[Description]:
    """Return one description per row, in order; genes without a sequence become ``skipped``.

    Beside those stands the model that would have read them, where all texts are of one model.
    """
    wrote = {(found.model, found.prompt) for found in written.values()}
    only = next(iter(wrote)) if len(wrote) == 1 else ("", "")
    found = dict(written)
    for row in rows:
        if row.reason:
            model, prompt = only if row.reason != Reason.NO_MODEL else ("", "")
            found[row.gene_id] = Description.skipped(row, model, prompt)
    check_same_genes((row.gene_id for row in rows), found, "the table of genes")
    return [found[row.gene_id] for row in rows]


def decorate_stage(
    annotation: Path | Annotation,
    descriptions: Path,
    out: Path,
    settings: DecorateSettings,
    record: Recording,
    *,
    force: bool,
    curation: Path | None = None,
) -> list[Path]:
    """Write the decorated annotation as ``out`` and its companions; return what was written.

    ``annotation`` may have been read before, and found undecorated. ``curation`` is a table of
    what a person decided about the descriptions.
    """
    # imports numpy and pysam, which take longer to load than extraction takes for a yeast
    from genescribe.genome.decoration.decorate import decorate

    refuse_existing([out], force)
    by_gene = {row.gene_id: row for row in read_descriptions(descriptions)}
    if curation is not None:
        by_gene = curate(by_gene, read_curation(curation))
    written = decorate(annotation, by_gene, out, settings)
    path = annotation if isinstance(annotation, Path) else annotation.path
    record.note_inputs(annotation=path, curation=curation)
    record.settings, record.files = settings.model_dump(), [str(path) for path in written]
    return written


def report_stage(
    genes_tsv: Path,
    descriptions: Path,
    out: Path,
    run: RunRecord | None,
    record: Recording,
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
    build_report(rows, by_gene, run=to_json(run) if run else {}, title=title, out=out)
    write_multiqc(rows, by_gene, sample=title, out=table)
    record.report = str(out)


def own_fasta(gene_models: Annotation) -> Path:
    """Return the annotation's path if it carries its sequences itself, else refuse."""
    if not gene_models.has_fasta:
        raise InputError(f"{gene_models.path}: carries no sequences (##FASTA)", Remedy.GIVE_GENOME)
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
