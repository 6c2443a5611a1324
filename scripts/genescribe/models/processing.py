"""The processor: genes in, padded prompts and encoder inputs out, and back to text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import BatchFeature, PreTrainedTokenizerFast

from genescribe.models.configuration import KmerBagConfig
from genescribe.models.kmers import KmerBag, kmer_bag
from genescribe.records import SequenceRecord, View

SEQUENCE_TOKEN = "<sequence>"
UNKNOWN_ORGANISM = "unknown organism"


def kmer_bag_of(record: SequenceRecord, config: KmerBagConfig) -> KmerBag:
    """Hash one gene: residues where its view is the CDS, nucleotides otherwise."""
    return kmer_bag(
        record.sequence,
        is_protein=record.view == View.CDS,
        windows=config.windows,
        table_bits=config.table_bits,
    )


def collate_kmer_bags(bags: Sequence[KmerBag], windows: int) -> dict[str, Tensor]:
    """Concatenate the bags of a batch, window by window, into ``KmerBagEncoder``'s inputs."""
    rows, counts = [], []
    for bag in bags:
        rows.append(bag.rows[np.argsort(bag.windows, kind="stable")])
        counts.append(np.bincount(bag.windows, minlength=windows))  # (windows,)
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts))])  # (B * windows + 1,)
    return {
        "sequence_rows": torch.from_numpy(np.concatenate(rows)).long(),
        "sequence_offsets": torch.from_numpy(offsets).long(),
        "sequence_is_protein": torch.tensor([int(bag.is_protein) for bag in bags]),
        "sequence_lengths": torch.tensor([bag.length for bag in bags]),
    }


def _kmer_bag_inputs(records: Sequence[SequenceRecord], config: KmerBagConfig) -> dict[str, Tensor]:
    return collate_kmer_bags([kmer_bag_of(record, config) for record in records], config.windows)


SEQUENCE_INPUTS: dict[str, Callable[[Sequence[SequenceRecord], Any], dict[str, Tensor]]] = {
    KmerBagConfig.model_type: _kmer_bag_inputs,
}
"""How each kind of encoder wants its genes, by ``model_type``."""


class SequenceChatProcessor:
    """Turns genes into model inputs and token ids into text.

    ``prompt_template`` has the fields ``{organism}``, ``{biotype}`` and ``{sequence}``; the last
    becomes one placeholder token for each vector that the encoder gives.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        encoder_config: KmerBagConfig,
        prompt_template: str,
    ) -> None:
        self.tokenizer = tokenizer
        self.encoder_config = encoder_config
        self.prompt_template = prompt_template

    @classmethod
    def from_pretrained(
        cls, folder: Path, encoder_config: KmerBagConfig, prompt_template: str
    ) -> SequenceChatProcessor:
        """Read the tokenizer that lies beside the weights; never from the network."""
        tokenizer = PreTrainedTokenizerFast.from_pretrained(str(folder), local_files_only=True)
        return cls(tokenizer, encoder_config, prompt_template)

    def save_pretrained(self, folder: Path) -> None:
        """Write the tokenizer's files to ``folder``."""
        self.tokenizer.save_pretrained(str(folder))

    def prompt(self, biotype: str, organism: str | None) -> str:
        """Return the prompt of a gene as text, placeholders included.

        Special tokens in the two texts, which come from the user's files, are taken out: they
        would pass for the placeholders.
        """
        fields = {"organism": organism or UNKNOWN_ORGANISM, "biotype": biotype.replace("_", " ")}
        for token in self.tokenizer.added_tokens_decoder.values():
            fields = {name: text.replace(token.content, "") for name, text in fields.items()}
        return self.prompt_template.format(
            **fields,
            sequence=SEQUENCE_TOKEN * self.encoder_config.num_slots,
        )

    def __call__(self, records: Sequence[SequenceRecord], organism: str | None) -> BatchFeature:
        """Return ``input_ids`` and ``attention_mask`` (batch, tokens), padded on the left, and the
        encoder's inputs, named ``sequence_...``."""
        prompts = [self.prompt(record.biotype, organism) for record in records]
        tokens = self.tokenizer(prompts, padding=True, padding_side="left", return_tensors="pt")
        build = SEQUENCE_INPUTS[self.encoder_config.model_type]
        return BatchFeature(
            {
                "input_ids": tokens["input_ids"],
                "attention_mask": tokens["attention_mask"],
                **build(records, self.encoder_config),
            }
        )

    def decode(self, token_ids: Tensor) -> list[str]:
        """Return the texts of token ids (batch, tokens), special tokens left out."""
        texts = self.tokenizer.batch_decode(token_ids, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]
