"""What fits into a model's context: the gene and the question first, then the latest turns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from genescribe.errors import InputError
from genescribe.inference.params import DescribeParams
from genescribe.records import SequenceRecord, sequence_sha256
from genescribe.specs.prompts import Turn
from genescribe.specs.spec import ModelSpec


@dataclass(frozen=True)
class Context:
    """A model's room for a prompt beside its longest text: ``size`` tokens, the gene's included."""

    spec: ModelSpec
    processor: Any
    size: int

    def prompt_tokens(self, record: SequenceRecord, params: DescribeParams) -> int:
        """Return the tokens of a gene's prompt, whether there is room for them or not."""
        tokens: int = self.processor.prompt_tokens(record, **params.told(self.spec))
        return tokens

    def fitting_history(self, record: SequenceRecord, params: DescribeParams) -> tuple[Turn, ...]:
        """Return the latest turns of ``params.history`` that fit beside the whole gene.

        All turns go before any of the gene does.
        """
        kept = params.history
        while kept and self.prompt_tokens(record, replace(params, history=kept)) > self.size:
            kept = kept[1:]
        return kept

    def fitting(self, record: SequenceRecord, params: DescribeParams) -> SequenceRecord:
        """Return the gene, cut at its 3' end as far as its prompt does not fit.

        Raises InputError where not even one nucleotide fits.
        """
        words = self.processor.text_tokens(record.biotype, **params.told(self.spec))
        if words + self.processor.expected_tokens(len(record.sequence)) <= self.size:
            return record  # the usual case, told without tokenising the gene
        kept = record
        while (tokens := self.prompt_tokens(kept, params)) > self.size:
            # in proportion, and a little at least: tokens are of uneven length
            letters = min(len(kept.sequence) - 1, len(kept.sequence) * self.size // tokens)
            if letters < 1:
                raise InputError(
                    f"{record.gene_id}: the question alone takes all the {self.size:,} tokens that "
                    f"model {self.spec.name} has room for beside its answer; shorten it"
                )
            sequence = record.sequence[:letters]
            kept = replace(
                record,
                sequence=sequence,
                sha256=sequence_sha256(sequence),
                truncated=record.truncated + len(record.sequence) - letters,
            )
        return kept
