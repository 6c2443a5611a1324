"""One batch: a text about each gene, and how far the gene supports it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from genescribe.inference.cache import Generation, cache_key
from genescribe.inference.context import Context
from genescribe.inference.params import DescribeParams
from genescribe.records import SequenceRecord, sequence_sha256
from genescribe.specs.spec import ModelSpec


class Writer:
    """A loaded model that writes about genes, and weighs texts with and without the gene."""

    def __init__(self, spec: ModelSpec, device: str, model: Any, processor: Any) -> None:
        self.spec, self.device, self.model, self.processor = spec, device, model, processor

    @cached_property
    def context(self) -> Context:
        """The room for a prompt beside the longest text."""
        room: int = self.model.language_model.config.get_text_config().max_position_embeddings
        longest = int(self.spec.generation["max_new_tokens"])
        return Context(self.spec, self.processor, room - longest)

    @torch.inference_mode()
    def write(self, records: Sequence[SequenceRecord], params: DescribeParams) -> list[Generation]:
        """Write a text about each gene of a batch, without sampling."""
        # 1) the prompts, and the genes encoded once for all that follows
        prompts = self.prompts(records, params)
        inputs = self.read(prompts, records, params)
        # 2) the texts, by the spec's search; where a stop string begins, a text ends
        settings = dict(self.spec.generation)
        if stop := settings.pop("stop", []):
            settings.update(stop_strings=stop, tokenizer=self.processor.tokenizer)
        text_ids = self.model.generate(**inputs, **settings)  # (batch, text tokens)
        texts, mask = self.processor.read(text_ids, self.model.text_mask(text_ids), stop)
        # 3) how probable each token is after the gene, and after what stands for none
        given = self.model.text_log_probs(inputs, text_ids, mask)  # (batch, text tokens)
        others = self.without_sequence(prompts, records, params)
        without = self.model.text_log_probs(others, text_ids, mask)
        # 4) means over the tokens that count, in nats per token; the lift is their difference
        n_tokens = mask.sum(dim=1)  # (batch,)
        log_prob, habit = (
            (log_probs.double() * mask).sum(dim=1) / n_tokens.clamp(min=1)  # (batch,)
            for log_probs in (given, without)
        )
        columns = (log_prob.tolist(), (log_prob - habit).tolist(), n_tokens.tolist())
        return [Generation(*values) for values in zip(texts, *columns, strict=True)]

    def prompts(self, records: Sequence[SequenceRecord], params: DescribeParams) -> Any:
        """Return the processor's inputs for a batch, on the model's device."""
        return self.processor(records, **params.told(self.spec)).to(self.device)

    def read(
        self, prompts: Any, records: Sequence[SequenceRecord], params: DescribeParams
    ) -> dict[str, Any]:
        """Return a batch's prompts with its genes encoded, or what is to be read instead."""
        if not params.use_sequence:
            return self.without_sequence(prompts, records, params)
        inputs: dict[str, Any] = self.model.with_features(prompts)
        return inputs

    def without_sequence(
        self, prompts: Any, records: Sequence[SequenceRecord], params: DescribeParams
    ) -> dict[str, Any]:
        """Return a batch's prompts with what the spec calls "no sequence" in the genes' place.

        That is vectors which the model has learned, or each gene with its letters shuffled.
        """
        is_shuffled = self.spec.no_sequence == "shuffled"
        if is_shuffled:
            others = [self.context.fitting(shuffled(record), params) for record in records]
            prompts = self.prompts(others, params)
        inputs: dict[str, Any] = self.model.with_features(prompts, use_sequence=is_shuffled)
        return inputs

    def text_ids(self, texts: Sequence[str]) -> Tensor:
        """Tokenise texts as the model would write them, (texts, tokens), padded on the right."""
        tokenizer = self.processor.tokenizer
        longest = int(self.spec.generation["max_new_tokens"])
        end, pad = tokenizer.eos_token_id, self.model.pad_token_id
        encoded = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
        rows = [[*row, end][:longest] for row in encoded]
        width = max(len(row) for row in rows)
        padded = [row + [pad] * (width - len(row)) for row in rows]
        return torch.tensor(padded, device=self.model.language_model.device)

    def key(self, record: SequenceRecord, params: DescribeParams) -> str:
        """Return the identity of the text that would be written: equal keys, equal texts."""
        return cache_key(
            {
                "sequence": record.sha256,
                "view": record.view,
                "biotype": record.biotype,
                **params.told(self.spec),
                "weights": self.spec.sha256,
                "config": self.spec.config,
                "prompt": self.spec.prompt.model_dump(),
                "generation": dict(self.spec.generation),
                "no_sequence": self.spec.no_sequence,
                "dtype": str(self.model.dtype).removeprefix("torch."),
                "quantisation": self.spec.quantisation,
                # named only where it is off, so that caches of older versions stay valid
                **({} if params.use_sequence else {"use_sequence": False}),
            }
        )


def shuffled(record: SequenceRecord) -> SequenceRecord:
    """Return a gene with its letters in another order, always the same for the same sequence."""
    letters = list(record.sequence)
    random.Random(record.sha256).shuffle(letters)
    sequence = "".join(letters)
    return replace(record, sequence=sequence, sha256=sequence_sha256(sequence))
