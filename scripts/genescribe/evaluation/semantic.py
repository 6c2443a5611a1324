"""Semantic precision, recall and F1: greedy matching of token vectors, as in BERTScore.

Zhang et al. (2020), "BERTScore": each token of the text is matched with the most similar token of
the reference (precision), and the other way round (recall). No idf weights, no rescaling. The
vectors come from any encoder folder of transformers or, without one, from the letters of the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer

from genescribe.errors import InputError
from genescribe.evaluation.metrics import Measure, mean_of, words

Vectors = NDArray[np.float32]

NGRAM_BUCKETS = 1024
BATCH_TEXTS = 64


class TextEncoder(Protocol):
    """Turns texts into unit vectors; ``label`` says in the results which encoder it was."""

    label: str

    def encode(self, texts: Sequence[str]) -> list[Vectors]:
        """Return (tokens, dim) for each text, each row of length 1; no rows for an empty text."""
        ...


class CharacterEncoder:
    """Vectors of words from their character 2- to 4-grams: sees spelling, not meaning.

    Signed feature hashing (Weinberger et al. 2009) into 1,024 dimensions, by scikit-learn. Needs
    no download; "methylase" and "methyltransferase" are alike to it, "kinase" and
    "phosphotransferase" are not.
    """

    label = "character n-grams (no language model)"

    def __init__(self) -> None:
        self._hashing = HashingVectorizer(
            analyzer="char_wb", ngram_range=(2, 4), n_features=NGRAM_BUCKETS, dtype=np.float32
        )

    def encode(self, texts: Sequence[str]) -> list[Vectors]:
        """Return one vector for each word."""
        vocabulary = sorted({word for text in texts for word in words(text)})
        if not vocabulary:
            return [np.zeros((0, NGRAM_BUCKETS), np.float32) for _ in texts]
        vectors = self._hashing.transform(vocabulary).toarray()  # (words, dim)
        place = {word: i for i, word in enumerate(vocabulary)}
        return [vectors[[place[word] for word in words(text)]] for text in texts]


class TransformersEncoder:
    """The last hidden layer of an encoder of transformers, special tokens left out."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        if not (folder / "config.json").is_file():
            raise InputError(
                f"{folder}: no encoder of transformers (config.json is missing); give the folder "
                "of one, or leave it out"
            )
        options = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder), **options)
            self._model = AutoModel.from_pretrained(str(folder), **options).eval()
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{folder}: cannot be loaded as an encoder ({reason})") from error
        self.label = f"{folder.resolve().name} (last layer)"

    def encode(self, texts: Sequence[str]) -> list[Vectors]:
        """Return one vector for each token, in batches of texts of similar length."""
        import torch

        results: list[Vectors] = [np.zeros((0, 1), np.float32)] * len(texts)
        order = sorted((i for i, text in enumerate(texts) if text), key=lambda i: len(texts[i]))
        for first in range(0, len(order), BATCH_TEXTS):
            chosen = order[first : first + BATCH_TEXTS]
            inputs = self._tokenizer(
                [texts[i] for i in chosen],
                padding=True,
                truncation=True,
                return_special_tokens_mask=True,
                return_tensors="pt",
            )
            is_word = inputs.pop("special_tokens_mask") == 0  # (batch, tokens)
            with torch.inference_mode():
                hidden = self._model(**inputs).last_hidden_state.float()  # (batch, tokens, dim)
            unit = torch.nn.functional.normalize(hidden, dim=-1)
            kept = is_word & inputs["attention_mask"].bool()
            for i, vectors, mask in zip(chosen, unit, kept, strict=True):
                results[i] = vectors[mask].numpy()
        return results


def load_encoder(folder: Path | None) -> TextEncoder:
    """Return the encoder in a folder, or the one that needs none."""
    return CharacterEncoder() if folder is None else TransformersEncoder(folder)


def greedy_match(text: Vectors, reference: Vectors) -> tuple[float, float, float]:
    """Return precision, recall and F1 of two texts, each (tokens, dim); 0 where one is empty."""
    if not (len(text) and len(reference)):
        return 0.0, 0.0, 0.0
    similar = text @ reference.T  # (text tokens, reference tokens)
    precision, recall = float(similar.max(1).mean()), float(similar.max(0).mean())
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total > 0 else 0.0


def similarity(
    references: Sequence[Sequence[str]], texts: Sequence[str], encoder: TextEncoder
) -> dict[str, Measure]:
    """Measure texts against the most similar (F1) of their references."""
    distinct = sorted({*texts, *(one for given in references for one in given)})
    vectors = dict(zip(distinct, encoder.encode(distinct), strict=True))
    scores = [
        max((greedy_match(vectors[text], vectors[one]) for one in given), key=lambda prf: prf[2])
        for given, text in zip(references, texts, strict=True)
    ]
    names = ("semantic_precision", "semantic_recall", "semantic_f1")
    return {name: mean_of([prf[i] for prf in scores]) for i, name in enumerate(names)}
