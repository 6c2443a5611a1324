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

from genescribe.artifacts.resume import Earlier, check_settings, earlier_attempt
from genescribe.artifacts.run_record import (
    Hashes,
    Recording,
    RunRecord,
    StageRecord,
    merge_records,
    read_json,
    read_record,
    stage_record,
    write_json,
    write_record,
)
from genescribe.errors import InputError, Remedy
from genescribe.files import (
    check_readable,
    output_error,
    refuse_existing,
    sole_writer,
)
from genescribe.genome.annotation import Annotation
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
) -> RunRecord:
    """Describe one assembly into ``options.out``; return the run record (``run.json``).

    Raises OutputExistsError where a finished or stopped run is there and neither ``resume``
    nor ``force`` was given, SettingsChangedError where ``resume`` meets other settings,
    OutputError where another run is writing there.
    """
    hashes = Hashes()
    settings = run_settings(options, hashes)
    check_before(options, settings["name"])
    with sole_writer(options.out):
        if is_complete(options, settings, resume=resume, force=force):
            log.info("%s: already complete, nothing to resume", options.out)
            return read_record(options.out / "run.json", RunRecord)
        journey = _Journey(options, settings, command, hashes)
        annotation = journey.extract()
        claim(options.out, settings)  # not before: bad input must leave nothing to resume
        journey.describe(resume=resume, force=force, progress=progress, cancel=cancel)
        journey.write_results(annotation)
        return journey.finish()


class _Journey:
    """The stages of one run, each measured, in a folder that no other run is writing into."""

    def __init__(
        self, options: RunOptions, settings: dict[str, Any], command: str, hashes: Hashes
    ) -> None:
        self.options, self.settings, self.command = options, settings, command
        self.hashes, self.stages = hashes, list[StageRecord]()
        self.out, self.name = options.out, str(settings["name"])
        self.genes = self.out / "genes.tsv"
        self.written = self.out / WORK_FOLDER / "descriptions.jsonl"

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Recording]:
        """Measure a stage, and keep its record."""
        with stage_record(name, self.hashes) as record:
            yield record
        self.stages.append(record)

    def extract(self) -> Annotation:
        """Write what the models read; return what decorating needs of the annotation."""
        options = self.options
        with self.stage("extract") as record:
            return extract_stage(
                options.genome, options.annotation, self.out, options.extract,
                options.describe.model, record, force=True,
            ).for_decoration()  # fmt: skip

    def describe(self, **how: Any) -> None:
        """Write what the models say."""
        with self.stage("describe") as record:
            sequences = self.out / "sequences.fa.gz"
            describe_stage(
                self.genes, sequences, self.written, self.options.describe, record, **how
            )

    def write_results(self, annotation: Annotation) -> None:
        """Gather, decorate and report."""
        descriptions = self.out / "descriptions.jsonl"
        with self.stage("gather") as record:
            gather_stage(self.genes, [self.written], descriptions, record, force=True)
        with self.stage("decorate") as record:
            decorated, settings = self.out / f"{self.name}.gff3", self.options.decorate
            decorate_stage(annotation, descriptions, decorated, settings, record, force=True)
        with self.stage("report") as record:
            so_far, page = merge_records(self.stages, self.command), self.out / "report.html"
            report_stage(
                self.genes, descriptions, page, so_far, record, title=self.name, force=True
            )

    def finish(self) -> RunRecord:
        """Write ``run.json``, the sign of a finished run."""
        finished = merge_records(self.stages, self.command)
        finished.settings = self.settings
        write_record(self.out / "run.json", finished)
        shutil.rmtree(self.out / WORK_FOLDER)
        return finished


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
    earlier = earlier_attempt(out, complete, stopped, resume=resume, force=force)
    if earlier is Earlier.NOTHING:
        decorated = out / f"{settings['name']}.gff3"
        made = [out / name for name in RESULTS] + [decorated, gtf_path(decorated)]
        refuse_existing(made, force or resume)
        return False
    finished = earlier is Earlier.FINISHED
    kept = read_record(complete, RunRecord).settings or {} if finished else read_json(stopped)
    check_settings(kept, settings)
    return finished


def claim(out: Path, settings: Mapping[str, Any]) -> None:
    """Mark ``out`` as holding a run that is not finished, with the settings to go on with."""
    try:
        (out / WORK_FOLDER).mkdir(exist_ok=True)
        (out / "run.json").unlink(missing_ok=True)
    except OSError as error:
        raise output_error(out, error) from error
    write_json(out / WORK_FOLDER / "settings.json", settings)


def run_settings(options: RunOptions, hashes: Hashes) -> dict[str, Any]:
    """Return all that decides the bytes of the results, flat, for comparison with an earlier run.

    Where a run is computed (device, threads, cache) may change between two sessions.
    """
    for path in (options.genome, options.annotation):
        if path is not None:
            check_readable(path)
    return {
        "genome_sha256": hashes(options.genome) if options.genome else None,
        "annotation_sha256": hashes(options.annotation),
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
