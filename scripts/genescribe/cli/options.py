"""Options that several commands share, and the words that they take."""

from __future__ import annotations

import math

from genescribe.cli.grammar import PATH, Option


def shard(text: str) -> tuple[int, int]:
    """Parse ``I/N``."""
    index, slash, total = text.partition("/")
    if not (slash and index.isdigit() and total.isdigit() and 1 <= int(index) <= int(total)):
        raise ValueError(f"{text!r} is not I/N with I from 1 to N, like 2/8")
    return int(index), int(total)


def names(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list; empty text is the empty list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def route(text: str) -> tuple[str, str]:
    """Parse ``PATTERN=MODEL``."""
    pattern, equals, model = text.partition("=")
    if not (equals and pattern.strip() and model.strip()):
        raise ValueError(f"{text!r} is not PATTERN=MODEL, like protein_coding=tiny or '*RNA=skip'")
    return pattern.strip(), model.strip()


def setting(text: str) -> tuple[str, float]:
    """Parse ``KEY=NUMBER``."""
    key, _, value = text.partition("=")
    try:
        number = int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not KEY=NUMBER, like min_score=0.3")
    return key, number


def out(metavar: str, help_: str, *, required: bool = True) -> Option:
    """Return ``--out``."""
    return Option("-o", "--out", type=PATH, required=required, metavar=metavar, help=help_)


GENOME = Option(
    "-g",
    "--genome",
    type=PATH,
    metavar="FASTA",
    help="genome, plain, gzip or bgzip; may be left out if the annotation ends in ##FASTA",
)
ANNOTATION = Option(
    "-a",
    "--annotation",
    type=PATH,
    required=True,
    metavar="GFF",
    help="gene models as GFF3 or GTF, plain, gzip or bgzip",
)
GENES = Option(
    "--genes", type=PATH, required=True, metavar="TSV", help="genes.tsv written by extract"
)
DESCRIPTIONS = Option(
    "--descriptions",
    type=PATH,
    required=True,
    metavar="JSONL",
    help="descriptions.jsonl written by gather",
)
RESUME = Option("--resume", is_flag=True, help="go on with a stopped run of the same settings")
FORCE = Option("--force", is_flag=True, help="overwrite existing results")
RECORD = Option(
    "--record", type=PATH, metavar="JSON", help="write versions, inputs, time and memory here"
)
