"""What a person may choose about the sides of a corpus; light to import."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from genescribe.keys import Count, Natural, Text, checked
from genescribe.settings import Settings


class By(StrEnum):
    """What is kept whole: nothing but the sequence, protein families, or organisms."""

    RANDOM = "random"
    FAMILY = "family"
    SPECIES = "species"


def _check_size(size: float) -> None:
    if size >= 1 and not size.is_integer():
        raise ValueError("is neither a number of genes, like 1500, nor a share, like 0.05")


Size = Annotated[float, Field(ge=0, allow_inf_nan=False), checked(_check_size)]
"""Of a side: a number of described genes, or a share of them below 1."""


class SplitSettings(Settings):
    """How to divide a corpus.

    Genes of the organisms ``held_out`` are on a side of their own, whatever ``by``; with ``by``
    species they are the test.
    """

    by: By = Field(
        description="what is kept on one side: single sequences, protein families, or organisms"
    )
    held_out: tuple[Text, ...] = Field(
        default=(), description="organisms whose genes are neither trained on nor tuned on"
    )
    validation: Size = Field(
        default=0.02,
        description="size of the validation side: a number of described genes, or a share below 1",
    )
    test: Size | None = Field(
        default=None,
        description="size of the test side, likewise; 0.05 where not given, and 0 by species",
    )
    seed: Natural = Field(default=0, description="decides every draw")
    mmseqs: bool = Field(
        default=True,
        description="find protein families by MMseqs2, not by shared k-mers alone, which miss "
        "distant relatives",
    )
    threads: Count = Field(default=1, description="CPU threads of MMseqs2")

    @property
    def test_size(self) -> float:
        """The size of the test side."""
        if self.test is not None:
            return self.test
        return 0.0 if self.by is By.SPECIES else 0.05
