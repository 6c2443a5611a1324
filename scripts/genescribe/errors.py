"""Every named error of genescribe, and what can be done about them (floor 0).

The message of each error says what was found, where (``file:line``, gene id) and what to do. What
to do is called differently at a shell, in Galaxy, in a workflow, a notebook and Python: there the
error carries a ``Remedy``, and the door through which it leaves has the words for it.
"""

from __future__ import annotations

import copyreg
from enum import StrEnum
from pathlib import Path
from typing import Any


class Remedy(StrEnum):
    """What a person can do; the value says it where no door has words of its own.

    ``{value}`` stands for the ``value`` of the error.
    """

    OVERWRITE = "overwrite it, or choose another place"
    RESUME = "the same again goes on with it"
    RESUME_OR_START_ANEW = "go on with it or start anew"
    START_ANEW = "or start anew"
    OTHER_WORK_FOLDER = "or begin in another folder for checkpoints"
    MORE_MEMORY = "give it more, or take a smaller model"
    REPORT = "please report it with its traceback"

    GIVE_GENOME = "give the genome"
    GIVE_NAME = "give a name without slashes"
    SKIP_MISSING_CONTIGS = "or skip these genes"
    STRIP_FIRST = "take its descriptions out first"
    CORRECT_LINE = "correct the line"
    DESCRIBE_AGAIN = "write the file anew"
    EXTRACT_AGAIN = "extract the genes again"
    EXTRACT_FOR_SAME_MODELS = "name the models that the genes were extracted for, or extract again"
    GIVE_RECORD = "give the record of a stage"

    USE_CPU = "compute on the CPU"
    CHOOSE_PROMPT = "choose one of its prompts that do: {value}"
    ASK_TASKS = "it answers fixed tasks"
    GIVE_FACT = "give a {value}"
    ASK_ONE_BY_ONE = "ask each question on its own"

    CONVERT_CHECKPOINT = "convert the published checkpoint"
    CHOOSE_LAYOUT = "convert it as {value}"
    GIVE_TOKENIZER = "give the tokenizer's folder"
    GIVE_ENCODER_TOKENIZER = "give the folder of the encoder's tokenizer"
    GIVE_COMPANIONS = "or give language model and tokenizers, too"
    GIVE_LORA_ALPHA = "say what LoRA's alpha was"

    BUILD_CORPUS = "build the corpus again"
    SPLIT_CORPUS = "split the corpus again"
    HOLD_OUT = "name an organism to hold out"
    SMALLER_SIDES = "ask for smaller sides of validation and test, or give a larger corpus"
    WITHOUT_MMSEQS = "or find families by shared k-mers alone"


Words = dict[Remedy, str]
"""What a door calls each remedy."""

PLAIN: Words = {remedy: remedy.value for remedy in Remedy}


class GenescribeError(Exception):
    """Base of all errors that genescribe raises on purpose; exit code 1, the run failed.

    ``words`` are those of the door that shows the error; ``str`` uses them.
    """

    exit_code = 1
    words: Words = PLAIN

    def __init__(self, message: str, *remedies: Remedy, value: str = "") -> None:
        super().__init__(message)
        self.remedies, self.value = remedies, value

    @property
    def message(self) -> str:
        """What was found and where, the same at every door."""
        return str(self.args[0])

    def told(self, words: Words) -> str:
        """Return the one line that a door shows."""
        remedies = (words[remedy].format(value=self.value) for remedy in self.remedies)
        return "; ".join([self.message, *remedies])

    def __str__(self) -> str:
        return self.told(self.words)

    def __reduce__(self) -> tuple[Any, ...]:
        # of subclasses, too, whose constructors take more than BaseException.args holds
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class InputError(GenescribeError, ValueError):
    """The user's input or request cannot be used as it is; exit code 2."""

    exit_code = 2


class FormatError(InputError):
    """A file is not in the format it should be in; says ``file:line: what, what to do``."""

    def __init__(self, path: str | Path, line: int | None, message: str, *remedies: Remedy) -> None:
        super().__init__(message, *remedies)
        self.path, self.line = Path(path), line

    @property
    def message(self) -> str:
        """Where, and what was found there."""
        where = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        return f"{where}: {super().message}"


class AnnotationError(FormatError):
    """A GTF or GFF3 file that cannot be read without guessing."""


class FastaError(FormatError):
    """A genome file that is not usable FASTA."""


class SequenceMismatchError(InputError):
    """The annotation names sequences or positions that the FASTA does not have."""


class OutputExistsError(InputError):
    """The output is already there, and nobody said to overwrite it or to go on with it."""


class SettingsChangedError(InputError):
    """A run that is to go on was begun with other settings than those given now."""


class UnknownModelError(InputError):
    """No model spec of that name or path."""


class CheckpointError(InputError):
    """Weights are missing, damaged, or not the ones that the spec pins."""


class ConversionError(CheckpointError):
    """A published checkpoint does not fit its layout; ``report`` tells of each tensor, by line."""

    def __init__(self, message: str, *remedies: Remedy, report: list[str], value: str = "") -> None:
        super().__init__(message, *remedies, value=value)
        self.report = report


class OutputError(GenescribeError):
    """Results could not be written (permissions, disk full)."""


class Cancelled(GenescribeError):
    """The caller asked to stop; what was finished is kept."""
