"""The genes panel: all genes of a run, one page of them in the browser at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from genescribe.artifacts.curation import Decision
from genescribe.widget.controls import button, heading
from genescribe.widget.session import Session
from genescribe.widget.table import ALL, COLUMNS, UNREVIEWED, Query, turned

HERE = Path(__file__).parent
LABEL = {"description_width": "5.5rem"}


class TableView(anywidget.AnyWidget):
    """One page of the table; ``page`` goes to the browser, clicks come back in the others."""

    _esm = HERE / "table.js"
    _css = HERE / "style.css"
    page = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    sort_clicks = traitlets.List(["", 0]).tag(sync=True)


class GenesPanel:
    """Search, filters, sorting and paging happen in the kernel."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.query = Query()
        self.positions: list[int] = []
        self.number = 0
        self.view = TableView()
        self.search = ipywidgets.Text(
            description="Search",
            placeholder="words in any column",
            continuous_update=True,
            style=LABEL,
            layout={"width": "auto"},
        )
        self.filters = {
            name: self._filter(name) for name in ("status", "biotype", "contig", "review")
        }
        self.min_score = self._least("Score from", 0.0, 1.0)
        self.min_lift = self._least("Lift from", -5.0, 20.0)
        self.size = ipywidgets.Dropdown(
            options=[10, 25, 50, 100], value=10, description="Rows", style=LABEL,
            layout={"width": "11rem"},
        )  # fmt: skip
        self.count = ipywidgets.HTML()
        self.previous = button(session, "Previous page", "the genes before", lambda: self.turn(-1))
        self.next = button(session, "Next page", "the genes after", lambda: self.turn(1))
        self.box = ipywidgets.VBox(
            [
                heading("Genes"),
                self.search,
                ipywidgets.GridBox(
                    [*self.filters.values(), self.min_score, self.min_lift],
                    layout={"grid_template_columns": "repeat(auto-fit, minmax(15rem, 1fr))"},
                ),
                self.view,
                ipywidgets.HBox([self.previous, self.next, self.count, self.size]),
            ]
        )
        self._observe()

    def _filter(self, name: str) -> ipywidgets.Dropdown:
        return ipywidgets.Dropdown(
            options=[("all", ALL)], value=ALL, description=name.capitalize(), style=LABEL,
            layout={"width": "auto"},
        )  # fmt: skip

    def _least(self, label: str, low: float, high: float) -> ipywidgets.BoundedFloatText:
        return ipywidgets.BoundedFloatText(
            value=low, min=low, max=high, step=0.1, description=label, style=LABEL,
            layout={"width": "auto"},
        )  # fmt: skip

    def _observe(self) -> None:
        guard = self.session.guard
        asked = (self.search, *self.filters.values(), self.min_score, self.min_lift, self.size)
        for control in asked:
            control.observe(guard(lambda _: self.ask()), names=["value"])
        self.view.observe(guard(self._sort_clicked), names=["sort_clicks"])
        self.view.observe(guard(self._row_clicked), names=["selected"])
        self.session.observe(guard(lambda _: self.fill()), names=["results"])
        self.session.observe(guard(lambda _: self.follow()), names=["gene_id"])
        self.session.observe(guard(lambda _: self.ask(stay=True)), names=["decisions"])

    def fill(self) -> None:
        """Offer the filters of new results, and show the first page."""
        table = self.session.table
        values = {
            "status": table.choices(lambda entry: entry.description.status),
            "biotype": table.choices(lambda entry: entry.row.biotype),
            "contig": table.choices(lambda entry: entry.row.seqid),
            "review": [(value, value) for value in (UNREVIEWED, *map(str, Decision))],
        }
        for name, choices in values.items():
            self.filters[name].options = [("all", ALL), *choices]
        self.ask()

    def ask(self, *, stay: bool = False) -> None:
        """Search, filter and sort again; ``stay`` on the page where that is possible."""
        filters, lift = self.filters, self.min_lift.value
        self.query = replace(
            self.query,
            search=self.search.value,
            status=filters["status"].value or ALL,
            biotype=filters["biotype"].value or ALL,
            contig=filters["contig"].value or ALL,
            review=filters["review"].value or ALL,
            min_score=self.min_score.value,
            min_lift=None if lift == self.min_lift.min else lift,
        )
        self.positions = self.session.table.select(self.query)
        self.number = self.number if stay else 0
        self.turn(0)

    def turn(self, step: int) -> None:
        """Show the page ``step`` pages on."""
        size, total = int(self.size.value), len(self.positions)
        last = max(0, (total - 1) // size)
        self.number = min(max(0, self.number + step), last)
        first = self.number * size
        shown = self.positions[first : first + size]
        self.view.page = {
            "columns": [[column.key, column.title] for column in COLUMNS],
            "rows": self.session.table.page(shown),
            "sort": self.query.sort,
            "descending": self.query.descending,
        }
        self.previous.disabled, self.next.disabled = self.number == 0, self.number == last
        of = len(self.session.table.entries)
        span = f"{first + 1:,}-{first + len(shown):,}" if shown else "none"
        self.count.value = f'<span role="status">{span} of {total:,} (all genes: {of:,})</span>'

    def step(self, step: int) -> None:
        """Select the gene ``step`` rows on, and show its page."""
        position = self.session.table.position.get(self.session.gene_id)
        here = self.positions.index(position) if position in self.positions else -1
        there = here + step
        if 0 <= there < len(self.positions):
            entry = self.session.table.entries[self.positions[there]]
            self.session.gene_id = entry.row.gene_id
            self.turn(there // int(self.size.value) - self.number)

    def follow(self) -> None:
        """Mark the row of the gene that is selected now."""
        self.view.selected = self.session.gene_id

    def _row_clicked(self, change: dict[str, Any]) -> None:
        if change["new"] in self.session.table.position:
            self.session.gene_id = change["new"]

    def _sort_clicked(self, change: dict[str, Any]) -> None:
        self.query = turned(self.query, change["new"][0])
        self.ask()
