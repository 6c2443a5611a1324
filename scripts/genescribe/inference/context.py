"""What fits into a model's context: the gene and the question first, then the latest turns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from genescribe.errors import InputError
from genescribe.records import SequenceRecord, sequence_sha256
from genescribe.specs.prompts import Turn

if TYPE_CHECKING:
    from genescribe.inference.describer import DescribeParams, Describer


def fitting_history(
    describer: Describer, record: SequenceRecord, params: DescribeParams
) -> tuple[Turn, ...]:
    """Return the latest turns of ``params.history`` that fit beside the whole gene.

    All turns go before any of the gene does.
    """
    kept = params.history
    while (
        kept
        and describer.prompt_tokens(record, replace(params, history=kept))
        > describer.max_prompt_tokens
    ):
        kept = kept[1:]
    return kept


def fitting_record(
    describer: Describer, record: SequenceRecord, params: DescribeParams
) -> SequenceRecord:
    """Return the gene, cut at its 3' end as far as its prompt does not fit into the context.

    Raises InputError where not even one nucleotide fits.
    """
    limit, fitting = describer.max_prompt_tokens, record
    while (tokens := describer.prompt_tokens(fitting, params)) > limit:
        # in proportion, and a little at least: tokens are of uneven length
        letters = min(len(fitting.sequence) - 1, len(fitting.sequence) * limit // tokens)
        if letters < 1:
            raise InputError(
                f"{record.gene_id}: the question alone takes all the {limit:,} tokens that model "
                f"{describer.spec.name} has room for beside its answer; shorten it"
            )
        sequence = record.sequence[:letters]
        fitting = replace(
            record,
            sequence=sequence,
            sha256=sequence_sha256(sequence),
            truncated=record.truncated + len(record.sequence) - letters,
        )
    return fitting
