"""The words of the command line: every command, every option, and help a biologist can follow."""

from __future__ import annotations

import argparse
from pathlib import Path

from genescribe.cli import chat, corpus, evaluate, models, options, train
from genescribe.version import __version__

EPILOG = """\
Descriptions are predictions of a language model that read the gene's own sequence. Each has a
score (how likely it is right) and a lift (how much the sequence, not habit, made the sentence).

Example:
  genescribe run --genome genome.fa.gz --annotation genes.gff3 --out results
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command.

    Each command sets ``handler`` to MODULE:FUNCTION, a function of that module of this room which
    takes the parsed arguments; modules with handlers of their own add their parsers themselves
    (``add_parsers``) and import nothing slow at their head.
    """
    parser = options.Parser(
        prog="genescribe",
        description="Write a natural-language description on every gene of your annotation.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"genescribe {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="")

    def command(name: str, help_: str, module: str = "commands") -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_, description=help_[0].upper() + help_[1:] + ".")
        sub.set_defaults(handler=f"{module}:{name}")
        return sub

    _run(command("run", "describe one assembly, from genome and annotation to report"))
    _extract(command("extract", "find the genes and cut out the sequence that a model reads"))
    _describe(command("describe", "let a model write about the extracted sequences"))
    _gather(command("gather", "join the shards of describe into one file, a row for every gene"))
    _decorate(command("decorate", "write descriptions into a copy of the annotation"))
    _strip(command("strip", "take out of an annotation what decorate put in, byte for byte"))
    _report(command("report", "make the HTML report"))
    _record(command("record", "join the stage records of one assembly into run.json"))
    chat.add_parsers(command)
    evaluate.add_parsers(command)
    models.add_parsers(command)
    corpus.add_parsers(command)
    train.add_parsers(command)
    return parser


def _run(parser: argparse.ArgumentParser) -> None:
    options.add_genome(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder")
    parser.add_argument(
        "--name",
        help="name of the result files (default: the annotation's file name without endings)",
    )
    _extract_options(parser)
    options.add_describe_options(parser)
    _decorate_options(parser)
    options.add_restart(parser)
    options.add_common(parser)


def _extract(parser: argparse.ArgumentParser) -> None:
    options.add_genome(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for genes.tsv and sequences.fa.gz",
    )
    options.add_models(parser)
    _extract_options(parser)
    options.add_force(parser)
    options.add_stage(parser)


def _describe(parser: argparse.ArgumentParser) -> None:
    options.add_tables(parser)
    parser.add_argument(
        "--sequences", type=Path, required=True, help="sequences.fa.gz written by extract"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="JSONL", help="descriptions to write"
    )
    options.add_describe_options(parser)
    parser.add_argument(
        "--shard",
        type=options.shard,
        default=(1, 1),
        metavar="I/N",
        help="describe only the I-th of N equally expensive shares of the genes",
    )
    options.add_restart(parser)
    options.add_stage(parser)


def _gather(parser: argparse.ArgumentParser) -> None:
    options.add_tables(parser)
    parser.add_argument("shards", nargs="+", type=Path, metavar="SHARD", help="output of describe")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="JSONL",
        help="descriptions to write; a table with the ending .tsv is written beside it",
    )
    options.add_force(parser)
    options.add_stage(parser)


def _decorate(parser: argparse.ArgumentParser) -> None:
    options.add_annotation(parser)
    options.add_descriptions(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="GFF3",
        help="decorated GFF3 to write; companions get the same name with other endings",
    )
    parser.add_argument(
        "--curation",
        type=Path,
        metavar="TSV",
        help="what you decided about the descriptions (curation.tsv of the notebook's review)",
    )
    _decorate_options(parser)
    parser.add_argument(
        "--no-sorted-copy",
        action="store_true",
        help="do not write the sorted, compressed and indexed copy for genome browsers",
    )
    options.add_force(parser)
    options.add_stage(parser)


def _strip(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("decorated", type=Path, help="a GFF3 or GTF file written by decorate")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write (default: standard output)"
    )
    options.add_force(parser)
    options.add_common(parser)


def _report(parser: argparse.ArgumentParser) -> None:
    options.add_tables(parser)
    options.add_descriptions(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="HTML",
        help="report to write; genescribe_mqc.tsv for MultiQC is written beside it",
    )
    parser.add_argument("--run", type=Path, metavar="JSON", help="run record to show (run.json)")
    parser.add_argument("--title", help="title of the report (default: its folder's name)")
    options.add_force(parser)
    options.add_stage(parser)


def _record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "stages", nargs="+", type=Path, metavar="STAGE", help="files written by --record"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="JSON", help="run.json to write")
    parser.add_argument("--workflow", metavar="TEXT", help="what ran the stages, with its version")
    options.add_force(parser)
    options.add_common(parser)


def _extract_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is read of each gene")
    group.add_argument(
        "--view",
        choices=("auto", "gene", "transcript", "cds"),
        default="auto",
        help="stretch of the gene (default: auto, what the model was trained on)",
    )
    group.add_argument(
        "--flank",
        type=options.not_negative,
        default=0,
        metavar="NT",
        help="nucleotides added on both sides in view gene (default: 0)",
    )
    group.add_argument(
        "--min-length",
        type=options.not_negative,
        default=30,
        metavar="NT",
        help="genes with a shorter sequence are skipped as too_short (default: 30)",
    )
    group.add_argument(
        "--exclude-biotypes",
        type=options.names,
        metavar="A,B",
        help="biotypes to skip; * stands for anything, and an empty text excludes none "
        "(default: pseudogenes and transposable elements)",
    )
    group.add_argument(
        "--allow-missing-contigs",
        action="store_true",
        help="skip genes on sequences that the genome lacks instead of refusing the input",
    )


def _decorate_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is written into the annotation")
    group.add_argument(
        "--attribute", default="Note", help="GFF3 attribute for the text (default: Note)"
    )
    group.add_argument("--ascii", action="store_true", help="fold the text to ASCII")
    group.add_argument(
        "--write-uncertain",
        action="store_true",
        help="also write texts that the sequence hardly supports (status uncertain)",
    )
