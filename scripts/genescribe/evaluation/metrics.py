"""How much a text agrees with its references; every definition stands in docs/evaluation.md.

Each metric is kept as sums over genes (``Measure``), so that the same numbers give the mean, the
corpus-level value, any subset of genes and every bootstrap resample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from nltk.stem.porter import PorterStemmer
from nltk.translate.bleu_score import closest_ref_length, modified_precision
from nltk.translate.meteor_score import meteor_score
from numpy.typing import NDArray
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer

from genescribe.evaluation.settings import CORRECT_ROUGE_L
from genescribe.evaluation.wordnet import Synonyms

Floats = NDArray[np.float64]

MAX_ORDER = 4
CORRECT = "right"
"""The metric that tells whether a text is like a reference; all files call it so."""
JUDGED = "correct"
"""The metric that tells whether a text says what a reference says, by ``correctness``."""
ROUGES = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}


def ratio(sums: Floats) -> Floats:
    """Return the first sum over the second, (..., 2) -> (...); NaN where the second is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient: Floats = np.divide(sums[..., 0], sums[..., 1])
    return quotient


class Measure(NamedTuple):
    """One metric of one set of texts: ``combine`` turns the sum of some genes' ``values`` into it.

    ``values`` is (genes, k); ``combine`` maps (..., k) to (...).
    """

    values: Floats
    combine: Callable[[Floats], Floats] = ratio

    def over(self, chosen: NDArray[np.bool_] | slice = slice(None)) -> float:
        """Return the metric over some genes, or all."""
        return float(self.combine(self.values[chosen].sum(0)))


def mean_of(values: Sequence[float] | Floats) -> Measure:
    """Return the mean of one value per gene; genes whose value is NaN do not count."""
    array = np.asarray(values, dtype=float)
    known = ~np.isnan(array)
    return Measure(np.stack([np.where(known, array, 0.0), known.astype(float)], axis=1))


def words(text: str) -> list[str]:
    """Lower-case a text and split it at white space: the tokens of BLEU, METEOR and semantic."""
    return text.lower().split()


# ---- BLEU (Papineni et al. 2002)


def bleu_counts(references: Sequence[Sequence[str]], tokens: Sequence[str]) -> list[int]:
    """Return what BLEU sums up: 4 clipped matches, 4 totals, length, closest reference length."""
    orders = range(1, MAX_ORDER + 1)
    matches = [modified_precision(references, tokens, n).numerator for n in orders]
    totals = [max(0, len(tokens) - n + 1) for n in orders]
    return [*matches, *totals, len(tokens), closest_ref_length(references, len(tokens))]


def bleu(counts: Floats, order: int, *, effective: bool) -> Floats:
    """Return BLEU of counts (..., 10) with n-grams up to ``order``, without smoothing, (...).

    With ``effective`` a text shorter than ``order`` is judged by the n-grams that it can have
    (sacrebleu's effective order, which it recommends for single sentences); else it scores 0.
    """
    matches, totals = counts[..., :order], counts[..., MAX_ORDER : MAX_ORDER + order]
    length, reference_length = counts[..., 2 * MAX_ORDER], counts[..., 2 * MAX_ORDER + 1]
    used = totals > 0 if effective else np.ones_like(totals, dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.where(totals > 0, matches / totals, 0.0))  # (..., order)
        mean = np.where(used, logs, 0.0).sum(-1) / used.sum(-1)  # (...)
        penalty = np.minimum(0.0, 1 - reference_length / length)
        value: Floats = np.where(length > 0, np.exp(mean + penalty), 0.0)
    return value


def _bleus(references: Sequence[Sequence[str]], texts: Sequence[str]) -> dict[str, Measure]:
    counts = np.array(
        [
            bleu_counts([words(one) for one in given], words(text))
            for given, text in zip(references, texts, strict=True)
        ],
        dtype=float,
    )  # (genes, 10)
    orders = range(1, MAX_ORDER + 1)
    sentence = {f"bleu_{n}": mean_of(bleu(counts, n, effective=True)) for n in orders}
    corpus = {
        f"corpus_bleu_{n}": Measure(counts, partial(bleu, order=n, effective=False)) for n in orders
    }
    return sentence | corpus


# ---- METEOR (Lavie and Agarwal 2007), ROUGE (Lin 2004), exact match


class CachingStemmer(PorterStemmer):
    """Porter's stemmer, which stems each word once."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = lru_cache(maxsize=None)(super().stem)


_STEMMER = CachingStemmer()


def meteor(references: Sequence[str], text: str, synonyms: Synonyms) -> float:
    """Return NLTK's METEOR with its own parameters, of the best reference."""
    given = [one.split() for one in references]
    return float(meteor_score(given, text.split(), stemmer=_STEMMER, wordnet=synonyms))


# with its own tokenizer given, since where it takes that by default it sets up logging
_ROUGE = RougeScorer(list(ROUGES.values()), tokenizer=DefaultTokenizer(use_stemmer=False))


def rouge(references: Sequence[str], text: str) -> tuple[float, float, float]:
    """Return F of ROUGE-1, -2 and -L of rouge-score, without stemming, of the best reference."""
    scores = _ROUGE.score_multi(list(references), text)
    one, two, longest = (float(scores[name].fmeasure) for name in ROUGES.values())
    return one, two, longest


def rouge_l(references: Sequence[str], text: str) -> float:
    """Return F of ROUGE-L, by which texts are called correct."""
    return rouge(references, text)[2]


def is_exact(references: Sequence[str], text: str) -> bool:
    """Tell whether a text is a reference, whatever its case and white space."""
    return words(text) in [words(one) for one in references]


def score(
    references: Sequence[Sequence[str]],
    texts: Sequence[str],
    synonyms: Synonyms,
    correct: float = CORRECT_ROUGE_L,
) -> dict[str, Measure]:
    """Measure texts against the references of their genes; an empty text scores 0 everywhere.

    ``correct`` is the ROUGE-L F from which on a text counts as correct. Semantic scores are added
    by ``semantic.similarity``.
    """
    keys = [(tuple(given), text) for given, text in zip(references, texts, strict=True)]
    rouges = {key: rouge(*key) for key in dict.fromkeys(keys)}
    meteors = {key: meteor(*key, synonyms) for key in rouges}
    measures = _bleus(references, texts)
    measures["meteor"] = mean_of([meteors[key] for key in keys])
    for column, name in enumerate(ROUGES):
        measures[name] = mean_of([rouges[key][column] for key in keys])
    measures["exact"] = mean_of([float(is_exact(*key)) for key in keys])
    measures[CORRECT] = mean_of([float(rouges[key][2] >= correct) for key in keys])
    return measures


def subset(measures: Mapping[str, Measure], chosen: NDArray[np.bool_]) -> dict[str, Measure]:
    """Return the same measures over some of the genes."""
    return {name: Measure(m.values[chosen], m.combine) for name, m in measures.items()}
