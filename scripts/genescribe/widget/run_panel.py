"""The run panel: start, progress with rate and ETA, cancel that keeps what is done, resume."""

from __future__ import annotations

import threading
import time

import ipywidgets

from genescribe.errors import Cancelled
from genescribe.pipeline.progress import Pace
from genescribe.pipeline.results import Results
from genescribe.pipeline.run import RunOptions, run
from genescribe.widget.controls import button, heading
from genescribe.widget.inputs import InputsPanel
from genescribe.widget.session import Session

SECONDS_BETWEEN_UPDATES = 0.2
"""A fast GPU finishes batches more often than anyone can read."""


class RunPanel:
    """Runs the assembly of the inputs panel in a thread of its own."""

    def __init__(self, session: Session, inputs: InputsPanel) -> None:
        self.session = session
        self.inputs = inputs
        self.cancelled = threading.Event()
        self.running = False
        self.start = button(
            session,
            "Run",
            "describe all genes; a stopped run goes on, a finished one is shown",
            self.run,
            main=True,
        )
        self.stop = button(
            session, "Cancel", "stop after the current batch; what is done is kept", self.cancel
        )
        self.stop.disabled = True
        self.anew = ipywidgets.Checkbox(
            value=False,
            indent=False,
            description="Start anew",
            tooltip="overwrite what is in the output folder",
            layout={"width": "auto"},
        )
        self.bar = ipywidgets.IntProgress(value=0, min=0, max=1, description="Genes")
        self.words = ipywidgets.HTML()
        self.box = ipywidgets.VBox(
            [
                heading("Run"),
                ipywidgets.HBox([self.start, self.stop, self.anew]),
                ipywidgets.HBox([self.bar, self.words]),
            ]
        )

    def run(self) -> None:
        """Start the run; returns at once."""
        options = self.inputs.options()
        self.cancelled.clear()
        self._busy(True)
        self.bar.value, self.words.value = 0, "reads the genome and cuts out the sequences"
        self.session.say("Running; the kernel stays free for other cells.", "busy")
        force = bool(self.anew.value)
        self.session.in_background(lambda: self._work(options, force))

    def cancel(self) -> None:
        """Ask the run to stop between two batches."""
        self.cancelled.set()
        self.stop.disabled = True
        self.words.value = "stops after the current batch"

    def _work(self, options: RunOptions, force: bool) -> None:
        progress = _Shown(self.bar, self.words)
        try:
            record = run(
                options,
                command="genescribe.widget",
                resume=not force,
                force=force,
                progress=progress,
                cancel=self.cancelled,
            )
            self.words.value = ""
            self.anew.value = False
            self.bar.value = self.bar.max
            self.session.show(Results.read(options.out))
            genes = ", ".join(
                f"{count:,} {status}" for status, count in (record.genes or {}).items()
            )
            self.session.say(f"Done: {genes}. Results are in {options.out.absolute()}")
        except Cancelled:
            kept = f"{progress.done:,} of {progress.total:,} genes are done and kept"
            self.words.value = ""
            self.session.say(f"Stopped: {kept}; Run goes on with the others.")
        finally:
            self._busy(False)
            self.inputs.out.validate()

    def _busy(self, running: bool) -> None:
        self.running = running
        self.start.disabled, self.stop.disabled = running, not running


class _Shown:
    """Shows the progress of one run."""

    def __init__(self, bar: ipywidgets.IntProgress, words: ipywidgets.HTML) -> None:
        self.bar = bar
        self.words = words
        self.pace = Pace("describe")
        self.last = 0.0
        self.done = self.total = 0

    def __call__(self, done: int, total: int) -> None:
        """Show ``done`` of ``total``."""
        self.done, self.total = done, total
        now, text = time.monotonic(), self.pace(done, total)
        if done < total and now - self.last < SECONDS_BETWEEN_UPDATES:
            return
        loading = self.last == 0.0 and done < total
        self.last = now
        self.bar.max, self.bar.value = max(1, total), done
        self.words.value = f"{text}; loads the model" if loading else text
