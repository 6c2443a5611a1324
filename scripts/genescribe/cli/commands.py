"""What each command does: arguments in, stages called, nothing else.

Imports stand inside the functions: ``genescribe --help`` answers at once, and only
``describe`` and ``run`` pay for importing torch.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from genescribe.errors import InputError

if TYPE_CHECKING:
    from genescribe.artifacts.run_record import StageRecord
    from genescribe.genome.decoration.decorate import DecorateSettings
    from genescribe.pipeline.options import DescribeOptions, ExtractOptions
    from genescribe.specs.routing import ModelChoice


def run(args: argparse.Namespace) -> None:
    """Run all stages in one process."""
    from genescribe.cli.progress import ProgressLine
    from genescribe.pipeline.run import RunOptions
    from genescribe.pipeline.run import run as run_assembly

    options = RunOptions(
        genome=args.genome,
        annotation=args.annotation,
        out=args.out,
        name=args.name,
        extract=_extract_options(args),
        describe=_describe_options(args),
        decorate=_decorate_settings(args, sorted_copy=True),
    )
    run_assembly(
        options,
        command=_command_line(),
        resume=args.resume,
        force=args.force,
        progress=None if args.quiet else ProgressLine("describe"),
    )


def extract(args: argparse.Namespace) -> None:
    """Write genes.tsv and sequences.fa.gz."""
    from genescribe.pipeline.stages import extract_stage

    with _recorded(args) as record:
        extract_stage(
            args.genome,
            args.annotation,
            args.out,
            _extract_options(args),
            _model_choice(args),
            record,
            force=args.force,
        )


def describe(args: argparse.Namespace) -> None:
    """Write the descriptions of one shard."""
    from genescribe.cli.progress import ProgressLine
    from genescribe.pipeline.stages import describe_stage

    with _recorded(args) as record:
        describe_stage(
            args.genes,
            args.sequences,
            args.out,
            _describe_options(args),
            record,
            resume=args.resume,
            force=args.force,
            progress=None if args.quiet else ProgressLine("describe"),
        )


def gather(args: argparse.Namespace) -> None:
    """Join shards."""
    from genescribe.pipeline.stages import gather_stage

    with _recorded(args) as record:
        gather_stage(args.genes, args.shards, args.out, record, force=args.force)


def decorate(args: argparse.Namespace) -> None:
    """Write the decorated annotation."""
    from genescribe.pipeline.stages import decorate_stage

    settings = _decorate_settings(args, sorted_copy=not args.no_sorted_copy)
    with _recorded(args) as record:
        decorate_stage(
            args.annotation,
            args.descriptions,
            args.out,
            settings,
            record,
            force=args.force,
            curation=args.curation,
        )


def strip(args: argparse.Namespace) -> None:
    """Take our attributes out again."""
    from genescribe.files import atomic_path, refuse_existing
    from genescribe.genome.decoration.strip import strip as strip_file

    if args.out is None:
        strip_file(args.decorated, sys.stdout.buffer)
        return
    refuse_existing([args.out], args.force)
    with atomic_path(args.out) as temporary, temporary.open("wb") as handle:
        strip_file(args.decorated, handle)


def report(args: argparse.Namespace) -> None:
    """Make the HTML report."""
    from genescribe.artifacts.run_record import read_record
    from genescribe.pipeline.stages import report_stage

    title = args.title or args.out.resolve().parent.name
    facts = read_record(args.run) if args.run else {}
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


def record(args: argparse.Namespace) -> None:
    """Join stage records."""
    from genescribe.artifacts.run_record import merge_records, read_record, write_record
    from genescribe.files import refuse_existing

    refuse_existing([args.out], args.force)
    stages = [read_record(path) for path in args.stages]
    joined = merge_records(stages, _command_line())
    write_record(args.out, joined | ({"workflow": args.workflow} if args.workflow else {}))


@contextmanager
def _recorded(args: argparse.Namespace) -> Iterator[StageRecord]:
    """Give a stage its record, and write it where ``--record`` says."""
    from genescribe.artifacts.run_record import stage_record, versions, write_record

    with stage_record(args.command, wanted=args.record is not None) as stage:
        yield stage
    if args.record:
        stage.note(command=_command_line(), versions=versions())
        write_record(args.record, stage.values)


def _extract_options(args: argparse.Namespace) -> ExtractOptions:
    from genescribe.genome.biotypes import EXCLUDED_BIOTYPES
    from genescribe.pipeline.options import ExtractOptions
    from genescribe.records import View

    excluded = args.exclude_biotypes
    return ExtractOptions(
        view=None if args.view == "auto" else View(args.view),
        flank=args.flank,
        min_length=args.min_length,
        exclude_biotypes=EXCLUDED_BIOTYPES if excluded is None else excluded,
        allow_missing_contigs=args.allow_missing_contigs,
    )


def _model_choice(args: argparse.Namespace) -> ModelChoice:
    """Return what ``--model`` or ``--route`` ask for; the routes in their order."""
    if not args.route:
        return str(args.model)
    patterns = [pattern for pattern, _ in args.route]
    twice = next((pattern for pattern in patterns if patterns.count(pattern) > 1), None)
    if twice is not None:
        raise InputError(f"--route {twice}: is there twice; give each biotype one model")
    return dict(args.route)


def _describe_options(args: argparse.Namespace) -> DescribeOptions:
    from genescribe.pipeline.options import DescribeOptions

    return DescribeOptions(
        model=_model_choice(args),
        prompt=args.prompt,
        question=args.question,
        settings=dict(args.set or ()),
        device=args.device,
        organism=args.organism,
        cache=args.cache,
        threads=args.threads,
        shard=getattr(args, "shard", (1, 1)),
    )


def _decorate_settings(args: argparse.Namespace, *, sorted_copy: bool) -> DecorateSettings:
    from genescribe.genome.decoration.decorate import DecorateSettings

    return DecorateSettings(
        attribute=args.attribute,
        ascii_only=args.ascii,
        write_uncertain=args.write_uncertain,
        sorted_copy=sorted_copy,
    )


def _command_line() -> str:
    return shlex.join(["genescribe", *sys.argv[1:]])
