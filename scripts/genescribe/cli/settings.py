"""Settings as options of the command line: each is made from what a model of settings says of it.

The door adds a line only where an option needs its own words: a short flag, a metavar, a syntax.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from genescribe import settings
from genescribe.cli import options
from genescribe.cli.grammar import PATH, Arguments, OneOf, Option, Parsed, section
from genescribe.errors import InputError
from genescribe.genome.settings import DecorateSettings, ExtractSettings
from genescribe.inference.settings import DescribeSettings, ModelSettings
from genescribe.records import ModelChoice
from genescribe.settings import Settings

METAVARS = {int: "N", float: "N", str: "TEXT"}


def option_of(model: type[Settings], name: str, /, *flags: str, **words: Any) -> Option:
    """Return the option of a setting, with its type, default, choices and help.

    ``flags`` replace ``--name``; ``words`` are for click, and replace what the model says. A
    setting of several values is an option to repeat; a switch that is on has a ``--no-name``, too.
    """
    field = model.model_fields[name]
    kind, default = settings.type_of(field), settings.default(field)
    flag = f"--{name.replace('_', '-')}"
    if kind is bool:
        flag = f"{flag}/--no-{flag[2:]}" if default else flag
        made = {"help": field.description, "is_flag": True, "default": default}
        return Option(*(flags or (flag,)), name, **(made | words))
    made = {
        "help": field.description,
        "multiple": settings.is_several(field),
        "show_default": default not in ((), {}),
        "metavar": METAVARS.get(kind),
        "type": Parsed(partial(settings.parse, field)),
    }
    made |= {"required": True} if field.is_required() else {"default": default}
    if choices := settings.choices(field):
        made["type"] = click.Choice(choices)
    elif kind is Path:
        made["type"] = PATH
    made |= words
    if made["multiple"]:
        made["help"] += "; may be repeated"
    return Option(*(flags or (flag,)), name, **made)


Words = Mapping[str, Any]
"""What the door adds to an option: ``flags``, and words for click."""


def options_of(model: type[Settings], title: str, /, **own: Words | None) -> tuple[Option, ...]:
    """Return the options of all settings of a model in a section of the help.

    ``own`` are the door's words for single ones; None leaves one out.
    """
    names = [name for name in model.model_fields if own.get(name, {}) is not None]
    names.sort(key=lambda name: name != "model")  # which a person chooses first
    made = []
    for name in names:
        words = dict(own.get(name) or {})
        made.append(option_of(model, name, *words.pop("flags", ()), **words))
    return section(title, *made)


def _as_table(_ctx: click.Context, _option: click.Parameter, pairs: Any) -> dict[str, Any]:
    return dict(pairs)


MODEL_WORDS: Words = {
    "flags": ("-m", "--model"),
    "type": str,
    "metavar": "MODEL",
    "help": "name of a model (see genescribe models list) or path of a spec",
}
ROUTE = Option(
    "--route",
    type=Parsed(options.route),
    multiple=True,
    metavar="PATTERN=MODEL",
    help="model for genes of one biotype; * stands for anything, MODEL may be skip; may be "
    "repeated: the first match decides, and genes that no route matches are skipped",
)
MODEL_OR_ROUTE = OneOf(("model", "route"))
_MODEL_TITLE = "The model and where it runs"
ONE_MODEL = options_of(ModelSettings, _MODEL_TITLE, model=MODEL_WORDS)
MODELS = (ONE_MODEL[0], *section(_MODEL_TITLE, ROUTE))

EXTRACT = options_of(
    ExtractSettings,
    "What is read of each gene",
    flank={"metavar": "NT"},
    min_length={"metavar": "NT"},
    exclude_biotypes={
        "type": Parsed(options.names),
        "multiple": False,
        "metavar": "A,B",
        "help": f"{ExtractSettings.model_fields['exclude_biotypes'].description}; an empty text "
        "skips none",
    },
)
DESCRIBE = MODELS + options_of(
    DescribeSettings,
    _MODEL_TITLE,
    model=None,
    shard=None,
    prompt={"metavar": "NAME"},
    settings={
        "flags": ("--set",),
        "type": Parsed(options.setting),
        "multiple": True,
        "callback": _as_table,
        "metavar": "KEY=NUMBER",
    },
    cache={"metavar": "DIR"},
)
SHARD = option_of(
    DescribeSettings, "shard", type=Parsed(options.shard), metavar="I/N", show_default=False
)
DECORATE = options_of(
    DecorateSettings,
    "What is written into the annotation",
    attribute={"metavar": "KEY"},
    sorted_copy=None,
)
SORTED_COPY = section(DECORATE[0].section, option_of(DecorateSettings, "sorted_copy"))


def model_choice(args: Arguments) -> ModelChoice:
    """Return what ``--model`` or ``--route`` ask for; the routes in their order."""
    if not args.route:
        return str(args.model)
    patterns = [pattern for pattern, _ in args.route]
    twice = next((pattern for pattern in patterns if patterns.count(pattern) > 1), None)
    if twice is not None:
        raise InputError(f"--route {twice}: is there twice; give each biotype one model")
    return dict(args.route)
