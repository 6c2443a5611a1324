"""What a person may choose about a model's work; light to import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from genescribe.keys import Count, Number
from genescribe.records import ModelChoice
from genescribe.settings import Settings

SHIPPED_MODEL = "tiny"

Device = Literal["auto", "cpu", "cuda"]


class PlaceSettings(Settings):
    """Where a model runs, and what it is told of every gene."""

    device: Device = Field(
        default="auto", description="where to compute; auto is a CUDA GPU if there is one"
    )
    organism: str | None = Field(
        default=None, description="name of the organism, told to models whose prompt mentions it"
    )
    threads: Count | None = Field(
        default=None, description="CPU threads; all cores where not given"
    )


class ModelSettings(PlaceSettings):
    """Which model, and where it runs.

    ``model`` is one model for all genes (name, or path of a spec), or biotype pattern -> model
    (``specs.routing``).
    """

    model: ModelChoice = Field(
        default=SHIPPED_MODEL, description="name of a model, or path of a spec"
    )


class DescribeSettings(ModelSettings):
    """What a person may choose about inference.

    ``settings`` replaces thresholds and generation settings (``ModelSpec.with_settings``);
    ``shard`` (i, n) takes the i-th of n equally expensive shares of the genes.
    """

    prompt: str | None = Field(
        default=None, description="one of the model's prompts; its spec's choice where not given"
    )
    question: str | None = Field(
        default=None, description="what to ask about each gene, for models that take a question"
    )
    settings: Mapping[str, Number] = Field(
        default={},
        description="thresholds (min_score, min_lift) and generation settings (max_new_tokens, "
        "num_beams, ...) to use instead of the spec's",
    )
    cache: Path | None = Field(
        default=None,
        description="keep texts here and describe no unchanged gene twice, in later runs too",
    )
    shard: tuple[int, int] = Field(
        default=(1, 1),
        description="describe only the I-th of N equally expensive shares of the genes",
    )
