"""What the panels share: the results on show, the selected gene, and where messages go."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets
import traitlets
from markupsafe import Markup

from genescribe.artifacts.curation import Curation, read_curation, write_curation
from genescribe.doors import NOTEBOOK
from genescribe.errors import GenescribeError, Remedy
from genescribe.files import sole_writer
from genescribe.pipeline.results import Results
from genescribe.widget.reviewed import ReviewedGenes

log = logging.getLogger(__name__)


class Session(traitlets.HasTraits):
    """One widget's state; panels observe its traits.

    ``decisions`` counts up whenever something was decided about a gene.
    """

    results = traitlets.Instance(Results, allow_none=True)
    gene_id = traitlets.Unicode("")
    decisions = traitlets.Int(0)

    def __init__(self) -> None:
        super().__init__()
        self.message = ipywidgets.HTML()
        self.message.add_class("genescribe-message")
        self.reviewed = ReviewedGenes([], {})
        self._background: list[threading.Event] = []

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
        finished = threading.Event()

        def work_and_tell() -> None:
            try:
                self.guard(work)()
            finally:
                finished.set()

        self._background = [one for one in self._background if not one.is_set()] + [finished]
        threading.Thread(target=work_and_tell, name="genescribe", daemon=True).start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no background work is left; tell whether that is so.

        Events, because a thread whose ``join`` was interrupted counts as ended (Python 3.11).
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while running := [one for one in self._background if not one.is_set()]:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            running[0].wait(left)
        return True

    def show(self, results: Results) -> None:
        """Put results, and what was decided about them before, on show."""
        path = results.folder / "curation.tsv"
        curations: list[Curation] = []
        with self.errors_shown():
            curations = read_curation(path) if path.exists() else []
        known = {entry.row.gene_id for entry in results.entries}
        self.reviewed = ReviewedGenes(
            results.entries, {one.gene_id: one for one in curations if one.gene_id in known}
        )
        self.gene_id = ""
        self.results = results
        if results.entries:
            self.gene_id = results.entries[0].row.gene_id

    def decide(self, curation: Curation | None) -> None:
        """Keep a decision about the selected gene in ``curation.tsv``; None takes it back.

        The file is read anew each time: another widget may have written there.
        """
        assert self.results is not None, "no results to decide about"
        path = self.results.folder / "curation.tsv"
        with sole_writer(self.results.folder):
            kept = {one.gene_id: one for one in read_curation(path)} if path.exists() else {}
            kept.pop(self.gene_id, None)
            if curation is not None:
                kept[self.gene_id] = curation
            write_curation(path, kept.values())
        self.reviewed.decide(self.gene_id, curation)
        self.decisions += 1
