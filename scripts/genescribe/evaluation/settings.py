"""What can be chosen of an evaluation or a calibration; light to import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from genescribe.corpus.records import PRODUCT_NAME
from genescribe.records import Progress

PROTOCOLS = ("genechat", "rnagpt", "genomicllm")
"""Published models whose way of scoring can be asked for."""
CORRECT_ROUGE_L = 0.5
"""A text is called correct if its ROUGE-L F against a reference is at least this."""
TARGET_PRECISION = 0.7

Watch = Callable[[str], Progress | None]
"""Gives the progress of one pass over the genes, by what the pass does."""


def unwatched(_: str) -> None:
    """Watch nothing."""


@dataclass(frozen=True, kw_only=True)
class ModelOnCorpus:
    """A model, and the genes of a corpus that it is tried on: informative answers of ``sides``.

    ``genes`` is how many at most, drawn at random. ``organism`` is what the model is told.
    """

    model: str | Path
    corpus: Path
    splits: Path
    sides: tuple[str, ...]
    questions: tuple[str, ...] = (PRODUCT_NAME,)
    genes: int | None = None
    organism: str | None = None
    device: str = "auto"
    watch: Watch = unwatched


@dataclass(frozen=True, kw_only=True)
class ExistingTexts:
    """Descriptions that exist (descriptions.jsonl), and a file of references to ``question``.

    References are a corpus, a table with columns gene_id and product, or an annotation.
    """

    descriptions: Path
    references: Path
    question: str = PRODUCT_NAME


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """How texts are scored.

    ``correct`` is the ROUGE-L F against a reference from which on a text counts as correct.
    ``encoder`` is the folder of an encoder of transformers for the semantic scores, None for
    character n-grams; ``tokenizer`` the folder of the one whose pieces protocol genomicllm counts,
    None for the model's. ``seed`` decides every draw.
    """

    correct: float = CORRECT_ROUGE_L
    seed: int = 0
    encoder: Path | None = None
    protocols: tuple[str, ...] = ()
    tokenizer: Path | None = None


@dataclass(frozen=True, kw_only=True)
class CalibrationSettings:
    """What is fitted: thresholds for ``target_precision``, the share of correct texts wanted.

    ``correct`` and ``seed`` as in ``EvaluationSettings``.
    """

    target_precision: float = TARGET_PRECISION
    correct: float = CORRECT_ROUGE_L
    seed: int = 0
