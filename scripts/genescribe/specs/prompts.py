"""Prompts: what a language model is told around a sequence, and how a conversation goes on.

Importing this module loads neither torch nor transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import model_validator

from genescribe.keys import Keys, Text, checked, key, wrong

FIELDS = frozenset({"sequence", "question", "organism", "biotype", "context"})
"""What a template may name. ``context`` is what else the asker tells of the gene."""

TURN_FIELDS = frozenset({"answer", "question"})
"""What ``PromptVariant.turn`` may name."""

MARKER = "\ue000"
"""Stands for the sequence while a chat template is rendered; a private-use code point."""

ChatTemplate = Callable[[list[dict[str, str]]], str]
"""Messages (``role``, ``content``) in, the prompt's text with the generation prompt out."""


class Turn(NamedTuple):
    """One question about a gene and what the model answered."""

    question: str
    answer: str


def template_fields(template: str) -> list[str]:
    """Return the names in braces, in order; ValueError for unbalanced braces."""
    return [name for _, name, _, _ in Formatter().parse(template) if name is not None]


def check_template(template: str) -> None:
    """Raise ValueError, saying what is allowed, unless ``render`` can fill the template."""
    names = template_fields(template)
    unknown = sorted(set(names) - FIELDS)
    if unknown:
        allowed = ", ".join(f"{{{name}}}" for name in sorted(FIELDS))
        raise ValueError(f"unknown field {{{unknown[0]}}}; allowed are {allowed}")
    if names.count("sequence") != 1:
        raise ValueError("needs {sequence} exactly once: the place where the model reads the gene")


def check_turn(turn: str) -> None:
    """Raise ValueError unless ``turn`` has each of its two fields once and no other."""
    if sorted(template_fields(turn)) != sorted(TURN_FIELDS):
        raise ValueError("needs {answer} and {question} once each and no other field")


Template = Annotated[Text, checked(check_template)]


class PromptVariant(Keys):
    """One way to ask a model."""

    id: Text = key("names the prompt beside every text; an edited one gets another")
    template: Template = key(
        "the text around {sequence}; also {question}, {organism}, {biotype}, {context}"
    )
    turn: Annotated[str, checked(check_turn)] | None = key(
        "what follows an answered prompt when another question is asked, with {answer} and "
        "{question}; left out where the model cannot chat",
        None,
    )
    bos: Literal["one", "segments", "none"] = key(
        "where the beginning-of-sequence token stands: once at the start, before each of the "
        "two segments around the sequence, or nowhere",
        "one",
    )
    chat_template: bool = key(
        "whether the template is the user's first message, and the tokenizer's own chat "
        "template makes the rest, turns and beginning-of-sequence token included",
        False,
    )
    system: Text | None = key("the system's message, for a chat template", None)

    @model_validator(mode="after")
    def _check_chat(self) -> Self:
        if self.system is not None and not self.chat_template:
            rule = "only with chat_template: true; else write it into the template"
            raise wrong(rule, "system")
        if self.turn is not None and self.chat_template:
            rule = "the tokenizer's chat template makes further turns; leave it out"
            raise wrong(rule, "turn")
        return self

    @property
    def can_chat(self) -> bool:
        """Whether a second question can follow the first."""
        return self.chat_template or self.turn is not None

    @property
    def asks(self) -> bool:
        """Whether the template has a place for a question."""
        return "question" in template_fields(self.template)

    @property
    def tells_organism(self) -> bool:
        """Whether the template has a place for the organism's name."""
        return "organism" in template_fields(self.template)


class Prompts(Keys):
    """The ways to ask a model, and the one that is selected; one alone stands for a table of it."""

    variant: Text = key("which of the variants is used unless another is chosen")
    variants: dict[Text, PromptVariant] = key("prompts by their names", min_length=1)

    @property
    def selected(self) -> PromptVariant:
        """The prompt that is used."""
        return self.variants[self.variant]

    def with_selected(self, prompt: PromptVariant) -> Prompts:
        """Return the same ways to ask with another text in the selected one's place."""
        return self.model_copy(update={"variants": {**self.variants, self.variant: prompt}})

    @model_validator(mode="before")
    @classmethod
    def _name_one(cls, content: Any) -> Any:
        if isinstance(content, Mapping) and "variants" in content:
            alone = sorted(PromptVariant.keys().keys() & content)
            if alone:
                raise wrong("with variants, give it inside each variant", alone[0])
            return content
        if isinstance(content, Mapping):
            if not {"id", "template"} <= content.keys():
                raise wrong("give id and template, or variant and variants")
            content = PromptVariant.model_validate(content)
        if isinstance(content, PromptVariant):
            return {"variant": "default", "variants": {"default": content}}
        return content

    @model_validator(mode="after")
    def _check_variant(self) -> Self:
        if self.variant not in self.variants:
            known = ", ".join(self.variants)
            raise wrong(f"{self.variant!r} is none of the variants: {known}", "variant")
        return self


def render(
    variant: PromptVariant,
    fields: Mapping[str, str],
    history: Sequence[Turn] = (),
    chat_template: ChatTemplate | None = None,
) -> tuple[str, str]:
    """Return the prompt's text before and after the sequence.

    ``fields`` gives every field of the template but ``sequence``; its ``question`` is the one
    that is asked now. ``history`` are the earlier turns about the same sequence, oldest first.
    ``chat_template`` is needed where the variant says so: usually the tokenizer's
    ``apply_chat_template`` with ``tokenize=False`` and ``add_generation_prompt=True``.
    Raises ValueError for history of a variant that cannot chat, or for a chat template that
    does not keep the sequence exactly once.
    """
    if history and not variant.can_chat:
        raise ValueError(f"prompt {variant.id} takes one question only; it has no turn")
    values = {name: value.replace(MARKER, "") for name, value in fields.items()}
    history = [Turn(*(text.replace(MARKER, "") for text in turn)) for turn in history]
    questions = [turn.question for turn in history] + [values.get("question", "")]
    first = variant.template.format(**{**values, "question": questions[0], "sequence": MARKER})
    if not variant.chat_template:
        text = first
        for turn, question in zip(history, questions[1:], strict=True):
            text += (variant.turn or "").format(answer=turn.answer, question=question)
    elif chat_template is None:
        raise ValueError(f"prompt {variant.id} needs the tokenizer's chat template")
    else:
        text = chat_template(_messages(variant, first, history, questions[1:]))
    before, marker, after = text.partition(MARKER)
    if not marker or MARKER in after:
        raise ValueError(f"prompt {variant.id}: the rendered text has not one place for the gene")
    return before, after


def _messages(
    variant: PromptVariant, first: str, history: Sequence[Turn], questions: Sequence[str]
) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": variant.system}] if variant.system else []
    messages.append({"role": "user", "content": first})
    for turn, question in zip(history, questions, strict=True):
        messages.append({"role": "assistant", "content": turn.answer})
        messages.append({"role": "user", "content": question})
    return messages
