"""From a configuration, a corpus and its split to a model folder."""

from __future__ import annotations

import contextlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import is_tensorboard_available

from genescribe.corpus.records import read_corpus
from genescribe.corpus.splits import Side, read_splits
from genescribe.errors import InputError
from genescribe.files import refuse_existing, sha256_of, sole_writer
from genescribe.models.convert.folder import atomic_folder
from genescribe.records import Progress
from genescribe.specs.spec import read_yaml
from genescribe.training import checkpoints
from genescribe.training.config import TrainConfig, load_train_config
from genescribe.training.examples import Example, make_examples, on_side
from genescribe.training.export import Facts, check_export, export
from genescribe.training.loop import Trainer
from genescribe.training.model import build

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainInputs:
    """The files that a training reads: configuration, corpus and the split of that corpus."""

    config: Path
    corpus: Path
    splits: Path


def train(
    inputs: TrainInputs,
    work: Path,
    out: Path,
    *,
    device: str = "auto",
    force: bool = False,
    usage: str = "",
    progress: Progress | None = None,
) -> float | None:
    """Train or go on training, write the model to ``out``, return its best validation loss.

    ``work`` keeps checkpoints and the log; the same call goes on after a kill. ``device`` is auto
    or cpu. Of several processes the first writes, and the others return None. ``usage`` stands in
    the model's card: how it is run and evaluated by whoever has it.

    Raises InputError for inputs that cannot be trained on, GenescribeError for a loss that is not
    finite, and OutputError where something cannot be written.
    """
    refuse_existing([out], force)
    config = load_train_config(inputs.config)
    corpus, splits = read_corpus(inputs.corpus), read_splits(inputs.splits)
    training = on_side(corpus, splits, Side.TRAIN)
    validation = on_side(corpus, splits, Side.VALIDATION)
    accelerator = make_accelerator(config, device, work)
    with sole_writer(work) if accelerator.is_main_process else contextlib.nullcontext():
        start = build(config, inputs.config, training, splits)
        check_export(start.spec, config)
        to_learn, to_stop = (
            _some(make_examples(records, splits, start.processor.tokenizer, start.spec, config),
                  side, inputs)
            for side, records in ((Side.TRAIN, training), (Side.VALIDATION, validation))
        )  # fmt: skip
        settings = inputs.config.read_text(encoding="utf-8")
        origin = checkpoints.origin(
            config=json.dumps([read_yaml(inputs.config), start.content]),
            corpus=sha256_of(inputs.corpus),
            split=sha256_of(inputs.splits),
            model="" if config.new else start.spec.sha256,
            processes=str(accelerator.num_processes),
        )
        trainer = Trainer(accelerator, start, to_learn, to_stop, config, work, origin, progress)
        loss = trainer.run()
        if accelerator.is_main_process:
            facts = Facts(inputs.corpus.name, to_learn, to_stop, loss, settings, usage)
            with atomic_folder(out, force) as folder:
                export(start, trainer.model.cpu(), config, folder, facts)
        accelerator.wait_for_everyone()
        accelerator.end_training()
    return loss if accelerator.is_main_process else None


def make_accelerator(config: TrainConfig, device: str, work: Path) -> Accelerator:
    """Return accelerate's view of the machine; InputError for what it cannot compute with."""
    if config.tensorboard and not is_tensorboard_available():
        raise InputError("tensorboard is not installed; pip install it, or say tensorboard: false")
    AcceleratorState._reset_state()  # a process may train again, with another precision
    try:
        accelerator = Accelerator(
            mixed_precision=config.precision,
            cpu=device == "cpu",
            log_with="tensorboard" if config.tensorboard else None,
            project_dir=work,
        )
        accelerator.init_trackers("genescribe")
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"precision {config.precision} on this machine: {reason}") from error
    return accelerator


def _some(examples: list[Example], side: Side, inputs: TrainInputs) -> list[Example]:
    if not examples:
        raise InputError(
            f"{inputs.splits}: leaves no answer to train with on the {side} side of "
            f"{inputs.corpus}; split it otherwise, or look at `questions` in {inputs.config}"
        )
    return examples
