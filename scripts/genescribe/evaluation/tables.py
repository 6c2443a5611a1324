"""The figures as files: JSON, a table for programs, one for people, and a row for every gene."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genescribe.artifacts import codec
from genescribe.evaluation.evaluate import SYSTEMS
from genescribe.files import atomic_path

METRICS = {
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "corpus_bleu_1": "corpus BLEU-1",
    "corpus_bleu_2": "corpus BLEU-2",
    "corpus_bleu_3": "corpus BLEU-3",
    "corpus_bleu_4": "corpus BLEU-4",
    "meteor": "METEOR",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "semantic_precision": "semantic precision",
    "semantic_recall": "semantic recall",
    "semantic_f1": "semantic F1",
    "exact": "exact match",
    "right": "right",
    "lift": "lift",
}
"""The names that people know the metrics by."""
MAIN = ("bleu_1", "bleu_4", "meteor", "rouge_l", "semantic_f1", "exact", "right")
TABLE_COLUMNS = ("division", "group", "genes", "text_from", "metric", "value", "low", "high")


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write figures as JSON; the same figures give the same bytes."""
    with atomic_path(path) as temporary:
        text = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8", errors="surrogateescape")


def write_tsv(path: Path, report: Mapping[str, Any]) -> None:
    """Write one line per figure: all genes first, then every division, then the protocols."""
    codec.write_rows(path, TABLE_COLUMNS, (map(codec.cell, line) for line in _lines(report)))


def _lines(report: Mapping[str, Any]) -> Iterator[list[Any]]:
    groups = [("all", "all", report["genes"], report["systems"])]
    groups += [
        (division, label, group["genes"], group["systems"])
        for division, found in report["strata"].items()
        for label, group in found.items()
    ]
    groups += [
        ("protocol", name, report["genes"], found["systems"])
        for name, found in report["protocols"].items()
    ]
    for *place, systems in groups:
        for system, figures in systems.items():
            for metric, figure in figures.items():
                yield [
                    *place,
                    system,
                    metric,
                    figure["value"],
                    *(figure["interval"] or (None,) * 2),
                ]
    for name, figure in report["nats"].items():
        bounds = figure["interval"] or (None, None)
        yield [
            "all",
            "all",
            report["genes"],
            "references",
            f"nats_{name}",
            figure["value"],
            *bounds,
        ]


def write_markdown(path: Path, report: Mapping[str, Any]) -> None:
    """Write the main metrics of every system as the table of a model card."""
    with atomic_path(path) as temporary:
        temporary.write_text(markdown(report), encoding="utf-8")


def markdown(report: Mapping[str, Any]) -> str:
    """Return the main table, the nats of the references, and what is described."""
    heads, cells = main_table(report["systems"])
    lines = [f"{report['genes']:,} genes; intervals: {report['definitions']['interval']}.", ""]
    lines += _markdown_table(heads, cells)
    if report["nats"]:
        nats = {name: _with_interval(figure, "{:.2f}") for name, figure in report["nats"].items()}
        lines += ["", *_markdown_table(["nats per token", *nats], [["references", *nats.values()]])]
    lines += ["", *_markdown_table(STATUS_HEADS, status_table(report["statuses"]))]
    definitions = report["definitions"]
    lines += ["", f"Right: {definitions['right']}. {definitions['meteor']}. Semantic: "
              f"{definitions['semantic']}."]  # fmt: skip
    return "\n".join(lines) + "\n"


def main_table(systems: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the main metrics by system, with intervals."""
    heads = ["text from", *(METRICS[name] for name in MAIN)]
    cells = [
        [SYSTEMS[system], *(shown(figures[name], name) for name in MAIN)]
        for system, figures in systems.items()
    ]
    return heads, cells


STATUS_HEADS = ("status", "genes", "share", "right among them")


def status_table(statuses: Mapping[str, Any]) -> list[list[str]]:
    """Return the cells of ``STATUS_HEADS``."""
    return [
        [
            status,
            f"{found['genes']:,}",
            f"{found['coverage']:.1%}",
            "–" if found["right"] is None else _with_interval(
                {"value": found["right"], "interval": found["interval"]}, "{:.1%}"
            ),
        ]
        for status, found in statuses.items()
    ]  # fmt: skip


def shown(figure: Mapping[str, Any], metric: str) -> str:
    """Return a figure with its interval as people read it."""
    if figure["value"] is None:
        return "–"
    return _with_interval(figure, "{:.1%}" if metric in ("exact", "right") else "{:.3f}")


def _with_interval(figure: Mapping[str, Any], form: str) -> str:
    value = form.format(figure["value"])
    if not figure["interval"]:
        return value
    low, high = (form.format(bound) for bound in figure["interval"])
    return f"{value} ({low} to {high})"


def _markdown_table(heads: Sequence[str], cells: Iterable[Sequence[str]]) -> list[str]:
    rows = [list(heads), ["---"] * len(heads), *map(list, cells)]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one line per gene: references, all texts, and the model's figures."""
    codec.write_rows(path, rows[0], (map(codec.cell, row.values()) for row in rows))
