"""Messages name no command or option below the doors, and each door has words for every remedy."""

from __future__ import annotations

import ast
import pickle
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from genescribe import doors, errors
from genescribe.cli import main
from genescribe.errors import Remedy
from support.command_line import all_commands

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "scripts" / "genescribe"
DOORS = {"cli", "widget", "api.py", "doors.py"}
BELOW = sorted(
    path for path in LIBRARY.rglob("*.py") if path.relative_to(LIBRARY).parts[0] not in DOORS
)
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
OTHER_PROGRAMS = {
    "corpus/mmseqs.py": {"--min-seq-id", "--cluster-mode", "--cov-mode", "--threads"},
}
"""Literals that are, each as a whole, an argument for a program that is not ours."""

WORDS = {
    "shell": doors.SHELL,
    "galaxy": doors.GALAXY,
    "workflow": doors.WORKFLOW,
    "python": doors.PYTHON,
    "notebook": doors.NOTEBOOK,
}


COMMANDS = {words[-1] for words in all_commands() if words}
OPTIONS = {
    flag
    for command in all_commands().values()
    for option in command.params
    for flag in [*option.opts, *option.secondary_opts]
}
COMMAND = re.compile(rf"\bgenescribe ({'|'.join(map(re.escape, COMMANDS))})\b")


def literals(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Yield line, text and whether it is a docstring (one of a variable, too); values are x."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "x" for part in node.values]
            yield node.lineno, "".join(map(str, parts)), False
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value, id(node) in bare


@pytest.mark.parametrize("path", BELOW, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_no_text_below_the_doors_names_an_option_or_a_command(path: Path) -> None:
    allowed = OTHER_PROGRAMS.get(str(path.relative_to(LIBRARY)), set())
    for line, text, is_docstring in literals(ast.parse(path.read_text(encoding="utf-8"))):
        if text not in allowed:
            assert not OPTION.search(text), f"{path}:{line}: {text!r} names an option"
            assert is_docstring or not COMMAND.search(text), f"{path}:{line}: {text!r}"


@pytest.mark.parametrize("door", WORDS)
def test_every_door_has_words_for_every_remedy(door: str) -> None:
    assert WORDS[door].keys() == set(Remedy)
    for remedy, words in WORDS[door].items():
        assert words.strip(" .;\n") == words
        assert "\n" not in words
        takes_value = "{value}" in remedy.value
        assert not takes_value or "{value}" in words, remedy
        assert door == "shell" or not OPTION.search(words), words
        assert door in ("shell", "workflow") or not COMMAND.search(words), words


def test_the_shell_names_options_and_commands_that_there_are() -> None:
    for words in doors.SHELL.values():
        assert set(OPTION.findall(words)) <= OPTIONS, words
    for words in [*doors.SHELL.values(), *doors.WORKFLOW.values()]:
        assert words.count("genescribe ") == len(COMMAND.findall(words)), words


def test_the_workflow_names_keys_that_there_are() -> None:
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    stages = {name: part for name, part in config.items() if isinstance(part, dict)}
    for words in doors.WORKFLOW.values():
        for stage, key in re.findall(r"\b(\w+): (\w+):? ", words):
            assert key in stages[stage], words


def test_galaxy_names_labels_of_its_form() -> None:
    form = ET.parse(ROOT / "galaxy_tool" / "genescribe.xml").getroot()
    labels = {param.get("label") for param in form.iter("param")}
    for words in doors.GALAXY.values():
        assert set(re.findall("“(.*?)”", words)) <= labels, words


def test_the_notebook_names_controls_that_it_has() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (LIBRARY / "widget").glob("*.py"))
    for words in doors.NOTEBOOK.values():
        for label in re.findall("“(.*?)”", words):
            assert f'"{label}"' in code, words


@pytest.mark.parametrize(
    ("door", "says"),
    [
        ("", "add --force to overwrite it"),
        ("galaxy", errors.PLAIN[Remedy.OVERWRITE]),
        ("workflow", "delete it, or choose another folder"),
    ],
)
def test_the_command_speaks_as_the_door_it_stands_behind(
    door: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv(doors.DOOR, door)
    (tmp_path / "there").write_text("mine")
    decorated = str(ROOT / "galaxy_tool" / "test-data" / "plasmid.gff3")
    assert main(["strip", decorated, "--out", str(tmp_path / "there")]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told == [f"genescribe: error: {tmp_path}/there: already exists; {says}"]


@pytest.mark.parametrize(
    "error",
    [
        errors.Cancelled("stopped", Remedy.RESUME),
        errors.FormatError("genes.gff3", 3, "bad {line}", Remedy.STRIP_FIRST),
        errors.ConversionError(
            "not {this}", Remedy.CHOOSE_LAYOUT, report=["used x"], value="{rnafm}"
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_travel_between_processes(error: errors.GenescribeError) -> None:
    error.words = doors.SHELL
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert (str(arrived), vars(arrived)) == (str(error), vars(error))


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = errors.FormatError("genes.gff3", 3, "already decorated", Remedy.STRIP_FIRST)
    assert str(error) == "genes.gff3:3: already decorated; take its descriptions out first"
    told = error.told(doors.SHELL)
    assert told == "genes.gff3:3: already decorated; run genescribe strip first"
    value = errors.InputError("no {question}", Remedy.CHOOSE_PROMPT, value="{name}")
    assert value.told(doors.SHELL).endswith("; choose one of its prompts that do: --prompt {name}")
