"""All commands, in the order and the sections of the help; each is declared in its own module."""

from __future__ import annotations

import click

from genescribe.cli.grammar import Commands, Entry, Option
from genescribe.version import __version__

EPILOG = """\
Descriptions are predictions of a language model that read the gene's own
sequence. Each has a score (how likely it is right) and a lift (how much the
sequence, not habit, made the sentence).

Example:
  genescribe run -g genome.fa.gz -a genes.gff3 -o results

Completion of commands and options in bash (put it into ~/.bashrc):
  eval "$(_GENESCRIBE_COMPLETE=bash_source genescribe)"
zsh and fish: the same with zsh_source and fish_source.
"""

SECTIONS = {
    "Describe an assembly": {
        "run": Entry("commands", "describe one assembly, from genome and annotation to report"),
        "extract": Entry("commands", "find the genes and cut out the sequence that a model reads"),
        "describe": Entry("commands", "let a model write about the extracted sequences"),
        "gather": Entry("commands", "join the shards of describe into one file"),
        "decorate": Entry("commands", "write descriptions into a copy of the annotation"),
        "strip": Entry("commands", "take out again what decorate put in, byte for byte"),
        "report": Entry("commands", "make the HTML report"),
        "record": Entry("commands", "join the stage records of one assembly into run.json"),
    },
    "Ask about single genes": {
        "chat": Entry("chat", "ask a model about one gene, question after question"),
        "ask": Entry("chat", "ask a model a question that it was trained for, as a table"),
    },
    "Choose a model": {
        "models": Entry("models", "list, explain, convert and verify the models"),
    },
    "Train and evaluate": {
        "corpus": Entry("corpus", "collect sequences, questions and answers to learn from"),
        "splits": Entry("corpus", "divide a corpus into training, validation and test"),
        "train": Entry("train", "train a model on genes that have descriptions"),
        "evaluate": Entry("evaluate", "score descriptions against references"),
        "calibrate": Entry("evaluate", "fit a model's score and thresholds on held-out genes"),
    },
}


def _show_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"genescribe {__version__}")
        ctx.exit()


VERSION = Option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="show the version and stop",
)

PARSER = Commands("genescribe", SECTIONS, [VERSION])
PARSER.help = "Write a natural-language description on every gene of your annotation."
PARSER.epilog = EPILOG
