"""Conversations: several questions about one gene, each answered with the earlier turns in mind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genescribe.errors import InputError, Remedy
from genescribe.inference.params import DescribeParams
from genescribe.records import Reason, SequenceRecord
from genescribe.specs.prompts import Turn
from genescribe.specs.spec import ModelSpec, list_specs

if TYPE_CHECKING:
    from genescribe.inference.describer import Describer


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered, a prediction, with how far the sequence supports it.

    ``lift`` and ``score`` are those of ``Description``, of this answer given the turns before it;
    None where nothing was written. ``reason`` says why an answer is missing or uncertain.
    ``dropped_turns`` is how many of the oldest turns, and ``truncated`` how many nt at the end of
    the gene, the model did not see for want of room.
    """

    question: str
    text: str
    lift: float | None
    score: float | None
    n_tokens: int
    dropped_turns: int
    truncated: int
    reason: Reason


class Conversation:
    """Questions and answers about one gene; ``turns`` is what was said so far.

    Raises InputError for a model whose prompt has no place for a question.
    """

    def __init__(
        self, describer: Describer, record: SequenceRecord, organism: str | None = None
    ) -> None:
        check_asks(describer.spec)
        self.describer = describer
        self.record = record
        self.organism = organism
        self.turns: list[Turn] = []

    def ask(self, question: str) -> Answer:
        """Answer a question, and remember both for the next one.

        Raises InputError for an empty question, and for a second one where the model's prompt has
        no place for earlier turns.
        """
        question = " ".join(question.split())
        if not question:
            raise InputError("the question is empty; ask something about the gene")
        check_turns(self.describer.spec, len(self.turns) + 1)
        params = DescribeParams(
            organism=self.organism, question=question, history=tuple(self.turns)
        )
        history = self.describer.writer.context.fitting_history(self.record, params)
        written = next(self.describer.describe([self.record], replace(params, history=history)))
        dropped = len(self.turns) - len(history)
        if written.text:
            self.turns.append(Turn(question, written.text))
        return Answer(
            question=question,
            text=written.text,
            lift=written.lift,
            score=written.score,
            n_tokens=written.n_tokens,
            dropped_turns=dropped,
            truncated=written.truncated,
            reason=written.reason,
        )


def check_asks(spec: ModelSpec) -> None:
    """Raise InputError, naming installed models that can, unless the model takes questions."""
    if spec.prompt.asks:
        return
    able = [known.name for known in list_specs() if known.prompt.asks and known.is_installed]
    other = [name for name, prompt in spec.prompts.variants.items() if prompt.asks]
    problem = f"model {spec.name} answers no free questions (prompt {spec.prompt.id})"
    if not other:
        problem += f"; installed models that do: {', '.join(able)}"
    remedies = [Remedy.CHOOSE_PROMPT] * bool(other) + [Remedy.ASK_TASKS] * bool(spec.tasks)
    raise InputError(problem, *remedies, value=next(iter(other), ""))


def check_turns(spec: ModelSpec, questions: int) -> None:
    """Raise InputError for more than one question to a model that cannot take a second."""
    if questions > 1 and not spec.prompt.can_chat:
        raise InputError(
            f"prompt {spec.prompt.id} of model {spec.name} takes one question and no further turns",
            Remedy.ASK_ONE_BY_ONE,
        )
