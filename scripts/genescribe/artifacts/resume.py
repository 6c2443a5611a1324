"""What an earlier attempt at an output has left, and whether to go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path
from typing import Any

from genescribe.errors import OutputExistsError, Remedy, SettingsChangedError

RENAMED = {"ascii_only": "ascii"}
"""Settings by their names in version 0.1.0, whose runs can be gone on with."""


class Earlier(Enum):
    """What there is to go on with."""

    NOTHING = auto()
    STOPPED = auto()
    FINISHED = auto()


def earlier_attempt(
    output: Path, finished: Path, stopped: Path, *, resume: bool, force: bool
) -> Earlier:
    """Tell what of ``output`` is there: ``finished`` exists after an attempt, ``stopped`` during.

    ``force`` begins anew whatever is there. Raises OutputExistsError where something is there
    and neither ``resume`` nor ``force`` was given.
    """
    if force or not (finished.exists() or stopped.exists()):
        return Earlier.NOTHING
    found = Earlier.FINISHED if finished.exists() else Earlier.STOPPED
    if resume:
        return found
    if found is Earlier.STOPPED:
        raise OutputExistsError(f"{output}: holds a stopped run", Remedy.RESUME_OR_START_ANEW)
    what = "already exists" if output == finished else "already holds a finished run"
    raise OutputExistsError(f"{output}: {what}", Remedy.OVERWRITE)


def check_settings(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise SettingsChangedError naming every setting that differs, earlier -> now."""
    earlier = {RENAMED.get(key, key): value for key, value in earlier.items()}
    changed = [
        f"{key}: {earlier.get(key)} -> {now.get(key)}"
        for key in sorted({*earlier, *now})
        if earlier.get(key) != now.get(key)
    ]
    if changed:
        raise SettingsChangedError(
            f"the stopped run had other settings ({'; '.join(changed)}); give the same ones",
            Remedy.START_ANEW,
        )
