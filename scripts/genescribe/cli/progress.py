"""Progress for people: a bar on a terminal, below the log lines; elsewhere log lines at times."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from genescribe.pipeline.progress import Pace

if TYPE_CHECKING:
    from genescribe.cli.grammar import Arguments
    from genescribe.records import Progress

log = logging.getLogger(__name__)

LOG_EVERY_SECONDS = 15.0

_bars: list[Any] = []
"""The bars of tqdm that are on the screen."""


class ProgressLine:
    """Shows ``Pace`` on standard error: beside a bar on a terminal, or as log lines."""

    def __init__(self, what: str, stream: TextIO | None = None, unit: str = "genes") -> None:
        self.stream = stream or sys.stderr
        self._pace = Pace(what, unit)
        self._bar: Any = None
        self._last_log: float | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show ``done`` of ``total``."""
        text = self._pace(done, total)
        if self.stream.isatty():
            self._draw(text, done, total)
            return
        now = time.monotonic()
        if self._last_log is None:
            self._last_log = now
        if done >= total or now - self._last_log >= LOG_EVERY_SECONDS:
            self._last_log = now
            log.info("%s", text)

    def _draw(self, text: str, done: int, total: int) -> None:
        if self._bar is None:
            from tqdm import tqdm

            columns, rows = shutil.get_terminal_size()  # of a terminal that tells none: 80, 24
            self._bar = tqdm(
                total=total,
                file=self.stream,
                ncols=columns,
                nrows=rows,
                bar_format="{desc} |{bar}|",
            )
            _bars.append(self._bar)
        self._bar.set_description_str(text, refresh=done >= total)
        self._bar.update(done - self._bar.n)
        if done >= total:
            _bars.remove(self._bar)
            self._bar.close()
            self._bar = None


def progress_of(args: Arguments, what: str, unit: str = "genes") -> Progress | None:
    """Return the display of a command's progress; None where it is to be quiet."""
    return None if args.quiet else ProgressLine(what, unit=unit)


def close_bars() -> None:
    """Leave the bars as they are, and begin a new line: something has ended the work early."""
    while _bars:
        _bars.pop().close()


class LogLines(logging.StreamHandler[TextIO]):
    """Writes log lines to standard error, above the bars that are on the screen."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        with above_bars(self.stream):
            super().emit(record)


@contextlib.contextmanager
def above_bars(stream: TextIO) -> Iterator[None]:
    """Take the bars off the screen while lines are written to a standard stream."""
    if not _bars:
        yield
        return
    from tqdm import tqdm

    with tqdm.external_write_mode(file=stream):
        yield
