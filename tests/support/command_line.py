"""The commands of the command line, as it declares them."""

from __future__ import annotations

import click

from genescribe.cli.grammar import Commands
from genescribe.cli.parser import PARSER


def all_commands(
    group: Commands = PARSER, path: tuple[str, ...] = ()
) -> dict[tuple[str, ...], click.Command]:
    """Return every command by the words that call it; groups of commands, too."""
    found: dict[tuple[str, ...], click.Command] = {path: group}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        words = (*path, name)
        found |= all_commands(command, words) if isinstance(command, Commands) else {words: command}
    return found
