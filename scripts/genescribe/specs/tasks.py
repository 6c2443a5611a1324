"""Types of tasks, and the answers that can be computed from the very stretch that a model read.

The types, and the way in which answers are written, are GenomicLLM's (Huatsing-Lau/GenomicLLM,
data_utils.py and out/metrics/sample_table_20240118.csv); any model whose spec declares a task of
that name is asked in the same way. Biopython is loaded where an answer is computed, no sooner.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from genescribe.nucleotides import START_CODON, complement, reverse_complement

GC_DIGITS = 3
GC_TOLERANCE = 0.005
"""The most by which a GC content that agrees may be off, however few digits were written."""

_NUMBER = re.compile(r"(\d*\.)?(\d+)\s*(%?)")


class Asked(NamedTuple):
    """The letters that the model read, and what else the asker told it and asked for."""

    sequence: str
    context: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class TaskType:
    """What a task of some name asks about a sequence, whichever model is asked.

    ``exact`` computes the right answer from what was asked, None where it cannot be computed.
    ``difference`` takes a model's answer and the exact one and says in a few words how they
    differ: "" where they agree.
    """

    summary: str
    exact: Callable[[Asked], str | None] | None = None
    difference: Callable[[str, str], str] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A model's answer beside the computed one; ``difference`` is "" where they agree."""

    exact: str
    difference: str

    @property
    def agrees(self) -> bool:
        """Whether the model's answer is right."""
        return not self.difference


def check(task: str, asked: Asked, answer: str) -> Check | None:
    """Compare an answer with the one computed from what was asked.

    None for tasks whose answer cannot be computed, and for tasks that are not in ``TASK_TYPES``.
    """
    kind = TASK_TYPES.get(task)
    if kind is None or kind.exact is None or kind.difference is None:
        return None
    exact = kind.exact(asked)
    return None if exact is None else Check(exact, kind.difference(answer, exact))


def gc_content(asked: Asked) -> str:
    """Return the share of G and C among the unambiguous letters, 0..1 with three decimals."""
    from Bio.SeqUtils import gc_fraction

    return f"{gc_fraction(asked.sequence):.{GC_DIGITS}f}"


def open_reading_frame(asked: Asked) -> str:
    """Return "True" where the letters are one open reading frame from the first to the last.

    That is: ATG, codons that are no stop, a stop codon of the standard code. The repository does
    not define its labels; its published example without ATG is labelled False.
    """
    protein = _translated(asked.sequence)
    ends_once = protein.find("*") == len(protein) - 1
    is_whole = asked.sequence.startswith(START_CODON) and len(asked.sequence) % 3 == 0
    return str(is_whole and ends_once)


def translation(asked: Asked) -> str:
    """Translate from the first letter by the standard code, in three-letter residues.

    A partial codon at the end is left out, and so is a final stop; stops inside read Ter.
    """
    from Bio.SeqUtils import seq3

    return str(seq3(_translated(asked.sequence).removesuffix("*")))


def _translated(sequence: str) -> str:
    """Translate whole codons from the first letter on; stops are ``*``."""
    from Bio.Seq import Seq

    return str(Seq(sequence[: len(sequence) // 3 * 3]).translate())


def stated_fact(asked: Asked) -> str | None:
    """Return what the context, ``key=value, key=value``, says of the key that is asked for."""
    facts = (fact.partition("=") for fact in asked.context.split(","))
    return {key.strip(): value.strip() for key, _, value in facts}.get(asked.question.strip())


def _gc_difference(answer: str, exact: str) -> str:
    """Compare to the digits that the model wrote: 0.38 agrees with 0.377, and so does 37.7 %."""
    found = _NUMBER.search(answer)
    if found is None:
        return "no number"
    whole, digits, percent = found.groups()
    decimals = len(digits) if whole else 0
    value, unit = float(f"{whole or ''}{digits}"), 10.0**-decimals
    if percent or value > 1:
        value, unit = value / 100, unit / 100
    off = abs(value - float(exact))
    tolerance = min(GC_TOLERANCE, max(unit, 10.0**-GC_DIGITS) / 2)
    return "" if off <= tolerance + 1e-9 else f"off by {off:.{GC_DIGITS}f}"


def _label_difference(answer: str, exact: str) -> str:
    """Compare words, whatever their case."""
    is_same = answer.strip(" .").casefold() == exact.casefold()
    return "" if is_same else "another answer"


def _letters_difference(answer: str, exact: str) -> str:
    return _edits("".join(answer.split()).upper(), exact, "letters")


def _residues_difference(answer: str, exact: str) -> str:
    from Bio.SeqUtils import seq1

    return _edits(str(seq1("".join(answer.split()))), str(seq1(exact)), "residues")


def _edits(answer: str, exact: str, what: str) -> str:
    """Count the letters to change, insert or remove (Levenshtein 1966) to get the exact answer."""
    if answer == exact:
        return ""
    from Bio.Align import PairwiseAligner

    aligner = PairwiseAligner(match_score=0, mismatch_score=-1, gap_score=-1)
    # the aligner refuses empty texts
    edits = round(-aligner.score(answer, exact)) if answer and exact else len(answer or exact)
    return f"{edits} edit{'s' if edits > 1 else ''} to {len(exact)} {what}"


TASK_TYPES: dict[str, TaskType] = {
    "biotype": TaskType("is it a protein coding gene?"),
    "description": TaskType("what is the gene's description?"),
    "gc_content": TaskType("share of G and C", gc_content, _gc_difference),
    "direction": TaskType("is it written 5' to 3' (forward) or 3' to 5' (reverse)?"),
    "orf": TaskType(
        "is it an open reading frame, ATG to stop?", open_reading_frame, _label_difference
    ),
    "splice_site": TaskType("is there a donor or acceptor site in its middle?"),
    "promoter": TaskType("is it a promoter?"),
    "enhancer": TaskType("is it an enhancer?"),
    "ocr": TaskType("is it an open chromatin region?"),
    "regulatory": TaskType("is it an enhancer, a promoter or open chromatin?"),
    "tf_binding_site": TaskType("is it a binding site of a transcription factor?"),
    "reverse": TaskType(
        "the letters from last to first", lambda asked: asked.sequence[::-1], _letters_difference
    ),
    "complement": TaskType(
        "the complementary letters",
        lambda asked: complement(asked.sequence),
        _letters_difference,
    ),
    "reverse_complement": TaskType(
        "the other strand, 5' to 3'",
        lambda asked: reverse_complement(asked.sequence),
        _letters_difference,
    ),
    "protein": TaskType("the protein, in three-letter residues", translation, _residues_difference),
    "reading_comprehension": TaskType(
        "a fact that the asker gave with the sequence", stated_fact, _label_difference
    ),
}
"""The types by name of task."""
