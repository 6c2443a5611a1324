"""What a person may choose about reading genes and writing descriptions; light to import."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from genescribe.genome.biotypes import EXCLUDED_BIOTYPES
from genescribe.genome.decoration.column9 import OWN_PREFIX
from genescribe.keys import Natural, Text, checked
from genescribe.records import View
from genescribe.settings import Automatic, Settings

# GFF3 specification, "Column 9": keys that begin in upper case are reserved, and only Note among
# them is free text. The lower-case ones here carry meaning for readers of GTF or for submission
# (NCBI and ENA refuse sentences in ``product``).
FREE_ATTRIBUTE = r"^(Note|[a-z][A-Za-z0-9_.-]*)$"
_TAKEN_ATTRIBUTES = frozenset({"product", "gene_id", "transcript_id", "locus_tag", "protein_id"})


def _check_attribute(attribute: str) -> None:
    if (
        not re.fullmatch(FREE_ATTRIBUTE, attribute)
        or attribute in _TAKEN_ATTRIBUTES
        or attribute.startswith(OWN_PREFIX)
    ):
        raise ValueError(
            "cannot take descriptions; choose Note or a name of your own in lower case, such as "
            "description"
        )


class ExtractSettings(Settings):
    """What is read of each gene; lengths in nt."""

    view: Annotated[View | None, Automatic] = Field(
        default=None, description="stretch of the gene; auto is what the model was trained on"
    )
    flank: Natural = Field(default=0, description="nucleotides added on both sides in view gene")
    min_length: Natural = Field(
        default=30,
        description="genes with a shorter sequence, before any cut, are skipped as too_short",
    )
    exclude_biotypes: tuple[Text, ...] = Field(
        default=EXCLUDED_BIOTYPES,
        description="biotypes to skip; * stands for anything, case does not matter",
    )
    allow_missing_contigs: bool = Field(
        default=False,
        description="skip genes on sequences that the genome lacks, instead of refusing the input",
    )


class DecorateSettings(Settings):
    """How descriptions are written."""

    attribute: Annotated[str, checked(_check_attribute)] = Field(
        default="Note",
        description="GFF3 attribute for the text",
        json_schema_extra={"pattern": FREE_ATTRIBUTE},
    )
    ascii: bool = Field(default=False, description="fold the text to ASCII")
    write_uncertain: bool = Field(
        default=False,
        description="also write texts that the sequence hardly supports (status uncertain)",
    )
    sorted_copy: bool = Field(
        default=True,
        description="write a sorted, compressed and indexed copy for genome browsers, too",
    )
