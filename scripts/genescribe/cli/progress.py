"""Progress for people: one line rewritten on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from typing import TextIO

log = logging.getLogger(__name__)

LOG_EVERY_SECONDS = 15.0


class ProgressLine:
    """Say how many genes (or another ``unit``) are done, how many per minute, and when the rest.

    The first call starts the clock and says how many an earlier run had finished: those do not
    count for the pace.
    """

    def __init__(self, what: str, stream: TextIO | None = None, unit: str = "genes") -> None:
        self.what = what
        self.unit = unit
        self.stream = stream or sys.stderr
        self._on_terminal = self.stream.isatty()
        self._first: int | None = None
        self._started = self._last_log = 0.0
        self._width = 0

    def __call__(self, done: int, total: int) -> None:
        """Show ``done`` of ``total``."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._started, self._last_log = done, now, now
        text = progress_text(
            self.what, done, total, done - self._first, now - self._started, self.unit
        )
        if self._on_terminal:
            end = "\n" if done >= total else ""
            self.stream.write("\r" + text.ljust(self._width) + end)
            self.stream.flush()
            self._width = 0 if end else len(text)
        elif done >= total or now - self._last_log >= LOG_EVERY_SECONDS:
            self._last_log = now
            log.info("%s", text)


def progress_text(
    what: str, done: int, total: int, fresh: int, seconds: float, unit: str = "genes"
) -> str:
    """Return e.g. ``describe 640/6381 (10 %), 2,410 genes/min, ETA 2:23``."""
    percent = 100 * done // total if total else 100
    text = f"{what} {done:,}/{total:,} ({percent} %)"
    if fresh > 0 and seconds > 0:
        rate = fresh / seconds
        text += f", {rate * 60:,.0f} {unit}/min"
        if done < total:
            text += f", ETA {clock((total - done) / rate)}"
    return text


def clock(seconds: float) -> str:
    """Return ``h:mm:ss``, or ``m:ss`` below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
