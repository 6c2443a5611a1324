"""What people are told while genes are described, whatever door they came in by."""

from __future__ import annotations

import time


class Pace:
    """Turn calls of (done, total) into words: how many are done, how fast, and when the rest.

    The first call starts the clock and says how many an earlier run had finished: those do not
    count for the pace.
    """

    def __init__(self, what: str, unit: str = "genes") -> None:
        self.what = what
        self.unit = unit
        self._first: int | None = None
        self._started = 0.0

    def __call__(self, done: int, total: int) -> str:
        """Return what ``progress_text`` says of ``done`` of ``total``."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._started = done, now
        return progress_text(
            self.what, done, total, done - self._first, now - self._started, self.unit
        )


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
