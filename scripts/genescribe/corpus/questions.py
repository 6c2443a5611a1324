"""From the texts of a gene to answers: which question each one answers, and how it is worded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterator
from typing import NamedTuple

from genescribe.corpus import texts
from genescribe.corpus.records import (
    BIOTYPE,
    EC_NUMBER,
    FUNCTION,
    GENE_SYMBOL,
    PROCESS,
    PRODUCT_NAME,
    SUMMARY,
)
from genescribe.corpus.source_genes import Drop, Field, SourceGene
from genescribe.genome.biotypes import UNKNOWN

NO_BIOTYPES = frozenset({UNKNOWN, "gene", "transcript", "misc_RNA", "other"})
"""Biotypes that say nothing of what kind a gene is."""

_GO_TERM = re.compile(r"^GO:\d+\s*-\s*")
_SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,9}")
_PLACEHOLDER = re.compile(r"\d{4}|^y[a-z]{2}[A-Z]\d?$|^Y[A-P][LR]\d|^orf\d|^Gene$")
"""Symbols of genes that nobody has named: locus numbers, yaaA in E. coli, YAL001C in yeast."""
_COPY = re.compile(r"_\d{1,2}$")  # Prokka numbers the copies: thrA_2
_NO_PROCESS = re.compile(r"^(?:not classified|unknown|putative|unassigned|other)\b", re.IGNORECASE)


_SPOKEN = frozenset({PRODUCT_NAME, FUNCTION, SUMMARY})
"""Questions that someone who knows nothing can answer too: with "hypothetical protein"."""


class Answer(NamedTuple):
    """A question and its answer; ``informative`` and ``provenance`` as in ``CorpusRecord``."""

    question: str
    text: str
    informative: bool
    provenance: str


def answers(entry: SourceGene, fields: Container[Field], dropped: Counter[Drop]) -> list[Answer]:
    """Return the answers that a gene's texts give, [] where none describes it.

    Only texts of ``fields`` are used; texts left out are counted in ``dropped``. A gene without a
    product name is named by the first clause of its description, if that is a name.
    """
    result: list[Answer] = []
    leads: list[Answer] = []
    for text in entry.texts:
        value = texts.clean_text(text.value)
        if text.field is Field.NOTE:
            value = texts.without_remarks(value)
        if not value or text.field not in fields:
            continue
        for question, answer in _READERS[text.field](value, entry, dropped):
            informative = question not in _SPOKEN or texts.is_informative(answer)
            result.append(Answer(question, answer, informative, text.provenance))
        name = texts.lead(value) if text.field in (Field.DESCRIPTION, Field.NOTE) else ""
        if name:
            leads.append(Answer(PRODUCT_NAME, name, texts.is_informative(name), text.provenance))
    questions = {answer.question for answer in result}
    if PRODUCT_NAME not in questions:
        result += leads[:1]
    if questions & _SPOKEN and entry.biotype not in NO_BIOTYPES:
        result.append(Answer(BIOTYPE, entry.biotype.replace("_", " "), True, result[0].provenance))
    return result


Found = Iterator[tuple[str, str]]
"""Questions with their answers."""


def _name(value: str, entry: SourceGene, dropped: Counter[Drop]) -> Found:
    name, numbers = texts.tidy_name(value)
    if len(name.split()) > texts.MAX_NAME_WORDS:
        dropped[Drop.NAME_TOO_LONG] += 1
    elif name:
        yield PRODUCT_NAME, name
    yield from ((EC_NUMBER, number) for number in numbers)


def _description(value: str, entry: SourceGene, dropped: Counter[Drop]) -> Found:
    """A name, or else sentences."""
    if texts.is_name(texts.tidy_name(value)[0]) or not texts.is_informative(value):
        yield from _name(value, entry, dropped)
        return
    yield from _sentences(value)


def _sentences(value: str) -> Found:
    """The first sentence or clause, if it says something, and the whole if there are more."""
    first, *more = texts.clauses(value)
    if " " in first and texts.is_informative(first):
        yield FUNCTION, texts.clean_text(first)
    if more and len(value.split()) >= texts.MIN_SUMMARY_WORDS:
        yield SUMMARY, value


def _note(value: str, entry: SourceGene, dropped: Counter[Drop]) -> Found:
    if len(value.split()) < texts.MIN_NOTE_WORDS:
        dropped[Drop.SHORT_NOTE] += 1
    elif texts.is_informative(value):
        yield from _sentences(value)


def _function(value: str, entry: SourceGene, dropped: Counter[Drop]) -> Found:
    """A sentence, or the category of a scheme such as Riley's: "enzyme; Transport: Ions"."""
    *before, last = texts.clauses(value)
    if not before and ": " not in value and len(value.split()) > texts.MAX_CATEGORY_WORDS:
        yield FUNCTION, value
    elif not _NO_PROCESS.match(last):
        yield PROCESS, last


def _process(value: str, entry: SourceGene, dropped: Counter[Drop]) -> Found:
    yield from ((PROCESS, _GO_TERM.sub("", term)) for term in value.split("; "))


def _symbol(value: str, entry: SourceGene, dropped: Counter[Drop]) -> Found:
    symbol = _COPY.sub("", value)
    if symbol != entry.gene_id and _SYMBOL.fullmatch(symbol) and not _PLACEHOLDER.search(symbol):
        yield GENE_SYMBOL, symbol


def _ec(value: str, entry: SourceGene, dropped: Counter[Drop]) -> Found:
    if texts.is_ec_number(value):
        yield EC_NUMBER, value


_READERS: dict[Field, Callable[[str, SourceGene, Counter[Drop]], Found]] = {
    Field.PRODUCT: _name,
    Field.NAME: _name,
    Field.DESCRIPTION: _description,
    Field.NOTE: _note,
    Field.FUNCTION: _function,
    Field.PROCESS: _process,
    Field.EC: _ec,
    Field.SYMBOL: _symbol,
}
