"""The ask panel: questions about the selected gene, to a model that was made for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets
from markupsafe import Markup

from genescribe.doors import NOTEBOOK
from genescribe.errors import InputError
from genescribe.inference.conversation import Answer, Conversation, check_asks
from genescribe.pipeline.genes import GeneChoice, find_genes
from genescribe.specs.spec import ModelSpec, load_spec, verify
from genescribe.widget.controls import button, heading, labelled, model_choice
from genescribe.widget.session import Session

if TYPE_CHECKING:
    from genescribe.inference.describer import Describer

NOTE = "Answers are predictions of a model and may be wrong."


class AskPanel:
    """A conversation per gene and model; the model is loaded at its first question."""

    def __init__(self, session: Session, device: ipywidgets.Dropdown) -> None:
        self.session = session
        self.device = device
        self.describer: Describer | None = None
        self.conversations: dict[tuple[Path, str, str], Conversation] = {}
        self.turns: dict[tuple[Path, str, str], list[Markup]] = {}
        self.model = model_choice("Model to ask", "tiny")
        self.question = labelled(ipywidgets.Text, "Question", placeholder="What does this gene do?")
        self.ask_button = button(session, "Ask", "ask the model about this gene", self.ask)
        forget = button(session, "Forget", "begin a new conversation about this gene", self.forget)
        self.hint = ipywidgets.HTML()
        self.hint.add_class("genescribe-hint")
        self.log = ipywidgets.HTML()
        self.box = ipywidgets.VBox(
            [
                heading("Ask"),
                self.model,
                self.hint,
                self.question,
                ipywidgets.HBox([self.ask_button, forget]),
                self.log,
            ]
        )
        self.model.observe(session.guard(lambda _: self.fill()), names=["value"])
        session.observe(session.guard(lambda _: self.fill()), names=["gene_id"])
        session.observe(session.guard(lambda _: self.forget_all()), names=["results"])

    @property
    def key(self) -> tuple[Path, str, str]:
        """What a conversation is about, and with whom."""
        folder = self.session.results.folder if self.session.results else Path()
        return folder, self.session.gene_id, str(self.model.value)

    def fill(self) -> None:
        """Show the conversation about the selected gene, or why the model cannot have one."""
        self.hint.value = f'<span class="fine">{NOTE}</span>'
        try:
            asking_spec(str(self.model.value))
        except InputError as error:
            self.hint.value = Markup('<span class="error">{}</span>').format(error.told(NOTEBOOK))
        turns = self.turns.get(self.key, [])
        self.log.value = Markup('<ol class="chat" aria-live="polite">{}</ol>').format(
            Markup("").join(turns)
        )

    def forget(self) -> None:
        """End the conversation about the selected gene."""
        self.conversations.pop(self.key, None)
        self.turns.pop(self.key, None)
        self.fill()

    def forget_all(self) -> None:
        """End all conversations: other results may be about other genes of the same names."""
        self.conversations.clear()
        self.turns.clear()

    def ask(self) -> None:
        """Ask in the background; the answer stands below, marked as a prediction."""
        spec = asking_spec(str(self.model.value))
        if not self.question.value.strip():
            raise InputError("the question is empty; ask something about the gene")
        key, question, device = self.key, self.question.value, str(self.device.value)
        self.ask_button.disabled = True
        self.session.say(f"{spec.name} reads the gene.", "busy")
        self.session.in_background(lambda: self._answer(key, spec, question, device))

    def _answer(
        self, key: tuple[Path, str, str], spec: ModelSpec, question: str, device: str
    ) -> None:
        try:
            if key not in self.conversations:
                self.conversations[key] = self._conversation(key[1], spec, device)
            answer = self.conversations[key].ask(question)
            self.turns.setdefault(key, []).append(_turn(answer, spec))
            self.question.value = ""
            self.session.say(f"{spec.name} answered; its answer is a prediction.")
        finally:
            self.ask_button.disabled = False
            self.fill()

    def _conversation(self, gene_id: str, spec: ModelSpec, device: str) -> Conversation:
        from genescribe.inference.describer import Describer

        results = self.session.results
        assert results is not None, "no results to ask about"
        verify(spec)
        choice = GeneChoice(
            genome=results.genome, annotation=results.annotation, gene_ids=(gene_id,)
        )
        record = find_genes(choice, spec)[0].record
        assert record is not None, "a named gene has a sequence, or InputError was raised"
        if self.describer is None or self.describer.spec != spec or self.describer.device != device:
            self.describer = None  # first give its memory back
            self.describer = Describer(spec, device=device)
        return Conversation(self.describer, record, results.organism)


def asking_spec(name: str) -> ModelSpec:
    """Return the spec with a prompt that takes questions; InputError where it has none."""
    spec = load_spec(name)
    asking = next(
        (variant for variant, prompt in spec.prompts.variants.items() if prompt.asks), None
    )
    if not spec.prompt.asks and asking is not None:
        spec = spec.with_prompt(asking)
    check_asks(spec)
    return spec


def _turn(answer: Answer, spec: ModelSpec) -> Markup:
    """Return a question and its answer, with what a reader must know of it."""
    remarks = ["prediction"]
    if answer.lift is not None and answer.score is not None:
        kind = "score" if spec.calibration else "uncalibrated score"
        remarks += [f"lift {answer.lift:.2f}", f"{kind} {answer.score:.2f}"]
    if answer.reason:
        remarks.append(str(answer.reason).replace("_", " "))
    if answer.truncated:
        remarks.append(f"{answer.truncated:,} nt at the gene’s end were not read")
    if answer.dropped_turns:
        remarks.append(f"oldest turns forgotten for want of room: {answer.dropped_turns}")
    return Markup("<li><strong>{}</strong><br>{}<small>{}</small></li>").format(
        answer.question, answer.text or "(no answer)", ", ".join(remarks)
    )
