"""Which model, and where it runs; light to import."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from genescribe.keys import Count
from genescribe.settings import Settings
from genescribe.specs.routing import ModelChoice

SHIPPED_MODEL = "tiny"

Device = Literal["auto", "cpu", "cuda"]


class ModelSettings(Settings):
    """Which model, where it runs, and what it is told of every gene.

    ``model`` is one model for all genes (name, or path of a spec), or biotype pattern -> model
    (``specs.routing``).
    """

    model: ModelChoice = Field(
        default=SHIPPED_MODEL, description="name of a model, or path of a spec"
    )
    device: Device = Field(
        default="auto", description="where to compute; auto is a CUDA GPU if there is one"
    )
    organism: str | None = Field(
        default=None, description="name of the organism, told to models whose prompt mentions it"
    )
    threads: Count | None = Field(
        default=None, description="CPU threads; all cores where not given"
    )
