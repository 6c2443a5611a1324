"""Whether a text is correct, by the kind of its question: names, labels, numbers, sequences.

Prose has no such ruler: it is compared by the metrics of ``metrics`` and ``semantic`` only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from genescribe.corpus.records import BIOTYPE, EC_NUMBER, GENE_SYMBOL, PRODUCT_NAME, without_style
from genescribe.evaluation import names

TOLERANCE = 0.01
"""How far a number may be from the reference: 0.45 is 0.46, and not 0.61."""
LABELS = (BIOTYPE, EC_NUMBER, GENE_SYMBOL)
"""Questions that are answered with a label."""
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_SEQUENCE = re.compile(r"[A-Z*]{12,}")


def correct(question: str, references: Sequence[str], text: str) -> float:
    """Return 1 where a text is correct by one of its references, else 0; NaN for prose."""
    asked = without_style(question)
    ruler: Callable[[str, str], bool]
    if asked == PRODUCT_NAME:
        ruler = names.is_correct
    elif asked in LABELS:
        ruler = is_label
    elif all(_NUMBER.fullmatch(one.strip()) for one in references):
        ruler = is_number
    elif all(_SEQUENCE.fullmatch(one.strip()) for one in references):
        ruler = is_sequence
    else:
        return math.nan
    return float(any(ruler(text, one) for one in references))


def is_label(text: str, reference: str) -> bool:
    """Tell whether two labels are one, whatever their case."""
    return text.strip().casefold() == reference.strip().casefold()


def is_number(text: str, reference: str, tolerance: float = TOLERANCE) -> bool:
    """Tell whether a text is a number within ``tolerance`` of the reference."""
    if not _NUMBER.fullmatch(text.strip()):
        return False
    return abs(float(text) - float(reference)) <= tolerance + 1e-9


def is_sequence(text: str, reference: str) -> bool:
    """Tell whether two sequences are the same, whatever their case."""
    return text.strip().upper() == reference.strip().upper()


def identity(text: str, reference: str) -> float:
    """Return the share of letters that agree, place by place, of the longer of two sequences."""
    one, other = text.strip().upper(), reference.strip().upper()
    longest = max(len(one), len(other))
    same = sum(a == b for a, b in zip(one, other, strict=False))
    return same / longest if longest else 0.0
