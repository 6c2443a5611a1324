"""``genescribe corpus`` and ``genescribe splits``: what a model learns from, and is tested on."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genescribe.cli import options
from genescribe.cli.grammar import PATH, Arguments, Option, Parsed, command, section
from genescribe.errors import InputError

if TYPE_CHECKING:
    from genescribe.corpus.collection import Report
    from genescribe.corpus.partition import Leakage
    from genescribe.corpus.sources import Source

log = logging.getLogger(__name__)


def size(text: str) -> float:
    """Parse a number of genes, or a share below 1."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (0 <= number < 1 or number.is_integer()):
        raise ValueError(
            f"{text!r} is neither a number of genes, like 1500, nor a share, like 0.05"
        )
    return number


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
    Option(
        "--by",
        type=click.Choice(["random", "family", "species"]),
        required=True,
        help="what is kept on one side: single sequences, protein families, or organisms",
    ),
    Option(
        "--held-out",
        multiple=True,
        metavar="ORGANISM",
        help="organism whose genes are neither trained on nor tuned on; may be repeated",
    ),
    Option(
        "--validation",
        type=Parsed(size),
        default=0.02,
        metavar="N",
        help="size of the validation side: a number of described genes, or a share below 1",
    ),
    Option(
        "--test",
        type=Parsed(size),
        metavar="N",
        help="size of the test side, likewise (default: 0.05; by species: 0)",
    ),
    Option("--seed", type=options.NOT_NEGATIVE, default=0, metavar="N", help="of the draws"),
    Option(
        "--no-mmseqs",
        is_flag=True,
        help="find families by shared k-mers alone, which misses distant ones",
    ),
    Option("--threads", type=options.POSITIVE, default=1, metavar="N", help="for mmseqs"),
    options.FORCE,
)
def splits(args: Arguments) -> None:
    """Divide a corpus, and print what the sides share."""
    from genescribe.corpus.partition import By, SplitSettings, split

    settings = SplitSettings(
        By(args.by),
        validation=args.validation,
        test=args.test,
        held_out=args.held_out,
        seed=args.seed,
    )
    report = split(
        args.corpus,
        args.out,
        settings,
        use_mmseqs=not args.no_mmseqs,
        threads=args.threads,
        force=args.force,
    )
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
