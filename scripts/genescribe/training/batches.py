"""From draws of examples to the tensors of a batch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from genescribe.models.encoders.reader import Reading
from genescribe.models.modeling import IGNORE_INDEX
from genescribe.models.processing import SequenceChatProcessor
from genescribe.specs.prompts import PromptVariant
from genescribe.training.examples import Draw, Example
from genescribe.training.stored_genes import StoredGenes


class Batches(Dataset[Any]):
    """The examples of one side, as a model takes them in one stage.

    A batch of draws gives the processor's inputs with the answers behind the prompts, ``labels``,
    and ``drop_sequence`` where the model knows that condition.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        processor: SequenceChatProcessor,
        prompt: PromptVariant,
        question: str | None,
        stored: StoredGenes | None = None,
    ) -> None:
        """``question`` replaces that of every example; ``stored`` are genes to hide from theirs."""
        self.examples, self.stored, self.question = examples, stored, question
        self.processor = copy.copy(processor)
        self.processor.prompt = prompt
        self._prompts: dict[tuple[str, str | None, str], tuple[list[int], list[int]]] = {}
        self._readings: dict[tuple[str, bool], Reading] = {}

    def __getitems__(self, draws: Sequence[Draw]) -> dict[str, Tensor]:
        """Build a batch: prompts padded on the left and answers on the right, (batch, tokens)."""
        examples = [self.examples[draw.example] for draw in draws]
        config = self.processor.config
        readings = [self._read(*shown) for shown in zip(examples, draws, strict=True)]
        prompts = [
            self._prompt_ids(
                example, draw.with_organism, config.num_placeholders(reading.num_vectors)
            )
            for example, draw, reading in zip(examples, draws, readings, strict=True)
        ]
        inputs = self.processor.sequence_inputs(readings)
        width = max(len(prompt) for prompt in prompts)
        total = width + max(len(example.answer_ids) for example in examples)
        input_ids = torch.zeros(len(draws), total, dtype=torch.long)  # (B, T); masked where padded
        mask, labels = torch.zeros_like(input_ids), torch.full_like(input_ids, IGNORE_INDEX)
        for row, (prompt, example) in enumerate(zip(prompts, examples, strict=True)):
            first, last = width - len(prompt), width + len(example.answer_ids)
            input_ids[row, first:last] = torch.tensor([*prompt, *example.answer_ids])
            mask[row, first:last] = 1
            labels[row, width:last] = input_ids[row, width:last]
        batch = {"input_ids": input_ids, "attention_mask": mask, "labels": labels, **inputs}
        if config.null_slots:
            batch["drop_sequence"] = torch.tensor([draw.drop_sequence for draw in draws])
        return batch

    def lengths(self) -> NDArray[np.int64]:
        """Return about how many tokens the language model reads of each example, (examples,)."""
        return np.array(
            [
                len(self._prompt_ids(example, True, 0))
                + self.processor.expected_tokens(len(example.record.sequence))
                + len(example.answer_ids)
                for example in self.examples
            ]
        )

    def num_answer_tokens(self, draws: Sequence[Draw]) -> int:
        """Return how many tokens of a batch have a loss."""
        return sum(len(self.examples[draw.example].answer_ids) for draw in draws)

    def _prompt_ids(
        self, example: Example, with_organism: bool, num_placeholders: int
    ) -> list[int]:
        question = example.question if self.question is None else self.question
        key = (example.record.biotype, example.organism if with_organism else None, question)
        placeholder = self.processor.config.sequence_token_id
        if key not in self._prompts:
            ids = self.processor.prompt_ids(*self.processor.segments(*key), 1)
            place = ids.index(placeholder)
            self._prompts[key] = ids[:place], ids[place + 1 :]
        before, after = self._prompts[key]
        return [*before, *[placeholder] * num_placeholders, *after]

    def _read(self, example: Example, draw: Draw) -> Reading:
        """Read a gene for the encoder; where that is a look-up in stored genes, do it once only."""
        reader = self.processor.reader
        if reader.memory is None:
            return reader.read(example.record)
        key = (example.record.sha256, draw.without_family)
        if key not in self._readings:
            left_out = None
            if self.stored is not None:
                left_out = self.stored.left_out(example, draw.without_family)
            self._readings[key] = reader.read(example.record, left_out)
        return self._readings[key]
