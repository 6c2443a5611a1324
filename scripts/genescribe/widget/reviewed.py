"""The genes of a run, with what people decided about them."""

from __future__ import annotations

from collections.abc import Mapping

from genescribe.artifacts.curation import Curation
from genescribe.report.entries import Entry

UNREVIEWED = "not reviewed"


class ReviewedGenes:
    """All genes of a run, in the order of the input, which ``position`` counts."""

    def __init__(self, entries: list[Entry], curations: Mapping[str, Curation]) -> None:
        self.entries = entries
        self.curations = dict(curations)
        self.position = {entry.row.gene_id: number for number, entry in enumerate(entries)}

    def decide(self, gene_id: str, curation: Curation | None) -> None:
        """Note a decision, or that there is none any more."""
        if curation is None:
            self.curations.pop(gene_id, None)
        else:
            self.curations[gene_id] = curation

    def review_of(self, gene_id: str) -> str:
        """Return the decision about a gene, or that there is none."""
        curation = self.curations.get(gene_id)
        return str(curation.decision) if curation else UNREVIEWED

    def text_of(self, entry: Entry) -> str:
        """Return what the annotation would say: the edited text, or the model's."""
        curation = self.curations.get(entry.row.gene_id)
        return curation.text if curation and curation.text else entry.description.text
