"""The export panel: what was reviewed, or the genes on show, as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets

from genescribe.artifacts.curation import curate
from genescribe.artifacts.descriptions import write_descriptions, write_descriptions_tsv
from genescribe.artifacts.run_record import to_json
from genescribe.errors import InputError
from genescribe.pipeline.results import Results
from genescribe.records import Description
from genescribe.report.entries import Entry
from genescribe.widget import igv
from genescribe.widget.controls import button, heading
from genescribe.widget.genes_panel import GenesPanel
from genescribe.widget.session import Session, read_decisions

NOTE = (
    "Files go to the folder “export” of the output folder. The review is applied to all of them; "
    "what the run itself wrote stays as it is."
)


class ExportPanel:
    """Writes GFF3 and report of all genes, TSV and JSON lines of the genes on show."""

    def __init__(self, session: Session, genes: GenesPanel) -> None:
        self.session = session
        self.genes = genes
        buttons = [
            button(session, "GFF3", "the whole annotation", self._later(self.write_gff3)),
            button(session, "TSV", "the genes that the table shows", self._later(self.write_tsv)),
            button(
                session, "JSONL", "the genes that the table shows", self._later(self.write_jsonl)
            ),
            button(session, "Report", "the whole report, HTML", self._later(self.write_report)),
        ]
        self.browser = ipywidgets.Output()
        if igv.is_installed():
            buttons.append(button(session, "IGV", "show the gene in IGV", self.show_browser))
        self.box = ipywidgets.VBox(
            [heading("Export"), ipywidgets.HTML(NOTE), ipywidgets.HBox(buttons), self.browser]
        )

    @property
    def results(self) -> Results:
        """The results on show; raises InputError where there are none."""
        if self.session.results is None:
            raise InputError("nothing to export yet; run first")
        return self.session.results

    def path(self, ending: str) -> Path:
        """Return the file to write."""
        return self.results.folder / "export" / f"{self.results.name}{ending}"

    def write_gff3(self) -> Path:
        """Decorate the annotation with what the review left."""
        from genescribe.genome.decoration.decorate import decorate

        results, out = self.results, self.path(".gff3")
        decorate(results.annotation, self._curated(results.entries), out, results.decorate)
        return out

    def write_tsv(self) -> Path:
        """Write the genes on show as a table."""
        shown, out = self._shown(), self.path(".tsv")
        rows = [entry.row for entry in shown]
        write_descriptions_tsv(out, rows, self._curated(shown))
        return out

    def write_jsonl(self) -> Path:
        """Write the descriptions of the genes on show."""
        shown, out = self._shown(), self.path(".jsonl")
        write_descriptions(out, self._curated(shown).values())
        return out

    def write_report(self) -> Path:
        """Write the report of all genes, and their line for MultiQC."""
        from genescribe.report import build_report, write_multiqc

        results, out = self.results, self.path(".html")
        rows, curated = [entry.row for entry in results.entries], self._curated(results.entries)
        build_report(rows, curated, run=to_json(results.record), title=results.name, out=out)
        write_multiqc(rows, curated, sample=results.name, out=out.with_name("genescribe_mqc.tsv"))
        return out

    def show_browser(self) -> None:
        """Show the selected gene in an IGV below the panel."""
        entry = self.session.entry
        if entry is None:
            raise InputError("choose a gene first")
        self.browser.clear_output()
        with self.browser:
            igv.show(self.results, entry.row)

    def _shown(self) -> list[Entry]:
        return [self.session.entries[number] for number in self.genes.positions]

    def _curated(self, entries: list[Entry]) -> dict[str, Description]:
        written = {entry.row.gene_id: entry.description for entry in entries}
        decisions = read_decisions(self.results.folder).values()
        return curate(written, [one for one in decisions if one.gene_id in written])

    def _later(self, write: Callable[[], Path]) -> Callable[[], None]:
        def work() -> None:
            self.session.say("Writing.", "busy")
            self.session.say(f"Written: {write().absolute()}")

        return lambda: self.session.in_background(work)
