"""The words of the command line: help, short options, what is suggested, completed and imported."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

from genescribe.cli import main
from genescribe.cli.grammar import Arguments, Call
from genescribe.cli.parser import PARSER
from support.command_line import all_commands

HELP_SECONDS = 0.3
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "scripts")}


COMMANDS = all_commands()


def parsed(*words: str) -> Arguments:
    called = PARSER.main(words, "genescribe", standalone_mode=False)
    assert isinstance(called, Call)
    return called.args


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_is_complete_and_fits_a_narrow_terminal(path, capsys):
    assert main([*path, "--help"]) == 0
    said, complaint = capsys.readouterr()
    assert complaint == ""
    assert said.startswith(f"Usage: {' '.join(['genescribe', *path])}")
    assert max(map(len, said.splitlines())) <= 80
    for param in COMMANDS[path].params:
        assert (param.opts[-1] if isinstance(param, click.Option) else param.metavar) in said
        assert param.help, param.name
    assert main([*path, "-h"]) == 0
    assert capsys.readouterr().out == said


@pytest.mark.parametrize("path", [(), ("models",)], ids=["genescribe", "models"])
def test_without_a_command_the_help_is_shown(path, capsys):
    assert main(path) == 2
    said, complaint = capsys.readouterr()
    assert said == ""
    main([*path, "--help"])
    assert capsys.readouterr().out == complaint


def test_commands_stand_by_their_use(capsys):
    main(["--help"])
    said = capsys.readouterr().out
    places = [said.index(title) for title in PARSER.sections]
    assert places == sorted(places)
    assert said.index("Train and evaluate") < said.index("  corpus ") < said.index("  calibrate ")


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["desribe"], "'describe'"),
        (["models", "lst"], "'list'"),
        (["run", "--annotaton", "x"], "'--annotation'"),
        (["extract", "--exclude-biotype", "x"], "'--exclude-biotypes'"),
    ],
)
def test_the_nearest_word_is_suggested(words, near, capsys):
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("genescribe")
    assert f"Did you mean {near}?" in line


def test_short_options_are_the_long_ones():
    short = parsed("run", "-g", "a.fa", "-a", "a.gff", "-m", "own.yaml", "-o", "out", "-q")
    long = parsed(
        *("run", "--genome", "a.fa", "--annotation", "a.gff", "--model", "own.yaml"),
        *("--out", "out", "--quiet"),
    )
    assert short == long
    assert (short.genome, short.model, short.quiet) == (Path("a.fa"), "own.yaml", True)


@pytest.mark.parametrize(
    "words",
    [
        ["--gene", "A", "B", "C"],
        ["--gene", "A", "--gene", "B", "C"],
        ["--gene=A", "--json", "--gene", "B", "C"],
    ],
)
def test_an_option_that_takes_several_words(words):
    assert parsed("ask", "--task", "protein", *words).gene == ("A", "B", "C")


def test_what_excludes_each_other(capsys):
    words = ["extract", "-a", "x", "-o", "x", "--model", "tiny", "--route", "*=tiny"]
    assert main(words) == 2
    assert "--route: not allowed with --model" in capsys.readouterr().err
    assert main(["ask", "-a", "x"]) == 2
    assert "give one of --task, --list" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "called"), [(["--help"], []), (["run", "-h"], ["commands"])])
def test_only_the_called_command_is_imported(words, called):
    code = (
        f"import sys; from genescribe.cli import main; main({words!r}); "
        "print(*(name for name in sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    imported = set(done.stderr.split())
    modules = {"commands", "chat", "models", "convert", "corpus", "train", "evaluate"}
    assert {name for name in modules if f"genescribe.cli.{name}" in imported} == set(called)
    assert not {"torch", "numpy", "transformers", "rich"} & imported


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["evaluate", "--help"]])
def test_help_comes_at_once(words):
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "genescribe", *words]
        subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < HELP_SECONDS  # of the processor, so load is no excuse


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("genescribe desc", {"describe"}),
        ("genescribe models ver", {"verify"}),
        ("genescribe run --min", {"--min-length"}),
        ("genescribe run --view ", {"auto", "gene", "transcript", "cds"}),
    ],
)
def test_a_shell_completes(words, completed):
    environment = {
        **ENVIRONMENT,
        "_GENESCRIBE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    code = "from genescribe.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert {line.split(",")[1] for line in done.stdout.splitlines()} == completed, done.stderr
