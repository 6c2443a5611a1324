"""Measure a model on genes that it never saw, and fit its calibration.

    python -m genescribe.training.assess --model tiny --config config/train/tiny.yaml --pairs DIR
        --out assessment.json [--genes 1000]

Prints the tables of the model card. Prompts name no organism, as ``genescribe run`` without
``--organism``.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nltk.translate.bleu_score import sentence_bleu
from numpy.typing import NDArray
from rouge_score.rouge_scorer import RougeScorer
from sklearn.linear_model import LogisticRegression

from genescribe.errors import GenescribeError, InputError
from genescribe.files import atomic_path
from genescribe.models.checkpoint import load_folder
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SequenceChatProcessor
from genescribe.models.spec import Calibration, load_spec, verify
from genescribe.training.config import load_train_config
from genescribe.training.corpus import Pair
from genescribe.training.tiny import read_split

logger = logging.getLogger(__name__)

BATCH = 128
VALIDATION = "validation families"
SCORES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
LIFTS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
RIGHT_ROUGE_L = 0.5
"""A text is called right if its ROUGE-L F against the reference is at least this."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model wrote for one gene; log p and lift are means per token, in nats."""

    text: str
    log_prob: float
    lift: float


def bleu_1(reference: str, text: str) -> float:
    """Sentence BLEU with unigrams only: lower case, split at white space, no smoothing."""
    words = text.lower().split()
    if not words:
        return 0.0
    return float(sentence_bleu([reference.lower().split()], words, weights=(1,)))


_ROUGE = RougeScorer(["rougeL"], use_stemmer=False)


def rouge_l(reference: str, text: str) -> float:
    """ROUGE-L F of rouge-score, without stemming."""
    return float(_ROUGE.score(reference, text)["rougeL"].fmeasure)


def swap_sequences(pairs: Sequence[Pair], rng: np.random.Generator) -> list[Pair]:
    """Give each gene the sequence of another one (a cyclic shift in random order)."""
    order = rng.permutation(len(pairs))
    donors = dict(zip(order, np.roll(order, 1), strict=True))
    return [
        replace(
            pair,
            record=replace(
                pair.record,
                sequence=pairs[donors[i]].record.sequence,
                view=pairs[donors[i]].record.view,
            ),
        )
        for i, pair in enumerate(pairs)
    ]


class Assessor:
    """Runs one model over pairs, in batches of similar length, results in the pairs' order."""

    def __init__(
        self, model: SequenceChatModel, processor: SequenceChatProcessor, max_new_tokens: int
    ) -> None:
        self.model, self.processor, self.max_new_tokens = model, processor, max_new_tokens

    def predict(self, pairs: Sequence[Pair]) -> list[Prediction]:
        """Describe each gene."""
        results: dict[int, Prediction] = {}
        for chosen in _batches([len(pair.text) for pair in pairs]):
            inputs = self.processor([pairs[i].record for i in chosen], None)
            ids = self.model.generate(**inputs, max_new_tokens=self.max_new_tokens)
            given, null = self._mean_log_probs(inputs, ids)
            texts = self.processor.decode(ids)
            for i, text, log_prob, base in zip(chosen, texts, given, null, strict=True):
                results[i] = Prediction(text, log_prob, log_prob - base)
        return [results[i] for i in range(len(pairs))]

    def reference_nats(self, pairs: Sequence[Pair]) -> tuple[float, float]:
        """Return the nats per token of the references: with the sequences, and without."""
        tokenizer = self.processor.tokenizer
        totals, tokens = np.zeros(2), 0
        for chosen in _batches([len(pair.text) for pair in pairs]):
            inputs = self.processor([pairs[i].record for i in chosen], None)
            texts = [pairs[i].text + tokenizer.eos_token for i in chosen]
            ids = tokenizer(
                texts, add_special_tokens=False, padding=True, padding_side="right",
                return_tensors="pt",
            )["input_ids"]  # fmt: skip
            for k, use_sequence in enumerate((True, False)):
                totals[k] -= float(self.model.text_log_probs(inputs, ids, use_sequence).sum())
            tokens += int((ids != tokenizer.pad_token_id).sum())
        given, null = totals / tokens
        return float(given), float(null)

    def _mean_log_probs(self, inputs: Any, ids: torch.Tensor) -> tuple[list[float], list[float]]:
        count = (ids != self.processor.tokenizer.pad_token_id).sum(1).clamp(min=1)  # (B,)
        given, null = (
            (self.model.text_log_probs(inputs, ids, use).sum(1) / count).tolist()
            for use in (True, False)
        )
        return given, null


def _batches(lengths: Sequence[int]) -> list[NDArray[np.int64]]:
    order = np.argsort(lengths, kind="stable")
    return [order[first : first + BATCH] for first in range(0, len(order), BATCH)]


def score_texts(pairs: Sequence[Pair], texts: Sequence[str]) -> dict[str, float]:
    """Return mean BLEU-1, mean ROUGE-L and the shares of exact and of right texts."""
    rouge = [rouge_l(pair.text, text) for pair, text in zip(pairs, texts, strict=True)]
    exact = [p.text.lower() == text.lower() for p, text in zip(pairs, texts, strict=True)]
    bleu = [bleu_1(pair.text, text) for pair, text in zip(pairs, texts, strict=True)]
    return {
        "bleu_1": float(np.mean(bleu)),
        "rouge_l": float(np.mean(rouge)),
        "exact": float(np.mean(exact)),
        "right": float(np.mean(np.array(rouge) >= RIGHT_ROUGE_L)),
    }


def assess_set(
    assessor: Assessor, pairs: Sequence[Pair], frequent: str, seed: int
) -> tuple[dict[str, Any], list[Prediction]]:
    """Measure one set of genes, beside the same with swapped sequences and a constant text."""
    swapped = swap_sequences(pairs, np.random.default_rng(seed))
    predictions = assessor.predict(pairs)
    with_gene, without = assessor.reference_nats(pairs)
    other, _ = assessor.reference_nats(swapped)
    results = {
        "genes": len(pairs),
        "nats": {"gene": with_gene, "other_gene": other, "no_sequence": without},
        "lift": float(np.mean([prediction.lift for prediction in predictions])),
        "model": score_texts(pairs, [prediction.text for prediction in predictions]),
        "other_gene": score_texts(pairs, [p.text for p in assessor.predict(swapped)]),
        "most_frequent": score_texts(pairs, [frequent] * len(pairs)),
    }
    return results, predictions


def is_right(pairs: Sequence[Pair], predictions: Sequence[Prediction]) -> NDArray[np.bool_]:
    """Tell which texts are right, (genes,)."""
    both = zip(pairs, predictions, strict=True)
    return np.array([rouge_l(pair.text, found.text) >= RIGHT_ROUGE_L for pair, found in both])


def fit_calibration(predictions: Sequence[Prediction], right: NDArray[np.bool_]) -> Calibration:
    """Fit Platt scaling of (log p, lift) to ``right`` (genes,).

    Raises InputError where all texts are right, or none is.
    """
    if right.all() or not right.any():
        raise InputError(
            f"calibration: {right.sum()} of {len(right)} texts are right, but it needs some of "
            "both; assess more genes or train longer"
        )
    features = np.array([[found.log_prob, found.lift] for found in predictions])  # (genes, 2)
    fitted = LogisticRegression(C=1e6, max_iter=1000).fit(features, right)
    log_prob, lift = fitted.coef_[0].tolist()
    return Calibration(round(float(fitted.intercept_[0]), 3), round(log_prob, 3), round(lift, 3))


def coverage_table(
    values: NDArray[np.float64], right: NDArray[np.bool_], thresholds: Sequence[float]
) -> list[dict[str, float]]:
    """Tell, for each threshold, the share of genes at or above it and how many are right."""
    rows = []
    for threshold in thresholds:
        above = values >= threshold
        rows.append(
            {
                "threshold": threshold,
                "coverage": float(above.mean()),
                "right_above": float(right[above].mean()) if above.any() else 0.0,
                "right_below": float(right[~above].mean()) if not above.all() else 0.0,
            }
        )
    return rows


def tables(report: dict[str, Any]) -> str:
    """Return the report as the Markdown tables of a model card."""
    lines = [f"{report['model']}; most frequent description: {report['most_frequent']!r}", ""]
    lines += [
        "| genes | n | nats/token: this gene | another gene | no sequence | lift of own text |"
    ]
    lines += ["|---|---|---|---|---|---|"]
    for name, found in report["sets"].items():
        nats = found["nats"]
        lines.append(
            f"| {name} | {found['genes']} | {nats['gene']:.2f} | {nats['other_gene']:.2f} "
            f"| {nats['no_sequence']:.2f} | {found['lift']:.2f} |"
        )
    lines += ["", "| genes | text from | BLEU-1 | ROUGE-L | exact | right |"]
    lines += ["|---|---|---|---|---|---|"]
    for name, found in report["sets"].items():
        for source in ("model", "other_gene", "most_frequent"):
            row = found[source]
            lines.append(
                f"| {name} | {source.replace('_', ' ')} | {row['bleu_1']:.3f} "
                f"| {row['rouge_l']:.3f} | {row['exact']:.1%} | {row['right']:.1%} |"
            )
    lines += ["", f"calibration: {report['calibration']}"]
    for key, rows in report["coverage"].items():
        lines += ["", f"| {key}: at least | genes | right among them | right below |"]
        lines += ["|---|---|---|---|"]
        lines += [
            f"| {row['threshold']} | {row['coverage']:.1%} | {row['right_above']:.1%} "
            f"| {row['right_below']:.1%} |"
            for row in rows
        ]
    return "\n".join(lines)


def calibrate(texts: Mapping[str, tuple[Sequence[Pair], Sequence[Prediction]]]) -> dict[str, Any]:
    """Fit the calibration on the validation families and check it on the held-out species."""
    fitting = texts[VALIDATION]
    calibration = fit_calibration(fitting[1], is_right(*fitting))
    report: dict[str, Any] = {"calibration": dataclasses.asdict(calibration), "coverage": {}}
    species = [content for name, content in texts.items() if name != VALIDATION]
    held_out = (
        [pair for pairs, _ in species for pair in pairs],
        [found for _, predictions in species for found in predictions],
    )
    for name, (pairs, predictions) in ((VALIDATION, fitting), ("held-out species", held_out)):
        right = is_right(pairs, predictions)
        scores = [calibration.probability(found.log_prob, found.lift) for found in predictions]
        lifts = [found.lift for found in predictions]
        report["coverage"][f"score, {name}"] = coverage_table(np.array(scores), right, SCORES)
        report["coverage"][f"lift, {name}"] = coverage_table(np.array(lifts), right, LIFTS)
    return report


def assess(model: str, config_path: Path, pairs: Path, genes: int, out: Path) -> dict[str, Any]:
    """Measure ``model`` on validation families and on each held-out species; write JSON."""
    spec = load_spec(model)
    config = load_train_config(config_path)
    torch.set_num_threads(config.threads)
    verify(spec)
    loaded = load_folder(spec.weights, spec.prompt, "cpu", torch.float32)
    assessor = Assessor(*loaded, spec.generation["max_new_tokens"])
    split = read_split(pairs, config)
    frequent = Counter(pair.text for pair in split.training).most_common(1)[0][0]
    sets = {VALIDATION: split.validation}
    for pair in split.held_out:
        sets.setdefault(pair.organism or pair.source, []).append(pair)
    report: dict[str, Any] = {"model": spec.identity, "most_frequent": frequent, "sets": {}}
    texts: dict[str, tuple[list[Pair], list[Prediction]]] = {}
    for name, members in sets.items():
        rng = np.random.default_rng(config.seed)
        chosen = [members[i] for i in sorted(rng.permutation(len(members))[:genes])]
        report["sets"][name], predictions = assess_set(assessor, chosen, frequent, config.seed)
        texts[name] = (chosen, predictions)
        logger.info("assessed: %s %s", name, json.dumps(report["sets"][name]))
    report |= calibrate(texts)
    report["examples"] = {
        name: [
            {"gene": pair.record.gene_id, "reference": pair.text, "model": prediction.text,
             "log_prob": prediction.log_prob, "lift": prediction.lift}
            for pair, prediction in list(zip(chosen, predictions, strict=True))[:40]
        ]
        for name, (chosen, predictions) in texts.items()
    }  # fmt: skip
    with atomic_path(out) as path:
        path.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure a model on genes it never saw.")
    parser.add_argument("--model", default="tiny", help="name or path of a model spec")
    parser.add_argument("--config", type=Path, default=Path("config/train/tiny.yaml"))
    parser.add_argument("--pairs", type=Path, required=True, help="folder of NAME.jsonl.gz")
    parser.add_argument("--genes", type=int, default=1000, help="at most this many per set")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        report = assess(options.model, options.config, options.pairs, options.genes, options.out)
    except GenescribeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(tables(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
