"""``genescribe evaluate`` and ``genescribe calibrate``: how good a model is, and how it knows."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from genescribe.cli import options
from genescribe.corpus.records import PRODUCT_NAME
from genescribe.errors import InputError
from genescribe.evaluation.settings import CORRECT_ROUGE_L, PROTOCOLS, TARGET_PRECISION

if TYPE_CHECKING:
    from genescribe.evaluation.settings import ExistingTexts, ModelOnCorpus

log = logging.getLogger(__name__)


def add_parsers(command: options.Command) -> None:
    """Add the commands ``evaluate`` and ``calibrate``."""
    _evaluate(command("evaluate", "score descriptions against references", "evaluate"))
    _calibrate(
        command("calibrate", "fit a model's score and thresholds on held-out genes", "evaluate")
    )


def share(text: str) -> float:
    """Parse a number above 0 and below 1."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1, like 0.7")
    return number


def _evaluate(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("a model on the genes of a corpus, beside five baselines")
    _model_options(what, required=False, side="test")
    given = parser.add_argument_group("or descriptions that exist")
    given.add_argument("--descriptions", type=Path, metavar="JSONL", help="what gather wrote")
    given.add_argument(
        "--references",
        type=Path,
        metavar="FILE",
        help="what people wrote about the same genes: a corpus (.jsonl, .jsonl.gz), a table with "
        "columns gene_id and product (.tsv; genes.tsv is one), or an annotation (GFF3, GTF)",
    )
    how = parser.add_argument_group("how texts are scored")
    _scoring_options(how)
    how.add_argument(
        "--encoder",
        type=Path,
        metavar="DIR",
        help="encoder of transformers for the semantic scores (default: character n-grams)",
    )
    how.add_argument(
        "--protocol",
        action="append",
        choices=PROTOCOLS,
        help="score as a published model was scored, too; may be repeated",
    )
    how.add_argument(
        "--tokenizer",
        type=Path,
        metavar="DIR",
        help="tokenizer whose pieces protocol genomicllm counts (default: the model's)",
    )
    _output_options(parser, "folder for evaluation.json, .tsv, .md, .html and texts.tsv")


def _calibrate(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the model and the genes")
    _model_options(group, required=True, side="validation")
    how = parser.add_argument_group("what is fitted")
    how.add_argument(
        "--target-precision",
        type=share,
        default=TARGET_PRECISION,
        metavar="P",
        help=f"share of right texts wanted among the described (default: {TARGET_PRECISION})",
    )
    _scoring_options(how)
    _output_options(parser, "folder for calibration.json and calibration.html")


def _model_options(group: argparse._ArgumentGroup, *, required: bool, side: str) -> None:
    options.add_model(group)
    group.add_argument(
        "--corpus", type=Path, required=required, metavar="JSONL", help="corpus (genescribe corpus)"
    )
    group.add_argument(
        "--splits",
        type=Path,
        required=required,
        metavar="TSV",
        help="its split (genescribe splits)",
    )
    group.add_argument(
        "--side",
        action="append",
        metavar="SIDE",
        help=f"side of the split to take genes from; may be repeated (default: {side})",
    )
    group.add_argument(
        "--genes", type=options.positive, metavar="N", help="at most so many, drawn at random"
    )
    options.add_device(group)


def _scoring_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--question",
        action="append",
        metavar="TEXT",
        help=f"question whose answers count; may be repeated (default: {PRODUCT_NAME})",
    )
    group.add_argument(
        "--right",
        type=share,
        default=CORRECT_ROUGE_L,
        metavar="F",
        help="ROUGE-L F against the reference from which on a text is right "
        f"(default: {CORRECT_ROUGE_L})",
    )
    group.add_argument(
        "--seed", type=options.not_negative, default=0, help="decides every draw (default: 0)"
    )


def _output_options(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help=what)
    options.add_force(parser)
    options.add_common(parser)


def evaluate(args: argparse.Namespace) -> None:
    """Score a model or existing descriptions; write the figures."""
    from genescribe import evaluation
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
    figures = evaluation.evaluate(what, settings)
    write_evaluation(args.out, figures)
    print(markdown(figures), end="")


def calibrate(args: argparse.Namespace) -> None:
    """Fit score and thresholds; print the lines of the spec."""
    from genescribe import evaluation
    from genescribe.evaluation.output import CALIBRATION_FILES, write_calibration
    from genescribe.evaluation.settings import CalibrationSettings
    from genescribe.files import refuse_existing

    refuse_existing([args.out / name for name in CALIBRATION_FILES], args.force)
    settings = CalibrationSettings(
        target_precision=args.target_precision, correct=args.right, seed=args.seed
    )
    figures = evaluation.calibrate(_model_on_corpus(args, "validation"), settings)
    write_calibration(args.out, figures)
    if not figures.thresholds.reached:
        log.warning(
            "no score promises that %.0f%% of the texts are right, so all are uncertain; see the "
            "curve in %s, and give a lower --target-precision",
            100 * args.target_precision,
            args.out / "calibration.html",
        )
    print(figures.spec_lines(), end="")


def _existing_texts(args: argparse.Namespace) -> ExistingTexts:
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


def _model_on_corpus(args: argparse.Namespace, side: str) -> ModelOnCorpus:
    """Return what a model is tried on, with the threads that it may use; by default ``side``."""
    from genescribe.cli.progress import ProgressLine
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
        watch=lambda what: None if args.quiet else ProgressLine(what),
    )
