"""The settings of the stages as options of the command line, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genescribe.cli import options
from genescribe.cli.grammar import PATH, Arguments, OneOf, Option, Parsed, section
from genescribe.errors import InputError

if TYPE_CHECKING:
    from genescribe.genome.decoration.decorate import DecorateSettings
    from genescribe.pipeline.options import DescribeOptions, ExtractOptions
    from genescribe.specs.routing import ModelChoice

MODELS = (options.MODEL, options.ROUTE)
MODEL_OR_ROUTE = OneOf(("model", "route"))

EXTRACT = section(
    "What is read of each gene",
    Option(
        "--view",
        type=click.Choice(["auto", "gene", "transcript", "cds"]),
        default="auto",
        help="stretch of the gene; auto is what the model was trained on",
    ),
    Option(
        "--flank",
        type=options.NOT_NEGATIVE,
        default=0,
        metavar="NT",
        help="nucleotides added on both sides in view gene",
    ),
    Option(
        "--min-length",
        type=options.NOT_NEGATIVE,
        default=30,
        metavar="NT",
        help="genes with a shorter sequence are skipped as too_short",
    ),
    Option(
        "--exclude-biotypes",
        type=options.NAMES,
        metavar="A,B",
        help="biotypes to skip; * stands for anything, and an empty text excludes none "
        "(default: pseudogenes and transposable elements)",
    ),
    Option(
        "--allow-missing-contigs",
        is_flag=True,
        help="skip genes on sequences that the genome lacks instead of refusing the input",
    ),
)
DESCRIBE = section(
    "The model and where it runs",
    *MODELS,
    Option(
        "--prompt",
        metavar="NAME",
        help="one of the model's prompts (see genescribe models show; default: the spec's)",
    ),
    Option(
        "--question", metavar="TEXT", help="what to ask the model about each gene, if it takes one"
    ),
    Option(
        "--set",
        type=Parsed(options.setting),
        multiple=True,
        metavar="KEY=NUMBER",
        help="a threshold (min_score, min_lift) or generation setting (max_new_tokens, num_beams, "
        "...) to use instead of the spec's; may be repeated",
    ),
    options.DEVICE,
    options.ORGANISM,
    options.THREADS,
    Option(
        "--cache",
        type=PATH,
        metavar="DIR",
        help="keep texts here and describe no unchanged gene twice, in later runs too",
    ),
)
DECORATE = section(
    "What is written into the annotation",
    Option("--attribute", default="Note", metavar="KEY", help="GFF3 attribute for the text"),
    Option("--ascii", is_flag=True, help="fold the text to ASCII"),
    Option(
        "--write-uncertain",
        is_flag=True,
        help="also write texts that the sequence hardly supports (status uncertain)",
    ),
)


def extract_options(args: Arguments) -> ExtractOptions:
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


def model_choice(args: Arguments) -> ModelChoice:
    """Return what ``--model`` or ``--route`` ask for; the routes in their order."""
    if not args.route:
        return str(args.model)
    patterns = [pattern for pattern, _ in args.route]
    twice = next((pattern for pattern in patterns if patterns.count(pattern) > 1), None)
    if twice is not None:
        raise InputError(f"--route {twice}: is there twice; give each biotype one model")
    return dict(args.route)


def describe_options(args: Arguments) -> DescribeOptions:
    from genescribe.pipeline.options import DescribeOptions

    return DescribeOptions(
        model=model_choice(args),
        prompt=args.prompt,
        question=args.question,
        settings=dict(args.set or ()),
        device=args.device,
        organism=args.organism,
        cache=args.cache,
        threads=args.threads,
        shard=args.shard if "shard" in args else (1, 1),
    )


def decorate_settings(args: Arguments, *, sorted_copy: bool) -> DecorateSettings:
    from genescribe.genome.decoration.decorate import DecorateSettings

    return DecorateSettings(
        attribute=args.attribute,
        ascii_only=args.ascii,
        write_uncertain=args.write_uncertain,
        sorted_copy=sorted_copy,
    )
