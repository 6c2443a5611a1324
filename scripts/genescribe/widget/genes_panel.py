"""The genes panel: all genes of a run, in a table that the browser searches, sorts and pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import traitlets

from genescribe.pages import genes_table
from genescribe.pages.html import asset
from genescribe.widget.controls import heading
from genescribe.widget.session import Session

ROWS = 10
"""Genes on a page, at first."""


class TableView(anywidget.AnyWidget):
    """The table of the report (``pages/genes_table.js``), in a notebook.

    ``genes`` are the packed columns. ``reviews`` are what people decided: gene id to (decision,
    text to write, "" for the model's own). ``query`` says what to show (search, status, biotype,
    seqid, review, score, lift, sort, descending, page, size; all may be left out), ``shown`` which
    genes that gave, as little-endian positions of 4 bytes; None before a browser has drawn it.
    """

    _esm = genes_table.script(asset(__package__, "table.js"))
    _css = genes_table.style() + asset(__package__, "style.css")
    genes = traitlets.Bytes().tag(sync=True)
    reviews = traitlets.Dict().tag(sync=True)
    query = traitlets.Dict({"size": ROWS}).tag(sync=True)
    shown = traitlets.Instance(bytes, allow_none=True).tag(
        sync=True, from_json=lambda value, _: None if value is None else bytes(value)
    )
    selected = traitlets.Unicode("").tag(sync=True)


class GenesPanel:
    """Shows the results; knows which genes the table shows."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.view = TableView()
        self.box = ipywidgets.VBox([heading("Genes"), self.view])
        guard = session.guard
        self.view.observe(guard(self._row_clicked), names=["selected"])
        session.observe(guard(lambda _: self.fill()), names=["results"])
        session.observe(guard(lambda _: self.follow()), names=["gene_id"])
        session.observe(guard(lambda _: self.review()), names=["decisions"])

    @property
    def positions(self) -> Sequence[int]:
        """The genes that the table shows, on all of its pages, in its order."""
        if self.view.shown is None:
            return range(len(self.session.entries))
        shown: list[int] = np.frombuffer(self.view.shown, "<u4").tolist()
        return shown

    def fill(self) -> None:
        """Show new results from their first gene on."""
        with self.view.hold_sync():
            self.view.shown = None
            self.view.query = {"size": self.view.query.get("size", ROWS)}
            self.review()
            self.view.genes = genes_table.packed(self.session.entries)

    def review(self) -> None:
        """Show what was decided."""
        curations = self.session.curations
        self.view.reviews = {
            gene_id: (str(one.decision), one.text) for gene_id, one in curations.items()
        }

    def step(self, step: int) -> None:
        """Select the gene ``step`` rows on."""
        positions, session = self.positions, self.session
        position = session.position.get(session.gene_id)
        there = (positions.index(position) if position in positions else -1) + step
        if 0 <= there < len(positions):
            session.gene_id = session.entries[positions[there]].row.gene_id

    def follow(self) -> None:
        """Mark the row of the gene that is selected now."""
        self.view.selected = self.session.gene_id

    def _row_clicked(self, change: dict[str, Any]) -> None:
        if change["new"] in self.session.position:
            self.session.gene_id = change["new"]
