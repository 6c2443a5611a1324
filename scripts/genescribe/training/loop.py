"""The training loop: two stages, seeded, resumable to the bit, stopped by the validation loss.

Alignment trains encoder and projector to name the words of the text, in any order, which is
cheap and teaches the table most of what it will know; then the language model learns to write,
with a little of the same loss beside its own.

A checkpoint holds everything that the next step depends on, random states included, so that a
run that was killed and resumed ends with the weights of one that was not.
"""

from __future__ import annotations

import csv
import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from genescribe.errors import GenescribeError
from genescribe.files import atomic_path
from genescribe.models.modeling import IGNORE_INDEX, SequenceChatModel, SequenceFeatures
from genescribe.training.config import TrainConfig
from genescribe.training.data import Example, collate, epoch_batches

logger = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.pt"
BEST = "best.pt"
LOG = "log.csv"
LOG_COLUMNS = ("step", "seconds", "train", "validation", "no_sequence", "words")


class Trainer:
    """Trains ``model`` on ``training`` and keeps the weights with the lowest validation loss.

    ``folder`` receives ``checkpoint.pt`` (to go on from), ``best.pt`` (weights) and ``log.csv``.
    A checkpoint found there is resumed. Raises GenescribeError if the loss is not finite.
    """

    def __init__(
        self,
        model: SequenceChatModel,
        training: Sequence[Example],
        validation: Sequence[Example],
        config: TrainConfig,
        folder: Path,
    ) -> None:
        self.model, self.config, self.folder = model, config, folder
        self.training, self.validation = training, validation
        self.windows = model.config.encoder_config.windows
        self.text_lengths = np.array([len(example.text_ids) for example in training])
        self.optimizer = _optimizer(model, config)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: learning_rate_factor(step, config.warmup, config.steps)
        )
        self.rng = np.random.default_rng(config.seed)
        self.batches: list[Any] = []
        self.step, self.seconds, self.best_loss, self.stale = 0, 0.0, math.inf, 0
        self.folder.mkdir(parents=True, exist_ok=True)
        if (folder / CHECKPOINT).is_file():
            self._resume()

    def run(self, until: int | None = None) -> float:
        """Train to step ``until`` (default: the end of the schedule); return the best loss."""
        last = min(until or self.config.steps, self.config.steps)
        losses: list[float] = []
        started = time.monotonic() - self.seconds
        while self.step < last and self.stale < self.config.patience:
            losses.append(self._train_step())
            self.seconds = time.monotonic() - started
            if self.step % self.config.evaluate_every == 0 or self.step == last:
                self._evaluate(float(np.mean(losses)))
                losses.clear()
                self._save()
        return self.best_loss

    def _train_step(self) -> float:
        if not self.batches:
            self.batches = epoch_batches(self.text_lengths, self.config.batch_size, self.rng)
        genes = self.batches.pop()
        batch = collate([self.training[i] for i in genes], self.config, self.windows, self.rng)
        self.model.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            features = self.model.get_sequence_features(batch)
            loss = words_loss(self.model, features, batch["labels"])
            if self.step >= self.config.alignment_steps:
                written = self.model(**batch, sequence_features=features).loss
                loss = self.config.words_weight * loss + written
        if not torch.isfinite(loss):
            raise GenescribeError(
                f"training: the loss is {loss.item()} at step {self.step}, genes "
                f"{genes[:5].tolist()}...; lower the learning rate"
            )
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        return float(loss.detach())

    def _evaluate(self, train_loss: float) -> None:
        losses = evaluate(self.model, self.validation, self.config)
        with (self.folder / LOG).open("a", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            if handle.tell() == 0:
                writer.writerow(LOG_COLUMNS)
            values = (self.seconds, train_loss, losses.gene, losses.no_sequence, losses.words)
            writer.writerow([self.step, *(f"{value:.4f}" for value in values)])
        logger.info("step=%d minutes=%.1f train=%.3f %s",
                    self.step, self.seconds / 60, train_loss, losses)  # fmt: skip
        if self.step <= self.config.alignment_steps:
            return
        self.stale += 1
        if losses.gene < self.best_loss:
            self.best_loss, self.stale = losses.gene, 0
            with atomic_path(self.folder / BEST) as path:
                torch.save(self.model.state_dict(), path)

    def _save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "torch_rng": torch.get_rng_state(),
            "numpy_rng": self.rng.bit_generator.state,
            "batches": [torch.from_numpy(batch) for batch in self.batches],
            "progress": (self.step, self.seconds, self.best_loss, self.stale),
        }
        with atomic_path(self.folder / CHECKPOINT) as path:
            torch.save(state, path)

    def _resume(self) -> None:
        state = torch.load(self.folder / CHECKPOINT, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["torch_rng"])
        self.rng.bit_generator.state = state["numpy_rng"]
        self.batches = [batch.numpy() for batch in state["batches"]]
        self.step, self.seconds, self.best_loss, self.stale = state["progress"]
        logger.info("resumed: step=%d", self.step)


class Losses(NamedTuple):
    """Validation losses in nats per token: with the gene, without it, and of its words alone."""

    gene: float
    no_sequence: float
    words: float


def words_loss(model: SequenceChatModel, features: SequenceFeatures, labels: Tensor) -> Tensor:
    """Return how badly the sequence vectors alone foretell the text's tokens, in nats per token.

    The ``features`` of each gene, the same number for all, are averaged and compared with the
    token embeddings, as the language model's output layer does; ``labels`` (batch, tokens) as
    for the model.
    """
    embedding: Tensor = model.get_input_embeddings().get_parameter("weight")  # (V, H)
    means: Tensor = features.values.unflatten(0, (len(labels), -1)).mean(1)  # (B, H)
    logits = embedding @ means.T  # (V, B)
    log_probs = logits.float().log_softmax(0).T  # (B, V)
    wanted = labels != IGNORE_INDEX  # (B, T)
    return -log_probs.gather(1, labels.clamp(min=0))[wanted].mean()


@torch.inference_mode()
def evaluate(model: SequenceChatModel, examples: Sequence[Example], config: TrainConfig) -> Losses:
    """Return the mean losses in nats per token over ``examples``, nothing dropped."""
    model.eval()
    totals, tokens = np.zeros(3), 0
    ordered = sorted(examples, key=lambda example: len(example.text_ids))
    for first in range(0, len(ordered), config.batch_size):
        chosen = ordered[first : first + config.batch_size]
        batch = collate(chosen, config, model.config.encoder_config.windows, None)
        count = sum(len(example.text_ids) for example in chosen)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            features = model.get_sequence_features(batch)
            gene = model(**batch, sequence_features=features).loss
            batch["drop_sequence"][:] = True
            null = model(**batch, sequence_features=features).loss
            words = words_loss(model, features, batch["labels"])
        totals += np.array([gene, null, words]) * count
        tokens += count
    return Losses(*(totals / tokens).tolist())


def learning_rate_factor(step: int, warmup: int, steps: int) -> float:
    """Return the factor on the learning rate: linear warm-up, level, linear to zero at ``steps``.

    The descent takes the last 40 %: a run can be prolonged up to there without a trace.
    """
    return min((step + 1) / warmup, 1.0, max(0, steps - step) / (0.4 * steps))


def _optimizer(model: SequenceChatModel, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW; biases and norms do not decay, the table has a learning rate of its own."""
    table = model.encoder.table.weight
    others = [p for p in model.parameters() if p is not table]
    groups: list[dict[str, Any]] = [
        {"params": [table], "lr": config.table_learning_rate},
        {"params": [p for p in others if p.ndim > 1]},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups,
        lr=config.learning_rate,
        betas=(0.9, 0.98),
        weight_decay=config.weight_decay,
        fused=True,
    )
