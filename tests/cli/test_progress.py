"""What a terminal and a log file show while genes are described."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from genescribe.cli.progress import ProgressLine

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "scripts")}
WORK = """
import logging, sys, time
from genescribe.cli import _run
from genescribe.cli.grammar import Arguments
from genescribe.cli.progress import progress_of
from genescribe.errors import InputError

def handler(args):
    progress = progress_of(args, "describe")
    for done in range(total + 1):
        if done == fails_at:
            raise InputError("cannot go on")
        progress(done, total)
        if done % 3 == 1:
            logging.getLogger("genescribe.cli").warning("gene %d is odd", done)
            time.sleep(0.11)  # longer than a bar waits before it is drawn again

total, fails_at = map(int, sys.argv[1:])
sys.exit(_run(handler, Arguments(debug=False, quiet=False, log=None)))
"""


def screen(*arguments: int) -> list[str]:
    """Return the lines that a terminal shows after ``WORK``, without the times of log lines."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", WORK, *map(str, arguments)]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=ENVIRONMENT):
        os.close(theirs)
        written = b""
        try:
            while block := os.read(ours, 4096):
                written += block
        except OSError:  # the other side is closed
            pass
    os.close(ours)
    lines, column = [""], 0
    for letter in written.decode():
        if letter == "\n":
            lines.append("")
        elif letter == "\r":
            column = 0
        else:
            line = lines[-1].ljust(column)
            lines[-1] = line[:column] + letter + line[column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


def test_log_lines_stand_above_the_bar() -> None:
    *logged, bar, end = screen(8, -1)
    assert [line.partition(" ")[2] for line in logged] == [
        f"WARNING gene {done} is odd" for done in (1, 4, 7)
    ]
    assert bar.startswith("describe 8/8 (100 %), ")
    assert bar.endswith("█|")
    assert end == ""


def test_an_error_stands_on_a_line_of_its_own() -> None:
    *_, bar, error, end = screen(9, 6)
    assert bar.startswith("describe 5/9 (55 %), ")
    assert (error, end) == ("genescribe: error: cannot go on", "")


def test_a_log_file_gets_whole_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="genescribe")
    stream = io.StringIO()
    line = ProgressLine("describe", stream)
    line(1, 4)
    line(4, 4)
    assert stream.getvalue() == ""
    (record,) = caplog.records
    assert record.getMessage().startswith("describe 4/4 (100 %), ")
    assert record.getMessage().endswith("genes/min")
