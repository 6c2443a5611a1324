"""The synonyms that METEOR asks for, from whichever WordNet 3.0 is installed.

NLTK reads its own corpus. Debian's ``wordnet-base`` holds the same files but for ``lexnames``
(wndb(5WN) and lexnames(5WN)), a constant list that is supplied here.
"""

from __future__ import annotations

import io
import logging
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import nltk
from nltk.corpus import wordnet
from nltk.corpus.reader.wordnet import WordNetCorpusReader

log = logging.getLogger(__name__)

DEBIAN_WORDNET = Path("/usr/share/wordnet")
LEXNAMES = """
    adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute
    noun.body noun.cognition noun.communication noun.event noun.feeling noun.food noun.group
    noun.location noun.motive noun.object noun.person noun.phenomenon noun.plant noun.possession
    noun.process noun.quantity noun.relation noun.shape noun.state noun.substance noun.time
    verb.body verb.change verb.cognition verb.communication verb.competition verb.consumption
    verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession
    verb.social verb.stative verb.weather adj.ppl
"""
"""Names of WordNet's lexicographer files in the order of their numbers (lexnames(5WN))."""


class Synonyms(Protocol):
    """What NLTK's METEOR needs of WordNet; ``source`` says where it comes from."""

    source: str

    def synsets(self, word: str) -> list[Any]:
        """Return the sets of synonyms that a word is in."""
        ...


class NoSynonyms:
    """No WordNet: METEOR matches words and stems only."""

    source = ""

    def synsets(self, _word: str) -> list[Any]:
        """Return no synonyms."""
        return []


class WordNet:
    """A WordNet reader of NLTK that looks each word up once."""

    def __init__(self, reader: Any, source: str) -> None:
        self.source = source
        self.synsets = lru_cache(maxsize=None)(reader.synsets)


class _DebianReader(WordNetCorpusReader):
    def open(self, file: str) -> Any:
        if file == "lexnames":
            return io.StringIO(
                "".join(f"{i:02} {name} 0\n" for i, name in enumerate(LEXNAMES.split()))
            )
        return super().open(file)

    def map_wn(self, version: str = "wordnet") -> None:
        """Map to no other version: that is for the multilingual WordNets."""


def find_synonyms(folder: Path = DEBIAN_WORDNET) -> Synonyms:
    """Return NLTK's WordNet if it is installed, else Debian's in ``folder``, else none."""
    try:
        wordnet.ensure_loaded()
    except LookupError:
        if not (folder / "data.noun").is_file():
            return NoSynonyms()
    else:
        return WordNet(wordnet, "NLTK corpus wordnet")
    if str(folder) not in nltk.data.path:
        nltk.data.path.append(str(folder))  # NLTK 3.10 opens no file elsewhere
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the multilingual WordNets, which nobody asked for
        return WordNet(_DebianReader(str(folder), None), "Debian wordnet-base")
