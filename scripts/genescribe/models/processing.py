"""The processors: genes in, padded prompts and encoder inputs out, and back to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoTokenizer, BatchFeature, PreTrainedConfig

from genescribe.errors import InputError
from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.encoders import make_reader
from genescribe.models.encoders.reader import Reading
from genescribe.models.generation import SEQUENCE_PREFIX
from genescribe.models.sequence_tokenizers import check_gene
from genescribe.records import SequenceRecord
from genescribe.specs.prompts import MARKER, PromptVariant, Turn, render

SEQUENCE_TOKEN = "<sequence>"
UNKNOWN_ORGANISM = "unknown organism"
SEQUENCE_TOKENIZER_FOLDER = "sequence_tokenizer"


class Evidence(NamedTuple):
    """The text of a stored gene, and how similar it is: 0 no k-mer in common, 1 all of them."""

    text: str
    similarity: float


class PromptProcessor:
    """Renders and tokenises prompts; its two kinds differ in how the gene gets into them.

    ``tokenizer`` is a tokenizer of transformers, ``prompt`` the selected variant of the spec.
    """

    def __init__(self, tokenizer: Any, prompt: PromptVariant) -> None:
        self.tokenizer = tokenizer
        self.prompt = prompt

    def segments(
        self,
        biotype: str,
        organism: str | None = None,
        question: str = "",
        history: Sequence[Turn] = (),
        context: str = "",
    ) -> tuple[str, str]:
        """Return a prompt's text before and after the gene; ``history`` are turns about it so far.

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

    def decode(self, token_ids: Tensor | Sequence[Sequence[int]]) -> list[str]:
        """Return the texts of token ids (batch, tokens), special tokens left out."""
        texts = self.tokenizer.batch_decode(token_ids, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]

    def read(
        self, token_ids: Tensor, text_mask: Tensor, stop: Sequence[str] = ()
    ) -> tuple[list[str], Tensor]:
        """Return texts, cut where the first of the ``stop`` strings begins, and what stays.

        ``token_ids`` and ``text_mask`` (batch, tokens) are what ``generate`` and ``text_mask``
        of the model return. The second value is ``text_mask`` without the tokens from the one
        on with which a stop string begins.
        """
        rows = [row[kept].tolist() for row, kept in zip(token_ids, text_mask, strict=True)]
        texts = self.tokenizer.batch_decode(rows, skip_special_tokens=True)
        for i, text in enumerate(texts):
            places = [place for end in stop if (place := text.find(end)) >= 0]
            if places:
                texts[i] = text[: min(places)]
                while len(self.tokenizer.decode(rows[i], skip_special_tokens=True)) > min(places):
                    rows[i].pop()
        lengths = torch.tensor([len(row) for row in rows], device=text_mask.device)  # (B,)
        kept = text_mask & (text_mask.cumsum(1) <= lengths.unsqueeze(1))
        return [" ".join(text.split()) for text in texts], kept

    def evidence(self, _record: SequenceRecord) -> list[Evidence]:
        """Return what the model looked up to describe a gene, the most similar first.

        Nothing, unless it has a gene memory.
        """
        return []

    def text_tokens(self, biotype: str, **fields: Any) -> int:
        """Return how many tokens of a prompt are text, not gene; ``fields`` as in a call."""
        return sum(
            len(self._encode(text, begins=True)) for text in self.segments(biotype, **fields)
        )

    def _chat_text(self, messages: list[dict[str, str]]) -> str:
        text: str = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return text

    def _plain(self, text: str) -> str:
        forbidden = [token.content for token in self.tokenizer.added_tokens_decoder.values()]
        forbidden.append(MARKER)
        while any(token in text for token in forbidden):
            for token in forbidden:  # taking one out can join the halves of another
                text = text.replace(token, "")
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
        rows = [torch.tensor(prompt) for prompt in prompts]
        real = [torch.ones_like(row) for row in rows]
        return {
            "input_ids": pad_sequence(rows, True, pad, "left"),
            "attention_mask": pad_sequence(real, True, 0, "left"),
        }


class SequenceChatProcessor(PromptProcessor):
    """For ``SequenceChatModel``: one placeholder in the prompt for each vector of the gene."""

    def __init__(self, tokenizer: Any, config: SequenceChatConfig, prompt: PromptVariant) -> None:
        """``reader`` knows how genes get into the encoder; it is to be loaded before any call."""
        super().__init__(tokenizer, prompt)
        self.config = config
        self.reader = make_reader(config)

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
        self, records: Sequence[SequenceRecord], organism: str | None = None, **fields: Any
    ) -> BatchFeature:
        """Return ``input_ids`` and ``attention_mask`` (batch, tokens), padded on the left, and the
        encoder's inputs, named ``sequence_...``.

        ``fields`` are the others of ``segments``. Raises InputError for a gene that the encoder
        cannot read.
        """
        readings = [self.reader.read(record) for record in records]
        prompts = [
            self.prompt_ids(
                *self.segments(record.biotype, organism, **fields),
                self.config.num_placeholders(reading.num_vectors),
            )
            for record, reading in zip(records, readings, strict=True)
        ]
        return BatchFeature({**self._pad(prompts), **self.sequence_inputs(readings)})

    def check(self, record: SequenceRecord) -> None:
        """Raise InputError, naming the gene, for one that the encoder cannot read."""
        self.reader.check(record)

    def expected_tokens(self, length: int) -> int:
        """Return about how many tokens of a prompt a gene of ``length`` nt takes."""
        return self.config.num_placeholders(self.reader.expected_vectors(length))

    def prompt_tokens(self, record: SequenceRecord, **fields: Any) -> int:
        """Return how many tokens a prompt takes, whether there is room for them or not.

        ``fields`` is what a call gets beside the records.
        """
        return int(self([record], **fields)["input_ids"].shape[1])

    def sequence_inputs(self, readings: Sequence[Reading]) -> dict[str, Tensor]:
        """Return the encoder's inputs for a batch of genes as they were read, ``sequence_...``."""
        return {
            SEQUENCE_PREFIX + name: torch.cat([reading.inputs[name] for reading in readings])
            for name in readings[0].inputs
        }

    def evidence(self, record: SequenceRecord) -> list[Evidence]:
        """Return what the encoder reads of stored genes, texts whole, the most similar first."""
        return [
            Evidence(self.decode([token_ids])[0], round(similarity, 4))
            for token_ids, similarity in self.reader.evidence(record)
        ]


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

    def __call__(
        self, records: Sequence[SequenceRecord], organism: str | None = None, **fields: Any
    ) -> BatchFeature:
        """Return ``input_ids`` and ``attention_mask`` (batch, tokens), padded on the left.

        ``fields`` are the others of ``segments``. Raises InputError for letters that are no
        nucleotides, and for a gene whose prompt leaves no room for the text.
        """
        prompts = []
        for record in records:
            self.check(record)
            around = self.segments(record.biotype, organism, **fields)
            prompts.append(self._prompt_ids(record, *around))
            if len(prompts[-1]) > self.max_tokens:
                raise InputError(
                    f"{record.gene_id}: {len(record.sequence)} nt make a prompt of "
                    f"{len(prompts[-1])} tokens, but this model has room for {self.max_tokens} "
                    "beside its text; lower max_length in the model spec"
                )
        return BatchFeature(self._pad(prompts))

    def check(self, record: SequenceRecord) -> None:
        """Raise InputError, naming the gene, for letters that are no nucleotides."""
        check_gene(record)

    def expected_tokens(self, length: int) -> int:
        """Return how many tokens of a prompt a gene of ``length`` nt takes at most."""
        return length

    def prompt_tokens(self, record: SequenceRecord, **fields: Any) -> int:
        """Return how many tokens a prompt takes, whether there is room for them or not.

        ``fields`` is what a call gets beside the records.
        """
        return len(self._prompt_ids(record, *self.segments(record.biotype, **fields)))

    def _prompt_ids(self, record: SequenceRecord, before: str, after: str) -> list[int]:
        return self._encode(before + record.sequence + after, begins=self.prompt.bos != "none")


def load_tokenizer(folder: Path) -> Any:
    """Read a language model's tokenizer from its folder; never from the network, never code."""
    return AutoTokenizer.from_pretrained(
        str(folder), local_files_only=True, trust_remote_code=False
    )
