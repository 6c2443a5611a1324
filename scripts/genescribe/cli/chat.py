"""``genescribe chat`` and ``genescribe ask``: questions about single genes."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, TextIO

from genescribe.cli import options, settings
from genescribe.cli.grammar import PATH, Arguments, OneOf, Option, command, section
from genescribe.cli.settings import option_of
from genescribe.doors import command_words
from genescribe.errors import InputError
from genescribe.genome.settings import ExtractSettings

if TYPE_CHECKING:
    from genescribe.inference.conversation import Answer, Conversation
    from genescribe.inference.describer import Describer
    from genescribe.pipeline.ask import TaskAnswer
    from genescribe.pipeline.genes import FoundGene, GeneChoice
    from genescribe.specs.spec import ModelSpec

log = logging.getLogger(__name__)

FAREWELLS = ("", "quit", "exit")
"""Lines that end a conversation at a terminal."""


GENES = section(
    "Where the genes are: an annotation with its genome, or FASTA",
    Option("-g", "--genome", type=PATH, metavar="FASTA", help="genome of the annotation"),
    Option("-a", "--annotation", type=PATH, metavar="GFF", help="gene models, GFF3 or GTF"),
    Option(
        "--fasta",
        type=PATH,
        metavar="FILE",
        help="nucleotide sequences, each read from end to end; - is standard input",
    ),
    option_of(ExtractSettings, "view"),
)


@command(
    Option(
        "--gene",
        metavar="ID",
        help="the gene; with --fasta the name of a record (default: the first one)",
    ),
    Option(
        "--question",
        multiple=True,
        metavar="TEXT",
        help="ask this and stop; may be repeated (default: questions from the terminal, or one "
        "a line from standard input)",
    ),
    Option("--prompt", metavar="NAME", help="one of the model's prompts (default: the spec's)"),
    Option("--json", is_flag=True, help="write one JSON object for each answer"),
    *GENES,
    *settings.ONE_MODEL,
)
def chat(args: Arguments) -> None:
    """Hold a conversation about one gene."""
    from genescribe.inference.conversation import Conversation, check_asks, check_turns
    from genescribe.pipeline.genes import find_genes
    from genescribe.specs.spec import load_spec, verify

    spec = load_spec(args.model)
    if args.prompt:
        spec = spec.with_prompt(args.prompt)
    check_asks(spec)
    is_interactive = not args.question and sys.stdin.isatty()
    check_turns(spec, 2 if is_interactive else len(args.question or [""]))
    if args.annotation and not args.gene:
        raise InputError("--annotation: which gene? add --gene ID")
    if str(args.fasta) == "-" and not args.question:
        raise InputError("--fasta -: standard input is the gene; ask with --question TEXT")
    choice = _choice(args, [args.gene] if args.gene else [])
    verify(spec)
    gene = find_genes(choice, spec)[0]
    if gene.record is None:
        raise InputError(f"{gene.gene_id}: no sequence to read ({gene.reason}); ask another one")
    describer = _describer(args, spec)
    conversation = Conversation(describer, gene.record, args.organism)
    log.info(
        "%s, %s nt (%s); answers are predictions of %s%s",
        gene.gene_id,
        f"{len(gene.record.sequence):,}",
        gene.record.view,
        spec.identity,
        "; an empty line ends" if is_interactive else "",
    )
    _tolerate(sys.stdout, "replace")
    if is_interactive:
        _converse(conversation, args.json)
        return
    for question in args.question or _piped(sys.stdin):
        _show(conversation, question, args.json)


def _converse(conversation: Conversation, as_json: bool) -> None:
    """Take questions from a terminal until a farewell, the end of the input, or Ctrl-C."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (gives input() its line editing and history)
    prompt = "> " if sys.stdout.isatty() else ""  # not into answers that go to a file
    try:
        while (question := input(prompt).strip()) not in FAREWELLS:
            try:
                _show(conversation, question, as_json)
            except InputError as error:
                print(f"genescribe: {error.told(command_words())}", file=sys.stderr)
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)  # the next prompt of the shell gets a line of its own


def _piped(stream: TextIO) -> Iterator[str]:
    """Yield the lines that are not blank, whatever bytes stand in them."""
    _tolerate(stream, "replace")
    yield from (line for line in stream if line.strip())


def _tolerate(stream: TextIO, errors: str) -> None:
    """Let a standard stream carry text that is not UTF-8."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=errors)


def _show(conversation: Conversation, question: str, as_json: bool) -> None:
    from genescribe.artifacts.codec import json_line

    answer = conversation.ask(question)
    spec, gene_id = conversation.describer.spec, conversation.record.gene_id
    if not as_json:
        print(answer.text or "(no answer)")
        print(f"[{', '.join(_remarks(answer, spec))}]", flush=True)
        return
    values = asdict(answer)
    facts = {
        "gene_id": gene_id,
        "question": values.pop("question"),
        "answer": values.pop("text"),
        **values,
        "calibrated": spec.calibration is not None,
        "model": spec.identity,
        "prompt": spec.prompt_id,
        "prediction": True,
    }
    print(json_line(facts), flush=True)


def _remarks(answer: Answer, spec: ModelSpec) -> Iterator[str]:
    """Yield what a reader must know of an answer."""
    yield f"prediction of {spec.name}"
    if answer.lift is not None and answer.score is not None:
        kind = "score" if spec.calibration else "uncalibrated score"
        yield f"lift {answer.lift:.2f}"
        yield f"{kind} {answer.score:.2f}"
    if answer.reason:
        yield f"uncertain: {answer.reason}" if answer.text else str(answer.reason)
    if answer.truncated:
        yield f"{answer.truncated:,} nt at the gene's end were not read"
    if answer.dropped_turns:
        yield f"the oldest turns were forgotten for want of room: {answer.dropped_turns}"


@command(
    Option("--task", metavar="NAME", help="kind of question, e.g. gc_content or protein"),
    Option("--list", is_flag=True, help="list the tasks of the model"),
    Option(
        "--gene",
        spread=True,
        metavar="ID...",
        help="genes to ask about; may be repeated (default: all)",
    ),
    Option(
        "--context",
        default="",
        show_default=False,
        metavar="TEXT",
        help="facts to tell with the sequence, for reading_comprehension: 'symbol=tnpA, id=7'",
    ),
    Option(
        "--question",
        default="",
        show_default=False,
        metavar="TEXT",
        help="the fact to ask for, likewise: symbol",
    ),
    options.out("FILE", "where to write (default: standard output)", required=False),
    Option("--json", is_flag=True, help="write JSON lines instead of a table"),
    options.FORCE,
    *GENES,
    *settings.ONE_MODEL,
    one_of=[OneOf(("task", "list"), required=True)],
)
def ask(args: Arguments) -> None:
    """Ask one kind of question about genes, and compare with what can be computed."""
    from genescribe.files import ENCODING, ENCODING_ERRORS, atomic_path, refuse_existing
    from genescribe.pipeline.ask import check_task
    from genescribe.pipeline.genes import find_genes
    from genescribe.specs.spec import load_spec, verify

    spec = load_spec(args.model)
    if args.list:
        _list_tasks(spec, args.json)
        return
    spec = check_task(spec, args.task, args.question, args.context)
    if args.out:
        refuse_existing([args.out], args.force)
    choice = _choice(args, args.gene)
    verify(spec)
    rows = _answers(args, spec, find_genes(choice, spec))
    if args.out is None:
        _tolerate(sys.stdout, ENCODING_ERRORS)
        _write(sys.stdout, rows, args.json)
        return
    with (
        atomic_path(args.out) as temporary,
        temporary.open("w", encoding=ENCODING, errors=ENCODING_ERRORS) as out,
    ):
        _write(out, rows, args.json)


def _answers(args: Arguments, spec: ModelSpec, genes: list[FoundGene]) -> Iterator[TaskAnswer]:
    from genescribe.cli.progress import progress_of
    from genescribe.inference.params import DescribeParams
    from genescribe.pipeline.ask import answers

    params = DescribeParams(organism=args.organism, question=args.question, context=args.context)
    progress = progress_of(args, "ask")
    log.info("answers are predictions of %s; exact is computed from what it read", spec.identity)
    return answers(_describer(args, spec), args.task, genes, params, progress)


def _write(out: TextIO, rows: Iterable[TaskAnswer], as_json: bool) -> None:
    from genescribe.artifacts.codec import json_line
    from genescribe.cli.progress import above_bars
    from genescribe.pipeline.ask import TaskAnswer

    if not as_json:
        print(*(field.name for field in fields(TaskAnswer)), sep="\t", file=out)
    for row in rows:
        values = asdict(row)
        line = json_line(values) if as_json else "\t".join(map(cell, values.values()))
        with above_bars(out):
            print(line, file=out, flush=True)


def cell(value: object) -> str:
    """Return a value as one cell of the table."""
    from genescribe.artifacts import codec

    return f"{value:.4f}" if isinstance(value, float) else codec.cell(value)


def _list_tasks(spec: ModelSpec, as_json: bool) -> None:
    from genescribe.artifacts.codec import json_line
    from genescribe.specs.tasks import TASK_TYPES

    if not spec.tasks and not as_json:
        print(f"model {spec.name} has no tasks")
    width = max((len(name) for name in spec.tasks), default=0)
    for name, task in spec.tasks.items():
        known = TASK_TYPES.get(name)
        computed = known is not None and known.exact is not None
        if as_json:
            print(json_line({"task": name, "prompt": task.id, "exact": computed}))
        else:
            mark = "  (also computed exactly)" if computed else ""
            what = known.summary if known else task.question or task.template
            print(f"{name:<{width}}  {what}{mark}")


def _choice(args: Arguments, gene_ids: Sequence[str]) -> GeneChoice:
    from genescribe.pipeline.genes import GeneChoice

    if (args.annotation is None) == (args.fasta is None):
        raise InputError("give the genes as --genome and --annotation, or as --fasta, not both")
    if args.fasta and args.genome:
        raise InputError("--genome goes with --annotation; leave it out beside --fasta")
    return GeneChoice(
        genome=args.genome,
        annotation=args.annotation,
        fasta=args.fasta,
        gene_ids=tuple(gene_ids),
        view=args.of(ExtractSettings).view,
    )


def _describer(args: Arguments, spec: ModelSpec) -> Describer:
    import torch

    from genescribe.inference.describer import Describer

    if args.threads:
        torch.set_num_threads(args.threads)
    return Describer(spec, device=args.device)
