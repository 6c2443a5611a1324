"""The widget itself: all panels, one below the other."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path

import ipywidgets

from genescribe.api import DEFAULT_OUT
from genescribe.inference.settings import SHIPPED_MODEL
from genescribe.pipeline.results import Results
from genescribe.widget.ask_panel import AskPanel
from genescribe.widget.export_panel import ExportPanel
from genescribe.widget.gene_panel import GenePanel
from genescribe.widget.genes_panel import GenesPanel
from genescribe.widget.inputs import InputsPanel
from genescribe.widget.review_panel import ReviewPanel
from genescribe.widget.run_panel import RunPanel
from genescribe.widget.session import Session

SECONDS_BEFORE_TORCH = 1.0
"""The first screen is drawn before torch, which takes seconds, is imported beside it."""


class AnnotationWidget(ipywidgets.VBox):
    """Describe an assembly, look at its genes, ask about them, review and export.

    All arguments may be left out and chosen in the panels. ``out`` with a finished run of the
    same annotation (or any, where ``annotation`` is left out) is opened at once.
    """

    def __init__(
        self,
        genome: str | Path | None = None,
        annotation: str | Path | None = None,
        model: str = SHIPPED_MODEL,
        *,
        out: str | Path = DEFAULT_OUT,
        organism: str | None = None,
        device: str = "auto",
    ) -> None:
        self.session = Session()
        self.inputs = InputsPanel(
            self.session,
            genome=str(genome or ""),
            annotation=str(annotation or ""),
            model=model,
            organism=organism or "",
            out=str(out),
            device=device,
        )
        self.run_panel = RunPanel(self.session, self.inputs)
        self.genes = GenesPanel(self.session)
        self.gene = GenePanel(self.session, self.genes.step)
        self.review = ReviewPanel(self.session)
        self.ask = AskPanel(self.session, self.inputs.device)
        self.export = ExportPanel(self.session, self.genes)
        panels = (self.genes, self.gene, self.review, self.ask, self.export)
        self.shown = ipywidgets.VBox([panel.box for panel in panels], layout={"display": "none"})
        super().__init__([self.session.message, self.inputs.box, self.run_panel.box, self.shown])
        self.add_class("genescribe")
        self.session.observe(lambda _: self._reveal(), names=["results"])
        self.session.say("Descriptions are predictions of a language model that read each gene.")
        self._open_finished(Path(annotation).expanduser() if annotation else None)
        _import_torch_later()

    def run(self) -> None:
        """Press Run."""
        with self.session.errors_shown():
            self.run_panel.run()

    def cancel(self) -> None:
        """Press Cancel."""
        self.run_panel.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the run (``timeout`` in seconds); tell whether it has ended.

        Who interrupts the kernel meanwhile cancels the run; what is done is kept.
        """
        try:
            return self.session.wait(timeout)
        except KeyboardInterrupt:
            if self.run_panel.running:
                self.cancel()
            return self.session.wait(timeout)

    def _reveal(self) -> None:
        self.shown.layout.display = "" if self.session.results else "none"

    def _open_finished(self, annotation: Path | None) -> None:
        folder = self.inputs.folder
        if not (folder / "run.json").exists():
            return
        with self.session.errors_shown():
            results = Results.read(folder)
            if annotation in (None, results.annotation) or _same(annotation, results.annotation):
                self.session.show(results)
                self.session.say(f"Opened the finished run in {folder.absolute()}.")


def _same(one: Path | None, other: Path) -> bool:
    return one is not None and one.exists() and other.exists() and one.samefile(other)


def _import_torch_later() -> None:
    """Have torch ready when the first run wants it; the panels do not need it."""
    timer = threading.Timer(
        SECONDS_BEFORE_TORCH, importlib.import_module, ["genescribe.inference.describer"]
    )
    timer.daemon = True
    timer.start()
