"""All stages of one assembly in one process, for a shell, Galaxy and notebooks."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genescribe.errors import InputError, OutputExistsError
from genescribe.files import check_readable, output_error, sha256_of
from genescribe.genome.decorate import DecorateSettings, check_not_input, gtf_path
from genescribe.inference.store import compare_settings
from genescribe.models.spec import load_spec, verify
from genescribe.pipeline.record import (
    StageRecord,
    merge_records,
    read_record,
    stage_record,
    write_record,
)
from genescribe.pipeline.stages import (
    DescribeOptions,
    ExtractOptions,
    decorate_stage,
    describe_stage,
    extract_stage,
    gather_stage,
    report_stage,
)

if TYPE_CHECKING:
    from genescribe.inference.describer import Progress

log = logging.getLogger(__name__)

ANNOTATION_ENDINGS = (".gff3", ".gff", ".gtf", ".gff2")
WORK_FOLDER = ".genescribe"
"""Inside the output folder: what a stopped run needs to go on. Gone after a finished one."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """One assembly and all that a person may choose about it."""

    genome: Path | None
    annotation: Path
    out: Path
    name: str | None = None
    extract: ExtractOptions = field(default_factory=ExtractOptions)
    describe: DescribeOptions = field(default_factory=DescribeOptions)
    decorate: DecorateSettings = field(default_factory=DecorateSettings)


def run(
    options: RunOptions,
    *,
    command: str,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, Any]:
    """Describe one assembly into ``options.out``; return the run record (``run.json``).

    Raises OutputExistsError where a finished or stopped run is there and neither ``resume``
    nor ``force`` was given, SettingsChangedError where ``resume`` meets other settings.
    """
    settings = run_settings(options)
    if is_complete(options.out, settings, resume=resume, force=force):
        log.info("%s: already complete, nothing to resume", options.out)
        return read_record(options.out / "run.json")
    verify(load_spec(options.describe.model))
    out, work, name = options.out, options.out / WORK_FOLDER, settings["name"]
    decorated = out / f"{name}.gff3"
    check_not_input(options.annotation, [decorated, gtf_path(decorated)])
    genes, sequences = out / "genes.tsv", out / "sequences.fa.gz"
    descriptions, described = out / "descriptions.jsonl", work / "descriptions.jsonl"
    stages: list[dict[str, Any]] = []

    @contextlib.contextmanager
    def stage(title: str) -> Iterator[StageRecord]:
        with stage_record(title) as record:
            yield record
        stages.append(record.values)

    with stage("extract") as record:
        extract_stage(
            options.genome,
            options.annotation,
            out,
            options.extract,
            options.describe.model,
            record,
            force=True,
        )
    from genescribe.inference.describer import pick_device  # not before: it imports torch

    pick_device(options.describe.device)
    claim(out, settings)  # not before: bad input must leave nothing to resume
    with stage("describe") as record:
        describe_stage(
            genes,
            sequences,
            described,
            options.describe,
            record,
            resume=resume,
            force=force,
            progress=progress,
            cancel=cancel,
        )
    with stage("gather") as record:
        gather_stage(genes, [described], descriptions, record, force=True)
    with stage("decorate") as record:
        decorate_stage(
            options.annotation,
            descriptions,
            decorated,
            options.decorate,
            record,
            force=True,
        )
    with stage("report") as record:
        so_far = merge_records(stages, command)
        report_stage(
            genes, descriptions, out / "report.html", so_far, record, title=name, force=True
        )
    finished = {**merge_records(stages, command), "settings": settings}
    write_record(out / "run.json", finished)
    shutil.rmtree(work)
    return finished


def is_complete(out: Path, settings: Mapping[str, Any], *, resume: bool, force: bool) -> bool:
    """Tell whether the run asked for is finished in ``out``; refuse what must not be touched."""
    complete, stopped = out / "run.json", out / WORK_FOLDER / "settings.json"
    existing = next((path for path in (complete, stopped) if path.exists()), None)
    if existing is None or force:
        return False
    if not resume:
        hint = (
            "already holds a finished run; add --force to overwrite it"
            if existing == complete
            else "holds a stopped run; add --resume to go on or --force to start anew"
        )
        raise OutputExistsError(f"{out}: {hint}")
    kept = read_record(existing)
    compare_settings(kept["settings"] if existing == complete else kept, settings)
    return existing == complete


def claim(out: Path, settings: Mapping[str, Any]) -> None:
    """Mark ``out`` as holding a run that is not finished, with the settings to go on with."""
    try:
        (out / WORK_FOLDER).mkdir(exist_ok=True)
        (out / "run.json").unlink(missing_ok=True)
    except OSError as error:
        raise output_error(out, error) from error
    write_record(out / WORK_FOLDER / "settings.json", settings)


def run_settings(options: RunOptions) -> dict[str, Any]:
    """Return all that decides the bytes of the results, flat, for comparison on ``--resume``.

    Where a run is computed (device, threads, cache) may change between two sessions.
    """
    spec = load_spec(options.describe.model)
    for path in (options.genome, options.annotation):
        if path is not None:
            check_readable(path)
    return {
        "genome_sha256": sha256_of(options.genome) if options.genome else None,
        "annotation_sha256": sha256_of(options.annotation),
        "name": options.name or annotation_name(options.annotation),
        "model": spec.identity,
        "prompt": spec.prompt_id,
        "organism": options.describe.organism,
        **{key: str(value) for key, value in asdict(options.extract).items()},
        **asdict(options.decorate),
    }


def annotation_name(annotation: Path) -> str:
    """Return the file name without its endings: ``genes.v2.gff3.gz`` gives ``genes.v2``."""
    name = annotation.name
    for ending in (".gz", ".bgz"):
        name = name.removesuffix(ending)
    for ending in ANNOTATION_ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    if not name:
        raise InputError(f"{annotation}: has no file name to name the results by; give --name")
    return name
