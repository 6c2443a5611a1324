"""What is asked about genes, the same for a whole call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genescribe.specs.prompts import Turn
from genescribe.specs.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class DescribeParams:
    """What a caller may choose per run; everything else that decides a text is in the spec.

    ``question`` replaces the spec's; ``history`` are earlier turns about the same gene, and
    ``context`` what else the asker tells of it. Without ``use_sequence`` the model writes from
    what the spec calls "no sequence": what it says out of habit.
    """

    organism: str | None = None
    question: str = ""
    history: tuple[Turn, ...] = ()
    context: str = ""
    use_sequence: bool = True
    batch_tokens: int | None = None

    def told(self, spec: ModelSpec) -> dict[str, Any]:
        """Return what a model's processor is told beside the genes."""
        return {
            "organism": self.organism,
            "question": self.question or spec.question or "",
            "history": self.history,
            "context": self.context,
        }
