"""Options that several commands share, and the words that they take."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

Command = Callable[[str, str, str], argparse.ArgumentParser]
"""Adds a command, given its name, its help, and the module of this room whose function of that
name runs it."""


def shard(text: str) -> tuple[int, int]:
    """Parse ``I/N``."""
    index, slash, total = text.partition("/")
    if not (slash and index.isdigit() and total.isdigit() and 1 <= int(index) <= int(total)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with I from 1 to N, like 2/8")
    return int(index), int(total)


def names(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list; empty text is the empty list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def not_negative(text: str) -> int:
    """Parse a whole number of at least 0."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def positive(text: str) -> int:
    """Parse a whole number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def route(text: str) -> tuple[str, str]:
    """Parse ``PATTERN=MODEL``."""
    pattern, equals, model = text.partition("=")
    if not (equals and pattern.strip() and model.strip()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not PATTERN=MODEL, like protein_coding=tiny or '*RNA=skip'"
        )
    return pattern.strip(), model.strip()


def setting(text: str) -> tuple[str, float]:
    """Parse ``KEY=NUMBER``."""
    key, _, value = text.partition("=")
    try:
        number = int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=NUMBER, like min_score=0.3")
    return key, number


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line that also names the way to the help."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Exit 2 with one line instead of the whole usage."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def add_genome(parser: argparse.ArgumentParser) -> None:
    """Add ``--genome`` and ``--annotation``."""
    parser.add_argument(
        "--genome",
        type=Path,
        metavar="FASTA",
        help="genome, plain, gzip or bgzip; may be left out if the annotation ends in ##FASTA",
    )
    add_annotation(parser)


def add_annotation(parser: argparse.ArgumentParser) -> None:
    """Add ``--annotation``."""
    parser.add_argument(
        "--annotation",
        type=Path,
        required=True,
        metavar="GFF",
        help="gene models as GFF3 or GTF, plain, gzip or bgzip",
    )


def add_tables(parser: argparse.ArgumentParser) -> None:
    """Add ``--genes``."""
    parser.add_argument("--genes", type=Path, required=True, help="genes.tsv written by extract")


def add_descriptions(parser: argparse.ArgumentParser) -> None:
    """Add ``--descriptions``."""
    parser.add_argument(
        "--descriptions", type=Path, required=True, help="descriptions.jsonl written by gather"
    )


def add_model(parser: argparse._ActionsContainer) -> None:
    """Add ``--model``, one model for everything."""
    parser.add_argument(
        "--model",
        default="tiny",
        help="name of a model (see genescribe models list) or path of a spec (default: tiny)",
    )


def add_models(group: argparse._ActionsContainer) -> None:
    """Add ``--model`` and ``--route``: one model for all genes, or one for each biotype."""
    choice = group.add_mutually_exclusive_group()
    add_model(choice)
    choice.add_argument(
        "--route",
        type=route,
        action="append",
        metavar="PATTERN=MODEL",
        help="model for genes of one biotype; * stands for anything, MODEL may be skip; may be "
        "repeated: the first match decides, and genes that no route matches are skipped",
    )


def add_describe_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides a text, and where it is computed."""
    group = parser.add_argument_group("the model and where it runs")
    add_models(group)
    group.add_argument(
        "--prompt",
        metavar="NAME",
        help="one of the model's prompts (see genescribe models show; default: the spec's)",
    )
    group.add_argument(
        "--question", metavar="TEXT", help="what to ask the model about each gene, if it takes one"
    )
    group.add_argument(
        "--set",
        type=setting,
        action="append",
        metavar="KEY=NUMBER",
        help="a threshold (min_score, min_lift) or generation setting (max_new_tokens, num_beams, "
        "...) to use instead of the spec's; may be repeated",
    )
    add_device(group)
    group.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="keep texts here and describe no unchanged gene twice, in later runs too",
    )


def add_device(group: argparse._ActionsContainer) -> None:
    """Add where a model runs, and what it is told of every gene."""
    group.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute (default: auto, a CUDA GPU if there is one)",
    )
    group.add_argument(
        "--organism",
        metavar="TEXT",
        help="name of the organism, told to models whose prompt mentions it",
    )
    group.add_argument(
        "--threads", type=positive, metavar="N", help="CPU threads (default: all cores)"
    )


def add_restart(parser: argparse.ArgumentParser) -> None:
    """Add ``--resume`` and ``--force``."""
    parser.add_argument(
        "--resume", action="store_true", help="go on with a stopped run of the same settings"
    )
    add_force(parser)


def add_force(parser: argparse.ArgumentParser) -> None:
    """Add ``--force``."""
    parser.add_argument("--force", action="store_true", help="overwrite existing results")


def add_stage(parser: argparse.ArgumentParser) -> None:
    """Add ``--record`` and what every command has."""
    parser.add_argument(
        "--record", type=Path, metavar="JSON", help="write versions, inputs, time and memory here"
    )
    add_common(parser)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command has: ``--log``, ``--debug`` and ``--quiet``."""
    parser.add_argument(
        "--log", type=Path, metavar="FILE", help="write all log lines here, edited texts among them"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks and all log lines")
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
