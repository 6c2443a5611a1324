"""Cleaning what annotations say about genes, and telling what kind of text it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

MAX_NAME_WORDS = 20
MAX_LEAD_WORDS = 14
"""A longer first clause of a description is a sentence, not a name."""
MIN_NOTE_WORDS = 5
MIN_SUMMARY_WORDS = 8
MAX_CATEGORY_WORDS = 6
"""A GenBank ``function`` of more words is a sentence, not a category."""

_SPACES = re.compile(r"\s+")
_NA = re.compile(r"(?:^|[;,]\s*)NA(?=[;,]|$)")
_CLAUSE_ENDS = re.compile(r"(?<=;)\s+|(?<=[\w)\]][a-z0-9)\]]\.)\s+(?=[A-Z])")
_CITATION = re.compile(
    r"\s*[(\[](?:PMID|PubMed|Source|see)\b[^)\]]*[)\]]|\s*See [A-Z][a-z]+ et al.*", re.IGNORECASE
)
_EC = re.compile(r"\s*[(\[]?\bEC[ :=]?\s*((?:\d+|-)(?:\.(?:n?\d+|-)){1,3})[)\]]?")
_EC_NUMBER = re.compile(r"\d+\.\d+\.\d+\.n?\d+")
_COORDINATES = re.compile(r"\s*\[[^\]]*\d{3}[^\]]*\]\s*$")
_OTHER_NAMES = re.compile(r"\s+(?:##|@|>)\s+|(?<=[a-z)]{2}),(?=[A-Za-z]{3}|[DL]-[a-z])")
_PLACE = re.compile(r"^(?:(?:(?:pro)?phage [\w-]+|skin element|\w+ mobile element)[;:] |\S+~)")
"""Where a gene lies or its id, before what it is: "phage PBSX; holin", "tW(CCA)J~Trp tRNA"."""
_WORDS = re.compile(r"[A-Za-z]+")

_UNKNOWN = re.compile(
    r"\bhypothetical(?: conserved)? (?:protein|gene|orf)\b(?! (?:that|which|involved|required))"
    r"|^(?:conserved )?hypothetical$|^[35]' end based on\b"
    r"|\b(?:of|with) unknown function\b|\bfunction(?: is)? unknown\b|\bunknown protein\b"
    r"|^(?:(?:conserved|putative|probable|predicted|possible) )*uncharacteri[sz]ed"
    r"(?: conserved)? (?:protein|gene|orf)\b"
    r"|^(?:unknown|unnamed|unannotated|unspecified|not classified)\b"
    r"|^(?:(?:conserved|predicted|putative|expressed|orphan|novel) )*(?:protein|gene product|orf)$"
    r"|^(?:protein )?(?:CT_?\d+|[a-z]{1,3}[lr]{1,2}\d{4}|y[a-z]{2}[A-Z])(?: (?:family )?protein)?$"
    r"|^(?:DUF|UPF)\d+(?: (?:family|superfamily|domain[- ]containing|domain))* proteins?\b",
    re.IGNORECASE,
)
_DUBIOUS = re.compile(r"dubious\b", re.IGNORECASE)  # how SGD begins what says that it is no gene
_SENTENCE = re.compile(
    r"^(?:this|these|the (?:protein|gene|encoded)|encodes?|involved in|required for|functions? in|"
    r"expressed|belongs to|catalyzes|catalyses|predicted to|enables|acts|located in)\b"
    r"|; |(?-i:[a-z0-9)]\. [A-Z])|\b(?:is|are|was|encodes|catalyzes|catalyses|belongs)\b",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"^(?:evidence \d|product type|pub-?med|pmid|orfid|rasttk|derived by|predicted by|annotated by|"
    r"similar to|match(?:es)? (?:to )?|len:|id:|frameshift|internal stop|incomplete|coordinates:|"
    r"identified by|inferred|go_|complete proteome|reference proteome|best blast|identified in|"
    r"(?:a )?core \w+ gene|conserved (?:in|among|across)|[A-Z]\w+\d+c?,)"
    r"|\b(?:e-value|z-score|blastp?|fasta scores?|gi)\b|% identity",
    re.IGNORECASE,
)


def clean_text(text: str) -> str:
    """Flatten white space, drop citations, places, literal "NA" and punctuation at the ends."""
    flat = _SPACES.sub(" ", text.replace("\\n", " ")).strip()
    return _NA.sub("", _CITATION.sub("", _PLACE.sub("", flat))).strip(" ;,.")


def clauses(text: str) -> list[str]:
    """Split a text after every ``.`` or ``;`` that white space follows."""
    return _CLAUSE_ENDS.split(text)


def tidy_name(text: str) -> tuple[str, list[str]]:
    """Return a product name without EC numbers, coordinates and further names; and the former.

    RAST puts ``@`` or ``>`` before further names and ``##`` before remarks; Prokka lists names
    with a bare comma between them.
    """
    complete = [number for number in _EC.findall(text) if is_ec_number(number)]
    name = _COORDINATES.sub("", _OTHER_NAMES.split(_EC.sub("", text))[0])
    return clean_text(name.replace("( ", "(")), complete


def is_ec_number(text: str) -> bool:
    """Tell whether a text is an EC number of all four levels."""
    return _EC_NUMBER.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Tell a product name from a description: one clause without a verb, 20 words at most."""
    return 0 < len(text.split()) <= MAX_NAME_WORDS and not _SENTENCE.search(text)


def lead(text: str) -> str:
    """Return the name with which a description begins, "" if it begins with a sentence."""
    first = clauses(text)[0].strip(" ;,.")
    return first if len(first.split()) <= MAX_LEAD_WORDS and is_name(first) else ""


def is_informative(text: str) -> bool:
    """Tell whether a text says anything of its gene: any clause but "hypothetical protein"."""
    return any(not _UNKNOWN.search(clause.strip(" ;,.")) for clause in clauses(text))


def is_dubious(text: str) -> bool:
    """Tell whether a text says that its gene is none ("Dubious open reading frame")."""
    return _DUBIOUS.match(text) is not None


def without_remarks(note: str) -> str:
    """Return the clauses of a note that describe the gene, not how it was annotated."""
    kept = [clause for clause in clauses(note) if not _REMARK.search(clause)]
    return clean_text(" ".join(kept))


def broken_words(texts: Iterable[str]) -> dict[str, str]:
    """Find words broken by a line wrap: "tran sporter" -> "transporter".

    Two neighbours are one broken word where the joined word is used in these texts more often
    than each of the halves.
    """
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for text in texts:
        parts = text.split(" ")
        words.update(parts)
        pairs.update(pairwise(parts))
    return {
        f"{left} {right}": left + right
        for left, right in pairs
        if _WORDS.fullmatch(left + right) and words[left + right] > max(words[left], words[right])
    }


def mend(text: str, broken: dict[str, str]) -> str:
    """Join the broken words that ``broken_words`` found in a text."""
    words = text.split(" ")
    mended = words[:1]
    for word in words[1:]:
        joined = broken.get(f"{mended[-1]} {word}")
        if joined:
            mended[-1] = joined
        else:
            mended.append(word)
    return " ".join(mended)
