"""The review panel: a person accepts, rejects or edits; kept in ``curation.tsv`` at once."""

from __future__ import annotations

import ipywidgets

from genescribe.artifacts.curation import Curation, Decision
from genescribe.errors import InputError
from genescribe.widget.controls import button, heading, labelled
from genescribe.widget.session import Session


class ReviewPanel:
    """Decides about the selected gene."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.text = labelled(ipywidgets.Textarea, "Text", rows=3)
        self.accept = button(session, "Accept", "the model’s text is right", self.accept_text)
        self.reject = button(session, "Reject", "take the text out", self.reject_text)
        self.edit = button(session, "Save edit", "write the text above instead", self.save_edit)
        self.undo = button(session, "Undo", "take the decision back", self.undo_decision)
        self.state = ipywidgets.HTML()
        self.box = ipywidgets.VBox(
            [
                heading("Review"),
                self.text,
                ipywidgets.HBox([self.accept, self.reject, self.edit, self.undo, self.state]),
            ]
        )
        session.observe(session.guard(lambda _: self.fill()), names=["gene_id", "decisions"])

    def fill(self) -> None:
        """Show the text to judge, and what was decided about it."""
        entry = self.session.entry
        self.text.value = self.session.text_of(entry) if entry else ""
        self.state.value = self.session.review_of(self.session.gene_id) if entry else ""

    def accept_text(self) -> None:
        """Keep the model's text, and write it even where it is uncertain."""
        self._decide(Decision.ACCEPT, self._predicted())

    def reject_text(self) -> None:
        """Take the model's text out of the annotation."""
        self._decide(Decision.REJECT, "")

    def save_edit(self) -> None:
        """Write the text of the field instead of the model's; also where the model wrote none."""
        text = " ".join(self.text.value.split())
        if not text:
            raise InputError("the text is empty; write one, or press “Reject”")
        self._decide(Decision.EDIT, text)

    def undo_decision(self) -> None:
        """Forget what was decided about the gene."""
        self.session.decide(None)
        self.session.say(f"{self.session.gene_id}: not reviewed any more.")

    def _predicted(self) -> str:
        entry = self.session.entry
        if entry is None or not entry.description.text:
            raise InputError("the model wrote no text about this gene; write one and save the edit")
        return entry.description.text

    def _decide(self, decision: Decision, text: str) -> None:
        entry = self.session.entry
        if entry is None:
            raise InputError("choose a gene first")
        if decision is Decision.REJECT:
            self._predicted()
        gene_id, predicted = entry.row.gene_id, entry.description.text
        self.session.decide(Curation(gene_id, decision, text, predicted))
        self.session.say(f"{gene_id}: {decision}, kept in curation.tsv of the output folder.")
