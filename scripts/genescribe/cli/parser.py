"""The words of the command line: every command, every option, and help a biologist can follow."""

from __future__ import annotations

import argparse
from pathlib import Path

from genescribe import __version__

EPILOG = """\
Descriptions are predictions of a language model that read the gene's own sequence. Each has a
score (how likely it is right) and a lift (how much the sequence, not habit, made the sentence).

Example:
  genescribe run --genome genome.fa.gz --annotation genes.gff3 --out results
"""


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


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line that also names the way to the help."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Exit 2 with one line instead of the whole usage."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command; each command sets ``handler`` to its name."""
    parser = Parser(
        prog="genescribe",
        description="Write a natural-language description on every gene of your annotation.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"genescribe {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="")

    def command(name: str, help_: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_, description=help_[0].upper() + help_[1:] + ".")
        sub.set_defaults(handler=name)
        return sub

    _run(command("run", "describe one assembly, from genome and annotation to report"))
    _extract(command("extract", "find the genes and cut out the sequence that a model reads"))
    _describe(command("describe", "let a model write about the extracted sequences"))
    _gather(command("gather", "join the shards of describe into one file, a row for every gene"))
    _decorate(command("decorate", "write descriptions into a copy of the annotation"))
    _strip(command("strip", "take out of an annotation what decorate put in, byte for byte"))
    _report(command("report", "make the HTML report"))
    _record(command("record", "join the stage records of one assembly into run.json"))
    _models(command("models", "list and explain the models"))
    return parser


def _run(parser: argparse.ArgumentParser) -> None:
    _genome(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="output folder")
    parser.add_argument(
        "--name",
        help="name of the result files (default: the annotation's file name without endings)",
    )
    _extract_options(parser)
    _describe_options(parser)
    _decorate_options(parser)
    _restart(parser)
    _common(parser)


def _extract(parser: argparse.ArgumentParser) -> None:
    _genome(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for genes.tsv and sequences.fa.gz",
    )
    _model(parser)
    _extract_options(parser)
    _force(parser)
    _stage(parser)


def _describe(parser: argparse.ArgumentParser) -> None:
    _tables(parser)
    parser.add_argument(
        "--sequences", type=Path, required=True, help="sequences.fa.gz written by extract"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="JSONL", help="descriptions to write"
    )
    _describe_options(parser)
    parser.add_argument(
        "--shard",
        type=shard,
        default=(1, 1),
        metavar="I/N",
        help="describe only the I-th of N equally expensive shares of the genes",
    )
    _restart(parser)
    _stage(parser)


def _gather(parser: argparse.ArgumentParser) -> None:
    _tables(parser)
    parser.add_argument("shards", nargs="+", type=Path, metavar="SHARD", help="output of describe")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="JSONL",
        help="descriptions to write; a table with the ending .tsv is written beside it",
    )
    _force(parser)
    _stage(parser)


def _decorate(parser: argparse.ArgumentParser) -> None:
    _annotation(parser)
    _descriptions(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="GFF3",
        help="decorated GFF3 to write; companions get the same name with other endings",
    )
    _decorate_options(parser)
    parser.add_argument(
        "--no-sorted-copy",
        action="store_true",
        help="do not write the sorted, compressed and indexed copy for genome browsers",
    )
    _force(parser)
    _stage(parser)


def _strip(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("decorated", type=Path, help="a GFF3 or GTF file written by decorate")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write (default: standard output)"
    )
    _force(parser)
    _common(parser)


def _report(parser: argparse.ArgumentParser) -> None:
    _tables(parser)
    _descriptions(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="HTML",
        help="report to write; genescribe_mqc.tsv for MultiQC is written beside it",
    )
    parser.add_argument("--run", type=Path, metavar="JSON", help="run record to show (run.json)")
    parser.add_argument("--title", help="title of the report (default: its folder's name)")
    _force(parser)
    _stage(parser)


def _record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "stages", nargs="+", type=Path, metavar="STAGE", help="files written by --record"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="JSON", help="run.json to write")
    parser.add_argument("--workflow", metavar="TEXT", help="what ran the stages, with its version")
    _force(parser)
    _common(parser)


def _models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="")
    listing = actions.add_parser("list", help="one line for each model")
    show = actions.add_parser("show", help="all about one model")
    show.add_argument("name", help="name of a model, or path of a model spec (.yaml)")
    for sub in (listing, show):
        _common(sub)


def _genome(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--genome",
        type=Path,
        metavar="FASTA",
        help="genome, plain, gzip or bgzip; may be left out if the annotation ends in ##FASTA",
    )
    _annotation(parser)


def _annotation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--annotation",
        type=Path,
        required=True,
        metavar="GFF",
        help="gene models as GFF3 or GTF, plain, gzip or bgzip",
    )


def _tables(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--genes", type=Path, required=True, help="genes.tsv written by extract")


def _descriptions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--descriptions", type=Path, required=True, help="descriptions.jsonl written by gather"
    )


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default="tiny",
        help="name of a model (see genescribe models list) or path of a spec (default: tiny)",
    )


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
        type=not_negative,
        default=0,
        metavar="NT",
        help="nucleotides added on both sides in view gene (default: 0)",
    )
    group.add_argument(
        "--min-length",
        type=not_negative,
        default=30,
        metavar="NT",
        help="genes with a shorter sequence are skipped as too_short (default: 30)",
    )
    group.add_argument(
        "--exclude-biotypes",
        type=names,
        metavar="A,B",
        help="biotypes to skip; * stands for anything, and an empty text excludes none "
        "(default: pseudogenes and transposable elements)",
    )
    group.add_argument(
        "--allow-missing-contigs",
        action="store_true",
        help="skip genes on sequences that the genome lacks instead of refusing the input",
    )


def _describe_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the model and where it runs")
    _model(group)  # type: ignore[arg-type]
    group.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute (default: auto, a CUDA GPU if there is one)",
    )
    group.add_argument("--organism", metavar="TEXT", help="name of the organism, told to the model")
    group.add_argument(
        "--threads", type=positive, metavar="N", help="CPU threads (default: all cores)"
    )
    group.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="keep texts here and describe no unchanged gene twice, in later runs too",
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


def _restart(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--resume", action="store_true", help="go on with a stopped run of the same settings"
    )
    _force(parser)


def _force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="overwrite existing results")


def _stage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--record", type=Path, metavar="JSON", help="write versions, inputs, time and memory here"
    )
    _common(parser)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log", type=Path, metavar="FILE", help="write all log lines here, edited texts among them"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks and all log lines")
    parser.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
