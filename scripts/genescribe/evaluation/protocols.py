"""The metrics of published sequence-chat models, as their code or paper computes them.

Each protocol reproduces its source, odd choices included, so that a figure can be put beside a
published one; docs/evaluation.md compares them. They are not what genescribe reports otherwise.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from genescribe.errors import InputError, Remedy
from genescribe.evaluation.metrics import MAX_ORDER, Measure, mean_of, meteor, rouge
from genescribe.evaluation.semantic import TextEncoder, similarity
from genescribe.evaluation.wordnet import Synonyms

References = Sequence[Sequence[str]]
Pieces = Callable[[str], list[str]]
ROUGE_EPSILON = 1e-8
"""Added to denominators by rouge 1.0.1 (pltrdy/rouge, rouge_score.py)."""


@dataclass(frozen=True)
class Protocol:
    """A named way to score: what it does in one sentence, and the function that does it."""

    name: str
    definition: str
    score: Callable[[References, Sequence[str]], dict[str, Measure]]


def protocol(
    name: str, synonyms: Synonyms, encoder: TextEncoder, pieces: Pieces | None
) -> Protocol:
    """Return the protocol of that name.

    ``pieces`` cuts a text into the tokens of a language model. Raises InputError where the
    protocol needs them and there are none.
    """
    if name == "genechat":
        definition = (
            "sentence BLEU of NLTK (cumulative, no smoothing, case-sensitive, split at white "
            "space), mean over genes; METEOR of NLTK on the same words, which the published code "
            "does not show"
        )
        return Protocol(name, definition, lambda r, t: genechat(r, t, synonyms))
    if name == "rnagpt":
        definition = (
            f"token-matching precision, recall and F1 with the encoder {encoder.label!r}, and "
            "ROUGE F of rouge-score without stemming; the paper names BERT and PubMedBERT, and no "
            "ROUGE implementation"
        )
        return Protocol(name, definition, lambda r, t: rnagpt(r, t, encoder))
    if pieces is None:
        raise InputError(
            f"protocol {name} counts the pieces of a language model's tokenizer, and no model is "
            "run",
            Remedy.GIVE_TOKENIZER,
        )
    definition = (
        "sentence BLEU of NLTK on the tokenizer's pieces, one n-gram size at a time, smoothing "
        "method 1, texts of fewer than n pieces skipped; ROUGE F as rouge 1.0.1 has it on the "
        "pieces; exact matches"
    )
    return Protocol(name, definition, lambda r, t: genomicllm(r, t, pieces))


def genechat(
    references: References, texts: Sequence[str], synonyms: Synonyms
) -> dict[str, Measure]:
    """Score as GeneChat's eval.py does (fdkevin0/GeneChat, the import of the published code)."""
    weights = [tuple(1 / n for _ in range(n)) for n in range(1, MAX_ORDER + 1)]
    bleus = [
        _sentence_bleu([one.split() for one in given], text.split(), weights)
        for given, text in zip(references, texts, strict=True)
    ]
    measures = {f"bleu_{n}": mean_of([one[n - 1] for one in bleus]) for n in (1, 2, 3, 4)}
    scores = [meteor(given, text, synonyms) for given, text in zip(references, texts, strict=True)]
    return measures | {"meteor": mean_of(scores)}


def rnagpt(
    references: References, texts: Sequence[str], encoder: TextEncoder
) -> dict[str, Measure]:
    """Score as RNA-GPT's paper (arXiv 2411.08900) says it does."""
    scores = [rouge(given, text) for given, text in zip(references, texts, strict=True)]
    names = ("rouge_1", "rouge_2", "rouge_l")
    rouges = {name: mean_of([one[i] for one in scores]) for i, name in enumerate(names)}
    return similarity(references, texts, encoder) | rouges


def genomicllm(references: References, texts: Sequence[str], pieces: Pieces) -> dict[str, Measure]:
    """Score as GenomicLLM's get_metrics.ipynb does (Huatsing-Lau/GenomicLLM)."""
    measures: dict[str, Measure] = {}
    cut = [
        ([pieces(one) for one in given], pieces(text))
        for given, text in zip(references, texts, strict=True)
    ]
    smoothing = SmoothingFunction().method1
    for n in range(1, MAX_ORDER + 1):
        weights = [tuple(float(order == n) for order in range(1, n + 1))]
        values = [
            _sentence_bleu(given, text, weights, smoothing)[0] if len(text) >= n else np.nan
            for given, text in cut
        ]
        measures[f"bleu_{n}"] = mean_of(values)
    scores = [
        max((set_rouge(one, text) for one in given), key=lambda f: f["rouge_l"])
        for given, text in cut
    ]
    for name in ("rouge_1", "rouge_2", "rouge_l"):
        measures[name] = mean_of([score[name] for score in scores])
    exact = [text in given for given, text in zip(references, texts, strict=True)]
    return measures | {"exact": mean_of([float(one) for one in exact])}


def _sentence_bleu(
    references: Sequence[Sequence[str]],
    tokens: Sequence[str],
    weights: Sequence[tuple[float, ...]],
    smoothing: Callable[..., object] | None = None,
) -> list[float]:
    """Return NLTK's sentence BLEU for each of several weights; 0 for an empty text."""
    if not tokens:
        return [0.0] * len(weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # says of each text without 4-gram matches that it has none
        values = sentence_bleu(references, tokens, weights, smoothing_function=smoothing)
    return [float(one) for one in (values if isinstance(values, list) else [values])]


def set_rouge(reference: Sequence[str], text: Sequence[str]) -> Mapping[str, float]:
    """Return F of ROUGE-1, -2 and -L as rouge 1.0.1 has them: every distinct n-gram counts once.

    ROUGE-L counts the distinct tokens of the longest common subsequence (its summary level, for a
    text of one sentence).
    """
    given, own = set(reference), set(text)
    given_pairs, own_pairs = set(pairwise(reference)), set(pairwise(text))
    return {
        "rouge_1": _f(given, own, given & own),
        "rouge_2": _f(given_pairs, own_pairs, given_pairs & own_pairs),
        "rouge_l": _f(given, own, set(_longest_common(reference, text))),
    }


def _f(
    reference: Collection[object], text: Collection[object], common: Collection[object]
) -> float:
    if not (reference and text):
        return 0.0
    precision, recall = len(common) / len(text), len(common) / len(reference)
    return 2 * precision * recall / (precision + recall + ROUGE_EPSILON)


def _longest_common(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Return one longest common subsequence, found as rouge 1.0.1 finds it."""
    table = np.zeros((len(first) + 1, len(second) + 1), dtype=int)
    for i, a in enumerate(first, start=1):
        for j, b in enumerate(second, start=1):
            table[i, j] = (
                table[i - 1, j - 1] + 1 if a == b else max(table[i - 1, j], table[i, j - 1])
            )
    common: list[str] = []
    i, j = len(first), len(second)
    while i and j:
        if first[i - 1] == second[j - 1]:
            common.append(first[i - 1])
            i, j = i - 1, j - 1
        elif table[i - 1, j] > table[i, j - 1]:
            i -= 1
        else:
            j -= 1
    return common[::-1]
