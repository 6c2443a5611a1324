"""What the panels share: the results on show, the selected gene, and where messages go."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets
from markupsafe import Markup

from genescribe.artifacts.curation import Curation, read_curation, write_curation
from genescribe.doors import NOTEBOOK
from genescribe.errors import GenescribeError, Remedy
from genescribe.files import sole_writer
from genescribe.pipeline.results import Results
from genescribe.report.entries import Entry

log = logging.getLogger(__name__)

CURATION = "curation.tsv"
UNREVIEWED = "not reviewed"


class Session(traitlets.HasTraits):
    """One widget's state; panels observe its traits.

    ``decisions`` counts up whenever something was decided about a gene. ``entries`` are the genes
    of the results in the order of the input, which ``position`` counts; ``curations`` is what
    people decided about them.
    """

    results = traitlets.Instance(Results, allow_none=True)
    gene_id = traitlets.Unicode("")
    decisions = traitlets.Int(0)

    def __init__(self) -> None:
        super().__init__()
        self.message = ipywidgets.HTML()
        self.message.add_class("genescribe-message")
        self.entries: list[Entry] = []
        self.position: dict[str, int] = {}
        self.curations: dict[str, Curation] = {}
        self._working = 0
        self._changed = threading.Condition()

    def say(self, text: str, kind: str = "done") -> None:
        """Show a sentence in the message line; ``kind`` is done, busy or error."""
        role = "alert" if kind == "error" else "status"
        line = Markup('<p role="{}" class="{}">{}</p>').format(role, kind, text)
        self.message.value = str(line)

    def fail(self, error: GenescribeError) -> None:
        """Show an error in the message line."""
        self.say(error.told(NOTEBOOK), "error")

    def guard(self, callback: Callable[..., None]) -> Callable[..., None]:
        """Return the callback with its errors shown; Jupyter alone would swallow them."""

        @functools.wraps(callback)
        def guarded(*args: Any) -> None:
            with self.errors_shown():
                callback(*args)

        return guarded

    @contextmanager
    def errors_shown(self) -> Iterator[None]:
        """Show an error of the block in the message line, as one sentence."""
        try:
            yield
        except GenescribeError as error:
            self.fail(error)
        except MemoryError:
            self.fail(GenescribeError("out of memory", Remedy.MORE_MEMORY))
        except KeyboardInterrupt:
            self.say("the kernel was interrupted; a run goes on until you press “Cancel”", "error")
        except Exception as error:
            log.debug("traceback", exc_info=True)
            problem = f"unexpected {type(error).__name__}: {error}"
            self.fail(GenescribeError(problem, Remedy.REPORT))

    def in_background(self, work: Callable[[], None]) -> None:
        """Do ``work`` in a thread, so that the kernel stays usable; its errors are shown."""

        def count(change: int) -> None:
            with self._changed:
                self._working += change
                self._changed.notify_all()

        def work_and_count() -> None:
            try:
                self.guard(work)()
            finally:
                count(-1)

        count(1)
        threading.Thread(target=work_and_count, name="genescribe", daemon=True).start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no background work is left; tell whether that is so.

        Counted, because a thread whose ``join`` was interrupted counts as ended (Python 3.11).
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._working, timeout)

    def show(self, results: Results) -> None:
        """Put results, and what was decided about them before, on show."""
        self.entries = results.entries
        self.position = {entry.row.gene_id: at for at, entry in enumerate(results.entries)}
        self.curations = {}
        with self.errors_shown():
            kept = read_decisions(results.folder)
            self.curations = {name: one for name, one in kept.items() if name in self.position}
        self.gene_id = ""
        self.results = results
        if results.entries:
            self.gene_id = results.entries[0].row.gene_id

    def decide(self, curation: Curation | None) -> None:
        """Keep a decision about the selected gene in ``curation.tsv``; None takes it back.

        The file is read anew each time: another widget may have written there.
        """
        assert self.results is not None, "no results to decide about"
        folder = self.results.folder
        with sole_writer(folder):
            kept = read_decisions(folder)
            for decisions in (kept, self.curations):
                decisions.pop(self.gene_id, None)
                if curation is not None:
                    decisions[self.gene_id] = curation
            write_curation(folder / CURATION, kept.values())
        self.decisions += 1

    @property
    def entry(self) -> Entry | None:
        """The selected gene."""
        position = self.position.get(self.gene_id)
        return None if position is None else self.entries[position]

    def review_of(self, gene_id: str) -> str:
        """Return the decision about a gene, or that there is none."""
        curation = self.curations.get(gene_id)
        return str(curation.decision) if curation else UNREVIEWED

    def text_of(self, entry: Entry) -> str:
        """Return what the annotation would say: the edited text, or the model's."""
        curation = self.curations.get(entry.row.gene_id)
        return curation.text if curation and curation.text else entry.description.text


def read_decisions(folder: Path) -> dict[str, Curation]:
    """Return what ``curation.tsv`` of a run's folder says of each gene; nothing without one."""
    path = folder / CURATION
    return {one.gene_id: one for one in read_curation(path)} if path.exists() else {}
