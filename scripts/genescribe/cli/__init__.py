"""The command line (floor 5): how people at a shell ask, and how they are told.

Exit codes: 0 done, 1 the run failed, 2 bad input or usage. An error is one line on standard
error; a traceback is shown only with ``--debug``.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from genescribe.cli.grammar import Arguments, Call, Handler
from genescribe.cli.parser import PARSER
from genescribe.cli.progress import LogLines, close_bars
from genescribe.doors import command_words
from genescribe.errors import Cancelled, GenescribeError, Remedy
from genescribe.files import output_error

OUTER_ROOMS = ("genescribe.pipeline", "genescribe.cli")
"""Their log lines tell a person how far things are; inner rooms speak up only to warn."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    # Threads that wait for each other by spinning (libgomp's default) stall a machine that has
    # other work, too; on an idle one a short spin is as fast. Read when torch is first loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "30000")
    try:
        called = PARSER.main(argv, "genescribe", standalone_mode=False)
    except click.UsageError as error:
        return _refuse(error)
    except click.Abort:  # Ctrl-C before anything was begun
        return 1
    return _run(*called) if isinstance(called, Call) else 0  # help was asked for, and shown


def _refuse(error: click.UsageError) -> int:
    """Tell what is wrong with the words of a command line, and where they are explained."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        print(error.format_message(), file=sys.stderr)
    else:
        command = error.ctx.command_path if error.ctx else "genescribe"
        message = " ".join(error.format_message().split())
        print(f"{command}: error: {message} (see {command} --help)", file=sys.stderr)
    return error.exit_code


def _run(handler: Handler, args: Arguments) -> int:
    """Call a command's handler; return the exit code."""
    try:
        _start_logging(debug=args.debug, quiet=args.quiet, path=args.log)
        handler(args)
    except GenescribeError as error:
        return _fail(error, args.debug)
    except KeyboardInterrupt:
        remedies = [Remedy.RESUME] if "resume" in args else []
        return _fail(Cancelled("stopped", *remedies), args.debug)
    except BrokenPipeError:
        # the reader of our standard output went away (| head); not an error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _fail(GenescribeError("out of memory", Remedy.MORE_MEMORY), args.debug)
    except Exception as error:  # noqa: BLE001 - the last resort: one line, never silence
        problem = f"unexpected {type(error).__name__}: {error}"
        return _fail(GenescribeError(problem, Remedy.REPORT), args.debug)
    return 0


def _fail(error: GenescribeError, debug: bool) -> int:
    close_bars()
    if debug:
        logging.getLogger("genescribe").exception("traceback")
    message = " ".join(error.told(command_words()).splitlines())
    print(f"genescribe: error: {message}", file=sys.stderr)
    return error.exit_code


def _start_logging(*, debug: bool, quiet: bool, path: Path | None) -> None:
    """Log to standard error what a person wants to know, and everything to ``path``."""
    root = logging.getLogger("genescribe")
    shown = LogLines()
    shown.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    shown.setLevel(logging.DEBUG if debug else logging.ERROR if quiet else logging.INFO)
    shown.addFilter(lambda line: debug or line.levelno > logging.INFO or _is_outer(line.name))
    root.handlers = [shown]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    if path is not None:
        try:
            kept = logging.FileHandler(path, mode="w", encoding="utf-8")
        except OSError as error:
            raise output_error(path, error) from error
        kept.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        root.addHandler(kept)


def _is_outer(name: str) -> bool:
    return name.startswith(OUTER_ROOMS)
