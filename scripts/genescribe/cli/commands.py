"""The stages and the run of all: the options of each command, and what it calls, nothing else.

Imports stand inside the functions: help answers at once, and only ``describe`` and ``run`` pay
for importing torch.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from genescribe.cli import options, settings
from genescribe.cli.grammar import PATH, Arguments, Option, command, section
from genescribe.genome.settings import DecorateSettings, ExtractSettings
from genescribe.inference.settings import DescribeSettings

if TYPE_CHECKING:
    from genescribe.artifacts.run_record import Recording


@command(
    options.GENOME,
    options.ANNOTATION,
    options.out("DIR", "output folder"),
    Option(
        "--name",
        metavar="NAME",
        help="name of the result files (default: the annotation's file name without endings)",
    ),
    options.RESUME,
    options.FORCE,
    *settings.EXTRACT,
    *settings.DESCRIBE,
    *settings.DECORATE,
    one_of=[settings.MODEL_OR_ROUTE],
)
def run(args: Arguments) -> None:
    """Run all stages in one process."""
    from genescribe.cli.progress import progress_of
    from genescribe.pipeline.run import RunOptions
    from genescribe.pipeline.run import run as run_assembly

    options = RunOptions(
        genome=args.genome,
        annotation=args.annotation,
        out=args.out,
        name=args.name,
        extract=args.of(ExtractSettings),
        describe=args.of(DescribeSettings, model=settings.model_choice(args)),
        decorate=args.of(DecorateSettings),
    )
    run_assembly(
        options,
        command=_command_line(),
        resume=args.resume,
        force=args.force,
        progress=progress_of(args, "describe"),
    )


@command(
    options.GENOME,
    options.ANNOTATION,
    options.out("DIR", "folder for genes.tsv and sequences.fa.gz"),
    options.FORCE,
    options.RECORD,
    *section("The model", *settings.MODELS),
    *settings.EXTRACT,
    one_of=[settings.MODEL_OR_ROUTE],
)
def extract(args: Arguments) -> None:
    """Write genes.tsv and sequences.fa.gz."""
    from genescribe.pipeline.stages import extract_stage

    with _recorded(args) as record:
        extract_stage(
            args.genome,
            args.annotation,
            args.out,
            args.of(ExtractSettings),
            settings.model_choice(args),
            record,
            force=args.force,
        )


@command(
    options.GENES,
    Option(
        "--sequences",
        type=PATH,
        required=True,
        metavar="FASTA",
        help="sequences.fa.gz written by extract",
    ),
    options.out("JSONL", "descriptions to write"),
    settings.SHARD,
    options.RESUME,
    options.FORCE,
    options.RECORD,
    *settings.DESCRIBE,
    one_of=[settings.MODEL_OR_ROUTE],
)
def describe(args: Arguments) -> None:
    """Write the descriptions of one shard."""
    from genescribe.cli.progress import progress_of
    from genescribe.pipeline.stages import describe_stage

    with _recorded(args) as record:
        describe_stage(
            args.genes,
            args.sequences,
            args.out,
            args.of(DescribeSettings, model=settings.model_choice(args)),
            record,
            resume=args.resume,
            force=args.force,
            progress=progress_of(args, "describe"),
        )


@command(
    options.GENES,
    click.Argument(
        ["shards"],
        nargs=-1,
        required=True,
        type=PATH,
        metavar="SHARD...",
        help="output of describe",
    ),
    options.out("JSONL", "descriptions to write; a table (.tsv) is written beside it"),
    options.FORCE,
    options.RECORD,
)
def gather(args: Arguments) -> None:
    """Join shards."""
    from genescribe.pipeline.stages import gather_stage

    with _recorded(args) as record:
        gather_stage(args.genes, args.shards, args.out, record, force=args.force)


@command(
    options.ANNOTATION,
    options.DESCRIPTIONS,
    options.out("GFF3", "decorated GFF3; companions get the same name with other endings"),
    Option(
        "--curation",
        type=PATH,
        metavar="TSV",
        help="what you decided about the descriptions (curation.tsv of the notebook's review)",
    ),
    options.FORCE,
    options.RECORD,
    *settings.DECORATE,
    *settings.SORTED_COPY,
)
def decorate(args: Arguments) -> None:
    """Write the decorated annotation."""
    from genescribe.pipeline.stages import decorate_stage

    with _recorded(args) as record:
        decorate_stage(
            args.annotation,
            args.descriptions,
            args.out,
            args.of(DecorateSettings),
            record,
            force=args.force,
            curation=args.curation,
        )


@command(
    click.Argument(
        ["decorated"], type=PATH, metavar="FILE", help="a GFF3 or GTF file written by decorate"
    ),
    options.out("FILE", "where to write (default: standard output)", required=False),
    options.FORCE,
)
def strip(args: Arguments) -> None:
    """Take our attributes out again."""
    from genescribe.files import atomic_path, refuse_existing
    from genescribe.genome.decoration.strip import strip as strip_file

    if args.out is None:
        strip_file(args.decorated, sys.stdout.buffer)
        return
    refuse_existing([args.out], args.force)
    with atomic_path(args.out) as temporary, temporary.open("wb") as handle:
        strip_file(args.decorated, handle)


@command(
    options.GENES,
    options.DESCRIPTIONS,
    options.out("HTML", "report; genescribe_mqc.tsv for MultiQC is written beside it"),
    Option("--run", type=PATH, metavar="JSON", help="run record to show (run.json)"),
    Option("--title", metavar="TEXT", help="title of the report (default: its folder's name)"),
    options.FORCE,
    options.RECORD,
)
def report(args: Arguments) -> None:
    """Make the HTML report."""
    from genescribe.artifacts.run_record import RunRecord, read_record
    from genescribe.pipeline.stages import report_stage

    title = args.title or args.out.resolve().parent.name
    facts = read_record(args.run, RunRecord) if args.run else None
    with _recorded(args) as record:
        report_stage(
            args.genes,
            args.descriptions,
            args.out,
            facts,
            record,
            title=title,
            force=args.force,
        )


@command(
    click.Argument(
        ["stages"],
        nargs=-1,
        required=True,
        type=PATH,
        metavar="STAGE...",
        help="records that the stages wrote (--record)",
    ),
    options.out("JSON", "run.json to write"),
    Option("--workflow", metavar="TEXT", help="what ran the stages, with its version"),
    options.FORCE,
)
def record(args: Arguments) -> None:
    """Join stage records."""
    from genescribe.artifacts.run_record import (
        StageRecord,
        merge_records,
        read_record,
        write_record,
    )
    from genescribe.files import refuse_existing

    refuse_existing([args.out], args.force)
    stages = [read_record(path, StageRecord) for path in args.stages]
    joined = merge_records(stages, _command_line())
    joined.workflow = args.workflow or None
    write_record(args.out, joined)


@contextmanager
def _recorded(args: Arguments) -> Iterator[Recording]:
    """Give a stage its record, and write it where ``--record`` says."""
    from genescribe.artifacts.run_record import Hashes, stage_record, versions, write_record

    with stage_record(args.command, Hashes() if args.record else None) as stage:
        yield stage
    if args.record:
        stage.command, stage.versions = _command_line(), versions()
        write_record(args.record, stage)


def _command_line() -> str:
    return shlex.join(["genescribe", *sys.argv[1:]])
