"""Examples: answers about genes on one side of a split, and which of them an epoch shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genescribe.corpus.records import CorpusRecord
from genescribe.corpus.splits import Side, SplitRow
from genescribe.errors import InputError, Remedy
from genescribe.records import SequenceRecord
from genescribe.specs.spec import ModelSpec
from genescribe.training.config import Stage, TrainConfig

SHOWN = 3
JITTER = 3.0
"""Tokens by which lengths are blurred, so that a gene meets other neighbours in every epoch."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question and its answer about one gene, as numbers.

    ``record`` is cut to what the model reads; ``answer_ids`` end with the token or text that ends
    an answer.
    """

    record: SequenceRecord
    organism: str | None
    question: str
    answer_ids: tuple[int, ...]
    is_informative: bool
    family: int
    near_copy: int


class Draw(NamedTuple):
    """An example as one step shows it; what it leaves to chance is decided here.

    ``example`` is its number; ``without_family`` tells whether the look-up of relatives leaves
    out its whole family, and not only its near copies.
    """

    example: int
    with_organism: bool = True
    drop_sequence: bool = False
    without_family: bool = False


def on_side(
    corpus: Sequence[CorpusRecord], splits: Mapping[str, SplitRow], side: Side
) -> list[CorpusRecord]:
    """Return the records of a side; InputError where the split is that of another corpus."""
    missing = dict.fromkeys(r.gene_id for r in corpus if r.sha256 not in splits)
    if missing:
        shown = ", ".join(list(missing)[:SHOWN])
        raise InputError(
            f"the split lacks {len(missing)} genes of the corpus ({shown}...); it is of another "
            "corpus",
            Remedy.SPLIT_CORPUS,
        )
    return [record for record in corpus if splits[record.sha256].side == side]


def make_examples(
    records: Sequence[CorpusRecord],
    splits: Mapping[str, SplitRow],
    tokenizer: Any,
    spec: ModelSpec,
    config: TrainConfig,
) -> list[Example]:
    """Tokenise the answers that the configuration lets take part.

    An answer ends with the first of the spec's ``stop`` texts, or where there are none with the
    tokenizer's end token; a longer one than ``max_new_tokens`` is cut and does not end.
    """
    taking_part = [
        record
        for record in records
        if any(config.share(stage, record.question, record.informative) for stage in config.stages)
    ]
    stop = spec.generation.get("stop", [])
    answers = [record.answer + (stop[0] if stop else "") for record in taking_part]
    end = [] if stop else [tokenizer.eos_token_id]
    encoded = tokenizer(answers, add_special_tokens=False)["input_ids"] if answers else []
    limit = spec.generation["max_new_tokens"]
    return [
        Example(
            replace(record.sequence_record(), sequence=record.sequence[: spec.max_length]),
            record.organism,
            record.question,
            tuple([*ids, *end][:limit]),
            record.informative,
            splits[record.sha256].family,
            splits[record.sha256].near_copy,
        )
        for record, ids in zip(taking_part, encoded, strict=True)
    ]


def sample(examples: Sequence[Example], stage: Stage, config: TrainConfig) -> list[Example]:
    """Return the validation examples of a stage: one for a near-copy cluster and question each.

    Questions have the shares that they have in training, so that the losses compare.
    """
    rng = np.random.default_rng(config.seed)
    distinct = {(e.near_copy, e.question): e for e in examples}.values()
    taking_part = [e for e in distinct if rng.random() < _share(e, stage, config)]
    if not taking_part:
        raise InputError(
            f"stage {stage.name}: no answer on the validation side takes part; look at `questions`"
        )
    chosen = rng.permutation(len(taking_part))[: config.validation_answers]
    return [taking_part[i] for i in sorted(chosen)]


def _share(example: Example, stage: Stage, config: TrainConfig) -> float:
    return config.share(stage, example.question, example.is_informative)


class Epochs:
    """Draws the epochs of a stage: the same for the same seed, stage and epoch.

    Of every near-copy cluster, one answer to each question is shown, so that genes of which many
    strains were sequenced do not rule. ``lengths`` (examples,) are in tokens.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        lengths: NDArray[np.int64],
        config: TrainConfig,
        stage_number: int,
    ) -> None:
        stage = config.stages[stage_number]
        keys = [(example.near_copy, example.question) for example in examples]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        groups = np.array([numbers[key] for key in keys])  # (examples,)
        self.order = np.argsort(groups, kind="stable")
        self.sizes = np.bincount(groups)  # (groups,)
        self.shares = np.array([_share(example, stage, config) for example in examples])
        if not self.shares.any():
            raise InputError(
                f"stage {stage.name}: no answer to train with takes part; look at `questions`"
            )
        self.lengths, self.stage, self.config = lengths, stage, config
        self.stage_number = stage_number

    def __call__(self, epoch: int) -> list[list[Draw]]:
        """Return the batches of an epoch, of examples of similar length, in random order."""
        rng = np.random.default_rng((self.config.seed, self.stage_number, epoch))
        starts = np.cumsum(self.sizes) - self.sizes  # (groups,)
        chosen = self.order[starts + (rng.random(len(starts)) * self.sizes).astype(int)]
        chosen = chosen[rng.random(len(chosen)) < self.shares[chosen]]
        blurred = self.lengths[chosen] + rng.uniform(-JITTER, JITTER, len(chosen))
        chosen = chosen[np.argsort(blurred, kind="stable")]
        config = self.config  # of each draw: organism shown, sequence dropped, family left out
        limits = (1 - config.drop_organism, config.drop_sequence, config.leave_out_family)
        chances = rng.random((len(chosen), 3)) < limits  # (draws, 3)
        draws = [
            Draw(int(number), *map(bool, chance))
            for number, chance in zip(chosen, chances, strict=True)
        ]
        batches = pack(draws, self.lengths, self.stage)
        return [batches[i] for i in rng.permutation(len(batches))]


def pack(draws: Sequence[Draw], lengths: NDArray[np.int64], stage: Stage) -> list[list[Draw]]:
    """Cut draws, the shortest first, into batches; padding counts among a batch's tokens."""
    if stage.batch_genes is not None:
        size = stage.batch_genes
        return [list(draws[i : i + size]) for i in range(0, len(draws), size)]
    budget = stage.batch_tokens or 0
    batches: list[list[Draw]] = []
    for draw in draws:  # the latest is the longest
        if not batches or (len(batches[-1]) + 1) * lengths[draw.example] > budget:
            batches.append([])
        batches[-1].append(draw)
    return batches
