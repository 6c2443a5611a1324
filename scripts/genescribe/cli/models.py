"""``genescribe models``: what models there are, and what each one is."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from genescribe.cli import options

if TYPE_CHECKING:
    from genescribe.models.spec import ModelSpec


def add_parsers(command: options.Command) -> None:
    """Add the command ``models`` and its actions."""
    parser = command("models", "list and explain the models", "models")
    actions = parser.add_subparsers(dest="action", required=True, metavar="")
    listing = actions.add_parser("list", help="one line for each model")
    show = actions.add_parser("show", help="all about one model")
    show.add_argument("name", help="name of a model, or path of a model spec (.yaml)")
    for sub in (listing, show):
        options.add_common(sub)


def models(args: argparse.Namespace) -> None:
    """List the models or explain one."""
    from genescribe.models.spec import list_specs, load_spec

    if args.action == "list":
        width = max(len(spec.name) for spec in list_specs())
        for spec in list_specs():
            print(f"{spec.name:<{width}}  {spec.summary}")
    else:
        for key, value in _facts(load_spec(args.name)):
            print(f"{key:<16} {value}")


def _facts(spec: ModelSpec) -> Iterator[tuple[str, object]]:
    """Yield what a person chooses a model by."""
    yield "name", spec.name
    yield "summary", spec.summary
    yield "identity", spec.identity
    yield "architecture", spec.architecture
    yield "licence", spec.license
    yield "trained on", spec.trained_on
    yield "weights", spec.weights
    yield "reads", ", ".join(f"{biotype}: {view}" for biotype, view in spec.views.items())
    yield "longest gene", f"{spec.max_length:,} nt, the rest is left out"
    yield "prompt", f"{spec.prompt_id}: {spec.prompt_template}"
    yield "generation", ", ".join(f"{key} {value}" for key, value in spec.generation.items())
    yield "uncertain below", f"lift {spec.min_lift} nats per token or score {spec.min_score}"
