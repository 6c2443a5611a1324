"""``genescribe models``: which there are, what each is, and whether its weights are whole."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from genescribe.cli.grammar import Arguments, Commands, Entry, OneOf, Option, Parsed, command
from genescribe.cli.settings import option_of
from genescribe.inference.settings import ModelSettings

if TYPE_CHECKING:
    from genescribe.models.footprint import Needs
    from genescribe.specs.spec import ModelSpec

LABEL_WIDTH = 20
LINE_WIDTH = 100
GB = 1e9
MB = 1e6


class Room(NamedTuple):
    """The memory that a model is to fit into: of a device, or as asked."""

    device: str
    free: int


def gigabytes(text: str) -> int:
    """Parse a number of gigabytes to bytes."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise ValueError(f"{text!r} is not a number of gigabytes, like 80")
    return int(number * GB)


models = Commands(
    "models",
    {
        "Actions": {
            "list": Entry("models", "one line for each model", "list_models"),
            "show": Entry("models", "all about one model, the memory that it needs included"),
            "verify": Entry("models", "check a model's weights, without loading them"),
            "convert": Entry("convert", "turn a published checkpoint into a folder of ours"),
        }
    },
)
NAME = click.Argument(
    ["name"], metavar="NAME", help="name of a model, or path of a model spec (.yaml)"
)
JSON = Option("--json", is_flag=True, help="write JSON")


@command(JSON)
def list_models(args: Arguments) -> None:
    """Print one line, or one JSON object, for each model."""
    from genescribe.specs.spec import list_specs

    specs = list_specs()
    if args.json:
        _print_json([_summary(spec) for spec in specs])
        return
    width = max(len(spec.name) for spec in specs)
    for spec in specs:
        state = "installed" if spec.is_installed else "no weights"
        print(f"{spec.name:<{width}}  {state:<10}  {spec.summary}")
    print("\ngenescribe models show NAME tells all about one model, and how to get its weights.")


@command(
    NAME,
    JSON,
    option_of(ModelSettings, "device"),
    Option(
        "--memory",
        type=Parsed(gigabytes),
        metavar="GB",
        help="the memory of a device that is not here",
    ),
    one_of=[OneOf(("device", "memory"))],
)
def show(args: Arguments) -> None:
    """Print all about one model."""
    from genescribe.models.footprint import needs_of
    from genescribe.specs.spec import load_spec

    spec = load_spec(args.name)
    needs, room = needs_of(spec), _room(args)
    if args.json:
        _print_json(_facts(spec, needs, room))
        return
    for label, value in [*_lines(spec), *_memory_lines(needs, room)]:
        print(_paragraph(label, value))


@command(NAME)
def verify(args: Arguments) -> None:
    """Compare all files with their pins, and all tensors with the model's."""
    import torch

    from genescribe.models.checkpoint import load
    from genescribe.specs.spec import load_spec

    spec = load_spec(args.name)
    load(spec, "meta", torch.float32)
    print(f"{spec.identity}: {len(spec.files)} files are as pinned, and every tensor has its place")


def _room(args: Arguments) -> Room:
    from genescribe.inference.describer import pick_device
    from genescribe.models.footprint import free_memory

    if args.memory is not None:
        return Room("as given", args.memory)
    device = pick_device(args.device)
    return Room(device, free_memory(device))


def _summary(spec: ModelSpec) -> dict[str, Any]:
    from genescribe.models.footprint import needs_of

    return {
        "name": spec.name,
        "summary": spec.summary,
        "architecture": spec.architecture,
        "license": spec.license,
        "installed": spec.is_installed,
        "parameters": asdict(needs_of(spec).published),
    }


def _facts(spec: ModelSpec, needs: Needs, room: Room) -> dict[str, Any]:
    """Return what ``show --json`` tells; sizes in bytes."""
    from genescribe.models.footprint import DTYPES

    return {
        **_summary(spec),
        "parameters_loaded": asdict(needs.loaded),
        "stored": needs.stored._asdict(),
        "identity": spec.identity if spec.is_installed else None,
        "source": spec.source,
        "citation": spec.citation,
        "trained_on": spec.trained_on,
        "weights": [str(path) for path in spec.weights.paths],
        "install": spec.weights.how_to_get,
        "views": dict(spec.views),
        "max_length": spec.max_length,
        "window": spec.window,
        "prompt": spec.prompt_id,
        "prompts": {name: variant.model_dump() for name, variant in spec.prompts.variants.items()},
        "question": spec.question,
        "tasks": {name: task.model_dump() for name, task in spec.tasks.items()},
        "generation": dict(spec.generation),
        "no_sequence": spec.no_sequence,
        "calibrated": spec.calibration is not None,
        "min_lift": spec.min_lift,
        "min_score": spec.min_score,
        "dtype": dict(spec.dtype),
        "quantisation": spec.quantisation,
        "tokens": {"prompt": needs.prompt_tokens, "text": needs.new_tokens, "beams": needs.beams},
        "memory": {
            dtype: {
                "weights": needs.weights(dtype),
                "encoder": needs.encoding(dtype),
                "gene": needs.gene(dtype),
                "genes_per_batch": needs.genes(room.free, dtype),
            }
            for dtype in DTYPES
        },
        "device": {"name": room.device, "memory": room.free},
    }


def _lines(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    """Yield what a person chooses a model by."""
    note = "" if spec.calibration else " (not calibrated: how sure the model is, not how right)"
    yield "name", spec.name
    yield "summary", spec.summary
    yield "weights", ", ".join(str(path) for path in spec.weights.paths)
    if spec.is_installed:
        yield "identity", spec.identity
    else:
        yield "not installed", spec.weights.how_to_get or "these paths do not exist"
    yield "architecture", spec.architecture
    yield "licence", spec.license
    yield "trained on", spec.trained_on
    yield "source", spec.source or "not stated"
    yield "cite", spec.citation or "not stated"
    yield "reads", ", ".join(f"{biotype}: {view}" for biotype, view in spec.views.items())
    yield "longest gene", f"{spec.max_length:,} nt: {spec.window}"
    for name, prompt in spec.prompts.variants.items():
        chosen = " (default)" if prompt == spec.prompt and len(spec.prompts.variants) > 1 else ""
        yield "prompt", f"{name}{chosen}, id {prompt.id}: {prompt.template}"
    if spec.question:
        yield "question", spec.question
    if spec.tasks:
        yield "tasks", ", ".join(spec.tasks)
    yield "generation", ", ".join(f"{key} {value}" for key, value in spec.generation.items())
    yield "lift compares with", f"no sequence, {spec.no_sequence}"
    yield (
        "uncertain below",
        f"lift {spec.min_lift} nats per token, or score {spec.min_score}{note}",
    )
    yield "computes in", ", ".join(f"{key}: {dtype}" for key, dtype in spec.dtype.items())


def _memory_lines(needs: Needs, room: Room) -> Iterator[tuple[str, str]]:
    """Yield sizes, and how many genes fit at once."""
    from genescribe.models.footprint import DTYPES

    for part, number in asdict(needs.published).items():
        loaded = getattr(needs.loaded, part)
        note = f" ({_count(loaded)} loaded, without its training head)" if number != loaded else ""
        yield part.replace("_", " "), f"{_count(number)} parameters{note}"
    if needs.stored.genes:
        genes, size = needs.stored.genes, needs.stored.bytes / MB
        told = f"{genes:,} genes with their texts, {size:.1f} MB"
        yield "gene memory", f"{told} (part of the weights, but no parameters)"
    longest = f"{needs.prompt_tokens:,} tokens of prompt, {needs.new_tokens:,} of text"
    yield "a longest gene", longest + (f", {needs.beams} beams" if needs.beams > 1 else "")
    for dtype in DTYPES:
        genes = needs.genes(room.free, dtype)
        fits = f"{genes:,} longest genes at once" if genes else "does not fit"
        yield (
            f"memory, {dtype}",
            f"weights {needs.weights(dtype) / GB:.2f} GB, a gene {needs.gene(dtype) / GB:.2f} GB; "
            f"on {room.free / GB:.1f} GB ({room.device}): {fits}",
        )


def _paragraph(label: str, text: str) -> str:
    """Return a label with its text behind it, broken between words: paths stay whole."""
    return textwrap.fill(
        text,
        LINE_WIDTH,
        initial_indent=f"{label:<{LABEL_WIDTH}}",
        subsequent_indent=" " * LABEL_WIDTH,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _count(number: int) -> str:
    return f"{number / 1e9:.3f} B" if number >= 1e9 else f"{number / 1e6:.2f} M"


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
