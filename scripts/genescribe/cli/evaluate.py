"""``genescribe evaluate`` and ``genescribe calibrate``: how good a model is, and how it knows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from genescribe.cli import options, settings
from genescribe.cli.grammar import PATH, Arguments, Option, Parsed, command, section
from genescribe.corpus.records import PRODUCT_NAME
from genescribe.errors import InputError
from genescribe.evaluation.settings import CORRECT_ROUGE_L, PROTOCOLS, TARGET_PRECISION

if TYPE_CHECKING:
    from genescribe.evaluation.settings import ExistingTexts, ModelOnCorpus

log = logging.getLogger(__name__)


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
        settings.ONE_MODEL[0],
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
        *settings.ONE_MODEL[1:],
    )


SCORING = (
    Option(
        "--question",
        multiple=True,
        metavar="TEXT",
        help=f"question whose answers count; may be repeated (default: {PRODUCT_NAME})",
    ),
    Option(
        "--right",
        type=Parsed(share),
        default=CORRECT_ROUGE_L,
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
    from genescribe.evaluation.main import evaluate as score
    from genescribe.evaluation.output import EVALUATION_FILES, write_evaluation
    from genescribe.evaluation.settings import EvaluationSettings
    from genescribe.evaluation.shown import markdown
    from genescribe.files import refuse_existing

    refuse_existing([args.out / name for name in EVALUATION_FILES], args.force)
    settings = EvaluationSettings(
        correct=args.right,
        seed=args.seed,
        encoder=args.encoder,
        protocols=tuple(args.protocol or ()),
        tokenizer=args.tokenizer,
    )
    what = _existing_texts(args) if args.descriptions else _model_on_corpus(args, "test")
    figures = score(what, settings)
    write_evaluation(args.out, figures)
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
            default=TARGET_PRECISION,
            metavar="P",
            help="share of right texts wanted among the described",
        ),
        *SCORING,
    ),
)
def calibrate(args: Arguments) -> None:
    """Fit score and thresholds; print the lines of the spec."""
    from genescribe.evaluation.main import calibrate as fit
    from genescribe.evaluation.output import CALIBRATION_FILES, write_calibration
    from genescribe.evaluation.settings import CalibrationSettings
    from genescribe.files import refuse_existing

    refuse_existing([args.out / name for name in CALIBRATION_FILES], args.force)
    settings = CalibrationSettings(
        target_precision=args.target_precision, correct=args.right, seed=args.seed
    )
    figures = fit(_model_on_corpus(args, "validation"), settings)
    write_calibration(args.out, figures)
    if not figures.thresholds.reached:
        log.warning(
            "no score promises that %.0f%% of the texts are right, so all are uncertain; see the "
            "curve in %s, and give a lower --target-precision",
            100 * args.target_precision,
            args.out / "calibration.html",
        )
    print(figures.spec_lines(), end="")


def _existing_texts(args: Arguments) -> ExistingTexts:
    from genescribe.evaluation.settings import ExistingTexts

    if args.references is None:
        raise InputError("evaluate: --descriptions needs --references to compare with")
    if len(args.question or ()) > 1:
        raise InputError(
            "evaluate: existing descriptions answer one question; give --question once"
        )
    return ExistingTexts(
        descriptions=args.descriptions,
        references=args.references,
        question=(args.question or [PRODUCT_NAME])[0],
    )


def _model_on_corpus(args: Arguments, side: str) -> ModelOnCorpus:
    """Return what a model is tried on, with the threads that it may use; by default ``side``."""
    from genescribe.cli.progress import progress_of
    from genescribe.evaluation.settings import ModelOnCorpus

    if not (args.corpus and args.splits):
        raise InputError(
            "evaluate: give --corpus and --splits for a model, or --descriptions and --references"
        )
    if args.threads:
        import torch

        torch.set_num_threads(args.threads)
    return ModelOnCorpus(
        model=args.model,
        corpus=args.corpus,
        splits=args.splits,
        sides=tuple(args.side or [side]),
        questions=tuple(args.question or [PRODUCT_NAME]),
        genes=args.genes,
        organism=args.organism,
        device=args.device,
        watch=lambda what: progress_of(args, what),
    )
