"""Whether two product names say the same: a verdict on a prediction, given a reference."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from genescribe.evaluation.names.reading import Name, read, without_aside
from genescribe.evaluation.names.vocabulary import KINDS, ROLES, SOFT

SYNONYMS = Path(__file__).with_name("synonyms.tsv")
LETTERS = {"alpha": "a", "beta": "b", "gamma": "c", "delta": "d", "epsilon": "e"}


class Verdict(StrEnum):
    """What a prediction is, compared with a reference."""

    SAME = "same"
    LESS_PRECISE = "less precise"
    MORE_PRECISE = "more precise"
    DIFFERENT = "different"
    UNINFORMATIVE = "uninformative"


def judge(prediction: str, reference: str) -> Verdict:
    """Compare what two names say; ``uninformative`` where either says nothing.

    A name that hedges ("putative") says the same less precisely.
    """
    found = judge_unhedged(prediction, reference)
    hedged = read(prediction).is_hedged - read(reference).is_hedged
    if found == Verdict.SAME and hedged:
        return Verdict.LESS_PRECISE if hedged > 0 else Verdict.MORE_PRECISE
    return found


def is_correct(prediction: str, reference: str) -> bool:
    """Tell whether two names say the same, however sure of it they are."""
    return judge_unhedged(prediction, reference) == Verdict.SAME


@lru_cache(maxsize=100_000)
def judge_unhedged(prediction: str, reference: str) -> Verdict:
    """Compare two names as if both were certain of what they say."""
    one, other = read(prediction), read(reference)
    if not (one.is_informative and other.is_informative):
        return Verdict.UNINFORMATIVE
    if conflict(one, other):
        return Verdict.DIFFERENT
    found = _by_synonyms(one, other) or _by_words(one, other)
    plain = without_aside(prediction), without_aside(reference)
    if found != Verdict.SAME and plain != (prediction, reference):
        is_specific = read(plain[0]).specific and read(plain[1]).specific
        if is_specific and judge_unhedged(*plain) == Verdict.SAME:
            return Verdict.SAME
    return found


def conflict(one: Name, other: Name) -> bool:
    """Tell whether both sides say something exact, and not the same."""
    if _disjoint(one.isotypes, other.isotypes) or _disjoint(one.words & ROLES, other.words & ROLES):
        return True
    if one.ec and other.ec and not one.ec & other.ec:
        classes = [{number.rpartition(".")[0] for number in name.ec} for name in (one, other)]
        if not classes[0] & classes[1] or one.words != other.words:
            return True
    kinds = [{part.isdecimal() for part in _letters(name)} for name in (one, other)]
    if kinds[0] == kinds[1] and _disjoint(_letters(one), _letters(other)):
        return True
    if not (one.locants <= other.locants or other.locants <= one.locants):
        return not _synonyms_of(one) & _synonyms_of(other)
    return _disjoint(_ribosomal(one), _ribosomal(other))


def _disjoint(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other and not one & other)


def _letters(name: Name) -> frozenset[str]:
    """Return designations of subunits, a for alpha; but a and alpha of ATP synthase are two."""
    if {"atp", "synthase"} <= name.words:
        return name.parts
    return frozenset(LETTERS.get(part, part) for part in name.parts)


def _ribosomal(name: Name) -> frozenset[str]:
    if "ribosomal" not in name.words:
        return frozenset()
    return frozenset(word for word in name.words if re.fullmatch(r"(euk)?[ls]\d+a?", word))


@lru_cache(maxsize=1)
def _synonyms() -> dict[str, frozenset[str]]:
    """Return the groups of synonyms that each key belongs to."""
    groups: dict[str, set[str]] = {}
    for line in SYNONYMS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            group, *keys = line.split("\t")
            for key in keys:
                groups.setdefault(key, set()).add(group)
    return {key: frozenset(found) for key, found in groups.items()}


def _synonyms_of(name: Name) -> frozenset[str]:
    """Return the groups of names that say the same as this one, by its words or EC numbers.

    An EC number without group is not of one function ("protein kinase").
    """
    numbers = {f"EC {number}" for number in name.ec}
    return _synonyms().get(name.key, frozenset()) | (numbers & _groups())


@lru_cache(maxsize=1)
def _groups() -> frozenset[str]:
    return frozenset().union(*_synonyms().values())


def _by_synonyms(one: Name, other: Name) -> Verdict | None:
    symbols = [frozenset(f"symbol {symbol}" for symbol in name.symbols) for name in (one, other)]
    groups = _synonyms_of(one), _synonyms_of(other)
    if shared := one.symbols & other.symbols:
        if bool(one.specific) != bool(other.specific) and all(s[0] == "y" for s in shared):
            # symbols in y are given to genes of unknown function: they explain nothing
            return Verdict.MORE_PRECISE if one.specific else Verdict.LESS_PRECISE
        return Verdict.SAME
    is_same = bool(groups[0] & groups[1])
    if not is_same and (symbols[0] & groups[1] or symbols[1] & groups[0]):
        # a symbol may be that of another gene elsewhere, so a word must agree too
        is_same = bool(one.words & other.words) or not (one.words and other.words)
    return (_by_family(one, other) or Verdict.SAME) if is_same else None


def _by_family(one: Name, other: Name) -> Verdict | None:
    """Tell which of two names is that of a family only."""
    if one.is_family == other.is_family or one.ec & other.ec:
        return None
    return Verdict.LESS_PRECISE if one.is_family else Verdict.MORE_PRECISE


def _by_words(one: Name, other: Name) -> Verdict:
    mine, theirs = one.words, other.words
    if one.joined == other.joined != "":
        mine = theirs
    extras = SOFT & (mine - theirs), SOFT & (theirs - mine)
    soft = frozenset() if all(extras) else extras[0] | extras[1]
    facts = [
        (words | name.numbers | _letters(name)) - soft
        for words, name in ((mine, one), (theirs, other))
    ]
    if facts[0] == facts[1] and facts[0]:
        return _of_equal_words(one, other)
    if not mine or not theirs or _disjoint(one.symbols, other.symbols):
        return Verdict.DIFFERENT
    is_generic = not one.specific and not other.specific and mine & theirs
    if is_generic and bool(one.symbols) != bool(other.symbols):
        return Verdict.MORE_PRECISE if one.symbols else Verdict.LESS_PRECISE
    if facts[0] < facts[1] or _is_kind(mine - soft, theirs):
        return Verdict.LESS_PRECISE
    if facts[1] < facts[0] or _is_kind(theirs - soft, mine):
        return Verdict.MORE_PRECISE
    return Verdict.DIFFERENT


def _of_equal_words(one: Name, other: Name) -> Verdict:
    """Weigh what only one of two equal names adds: a family, or a symbol that names the gene."""
    if found := _by_family(one, other):
        return found
    if not one.specific and not one.numbers:
        if bool(one.symbols) != bool(other.symbols):
            return Verdict.MORE_PRECISE if one.symbols else Verdict.LESS_PRECISE
        if _disjoint(one.symbols, other.symbols):
            return Verdict.DIFFERENT
    return Verdict.SAME


def _is_kind(general: frozenset[str], special: frozenset[str]) -> bool:
    """Tell whether all words of ``general`` are said, or implied, by ``special``."""
    for word in general - special:
        kind = KINDS.get(word)
        if kind is None or not any(re.search(kind, one) for one in special):
            return False
    return bool(general and special - general)
