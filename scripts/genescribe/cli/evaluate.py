"""``genescribe evaluate`` and ``genescribe calibrate``: how good a model is, and how it knows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import click

from genescribe.cli import options
from genescribe.cli.grammar import PATH, Arguments, Option, Parsed, command, section
from genescribe.errors import InputError

if TYPE_CHECKING:
    from genescribe.evaluation.cases import Selection
    from genescribe.evaluation.evaluate import Settings
    from genescribe.evaluation.runs import Conditions
    from genescribe.inference.describer import Describer

log = logging.getLogger(__name__)

PROTOCOLS = ("genechat", "rnagpt", "genomicllm")
QUESTION = "product name"


def share(text: str) -> float:
    """Parse a number above 0 and below 1."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise ValueError(f"{text!r} is not a number between 0 and 1, like 0.7")
    return number


def _model_options(*, required: bool, side: str) -> tuple[Option, ...]:
    return (
        options.MODEL,
        Option(
            "--corpus",
            type=PATH,
            required=required,
            metavar="JSONL",
            help="corpus (genescribe corpus)",
        ),
        Option(
            "--splits",
            type=PATH,
            required=required,
            metavar="TSV",
            help="its split (genescribe splits)",
        ),
        Option(
            "--side",
            multiple=True,
            metavar="SIDE",
            help=f"side of the split to take genes from; may be repeated (default: {side})",
        ),
        Option(
            "--genes",
            type=options.POSITIVE,
            metavar="N",
            help="at most so many, drawn at random",
        ),
        options.DEVICE,
        options.ORGANISM,
        options.THREADS,
    )


SCORING = (
    Option(
        "--question",
        multiple=True,
        metavar="TEXT",
        help=f"question whose answers count; may be repeated (default: {QUESTION})",
    ),
    Option(
        "--right",
        type=Parsed(share),
        default=0.5,
        metavar="F",
        help="ROUGE-L F against the reference from which on a text is right",
    ),
    Option(
        "--seed",
        type=options.NOT_NEGATIVE,
        default=0,
        metavar="N",
        help="decides every draw",
    ),
)


@command(
    options.out("DIR", "folder for evaluation.json, .tsv, .md, .html and texts.tsv"),
    options.FORCE,
    *section(
        "A model on the genes of a corpus, beside five baselines",
        *_model_options(required=False, side="test"),
    ),
    *section(
        "Or descriptions that exist",
        Option("--descriptions", type=PATH, metavar="JSONL", help="what gather wrote"),
        Option(
            "--references",
            type=PATH,
            metavar="FILE",
            help="what people wrote about the same genes: a corpus (.jsonl, .jsonl.gz), a table "
            "with columns gene_id and product (.tsv; genes.tsv is one), or an annotation (GFF3, "
            "GTF)",
        ),
    ),
    *section(
        "How texts are scored",
        *SCORING,
        Option(
            "--encoder",
            type=PATH,
            metavar="DIR",
            help="encoder of transformers for the semantic scores (default: character n-grams)",
        ),
        Option(
            "--protocol",
            type=click.Choice(PROTOCOLS),
            multiple=True,
            help="score as a published model was scored, too; may be repeated",
        ),
        Option(
            "--tokenizer",
            type=PATH,
            metavar="DIR",
            help="tokenizer whose pieces protocol genomicllm counts (default: the model's)",
        ),
    ),
)
def evaluate(args: Arguments) -> None:
    """Score a model or existing descriptions; write the figures."""
    from genescribe.evaluation.evaluate import report, rows
    from genescribe.evaluation.page import write_evaluation_page
    from genescribe.evaluation.tables import (
        markdown,
        write_json,
        write_markdown,
        write_rows,
        write_tsv,
    )
    from genescribe.files import refuse_existing

    names = ("evaluation.json", "evaluation.tsv", "evaluation.md", "evaluation.html", "texts.tsv")
    paths = {name: args.out / name for name in names}
    refuse_existing(list(paths.values()), args.force)
    found, settings, facts = _scored_texts(args) if args.descriptions else _scored_model(args)
    log.info("bootstrap intervals")
    figures = report(found, settings, facts)
    write_json(paths["evaluation.json"], figures)
    write_tsv(paths["evaluation.tsv"], figures)
    write_markdown(paths["evaluation.md"], figures)
    write_evaluation_page(paths["evaluation.html"], figures)
    write_rows(paths["texts.tsv"], rows(found))
    print(markdown(figures), end="")


@command(
    options.out("DIR", "folder for calibration.json and calibration.html"),
    options.FORCE,
    *section("The model and the genes", *_model_options(required=True, side="validation")),
    *section(
        "What is fitted",
        Option(
            "--target-precision",
            type=Parsed(share),
            default=0.7,
            metavar="P",
            help="share of right texts wanted among the described",
        ),
        *SCORING,
    ),
)
def calibrate(args: Arguments) -> None:
    """Fit score and thresholds; print the lines of the spec."""
    import numpy as np

    from genescribe.evaluation import calibration, runs
    from genescribe.evaluation.cases import swap_sequences
    from genescribe.evaluation.metrics import rouge_l
    from genescribe.evaluation.page import write_calibration_page
    from genescribe.evaluation.tables import write_json
    from genescribe.files import refuse_existing

    paths = [args.out / name for name in ("calibration.json", "calibration.html")]
    refuse_existing(paths, args.force)
    args.side = args.side or ["validation"]
    selection = _selection(args)
    describer, conditions = _describer(args), _conditions(args)
    cases, swapped = selection.cases, swap_sequences(selection.cases, args.seed)
    own = runs.write(describer, cases, runs.records(cases), conditions, "describe")
    null = runs.lifts_of_references(describer, cases, swapped, conditions)
    pairs = zip(cases, own.texts, strict=True)
    right = np.array([rouge_l(case.references, text) >= args.right for case, text in pairs])
    lifts = np.array(own.lifts)
    families = [case.family for case in cases]
    log_probs = np.array(own.log_probs)
    fit = calibration.fit(log_probs, lifts, right, null, families, args.target_precision)
    figures = {
        **_facts(args, selection),
        "model": describer.spec.identity,
        "genes": len(cases),
        "right": f"ROUGE-L F of at least {args.right:g}",
        "share_right": round(float(right.mean()), 4),
        **calibration.as_json(fit, lifts, right),
    }
    write_json(paths[0], figures)
    write_calibration_page(paths[1], figures)
    if not fit.thresholds.reached:
        log.warning(
            "no score promises that %.0f%% of the texts are right, so all are uncertain; see the "
            "curve in %s, and give a lower --target-precision",
            100 * args.target_precision,
            paths[1],
        )
    print(calibration.yaml_lines(fit), end="")


def _scored_model(args: Arguments) -> tuple[Any, Settings, dict[str, Any]]:
    from genescribe.evaluation.evaluate import score_run
    from genescribe.evaluation.runs import run_model

    if not (args.corpus and args.splits):
        raise InputError(
            "evaluate: give --corpus and --splits for a model, or --descriptions and --references"
        )
    args.side = args.side or ["test"]
    selection = _selection(args)
    describer = _describer(args)
    settings = _settings(args, describer)
    run = run_model(describer, selection.cases, _conditions(args), args.seed)
    log.info("scoring the texts of the model and of five baselines")
    found = score_run(selection.cases, run, selection.training, settings)
    return found, settings, {"model": describer.spec.identity, **_facts(args, selection)}


def _scored_texts(args: Arguments) -> tuple[Any, Settings, dict[str, Any]]:
    from genescribe.artifacts.descriptions import read_descriptions
    from genescribe.evaluation.evaluate import MODEL, score_texts
    from genescribe.evaluation.references import match, read_references

    if args.references is None:
        raise InputError("evaluate: --descriptions needs --references to compare with")
    if len(args.question or ()) > 1:
        raise InputError(
            "evaluate: existing descriptions answer one question; give --question once"
        )
    question = (args.question or [QUESTION])[0]
    references = read_references(args.references, question)
    described = {row.gene_id: row for row in read_descriptions(args.descriptions)}
    descriptions = match(references.cases, described)
    settings = _settings(args, None)
    texts = {MODEL: [description.text for description in descriptions]}
    found = score_texts(references.cases, descriptions, texts, settings)
    models = sorted({description.model for description in descriptions} - {""})
    facts = {
        "model": ", ".join(models),
        "descriptions": str(args.descriptions),
        "references": str(args.references),
        "left_out": {"says that nothing is known": references.uninformative},
        "without_reference": len(described) - len(references.cases),
    }
    return found, settings, facts


def _selection(args: Arguments) -> Selection:
    from dataclasses import replace

    from genescribe.corpus.records import read_corpus
    from genescribe.corpus.splits import Side, read_splits
    from genescribe.evaluation.cases import sample, select

    for side in args.side:
        if side not in set(Side):
            raise InputError(f"--side {side}: there are {', '.join(Side)}")
    corpus, splits = read_corpus(args.corpus), read_splits(args.splits)
    selection = select(corpus, splits, args.side, args.question or [QUESTION])
    return replace(selection, cases=sample(selection.cases, args.genes, args.seed))


def _describer(args: Arguments) -> Describer:
    import torch

    from genescribe.inference.describer import Describer

    if args.threads:
        torch.set_num_threads(args.threads)
    return Describer(args.model, device=args.device)


def _conditions(args: Arguments) -> Conditions:
    from genescribe.cli.progress import ProgressLine
    from genescribe.evaluation.runs import Conditions

    return Conditions(
        organism=args.organism, watch=lambda what: None if args.quiet else ProgressLine(what)
    )


def _settings(args: Arguments, describer: Describer | None) -> Settings:
    from genescribe.evaluation.evaluate import Settings
    from genescribe.evaluation.protocols import protocol
    from genescribe.evaluation.semantic import load_encoder
    from genescribe.evaluation.wordnet import find_synonyms

    tokenizer = describer.processor.tokenizer if describer else None
    if args.tokenizer:
        from genescribe.models.processing import load_tokenizer

        tokenizer = load_tokenizer(args.tokenizer)
    pieces = tokenizer.tokenize if tokenizer else None
    synonyms, encoder = find_synonyms(), load_encoder(args.encoder)
    return Settings(
        synonyms=synonyms,
        encoder=encoder,
        protocols=[protocol(name, synonyms, encoder, pieces) for name in args.protocol or ()],
        right=args.right,
        seed=args.seed,
    )


def _facts(args: Arguments, selection: Selection) -> dict[str, Any]:
    return {
        "corpus": str(args.corpus),
        "splits": str(args.splits),
        "sides": args.side,
        "questions": args.question or [QUESTION],
        "organism_told": args.organism,
        "left_out": dict(selection.left_out),
        "training_genes": len({record.sha256 for record in selection.training}),
    }
