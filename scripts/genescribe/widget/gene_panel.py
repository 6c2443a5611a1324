"""The gene panel: one gene, what the model wrote about it, and what it read for that."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets
from markupsafe import Markup

from genescribe.errors import GenescribeError
from genescribe.genome.annotation import read_annotation
from genescribe.pipeline.results import Results
from genescribe.records import Gene
from genescribe.report.entries import REASON_MEANING, Entry
from genescribe.specs.spec import load_spec
from genescribe.widget.controls import button, facts, heading
from genescribe.widget.session import Session
from genescribe.widget.structure import draw


class GenePanel:
    """Shows the selected gene; its structure is drawn once the annotation has been read."""

    def __init__(self, session: Session, step: Callable[[int], None]) -> None:
        self.session = session
        self.genes: dict[str, Gene] = {}
        self.loaded: Results | None = None
        self.title = heading("Gene")
        self.drawing = ipywidgets.HTML()
        self.words = ipywidgets.HTML()
        self.prompt = ipywidgets.HTML()
        show = button(session, "Prompt and model", "show what the model was told", self.show_prompt)
        self.box = ipywidgets.VBox(
            [
                self.title,
                ipywidgets.HBox(
                    [
                        button(session, "Previous gene", "the row above", lambda: step(-1)),
                        button(session, "Next gene", "the row below", lambda: step(1)),
                        show,
                    ]
                ),
                self.words,
                self.drawing,
                self.prompt,
            ]
        )
        session.observe(session.guard(lambda _: self.fill()), names=["gene_id", "decisions"])

    def fill(self) -> None:
        """Show the selected gene."""
        entry = self.session.entry
        self.prompt.value = ""
        if entry is None:
            self.title.value, self.words.value, self.drawing.value = "", "", ""
            return
        row = entry.row
        name = f" ({row.name})" if row.name else ""
        self.title.value = Markup("<h3>Gene {}{}</h3>").format(row.gene_id, name)
        self.words.value = self._words(entry)
        self._draw()

    def _words(self, entry: Entry) -> Markup:
        row, written = entry
        text = self.session.text_of(entry)
        edited = text != written.text
        kind = "score" if written.calibrated else "score (not calibrated)"
        return Markup('<p class="prose">{}</p>{}').format(
            text or "no text",
            facts(
                [
                    ("what this is", "edited by a person" if edited else "a model’s prediction"),
                    ("the model wrote", written.text if edited else ""),
                    ("product in the input", row.product or "none given"),
                    (
                        "status",
                        f"{written.status} {str(written.reason).replace('_', ' ')}".strip(),
                    ),
                    ("why", REASON_MEANING.get(written.reason, "")),
                    (kind, "" if written.score is None else f"{written.score:.3f}"),
                    (
                        "lift",
                        "" if written.lift is None else f"{written.lift:.3f} nats per token",
                    ),
                    ("review", self.session.review_of(row.gene_id)),
                    ("place", f"{row.seqid}:{row.start + 1:,}-{row.end:,} ({row.strand})"),
                    ("biotype", row.biotype),
                    ("transcripts", f"{row.transcripts}; read: {row.transcript_id or 'the gene'}"),
                    ("exons of that", str(row.exons)),
                    ("sequence read", f"{row.view}, {row.length:,} nt" if row.length else ""),
                    ("not read", f"{row.truncated:,} nt at the 3′ end" if row.truncated else ""),
                    ("GC content", f"{row.gc:.1%}" if row.length else ""),
                    ("model", written.model),
                ]
            ),
        )

    def _draw(self) -> None:
        if self.loaded is not self.session.results:
            self.loaded, self.genes = self.session.results, {}
            self.drawing.value = "<p>reads the annotation to draw the gene</p>"
            results = self.session.results
            if results is not None:
                self.session.in_background(lambda: self._load(results))
            return
        gene = self.genes.get(self.session.gene_id)
        self.drawing.value = draw(gene) if gene else ""

    def _load(self, results: Results) -> None:
        try:
            annotation = read_annotation(results.annotation)
        except GenescribeError as error:
            self.drawing.value = Markup("<p>no drawing: {}</p>").format(error)
            return
        if results is self.loaded:  # and not others that came meanwhile
            self.genes = {gene.gene_id: gene for gene in annotation.genes}
            self._draw()

    def show_prompt(self) -> None:
        """Show what the model is and was told, from its spec; again: hide it."""
        entry, results = self.session.entry, self.session.results
        if self.prompt.value or entry is None or results is None:
            self.prompt.value = ""
            return
        if not entry.description.model:
            self.prompt.value = "<p>No model read this gene.</p>"
            return
        spec = load_spec(entry.description.model.partition("@")[0])
        rows = [
            ("model", entry.description.model),
            ("trained on", spec.trained_on),
            ("licence", spec.license),
            ("prompt", f"{entry.description.prompt}: {spec.prompt.template}"),
            ("organism", results.organism or "not given"),
            ("settings", ", ".join(f"{key} {value}" for key, value in spec.generation.items())),
            ("sha256 of what was read", entry.row.sha256),
        ]
        self.prompt.value = facts(rows)
