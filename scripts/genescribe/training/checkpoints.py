"""Checkpoints: whole or not there, and refused where they are of another training.

What accelerate saves (weights, optimiser, random states, registered objects) goes into a folder of
a temporary name that is renamed when it is complete; only then the one before is removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from accelerate import Accelerator
from safetensors import SafetensorError

from genescribe.errors import OutputError, Remedy, SettingsChangedError
from genescribe.files import output_error

PREFIX = "checkpoint-"
PARTIAL = "partial-"
ORIGIN_FILE = "origin.json"


def origin(**decisive: str) -> dict[str, str]:
    """Return the sha256 of each of the texts that decide the outcome of a training."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in decisive.items()}


@dataclass(slots=True)
class Position:
    """How far a training is.

    ``place`` is the number of steps done of this epoch, ``step`` of this stage and ``total`` of
    all. ``best`` validation loss and the evaluations since then (``stale``) are of this stage;
    ``nll`` (negative log likelihood) and ``tokens`` are those of the answers since the last
    evaluation; ``rows`` those of the log.
    """

    stage: int = 0
    epoch: int = 0
    place: int = 0
    step: int = 0
    total: int = 0
    seconds: float = 0.0
    best: float = math.inf
    stale: int = 0
    nll: float = 0.0
    tokens: int = 0
    rows: int = 0


class State:
    """What a checkpoint holds beside what accelerate knows of: progress and schedule."""

    def __init__(self) -> None:
        self.position = Position()
        self.schedule: Any = None

    def state_dict(self) -> dict[str, Any]:
        """Return what to save."""
        return {"progress": asdict(self.position), "schedule": self.schedule.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what was saved."""
        self.position = Position(**state["progress"])
        self.schedule.load_state_dict(state["schedule"])


class Checkpoint(NamedTuple):
    """A whole checkpoint, and the number of the stage that it was saved in."""

    path: Path
    stage: int


def latest(folder: Path, ours: Mapping[str, str]) -> Checkpoint | None:
    """Return the last checkpoint in a folder, or None.

    Raises SettingsChangedError where its origin is not ours, and says what differs.
    """
    steps = [int(path.name.removeprefix(PREFIX)) for path in folder.glob(f"{PREFIX}*")]
    if not steps:
        return None
    path = folder / f"{PREFIX}{max(steps)}"
    saved = json.loads((path / ORIGIN_FILE).read_text(encoding="utf-8"))
    changed = [name for name, value in ours.items() if saved["origin"].get(name) != value]
    if changed:
        raise SettingsChangedError(
            f"{path}: of a training with another {' and '.join(changed)}; restore what it was",
            Remedy.OTHER_WORK_FOLDER,
        )
    return Checkpoint(path, saved["stage"])


def save(
    accelerator: Accelerator, folder: Path, step: int, stage: int, ours: Mapping[str, str]
) -> None:
    """Save the state of a training after ``step`` steps; all processes take part.

    Raises OutputError where it cannot be written; the last checkpoint is then still there.
    """
    target, partial = folder / f"{PREFIX}{step}", folder / f"{PARTIAL}{step}"
    try:
        with writing(target):
            if accelerator.is_main_process:
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir(parents=True)
            accelerator.wait_for_everyone()
            accelerator.save_state(str(partial))
            accelerator.wait_for_everyone()
            if accelerator.is_main_process:
                about = json.dumps({"stage": stage, "origin": dict(ours)})
                (partial / ORIGIN_FILE).write_text(about, encoding="utf-8")
                shutil.rmtree(target, ignore_errors=True)
                partial.rename(target)
                for old in folder.glob(f"{PREFIX}*"):
                    if old != target:
                        shutil.rmtree(old)
    finally:
        if accelerator.is_main_process:
            shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn what torch and safetensors raise on a full disk into one line about ``target``."""
    try:
        yield
    except OSError as error:
        raise output_error(target, error) from error
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise OutputError(
            f"{target}: cannot be written ({reason}); what was saved before is still there, free "
            "space and train again"
        ) from error
