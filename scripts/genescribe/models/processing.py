"""The processors: genes in, padded prompts and encoder inputs out, and back to text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, BatchFeature, PreTrainedConfig

from genescribe.errors import InputError
from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.encoders import max_tokens
from genescribe.models.prompts import MARKER, PromptVariant, Turn, render
from genescribe.models.sequence_inputs import (
    collate_kmer_bags,
    kmer_bag_of,
    naming,
    token_inputs,
)
from genescribe.models.sequence_tokenizers import (
    SequenceTokenizer,
    check_nucleotides,
    sequence_tokenizer,
)
from genescribe.records import SequenceRecord

log = logging.getLogger(__name__)

SEQUENCE_TOKEN = "<sequence>"
UNKNOWN_ORGANISM = "unknown organism"
SEQUENCE_TOKENIZER_FOLDER = "sequence_tokenizer"


class PromptProcessor:
    """Renders and tokenises prompts; its two kinds differ in how the gene gets into them.

    ``tokenizer`` is a tokenizer of transformers, ``prompt`` the selected variant of the spec.
    """

    def __init__(self, tokenizer: Any, prompt: PromptVariant) -> None:
        self.tokenizer = tokenizer
        self.prompt = prompt

    def save_pretrained(self, folder: Path) -> None:
        """Write the tokenizer's files to ``folder``."""
        self.tokenizer.save_pretrained(str(folder))

    def segments(
        self,
        biotype: str,
        organism: str | None = None,
        question: str = "",
        history: Sequence[Turn] = (),
        context: str = "",
    ) -> tuple[str, str]:
        """Return a prompt's text before and after the gene.

        Special tokens in what comes from the user (or from an earlier answer) are taken out:
        they would pass for placeholders and ends of turns.
        """
        fields = {
            "organism": organism or UNKNOWN_ORGANISM,
            "biotype": biotype.replace("_", " "),
            "question": question,
            "context": context,
        }
        return render(
            self.prompt,
            {name: self._plain(text) for name, text in fields.items()},
            [Turn(self._plain(turn.question), self._plain(turn.answer)) for turn in history],
            self._chat_text,
        )

    def decode(self, token_ids: Tensor) -> list[str]:
        """Return the texts of token ids (batch, tokens), special tokens left out."""
        texts = self.tokenizer.batch_decode(token_ids, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]

    def _chat_text(self, messages: list[dict[str, str]]) -> str:
        text: str = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return text

    def _plain(self, text: str) -> str:
        forbidden = [token.content for token in self.tokenizer.added_tokens_decoder.values()]
        forbidden.append(MARKER)
        found = [token for token in forbidden if token in text]
        while found:  # taking one out can join the halves of another
            for token in found:
                text = text.replace(token, "")
            found = [token for token in forbidden if token in text]
        return text

    def _encode(self, text: str, *, begins: bool) -> list[int]:
        """Tokenise one segment; one that ``begins`` a text has exactly one BOS in front."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        bos = self.tokenizer.bos_token_id
        if begins and bos is not None and ids[:1] != [bos]:
            return [bos, *ids]
        return ids

    def _pad(self, prompts: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """Return ``input_ids`` and ``attention_mask`` (batch, tokens), padded on the left."""
        pad = self.tokenizer.pad_token_id
        if pad is None:
            pad = self.tokenizer.eos_token_id
        width = max(len(prompt) for prompt in prompts)
        blanks = [width - len(prompt) for prompt in prompts]
        return {
            "input_ids": torch.tensor(
                [
                    [pad] * blank + list(prompt)
                    for blank, prompt in zip(blanks, prompts, strict=True)
                ]
            ),
            "attention_mask": torch.tensor(
                [[0] * blank + [1] * (width - blank) for blank in blanks]
            ),
        }


class SequenceChatProcessor(PromptProcessor):
    """For ``SequenceChatModel``: one placeholder in the prompt for each vector of the gene."""

    def __init__(
        self,
        tokenizer: Any,
        config: SequenceChatConfig,
        prompt: PromptVariant,
        sequence_tokenizer: SequenceTokenizer | None = None,
    ) -> None:
        super().__init__(tokenizer, prompt)
        self.config = config
        self.sequence_tokenizer = sequence_tokenizer

    @classmethod
    def from_pretrained(
        cls, folder: Path, config: SequenceChatConfig, prompt: PromptVariant
    ) -> SequenceChatProcessor:
        """Read the tokenizers that lie beside the weights; never from the network."""
        nucleotides = None
        if config.sequence_tokenizer is not None:
            nucleotides = sequence_tokenizer(
                config.sequence_tokenizer,
                folder / SEQUENCE_TOKENIZER_FOLDER,
                max_tokens(config.encoder_config),
            )
        return cls(load_tokenizer(folder), config, prompt, nucleotides)

    def prompt_ids(self, before: str, after: str, placeholders: int) -> list[int]:
        """Return the tokens of a prompt whose gene takes ``placeholders`` of them.

        What stands before and after the gene is tokenised separately, as in the published
        code: SentencePiece puts a space in front of each.
        """
        bos = self.prompt.bos
        return [
            *self._encode(before, begins=bos != "none"),
            *[self.config.sequence_token_id] * placeholders,
            *self._encode(after, begins=bos == "segments"),
        ]

    def __call__(
        self,
        records: Sequence[SequenceRecord],
        organism: str | None = None,
        question: str = "",
        history: Sequence[Turn] = (),
        context: str = "",
    ) -> BatchFeature:
        """Return ``input_ids`` and ``attention_mask`` (batch, tokens), padded on the left, and the
        encoder's inputs, named ``sequence_...``.

        ``history`` are earlier turns about the same gene. Raises InputError for a gene that the
        encoder cannot read.
        """
        inputs, num_vectors = self._sequence_inputs(records)
        prompts = [
            self.prompt_ids(
                *self.segments(record.biotype, organism, question, history, context),
                self.config.num_placeholders(vectors),
            )
            for record, vectors in zip(records, num_vectors, strict=True)
        ]
        return BatchFeature({**self._pad(prompts), **inputs})

    def expected_tokens(self, record: SequenceRecord) -> int:
        """Return about how many tokens of a prompt a gene takes, without tokenising it."""
        return self.config.expected_placeholders(len(record.sequence))

    def _sequence_inputs(
        self, records: Sequence[SequenceRecord]
    ) -> tuple[dict[str, Tensor], list[int]]:
        if self.sequence_tokenizer is not None:
            return token_inputs(records, self.config, self.sequence_tokenizer)
        encoder = self.config.encoder_config
        bags = [kmer_bag_of(record, encoder) for record in records]
        return collate_kmer_bags(bags, encoder.windows), [encoder.num_slots] * len(records)


class SequenceTextProcessor(PromptProcessor):
    """For ``SequenceTextModel``: the gene stands in the prompt as letters.

    Prompt and text share the positions of the language model, of which ``max_new_tokens`` are
    the text's.
    """

    def __init__(
        self, tokenizer: Any, config: PreTrainedConfig, prompt: PromptVariant, max_new_tokens: int
    ) -> None:
        super().__init__(tokenizer, prompt)
        self.max_tokens = int(config.max_position_embeddings) - max_new_tokens

    @classmethod
    def from_pretrained(
        cls, folder: Path, config: PreTrainedConfig, prompt: PromptVariant, max_new_tokens: int
    ) -> SequenceTextProcessor:
        """Read the tokenizer that lies beside the weights; never from the network."""
        return cls(load_tokenizer(folder), config, prompt, max_new_tokens)

    def __call__(
        self,
        records: Sequence[SequenceRecord],
        organism: str | None = None,
        question: str = "",
        history: Sequence[Turn] = (),
        context: str = "",
    ) -> BatchFeature:
        """Return ``input_ids`` and ``attention_mask`` (batch, tokens), padded on the left.

        Raises InputError for letters that are no nucleotides, and for a prompt that leaves no
        room even for one of them.
        """
        prompts = []
        for record in records:
            with naming(record):
                check_nucleotides(record.sequence)
                around = self.segments(record.biotype, organism, question, history, context)
                prompts.append(self._prompt_ids(record, *around))
        return BatchFeature(self._pad(prompts))

    def _prompt_ids(self, record: SequenceRecord, before: str, after: str) -> list[int]:
        """Tokenise a prompt, with as much of the gene, from its 5' end, as there is room for.

        The published code cuts to 512 tokens as well, but from the end of the prompt, question
        and all.
        """
        letters = total = len(record.sequence)
        while letters:
            text = before + record.sequence[:letters] + after
            ids = self._encode(text, begins=self.prompt.bos != "none")
            if len(ids) <= self.max_tokens:
                if letters < total:
                    log.warning(
                        "%s: only the first %d of %d nt fit into the %d tokens of a prompt",
                        record.gene_id, letters, total, self.max_tokens,
                    )  # fmt: skip
                return ids
            letters = min(letters - 1, letters * self.max_tokens // len(ids))
        raise InputError(
            f"the prompt leaves no room for the gene: it may have {self.max_tokens} tokens; ask "
            "with fewer words"
        )

    def expected_tokens(self, record: SequenceRecord) -> int:
        """Return about how many tokens of a prompt a gene takes, without tokenising it."""
        return min(len(record.sequence), self.max_tokens)


def load_tokenizer(folder: Path) -> Any:
    """Read a language model's tokenizer from its folder; never from the network, never code."""
    return AutoTokenizer.from_pretrained(
        str(folder), local_files_only=True, trust_remote_code=False
    )
