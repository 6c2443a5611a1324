"""Progress for people: one line rewritten on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from typing import TextIO

from genescribe.pipeline.progress import Pace

log = logging.getLogger(__name__)

LOG_EVERY_SECONDS = 15.0


class ProgressLine:
    """Show ``Pace`` on standard error: on one line of a terminal, or as log lines."""

    def __init__(self, what: str, stream: TextIO | None = None, unit: str = "genes") -> None:
        self.stream = stream or sys.stderr
        self._pace = Pace(what, unit)
        self._on_terminal = self.stream.isatty()
        self._last_log: float | None = None
        self._width = 0

    def __call__(self, done: int, total: int) -> None:
        """Show ``done`` of ``total``."""
        now = time.monotonic()
        if self._last_log is None:
            self._last_log = now
        text = self._pace(done, total)
        if self._on_terminal:
            end = "\n" if done >= total else ""
            self.stream.write("\r" + text.ljust(self._width) + end)
            self.stream.flush()
            self._width = 0 if end else len(text)
        elif done >= total or now - self._last_log >= LOG_EVERY_SECONDS:
            self._last_log = now
            log.info("%s", text)
