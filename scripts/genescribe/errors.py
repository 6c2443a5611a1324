"""Every named error of genescribe (floor 0: knows nothing of the rest).

The message of each error says what was found, where (``file:line``, gene id) and what to do.
The command line prints that one line and exits with ``exit_code``; only ``--debug`` shows a
traceback.
"""

from __future__ import annotations

from pathlib import Path


class GenescribeError(Exception):
    """Base of all errors that genescribe raises on purpose; exit code 1, the run failed."""

    exit_code = 1


class InputError(GenescribeError, ValueError):
    """The user's input or request cannot be used as it is; exit code 2."""

    exit_code = 2


class FormatError(InputError):
    """A file is not in the format it should be in; says ``file:line: what, what to do``."""

    def __init__(self, path: str | Path, line: int | None, message: str) -> None:
        self.path, self.line = Path(path), line
        where = f"{path}:{line}" if line else f"{path}"
        super().__init__(f"{where}: {message}")


class AnnotationError(FormatError):
    """A GTF or GFF3 file that cannot be read without guessing."""


class FastaError(FormatError):
    """A genome file that is not usable FASTA."""


class SequenceMismatchError(InputError):
    """The annotation names sequences or positions that the FASTA does not have."""


class OutputExistsError(InputError):
    """The output is already there and neither ``--force`` nor ``--resume`` was given."""


class SettingsChangedError(InputError):
    """``--resume`` was asked for a run whose settings differ from the ones given now."""


class UnknownModelError(InputError):
    """No model spec of that name or path."""


class CheckpointError(InputError):
    """Weights are missing, damaged, or not the ones that the spec pins."""


class ConversionError(CheckpointError):
    """A published checkpoint does not fit its layout; ``report`` tells of each tensor, by line."""

    def __init__(self, message: str, report: list[str]) -> None:
        self.report = report
        super().__init__(message)


class OutputError(GenescribeError):
    """Results could not be written (permissions, disk full)."""


class Cancelled(GenescribeError):
    """The caller asked to stop; what was finished is kept."""
