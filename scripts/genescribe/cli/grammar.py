"""How a command is declared: its parameters in sections, its handler, and nothing imported before
it is called.

On click, which parses, completes in shells, and names the nearest command or option for a wrong
one. A handler takes ``Arguments``; it runs outside of click, so that ``genescribe.cli.main`` alone
decides how a failure is told.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from genescribe.settings import Settings

SomeSettings = TypeVar("SomeSettings", bound="Settings")


class Arguments(SimpleNamespace):
    """The values of a command's parameters by their names, and ``command``, its own name."""

    def __contains__(self, name: str) -> bool:
        return hasattr(self, name)

    def of(self, model: type[SomeSettings], /, **values: Any) -> SomeSettings:
        """Return the settings of one model; ``values`` replace what the options of a name say."""
        given = {name: getattr(self, name) for name in model.model_fields if name in self}
        return model(**(given | values))


Handler = Callable[[Arguments], None]


class Call(NamedTuple):
    """What the words of a command line ask for."""

    handler: Handler
    args: Arguments


class Parsed(click.ParamType[Any]):
    """A value made from a word by ``parse``, which raises ValueError saying what it wants."""

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self.name = "word"
        self.parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value; a default is one already."""
        if not isinstance(value, str):
            return value
        try:
            return self.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


PATH = click.Path(path_type=Path)


class Option(click.Option):
    """An option, in a section of the help. With ``spread`` it takes all words up to the next."""

    section = "Options"

    def __init__(self, *flags: str, spread: bool = False, **rest: Any) -> None:
        super().__init__(flags, **{"show_default": True, "multiple": spread, **rest})
        self.spread = spread

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """Return the option's long name."""
        return self.opts[-1]


class OneOf(NamedTuple):
    """Parameters, by name, of which a call gives at most one, or exactly one."""

    names: tuple[str, ...]
    required: bool = False


def section(title: str, *options: Option) -> tuple[Option, ...]:
    """Return copies of the options, which the help shows below ``title``."""
    titled = tuple(copy.copy(option) for option in options)
    for option in titled:
        option.section = title
    return titled


HELP_NAMES = {"help_option_names": ["-h", "--help"]}
LAST_SECTION = "Messages"

COMMON = section(
    LAST_SECTION,
    Option(
        "--log",
        type=PATH,
        metavar="FILE",
        help="write all log lines here, edited texts among them",
    ),
    Option("--debug", is_flag=True, help="show tracebacks and all log lines"),
    Option("-q", "--quiet", is_flag=True, help="say only what went wrong"),
)
"""What every command has."""


class Sectioned(click.Command):
    """A command whose help has options in sections, and an epilog kept as it is written."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        rows: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            row = None if isinstance(param, click.Argument) else param.get_help_record(ctx)
            if row:
                rows.setdefault(getattr(param, "section", LAST_SECTION), []).append(row)
        for title, of_section in rows.items():
            with formatter.section(title):
                formatter.write_dl(of_section)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the epilog."""
        if self.epilog:
            formatter.write(f"\n{self.epilog}")


class Command(Sectioned, click.Command):
    """A command that, called, gives a ``Call``."""

    def __init__(
        self,
        handler: Handler,
        params: Sequence[click.Parameter],
        one_of: Sequence[OneOf],
        help: str,
        epilog: str,
    ) -> None:
        super().__init__(
            handler.__name__, HELP_NAMES, params=[*params, *COMMON], help=help, epilog=epilog
        )
        self.handler = handler
        self.one_of = one_of

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the pieces of the usage line."""
        required = [
            f"{param.opts[-1]} {param.make_metavar(ctx)}"
            for param in self.params
            if isinstance(param, Option) and param.required
        ]
        return [*required, *super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse ``args`` into ``ctx.params``."""
        spread = {
            flag
            for param in self.params
            if isinstance(param, Option) and param.spread
            for flag in param.opts
        }
        rest = super().parse_args(ctx, _repeated(args, spread) if spread else args)
        for names, required in self.one_of:
            given = [
                param.opts[-1]
                for param in self.params
                if param.name in names
                and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE
            ]
            if len(given) > 1:
                raise click.UsageError(f"{given[1]}: not allowed with {given[0]}", ctx)
            if required and not given and not ctx.resilient_parsing:
                flags = (f"--{name.replace('_', '-')}" for name in names)
                raise click.UsageError(f"give one of {', '.join(flags)}", ctx)
        return rest

    def invoke(self, ctx: click.Context) -> Call:
        """Return what was asked for."""
        return Call(self.handler, Arguments(command=ctx.info_name, **ctx.params))


def command(
    *params: click.Parameter, one_of: Sequence[OneOf] = (), help: str = "", epilog: str = ""
) -> Callable[[Handler], Command]:
    """Make a handler a command with these parameters, and those that every command has.

    Without ``help`` it is the command's summary that the help begins with.
    """

    def declared(handler: Handler) -> Command:
        return Command(handler, params, one_of, help, epilog)

    return declared


def _repeated(args: Sequence[str], spread: set[str]) -> list[str]:
    """Give each value its own option: ``--gene A B`` becomes ``--gene A --gene B``."""
    words: list[str] = []
    option, values = "", 0
    for word in args:
        if word.startswith("-") and word != "-":
            option, values = (word if word in spread else ""), 0
            words.append(word)
        else:
            words += [option, word] if option and values else [word]
            values += 1
    return words


class Entry(NamedTuple):
    """Where a command is declared, a module of this room, and what it does.

    ``attribute`` is its name in the module, by default that of the command.
    """

    module: str
    summary: str
    attribute: str = ""


class Commands(Sectioned, click.Group):
    """Commands in sections of the help; only the module of the called one is imported."""

    def __init__(
        self, name: str, sections: Mapping[str, Mapping[str, Entry]], params: Sequence[Option] = ()
    ) -> None:
        super().__init__(
            name, context_settings=HELP_NAMES, params=list(params), no_args_is_help=True
        )
        self.sections = sections

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return [name for entries in self.sections.values() for name in entries]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None if there is none of that name."""
        for entries in self.sections.values():
            if entry := entries.get(cmd_name):
                module = importlib.import_module(f"genescribe.cli.{entry.module}")
                found: click.Command = getattr(module, entry.attribute or cmd_name)
                found.help = found.help or f"{entry.summary[0].upper()}{entry.summary[1:]}."
                found.short_help = entry.summary
                return found
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return name, command and rest; raises NoSuchCommand that names the nearest."""
        names = self.list_commands(ctx)
        if args[0] not in names and not ctx.resilient_parsing:
            raise click.NoSuchCommand(args[0], possibilities=names, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        width = max(map(len, self.list_commands(ctx)))
        for title, entries in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(f"{n:<{width}}", e.summary) for n, e in entries.items()])
        super().format_options(ctx, formatter)
