"""Figures as people read them: names, numbers with their intervals, and tables of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from genescribe.evaluation.comparison import SYSTEMS
from genescribe.evaluation.figures import Evaluation, Figure, Figures, Share
from genescribe.evaluation.metrics import CORRECT, JUDGED, MAX_ORDER

METRICS = {
    **{f"bleu_{n}": f"BLEU-{n}" for n in range(1, MAX_ORDER + 1)},
    **{f"corpus_bleu_{n}": f"corpus BLEU-{n}" for n in range(1, MAX_ORDER + 1)},
    "meteor": "METEOR",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "semantic_precision": "semantic precision",
    "semantic_recall": "semantic recall",
    "semantic_f1": "semantic F1",
    "exact": "exact match",
    CORRECT: "right",
    JUDGED: "correct",
    "lift": "lift",
}
"""The names that people know the metrics by."""
MAIN = ("bleu_1", "bleu_4", "meteor", "rouge_l", "semantic_f1", "exact", CORRECT, JUDGED)
STATUS_HEADS = ("status", "genes", "share", "right among them")


def markdown(figures: Evaluation) -> str:
    """Return the main table, the likelihood of the references, and what is described."""
    definitions = figures.definitions
    heads, cells = main_table(figures.systems)
    lines = [f"{figures.genes:,} genes; intervals: {definitions.interval}.", ""]
    lines += _markdown_table(heads, cells)
    if figures.nll:
        nats = {name: _with_interval(one, "{:.2f}") for name, one in figures.nll.items()}
        lines += ["", *_markdown_table(["nats per token", *nats], [["references", *nats.values()]])]
    lines += ["", *_markdown_table(STATUS_HEADS, status_table(figures.statuses))]
    lines += ["", f"Right: {definitions.correct}. {definitions.meteor}. Semantic: "
              f"{definitions.semantic}."]  # fmt: skip
    return "\n".join(lines) + "\n"


def main_table(systems: Mapping[str, Figures]) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the main metrics by system, with intervals."""
    heads = ["text from", *(METRICS[name] for name in MAIN)]
    cells = [
        [SYSTEMS[system], *(shown(measured[name], name) for name in MAIN)]
        for system, measured in systems.items()
    ]
    return heads, cells


def status_table(statuses: Mapping[str, Share]) -> list[list[str]]:
    """Return the cells of ``STATUS_HEADS``."""
    return [
        [
            status,
            f"{share.genes:,}",
            f"{share.coverage:.1%}",
            _with_interval(Figure(share.correct, share.interval), "{:.1%}"),
        ]
        for status, share in statuses.items()
    ]


def shown(figure: Figure, metric: str) -> str:
    """Return a figure with its interval as people read it."""
    return _with_interval(figure, "{:.1%}" if metric in ("exact", CORRECT, JUDGED) else "{:.3f}")


def _with_interval(figure: Figure, form: str) -> str:
    if figure.value is None:
        return "–"
    value = form.format(figure.value)
    if not figure.interval:
        return value
    low, high = (form.format(bound) for bound in figure.interval)
    return f"{value} ({low} to {high})"


def _markdown_table(heads: Sequence[str], cells: Iterable[Sequence[str]]) -> list[str]:
    rows = [list(heads), ["---"] * len(heads), *map(list, cells)]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
