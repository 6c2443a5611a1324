"""Making generated text fit for one line of an annotation; knows nothing of GFF or GTF."""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

MICRO_SIGN = "\N{MICRO SIGN}"  # NFKC makes it a Greek mu, which would then be spelled out
_GREEK = re.compile(r"GREEK (?P<case>SMALL|CAPITAL) LETTER (?:FINAL )?(?P<name>[A-Z]+)\b")
_UNPRINTABLE = frozenset({"Cc", "Cs"})  # Unicode: control characters and lone surrogates


def flatten(text: str) -> str:
    """Return ``text`` on one line: runs of white space become one space, controls are removed."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    kept = (char for char in line if unicodedata.category(char) not in _UNPRINTABLE)
    return " ".join("".join(kept).split())


def fold_to_ascii(text: str) -> str:
    """Return the closest ASCII: NFKC, Greek letters spelled out, the rest transliterated."""
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFKC", text.replace(MICRO_SIGN, "u"))
    return flatten(anyascii("".join(_spell_greek(char) for char in composed)))


def _spell_greek(char: str) -> str:
    """Return ``alpha`` for a small and ``Alpha`` for a capital alpha, as nomenclature does."""
    letter = None if char.isascii() else _GREEK.match(unicodedata.name(char, ""))
    if letter is None:
        return char
    name = letter["name"].replace("LAMDA", "LAMBDA")  # the character's name in Unicode
    return name.lower() if letter["case"] == "SMALL" else name.capitalize()
