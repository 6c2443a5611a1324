"""The log of a training: a CSV, and TensorBoard where it was asked for."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from accelerate import Accelerator

LOG_FILE = "log.csv"
COLUMNS = (
    "stage", "step", "epoch", "seconds", "learning_rate",
    "train", "validation", "no_sequence", "lift",
)  # fmt: skip
"""Losses and lift in nats per token; ``step`` counts within the stage."""


class Log:
    """Appends a row for each evaluation; only the main process writes."""

    def __init__(self, folder: Path, accelerator: Accelerator) -> None:
        self.path, self.accelerator = folder / LOG_FILE, accelerator

    def cut(self, rows: int) -> None:
        """Leave only the first ``rows`` rows, those from before the checkpoint."""
        if self.accelerator.is_main_process and self.path.is_file():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            self.path.write_text("".join(lines[: rows + 1]), encoding="utf-8")

    def write(self, row: Mapping[str, float | str], total: int) -> None:
        """Append a row; ``total`` is the number of steps over all stages."""
        if self.accelerator.is_main_process:
            with self.path.open("a", newline="", encoding="utf-8") as handle:
                writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
                if handle.tell() == 0:
                    writer.writeheader()
                writer.writerow(row)
        numbers = {name: value for name, value in row.items() if isinstance(value, float)}
        self.accelerator.log(numbers, step=total)
