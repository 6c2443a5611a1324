"""The training loop: stage after stage on accelerate, resumable to the bit.

Which genes a step shows is drawn from seed, stage and epoch alone, so that a checkpoint needs only
a place in the epoch and what accelerate saves: a run on a CPU that was killed and resumed ends with
the weights of one that was not.
"""

from __future__ import annotations

import contextlib
import csv
import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device, set_seed
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, default_convert

from genescribe.errors import GenescribeError, InputError
from genescribe.files import atomic_path
from genescribe.models.modeling import FEATURES, SequenceChatModel
from genescribe.records import Progress
from genescribe.training import checkpoints
from genescribe.training.batches import Batches
from genescribe.training.checkpoints import Position, State
from genescribe.training.config import Stage, TrainConfig
from genescribe.training.examples import SHOWN, Draw, Epochs, Example, pack, sample
from genescribe.training.model import Start
from genescribe.training.stages import optimizer, schedule, set_free, set_training

log = logging.getLogger(__name__)

LOG_FILE = "log.csv"

Step = list[list[Draw]]
"""The batches of one step, those of all processes."""


class Losses(NamedTuple):
    """Validation losses in nats per token; ``no_sequence`` is nan where none is learned."""

    gene: float
    no_sequence: float


class Log:
    """The log: a CSV, a row for each evaluation, and TensorBoard where it is switched on.

    Losses and lift are in nats per token, ``step`` counts within the stage. Only the main process
    writes.
    """

    def __init__(self, folder: Path, accelerator: Accelerator) -> None:
        self.path, self.accelerator = folder / LOG_FILE, accelerator

    def cut(self, rows: int) -> None:
        """Leave only the first ``rows`` rows, those from before the checkpoint."""
        if self.accelerator.is_main_process and self.path.is_file():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            self.path.write_text("".join(lines[: rows + 1]), encoding="utf-8")

    def write(self, row: Mapping[str, float | str], total: int) -> None:
        """Append a row; ``total`` is the number of steps over all stages."""
        if self.accelerator.is_main_process:
            with self.path.open("a", newline="", encoding="utf-8") as handle:
                writer = csv.DictWriter(handle, row, lineterminator="\n")
                if handle.tell() == 0:
                    writer.writeheader()
                writer.writerow(row)
        numbers = {name: value for name, value in row.items() if isinstance(value, float)}
        self.accelerator.log(numbers, step=total)


class Trainer:
    """Trains the model of ``start``; each stage ends with the best of its weights.

    ``folder`` receives the checkpoint (one found there is resumed), the best weights of each
    stage and ``log.csv``; ``origin`` tells trainings apart (``checkpoints.origin``).
    """

    def __init__(
        self,
        accelerator: Accelerator,
        start: Start,
        training: Sequence[Example],
        validation: Sequence[Example],
        config: TrainConfig,
        folder: Path,
        origin: Mapping[str, str],
        progress: Progress | None = None,
    ) -> None:
        self.accelerator, self.config, self.folder = accelerator, config, folder
        self.model: SequenceChatModel = start.model
        self.origin = origin
        self.progress = progress if accelerator.is_main_process else None
        self.training = [_batches(start, training, stage, hide=True) for stage in config.stages]
        self.validation = [
            _batches(start, sample(validation, stage, config), stage, hide=False)
            for stage in config.stages
        ]
        self.epochs = [
            Epochs(training, batches.lengths(), config, number)
            for number, batches in enumerate(self.training)
        ]
        self.steps = [self._num_steps(number) for number in range(len(config.stages))]
        self.learned: set[nn.Parameter] = set()
        self.log = Log(folder, accelerator)
        self.state = State()
        accelerator.register_for_checkpointing(self.state)
        accelerator.register_save_state_pre_hook(self._keep_learned)

    @property
    def position(self) -> Position:
        """How far the training is."""
        return self.state.position

    def run(self) -> float:
        """Train all stages, or what a checkpoint leaves of them; return the best loss of the last.

        Raises GenescribeError, naming stage, step and genes, for a loss that is not finite, and
        OutputError where a checkpoint cannot be written.
        """
        set_seed(self.config.seed, device_specific=True)
        resumed = checkpoints.latest(self.folder, self.origin)
        for number, stage in enumerate(self.config.stages):
            set_free(self.model, stage, recompute=self.config.gradient_checkpointing)
            self.learned |= {p for p in self.model.parameters() if p.requires_grad}
            if resumed is not None and number < resumed.stage:
                continue
            self._begin(number)
            if resumed is not None:
                self.accelerator.load_state(str(resumed.path), strict=False)
                self.log.cut(self.position.rows)
                log.info("resumed: stage=%s step=%d", stage.name, self.position.step)
                resumed = None
            self._train()
            self._end(stage)
        return self.position.best

    # ---- stages

    def _begin(self, number: int) -> None:
        stage = self.config.stages[number]
        raw = optimizer(self.model, stage)
        self.state.schedule = schedule(raw, stage, self.steps[number])
        self.wrapped, self.optimizer = self.accelerator.prepare(self.model, raw)
        before = self.position
        self.state.position = Position(
            stage=number, total=before.total, seconds=before.seconds, rows=before.rows
        )

    def _train(self) -> None:
        number = self.position.stage
        if self.progress is not None:
            self.progress(self.position.total, sum(self.steps))
        while not self._is_finished():
            steps = self._plan(number, self.position.epoch)[self.position.place :]
            for step, batches in self._load(self.training[number], steps):
                self._step(step, batches)
                is_last = self.position.step == self.steps[number]
                if is_last or self.position.step % self.config.evaluate_every == 0:
                    self._evaluate()
                if self._is_finished() or self.position.step % self.config.checkpoint_every == 0:
                    position = self.position
                    checkpoints.save(
                        self.accelerator, self.folder, position.total, number, self.origin
                    )
                if self._is_finished():
                    return
            self.position.epoch, self.position.place = self.position.epoch + 1, 0

    def _end(self, stage: Stage) -> None:
        """Go on with the best weights of the stage, and let go of its optimiser."""
        best = load_file(self._best_file(stage))
        for name, parameter in self.model.named_parameters():
            if name in best:
                parameter.data.copy_(best[name])
        self.model = self.accelerator.unwrap_model(self.wrapped, keep_fp32_wrapper=False)
        self.accelerator.free_memory()

    def _is_finished(self) -> bool:
        position = self.position
        return position.step >= self.steps[position.stage] or position.stale >= self.config.patience

    def _best_file(self, stage: Stage) -> Path:
        return self.folder / f"best-{stage.name}.safetensors"

    # ---- steps

    def _plan(self, number: int, epoch: int) -> list[Step]:
        """Return the steps of an epoch; every process has as many batches in each."""
        stage, processes = self.config.stages[number], self.accelerator.num_processes
        batches = self.epochs[number](epoch)
        usable = len(batches) - len(batches) % processes
        if usable == 0:
            raise InputError(
                f"stage {stage.name}: an epoch has {len(batches)} batches, but there are "
                f"{processes} processes; make batches smaller, or give more genes"
            )
        size = stage.gradient_accumulation * processes
        return [batches[i : min(i + size, usable)] for i in range(0, usable, size)]

    def _num_steps(self, number: int) -> int:
        stage = self.config.stages[number]
        if stage.steps is not None:
            return stage.steps
        return math.ceil((stage.epochs or 0) * len(self._plan(number, 0)))

    def _load(self, data: Batches, steps: Sequence[Step]) -> Iterator[tuple[Step, list[Any]]]:
        """Yield each step with this process's batches of it."""
        rank, processes = self.accelerator.process_index, self.accelerator.num_processes
        own = [step[rank::processes] for step in steps]
        loader = iter(
            DataLoader(
                data,
                batch_sampler=[draws for batches in own for draws in batches],
                collate_fn=default_convert,
                num_workers=self.config.workers,
                generator=torch.Generator(),  # the global one decides dropout, and must not move
            )
        )
        for step, batches in zip(steps, own, strict=True):
            yield step, [next(loader) for _ in batches]

    def _step(self, step: Step, batches: Sequence[Mapping[str, Tensor]]) -> None:
        """Learn from a step: the mean over the answers' tokens, however they are batched."""
        started, stage = time.monotonic(), self.config.stages[self.position.stage]
        data, processes = self.training[self.position.stage], self.accelerator.num_processes
        total = sum(data.num_answer_tokens(draws) for draws in step)
        nll = torch.zeros((), device=self.accelerator.device)
        for left, batch in zip(reversed(range(len(batches))), batches, strict=True):
            alone = self.accelerator.no_sync(self.wrapped) if left else contextlib.nullcontext()
            with alone:
                count = int((batch["labels"] >= 0).sum())
                inputs = send_to_device(batch, self.accelerator.device)
                loss = self.wrapped(**inputs).loss * count
                nll += loss.detach()
                # processes' gradients are averaged, so each counts as often as there are any
                self.accelerator.backward(loss * processes / total)
        learning = [p for p in self.wrapped.parameters() if p.requires_grad]
        norm = self.accelerator.clip_grad_norm_(learning, stage.max_grad_norm)
        loss_per_token = float(self.accelerator.reduce(nll, "sum")) / total
        is_scaled = self.accelerator.scaler is not None  # then it skips what overflowed
        if not math.isfinite(loss_per_token) or not (is_scaled or math.isfinite(float(norm))):
            raise GenescribeError(self._not_finite(loss_per_token, step))
        self.optimizer.step()
        if not self.accelerator.optimizer_step_was_skipped:
            self.state.schedule.step()
        self.optimizer.zero_grad()
        position = self.position
        position.place, position.step = position.place + 1, position.step + 1
        position.total, position.tokens = position.total + 1, position.tokens + total
        position.nll += loss_per_token * total
        position.seconds += time.monotonic() - started
        if self.progress is not None:
            self.progress(position.total, sum(self.steps))

    def _not_finite(self, loss: float, step: Step) -> str:
        data = self.training[self.position.stage]
        genes = [data.examples[draw.example].record.gene_id for draws in step for draw in draws]
        names = ", ".join(genes[:SHOWN])
        what = "gradient is not finite" if math.isfinite(loss) else f"loss is {loss}"
        return (
            f"stage {self.config.stages[self.position.stage].name}, step {self.position.step + 1}: "
            f"the {what} over {len(genes)} genes ({names}...); lower the learning rate, or look "
            "at these genes, and train again"
        )

    # ---- validation

    def _evaluate(self) -> None:
        """Measure, log, and keep the weights if they are the best of the stage."""
        started, position = time.monotonic(), self.position
        stage = self.config.stages[position.stage]
        losses = self.losses(position.stage)
        position.seconds += time.monotonic() - started
        train = position.nll / max(1, position.tokens)
        self.log.write(
            {
                "stage": stage.name,
                "step": position.step,
                "epoch": position.epoch,
                "seconds": round(position.seconds, 1),
                "learning_rate": self.state.schedule.get_last_lr()[0],
                "train": round(train, 4),
                "validation": round(losses.gene, 4),
                "no_sequence": round(losses.no_sequence, 4),
                "lift": round(losses.no_sequence - losses.gene, 4),
            },
            position.total,
        )
        log.info(
            "evaluated: stage=%s step=%d train=%.3f %s", stage.name, position.step, train, losses
        )
        position.nll, position.tokens, position.rows = 0.0, 0, position.rows + 1
        position.stale += 1
        if losses.gene < position.best:
            position.best, position.stale = losses.gene, 0
            self._save_best(self._best_file(stage))

    @torch.no_grad()
    def losses(self, number: int) -> Losses:
        """Return the mean losses over the validation answers, as stage ``number`` asks them."""
        data, stage = self.validation[number], self.config.stages[number]
        lengths = data.lengths()
        draws = [Draw(int(i)) for i in lengths.argsort(kind="stable")]
        own = pack(draws, lengths, stage)[
            self.accelerator.process_index :: self.accelerator.num_processes
        ]
        totals = torch.zeros(3, device=self.accelerator.device)  # nll with, without gene; tokens
        self.model.eval()
        for chosen in own:
            batch = send_to_device(data.__getitems__(chosen), self.accelerator.device)
            count = data.num_answer_tokens(chosen)
            with self.accelerator.autocast():
                batch[FEATURES] = self.model.get_sequence_features(batch)
                nll = [self.model(**batch).loss]
                if "drop_sequence" in batch:
                    batch["drop_sequence"] = torch.ones_like(batch["drop_sequence"])
                    nll.append(self.model(**batch).loss)
            gene, null = nll[0], nll[-1] if len(nll) > 1 else torch.nan * nll[0]
            totals += torch.stack([gene * count, null * count, torch.full_like(gene, count)])
        set_training(self.model, stage, recompute=self.config.gradient_checkpointing)
        gene, null, tokens = self.accelerator.reduce(totals, "sum").tolist()
        return Losses(gene / tokens, null / tokens)

    # ---- what is saved

    def _save_best(self, path: Path) -> None:
        if self.accelerator.is_main_process:
            with checkpoints.writing(path), atomic_path(path) as temporary:
                save_file(self._learned(self.model), temporary)
        self.accelerator.wait_for_everyone()

    def _learned(self, model: nn.Module) -> dict[str, Tensor]:
        """Return what any stage up to now has changed, by name: the rest need not be saved."""
        return {
            name: parameter.data.contiguous()
            for name, parameter in model.named_parameters()
            if parameter in self.learned
        }

    def _keep_learned(
        self, models: list[nn.Module], weights: list[dict[str, Tensor]], _folder: str
    ) -> None:
        weights[:] = [self._learned(model) for model in models]


def _batches(start: Start, examples: Sequence[Example], stage: Stage, *, hide: bool) -> Batches:
    """Return examples as a stage takes them in; ``hide`` their relatives where they are stored."""
    spec = start.spec.with_prompt(stage.prompt) if stage.prompt else start.spec
    stored = start.stored if hide else None
    return Batches(examples, start.processor, spec.prompt, stage.question, stored)
