"""What a product name says: its words in one spelling, parts, symbols, EC numbers, and hedges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from genescribe.corpus.texts import is_informative
from genescribe.evaluation.names.phrases import PHRASES
from genescribe.evaluation.names.vocabulary import (
    AMINO_ACIDS,
    CHAPERONES,
    CODES,
    FAMILIES,
    FAMILY,
    FILLERS,
    GENERIC,
    GREEK,
    GREEK_NAMES,
    HEDGE,
    ISOTYPES,
    NOISE,
    ROLES,
    ROMAN,
    WORDS,
)

_EC = re.compile(r"\(?\bEC[:= ]*((?:\d+|-)(?:\.(?:n?\d+|-)){1,3})\)?", re.IGNORECASE)
_SYMBOL = re.compile(
    r"\b(?:[A-Za-z][a-z]{2}[A-Z]{1,2}\d{0,2}[A-Z]?|[A-Z][a-z]{2}\d{1,3}p?|[a-z]{3}[A-Z]\d?)\b"
    r"(?!-?(?:like|type|family|related| family|/\w+ family| type| superfamily|RNA| domain|-family))"
)
_LAST_WORD = re.compile(r"(?<=[a-z] )([A-Z][a-z]{2})$")
_NOT_SYMBOLS = {"hisa", "kda", "phe", "coa", "ccoa", "acpp", "uvrabc", "ssurna"}
_ID = re.compile(r"^\S*(?:[|.]\S*\d|\d{4,})\S*$")
_LABEL = r"([a-z]{0,3}\d+[a-z]?|[a-z]|" + "|".join(sorted(GREEK_NAMES)) + "|"
_LABEL += "|".join(sorted(ROMAN, key=len, reverse=True)) + r")('*)"
_PARTS = (
    rf"\b(?:subunit|chain|component|polypeptide|sub-unit)s?[ -]+{_LABEL}(?=$|[ ,;)/])",
    rf"(?:(?<=[ ,(-])|^){_LABEL}[ -]*(?:subunit|chain|component|polypeptide)\b",
    rf"(?<=ase|ein) {_LABEL}$",
)
"""Designations of subunits, behind the word or before it, or at the end of a name."""
_SYMBOL_PART = re.compile(r"\b(?:subunit|chain) [a-z]{3}([a-z])\d*\b|\b[a-z]{3}([a-z]) subunit\b")
_RIBOSOMAL = re.compile(
    r"(?:\b(?:[1-6]\ds|[ls]su|large|small|mitochondrial|chloroplast|plastid|cytosolic|archaeal)\b "
    r"?)*(?:ribosomal )?(?:subunit )?(?:ribosomal )?protein[s]? (?:subunit )?"
    r"(?:rp)?([ubeam]?[ls])(\d+)(ae|[aep]?)\b"
)
_TRNA = re.compile(r"\btrna[- (]*([a-z]{3,4})\b|\btransfer rna[- (]*([a-z]{3,4})\b|"
                   r"\b([a-z]{3,13})[- ](?:trna|transfer rna)\b")  # fmt: skip
_LOCANT = re.compile(r"[noc]?\d+'*")
_ASIDE = re.compile(r" \((?![^)]*(?:family|subunit|component|chain|type|like))[A-Za-z][^()]{3,}\)")
_ABBREVIATION = re.compile(r" \([A-Z]{2,4}(?:-?\d)?\)")
_WORD = re.compile(r"[a-z0-9+]+(?:'+(?=\W|$))?")
_EUKARYOTIC = re.compile(r"\b(60s|40s|eukaryot)")


@dataclass(frozen=True, slots=True)
class Name:
    """A product name, read.

    ``words`` are its content words in one spelling, ``joined`` all of them in their order;
    ``numbers`` its serial numbers, ``locants`` those of chemistry; ``parts`` the designations of
    subunits ("alpha", "2"); ``isotypes`` amino acids of a tRNA or of
    what charges it; ``is_family`` where it names a family, of which this is any member.
    """

    words: frozenset[str]
    joined: str
    numbers: frozenset[str]
    locants: frozenset[str]
    parts: frozenset[str]
    isotypes: frozenset[str]
    symbols: frozenset[str]
    ec: frozenset[str]
    is_hedged: bool
    is_family: bool
    is_informative: bool

    @property
    def key(self) -> str:
        """What says the same as this name, as one string: for tables of synonyms."""
        return " ".join(
            [*sorted(self.words), *sorted(self.locants), *sorted(self.numbers | self.parts)]
        )

    @property
    def specific(self) -> frozenset[str]:
        """Words that tell one function from others."""
        return self.words - GENERIC


@lru_cache(maxsize=100_000)
def read(text: str) -> Name:
    """Read a product name; never fails."""
    ec = frozenset(number for number in _EC.findall(text) if "-" not in number)
    plain = _ABBREVIATION.sub("", _EC.sub(" ", text))
    symbols = frozenset(
        found.lower().removesuffix("p") if found[-1] == "p" else found.lower()
        for found in [*_SYMBOL.findall(plain), *_LAST_WORD.findall(plain.strip())]
        if found.lower() not in _NOT_SYMBOLS and found.lower() not in CODES
    )
    bare = plain.strip()
    informative = bool(bare) and is_informative(bare) and not _ID.match(bare)
    lower = _spelled(plain)
    is_hedged = bool(HEDGE.search(lower))
    lower = HEDGE.sub(" ", lower)
    is_family = bool(FAMILY.search(lower))
    lower = FAMILY.sub(" ", lower)
    for pattern, new in PHRASES:
        lower = pattern.sub(new, lower)
    symbols |= CHAPERONES & set(_WORD.findall(lower))
    ribosomal = _RIBOSOMAL.search(lower)
    if ribosomal and ("ribosom" in lower or ribosomal[1][0] in "ub"):
        lower = _ribosomal_name(lower, ribosomal)
    parts, lower = _parts(lower, symbols)
    isotypes = _isotypes(lower)
    words, numbers, locants = _words(lower, symbols)
    if ROLES & set(words):
        words = [word for word in words if word not in ("abc", "transporter")]
    return Name(
        words=frozenset(words),
        joined="".join(words),
        numbers=frozenset(numbers),
        locants=frozenset(locants),
        parts=parts,
        isotypes=isotypes,
        symbols=symbols,
        ec=ec,
        is_hedged=is_hedged,
        is_family=is_family or bool(FAMILIES & set(words)),
        is_informative=informative,
    )


def without_aside(text: str) -> str:
    """Return a name without what it says in parentheses: another name, mostly."""
    return _ASIDE.sub("", text)


def _spelled(text: str) -> str:
    """Return a text in lower case, letters of the alphabet for others, without noise."""
    lower = "".join(GREEK.get(letter, letter) for letter in text.lower())
    lower = NOISE.sub(" ", lower.replace("_", " "))
    return re.sub(r"\s+", " ", lower).strip(" ;,.")


def _ribosomal_name(text: str, found: re.Match[str]) -> str:
    """Return the name with its ribosomal protein spelled one way: "ribosomal protein l22".

    What RAST puts in parentheses is the number of the eukaryotic relative. Eukaryotes number
    theirs in their own way, so that 60S L22 is not 50S L22 (Ban et al. 2014).
    """
    letter, number = found[1][-1], int(found[2])
    is_euk = _EUKARYOTIC.search(text) or found[1][0] == "e" or found[3].endswith("e")
    style = "euk" if is_euk else ""
    rest = re.sub(r"\([ls]\d+[a-z]*\)", "", text[: found.start()] + " " + text[found.end() :])
    rest = re.sub(r"\b(ribosomal|subunit|[1-6]\ds|[ls]su)\b", "", rest)
    return f"ribosomal {style}{letter}{number}{found[3].strip('ep')} {rest}".strip()


def _parts(text: str, symbols: frozenset[str]) -> tuple[frozenset[str], str]:
    """Return the designations of subunits, and the text without them."""
    for pattern in _PARTS:
        found = re.findall(pattern, text)
        if found:
            labels = {ROMAN.get(label, label) + primes for label, primes in found}
            return frozenset(labels), re.sub(pattern, " ", text)
    named = _SYMBOL_PART.search(text)
    if named and any(symbol in named[0] for symbol in symbols):
        return frozenset({named[1] or named[2]}), text
    return frozenset(), text


def _isotypes(text: str) -> frozenset[str]:
    found = [one for match in _TRNA.findall(text) for one in match if one]
    named = {CODES.get(one) or AMINO_ACIDS.get(one) or one for one in found}
    return frozenset(named & ISOTYPES)


def _words(text: str, symbols: frozenset[str]) -> tuple[list[str], set[str], set[str]]:
    """Return content words in their order, serial numbers, and locants ("3-hydroxy", "N(6)")."""
    words: list[str] = []
    numbers: set[str] = set()
    locants: set[str] = set()
    for match in _WORD.finditer(text):
        found = match[0]
        if found in symbols or found.removesuffix("p") in symbols:
            continue
        if _LOCANT.fullmatch(found):
            before, after = text[: match.start()][-1:], text[match.end() :][:1]
            is_serial = after in ("", " ", ";", "/", ":") or (before in ("", " ") and after == ",")
            (numbers if is_serial and found.isdecimal() else locants).add(found.strip("noc'"))
            continue
        word = WORDS.get(found, found)
        word = AMINO_ACIDS.get(word, word)
        is_apart = f" {found} " in f" {text.replace(',', ' ')} "
        if word in ROMAN and (len(word) > 1 or (word == "i" and is_apart)):
            numbers.add(ROMAN[word])
        elif word and word not in FILLERS:
            words.append(_singular(word))
    return words, numbers, locants


def _singular(word: str) -> str:
    is_plural = len(word) > 4 and word.endswith("s") and word[-2] not in "sui"
    return word[:-1] if is_plural else word
