"""All stages of one assembly in one process, for a shell, Galaxy and notebooks."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genescribe.artifacts.description_log import compare_settings
from genescribe.artifacts.run_record import (
    StageRecord,
    merge_records,
    read_record,
    stage_record,
    write_record,
)
from genescribe.errors import InputError, OutputExistsError, Remedy
from genescribe.files import (
    check_readable,
    output_error,
    refuse_existing,
    sha256_of,
    sole_writer,
)
from genescribe.genome.decoration.decorate import check_not_input, gtf_path
from genescribe.genome.settings import DecorateSettings, ExtractSettings
from genescribe.inference.settings import DescribeSettings
from genescribe.pipeline.options import routes_of, text_settings
from genescribe.pipeline.stages import (
    decorate_stage,
    describe_stage,
    extract_stage,
    gather_stage,
    report_stage,
)
from genescribe.records import Progress
from genescribe.specs.spec import verify

log = logging.getLogger(__name__)

ANNOTATION_ENDINGS = (".gff3", ".gff", ".gtf", ".gff2")
RESULTS = ("genes.tsv", "sequences.fa.gz", "descriptions.jsonl", "descriptions.tsv", "report.html")
WORK_FOLDER = ".genescribe"
"""Inside the output folder: what a stopped run needs to go on. Gone after a finished one."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """One assembly and all that a person may choose about it."""

    genome: Path | None
    annotation: Path
    out: Path
    name: str | None = None
    extract: ExtractSettings = field(default_factory=ExtractSettings)
    describe: DescribeSettings = field(default_factory=DescribeSettings)
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
    nor ``force`` was given, SettingsChangedError where ``resume`` meets other settings,
    OutputError where another run is writing there.
    """
    settings = run_settings(options)
    check_before(options, settings["name"])
    with sole_writer(options.out):
        return _run_alone(options, settings, command, resume, force, progress, cancel)


def _run_alone(
    options: RunOptions,
    settings: dict[str, Any],
    command: str,
    resume: bool,
    force: bool,
    progress: Progress | None,
    cancel: threading.Event | None,
) -> dict[str, Any]:
    """Do what ``run`` does, in a folder that no other run is writing into."""
    out, described = options.out, options.out / WORK_FOLDER / "descriptions.jsonl"
    if is_complete(options, settings, resume=resume, force=force):
        log.info("%s: already complete, nothing to resume", out)
        return read_record(out / "run.json")
    stages: list[dict[str, Any]] = []
    with _stage("extract", stages) as record:
        extract_stage(
            options.genome,
            options.annotation,
            out,
            options.extract,
            options.describe.model,
            record,
            force=True,
        )
    claim(out, settings)  # not before: bad input must leave nothing to resume
    with _stage("describe", stages) as record:
        describe_stage(
            out / "genes.tsv",
            out / "sequences.fa.gz",
            described,
            options.describe,
            record,
            resume=resume,
            force=force,
            progress=progress,
            cancel=cancel,
        )
    _write_results(options, settings["name"], described, stages, command)
    finished = {**merge_records(stages, command), "settings": settings}
    write_record(out / "run.json", finished)
    shutil.rmtree(out / WORK_FOLDER)
    return finished


def _write_results(
    options: RunOptions, name: str, described: Path, stages: list[dict[str, Any]], command: str
) -> None:
    """Gather, decorate and report; add what these stages did to ``stages``."""
    out = options.out
    genes, descriptions = out / "genes.tsv", out / "descriptions.jsonl"
    with _stage("gather", stages) as record:
        gather_stage(genes, [described], descriptions, record, force=True)
    with _stage("decorate", stages) as record:
        decorated = out / f"{name}.gff3"
        decorate_stage(
            options.annotation, descriptions, decorated, options.decorate, record, force=True
        )
    with _stage("report", stages) as record:
        so_far, page = merge_records(stages, command), out / "report.html"
        report_stage(genes, descriptions, page, so_far, record, title=name, force=True)


@contextlib.contextmanager
def _stage(title: str, stages: list[dict[str, Any]]) -> Iterator[StageRecord]:
    with stage_record(title) as record:
        yield record
    stages.append(record.values)


def check_before(options: RunOptions, name: str) -> None:
    """Refuse before the first stage what a later one would refuse after all the describing."""
    for spec in routes_of(options.describe).specs:
        verify(spec)
    decorated = options.out / f"{name}.gff3"
    check_not_input(options.annotation, [decorated, gtf_path(decorated)])
    if options.describe.device == "cuda":
        from genescribe.inference.describer import pick_device  # imports torch

        pick_device("cuda")


def is_complete(
    options: RunOptions, settings: Mapping[str, Any], *, resume: bool, force: bool
) -> bool:
    """Tell whether the run asked for is finished already; refuse what must not be touched."""
    out = options.out
    complete, stopped = out / "run.json", out / WORK_FOLDER / "settings.json"
    existing = next((path for path in (complete, stopped) if path.exists()), None)
    if existing is None or force:
        decorated = out / f"{settings['name']}.gff3"
        made = [out / name for name in RESULTS] + [decorated, gtf_path(decorated)]
        refuse_existing(made, force or resume)
        return False
    if not resume:
        if existing == stopped:
            raise OutputExistsError(f"{out}: holds a stopped run", Remedy.RESUME_OR_START_ANEW)
        raise OutputExistsError(f"{out}: already holds a finished run", Remedy.OVERWRITE)
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
    """Return all that decides the bytes of the results, flat, for comparison with an earlier run.

    Where a run is computed (device, threads, cache) may change between two sessions.
    """
    for path in (options.genome, options.annotation):
        if path is not None:
            check_readable(path)
    return {
        "genome_sha256": sha256_of(options.genome) if options.genome else None,
        "annotation_sha256": sha256_of(options.annotation),
        "name": result_name(options),
        **text_settings(routes_of(options.describe), options.describe),
        **{key: str(value) for key, value in options.extract.model_dump().items()},
        **options.decorate.model_dump(),
    }


def result_name(options: RunOptions) -> str:
    """Return the name of the result files; raises InputError for one that is no file name."""
    name = annotation_name(options.annotation) if options.name is None else options.name
    if name in ("", "..") or name != Path(name).name:
        raise InputError(f"the result name {name!r} is not a plain file name", Remedy.GIVE_NAME)
    return name


def annotation_name(annotation: Path) -> str:
    """Return the file name without its endings: ``genes.v2.gff3.gz`` gives ``genes.v2``."""
    name = annotation.name
    for ending in (".gz", ".bgz"):
        name = name.removesuffix(ending)
    for ending in ANNOTATION_ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name
