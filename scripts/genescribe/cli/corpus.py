"""``genescribe corpus`` and ``genescribe splits``: what a model learns from, and is tested on."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genescribe.cli import options
from genescribe.cli.grammar import PATH, Arguments, Option, command, section
from genescribe.cli.settings import options_of
from genescribe.corpus.settings import SplitSettings
from genescribe.errors import InputError

if TYPE_CHECKING:
    from genescribe.corpus.collection import Report
    from genescribe.corpus.partition import Leakage
    from genescribe.corpus.sources import Source

log = logging.getLogger(__name__)


@command(
    click.Argument(
        ["inputs"],
        nargs=-1,
        required=True,
        type=PATH,
        metavar="INPUT...",
        help="annotation that carries descriptions (GFF3, GTF), GenBank file, pairs (.jsonl), "
        "folder with GeneChat's seq.json, or a sheet of such sources (.tsv)",
    ),
    options.out("JSONL", "corpus (.jsonl or .jsonl.gz); beside it a report (.report.json)"),
    Option(
        "--data",
        type=PATH,
        default=Path(),
        show_default=False,
        metavar="DIR",
        help="folder that the paths in a sheet are relative to (default: the current one)",
    ),
    options.FORCE,
    *section(
        "About an input that is not in a sheet",
        Option(
            "-g",
            "--genome",
            type=PATH,
            metavar="FASTA",
            help="genome of an annotation without ##FASTA",
        ),
        Option("--organism", metavar="TEXT", help="organism that the genes are of"),
        Option(
            "--style", metavar="NAME", help="whose wording its product names follow, like RefSeq"
        ),
    ),
)
def corpus(args: Arguments) -> None:
    """Build a corpus, and print what became of each source."""
    from genescribe.corpus.collection import build

    report = build(_sources(args), args.out, force=args.force)
    if not args.quiet:
        _print_report(report)


@command(
    click.Argument(
        ["corpus"], type=PATH, metavar="CORPUS", help="corpus written by genescribe corpus"
    ),
    options.out("TSV", "table; beside it what the sides have in common (.leakage.tsv)"),
    *options_of(
        SplitSettings, Option.section, held_out={"flags": ("--held-out",), "metavar": "ORGANISM"}
    ),
    options.FORCE,
)
def splits(args: Arguments) -> None:
    """Divide a corpus, and print what the sides share."""
    from genescribe.corpus.partition import split

    report = split(args.corpus, args.out, args.of(SplitSettings), force=args.force)
    if not args.quiet:
        _print_leakage(report)


def _sources(args: Arguments) -> list[Source]:
    from genescribe.corpus.sources import Source, is_sheet, read_sheet, source_name

    sources: list[Source] = []
    about = (args.genome, args.organism, args.style)
    for path in args.inputs:
        if is_sheet(path):
            if any(about):
                raise InputError(
                    f"{path}: a sheet says itself what its genomes, organisms and styles are; "
                    "leave out --genome, --organism and --style"
                )
            sources += read_sheet(path, args.data)
        else:
            sources.append(Source(source_name(path), path, *about))
    return sources


def _print_report(report: Report) -> None:
    print(f"{report.genes:,} genes, {report.records:,} records")
    for question in report.questions:
        print(
            f"  {question.question}: {question.records:,} "
            f"({question.informative:,} informative, {question.answers:,} different)"
        )
    print(f"{'source':<40} {'genes':>8} {'kept':>8} {'records':>8}  dropped")
    for source in report.sources:
        dropped = ", ".join(f"{why} {count:,}" for why, count in source.dropped.items() if count)
        print(f"{source.source:<40} {source.genes:>8,} {source.kept:>8,} ", end="")
        print(f"{source.records:>8,}  {dropped}")


def _print_leakage(report: list[Leakage]) -> None:
    for row in report:
        print(f"{row.side}: {row.genes:,} genes of {row.families:,} families, ", end="")
        print(f"{row.described:,} described; with training genes in common: ", end="")
        print(f"near-copy {row.near_copy_in_train:,}, family {row.family_in_train:,}, ", end="")
        print(f"a text {row.same_answer_in_train:,}")
