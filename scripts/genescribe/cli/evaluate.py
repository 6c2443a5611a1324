"""``genescribe evaluate`` and ``genescribe calibrate``: how good a model is, and how it knows."""

from __future__ import annotations

import logging

from genescribe.cli import options, settings
from genescribe.cli.grammar import PATH, Arguments, Option, command, section
from genescribe.cli.settings import options_of
from genescribe.corpus.splits import Side
from genescribe.errors import InputError
from genescribe.evaluation.settings import (
    CalibrationSettings,
    EvaluationSettings,
    ExistingTexts,
    ModelOnCorpus,
)

log = logging.getLogger(__name__)


CORRECT = {"flags": ("--right",), "metavar": "F"}


def _model_on(title: str, side: Side, *, required: bool) -> tuple[Option, ...]:
    """Return the options of a model and the genes of a corpus; by default those of ``side``."""
    return options_of(
        ModelOnCorpus,
        title,
        model=settings.MODEL_WORDS,
        corpus={"required": required, "metavar": "JSONL"},
        splits={"required": required, "metavar": "TSV"},
        sides={"flags": ("--side",), "required": False, "default": (side.value,)},
        questions={"flags": ("--question",)},
        watch=None,
    )


@command(
    options.out("DIR", "folder for evaluation.json, .tsv, .md, .html and texts.tsv"),
    options.FORCE,
    *_model_on(
        "A model on the genes of a corpus, beside five baselines", Side.TEST, required=False
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
    *options_of(
        EvaluationSettings,
        "How texts are scored",
        correct=CORRECT,
        encoder={"metavar": "DIR"},
        protocols={"flags": ("--protocol",)},
        tokenizer={"metavar": "DIR"},
    ),
)
def evaluate(args: Arguments) -> None:
    """Score a model or existing descriptions; write the figures."""
    from genescribe.evaluation.main import evaluate as score
    from genescribe.evaluation.output import EVALUATION_FILES, write_evaluation
    from genescribe.evaluation.shown import markdown
    from genescribe.files import refuse_existing

    refuse_existing([args.out / name for name in EVALUATION_FILES], args.force)
    what = _existing_texts(args) if args.descriptions else _model_on_corpus(args)
    figures = score(what, args.of(EvaluationSettings))
    write_evaluation(args.out, figures)
    print(markdown(figures), end="")


@command(
    options.out("DIR", "folder for calibration.json and calibration.html"),
    options.FORCE,
    *_model_on("The model and the genes", Side.VALIDATION, required=True),
    *options_of(
        CalibrationSettings, "What is fitted", target_precision={"metavar": "P"}, correct=CORRECT
    ),
)
def calibrate(args: Arguments) -> None:
    """Fit score and thresholds; print the lines of the spec."""
    from genescribe.evaluation.main import calibrate as fit
    from genescribe.evaluation.output import CALIBRATION_FILES, write_calibration
    from genescribe.files import refuse_existing

    refuse_existing([args.out / name for name in CALIBRATION_FILES], args.force)
    figures = fit(_model_on_corpus(args), args.of(CalibrationSettings))
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
    if args.references is None:
        raise InputError("evaluate: --descriptions needs --references to compare with")
    if len(args.questions) > 1:
        raise InputError(
            "evaluate: existing descriptions answer one question; give --question once"
        )
    (question,) = args.questions
    return ExistingTexts(
        descriptions=args.descriptions, references=args.references, question=question
    )


def _model_on_corpus(args: Arguments) -> ModelOnCorpus:
    """Return what a model is tried on; it may use as many threads as was said."""
    from genescribe.cli.progress import progress_of

    if not (args.corpus and args.splits):
        raise InputError(
            "evaluate: give --corpus and --splits for a model, or --descriptions and --references"
        )
    if args.threads:
        import torch

        torch.set_num_threads(args.threads)
    return args.of(ModelOnCorpus, watch=lambda what: progress_of(args, what))
