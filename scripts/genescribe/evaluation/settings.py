"""What can be chosen of an evaluation or a calibration; light to import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from genescribe.corpus.records import PRODUCT_NAME
from genescribe.corpus.splits import Side
from genescribe.inference.settings import SHIPPED_MODEL, PlaceSettings
from genescribe.keys import Count, Natural, Text
from genescribe.records import Progress
from genescribe.settings import Settings

Protocol = Literal["genechat", "rnagpt", "genomicllm"]
"""Published models whose way of scoring can be asked for."""
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
CORRECT_ROUGE_L = 0.5
"""A text is called correct if its ROUGE-L F against a reference is at least this."""

Watch = Callable[[str], Progress | None]
"""Gives the progress of one pass over the genes, by what the pass does."""


def unwatched(_: str) -> None:
    """Watch nothing."""


Share = Annotated[float, Field(gt=0, lt=1)]


class ModelOnCorpus(PlaceSettings):
    """A model, and the genes of a corpus that it is tried on: informative answers of ``sides``.

    ``watch`` gives the progress of each pass.
    """

    model: str | Path = Field(
        default=SHIPPED_MODEL, description="name of a model, or path of a spec"
    )
    corpus: Path = Field(description="corpus of genes with what is known of them")
    splits: Path = Field(description="its division into sides")
    sides: tuple[Side, ...] = Field(description="sides to take genes from")
    questions: tuple[Text, ...] = Field(
        default=(PRODUCT_NAME,), description="questions whose answers count"
    )
    genes: Count | None = Field(default=None, description="at most so many genes, drawn at random")
    watch: Watch = unwatched


@dataclass(frozen=True, kw_only=True)
class ExistingTexts:
    """Descriptions that exist (descriptions.jsonl), and a file of references to ``question``.

    References are a corpus, a table with columns gene_id and product, or an annotation.
    """

    descriptions: Path
    references: Path
    question: str = PRODUCT_NAME


class ScoringSettings(Settings):
    """When a text counts as correct, and what decides the draws."""

    correct: Share = Field(
        default=CORRECT_ROUGE_L,
        description="ROUGE-L F against a reference from which on a text counts as correct",
    )
    seed: Natural = Field(default=0, description="decides every draw")


class CalibrationSettings(ScoringSettings):
    """What a calibration fits."""

    target_precision: Share = Field(
        default=0.7, description="share of correct texts wanted among the described"
    )


class EvaluationSettings(ScoringSettings):
    """How texts are scored."""

    encoder: Path | None = Field(
        default=None,
        description="folder of an encoder of transformers for the semantic scores; character "
        "n-grams where not given",
    )
    protocols: tuple[Protocol, ...] = Field(
        default=(), description="published models as which to score, too"
    )
    tokenizer: Path | None = Field(
        default=None,
        description="folder of the tokenizer whose pieces protocol genomicllm counts; the model's "
        "where not given",
    )
