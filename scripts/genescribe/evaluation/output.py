"""Figures as files: JSON, a page, a table for programs, one for people, a row for every gene."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from genescribe.artifacts import codec
from genescribe.evaluation.figures import CalibrationFigures, Evaluation, Figure, TextRow, plain
from genescribe.evaluation.page import write_calibration_page, write_evaluation_page
from genescribe.evaluation.shown import markdown
from genescribe.files import atomic_path

TABLE_COLUMNS = ("division", "group", "genes", "text_from", "metric", "value", "low", "high")
EVALUATION_FILES = (*(f"evaluation.{kind}" for kind in ("json", "tsv", "md", "html")), "texts.tsv")
CALIBRATION_FILES = ("calibration.json", "calibration.html")


def write_evaluation(folder: Path, figures: Evaluation) -> None:
    """Write ``EVALUATION_FILES``; the same figures give the same bytes."""
    write_json(folder / "evaluation.json", figures)
    write_tsv(folder / "evaluation.tsv", figures)
    with atomic_path(folder / "evaluation.md") as temporary:
        temporary.write_text(markdown(figures), encoding="utf-8")
    write_evaluation_page(folder / "evaluation.html", figures)
    write_rows(folder / "texts.tsv", figures.rows)


def write_calibration(folder: Path, figures: CalibrationFigures) -> None:
    """Write ``CALIBRATION_FILES``; the same figures give the same bytes."""
    write_json(folder / "calibration.json", figures)
    write_calibration_page(folder / "calibration.html", figures)


def write_json(path: Path, figures: Evaluation | CalibrationFigures) -> None:
    """Write figures as JSON."""
    with atomic_path(path) as temporary:
        text = json.dumps(figures.as_json(), indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8", errors="surrogateescape")


def write_tsv(path: Path, figures: Evaluation) -> None:
    """Write one line per figure: all genes first, then every division, then the protocols."""
    lines = (
        (*place, figure.value, *(figure.interval or (None, None)))
        for *place, figure in _lines(figures)
    )
    codec.write_rows(path, TABLE_COLUMNS, (map(codec.cell, line) for line in lines))


def _lines(figures: Evaluation) -> Iterator[tuple[str, str, int, str, str, Figure]]:
    groups = [("all", "all", figures.genes, figures.systems)]
    groups += [
        (division, label, group.genes, group.systems)
        for division, labelled in figures.strata.items()
        for label, group in labelled.items()
    ]
    groups += [
        ("protocol", name, figures.genes, one.systems) for name, one in figures.protocols.items()
    ]
    for division, label, genes, systems in groups:
        for system, measured in systems.items():
            for metric, figure in measured.items():
                yield division, label, genes, system, metric, figure
    for name, figure in figures.nll.items():
        yield "all", "all", figures.genes, "references", f"nats_{name}", figure


def write_rows(path: Path, rows: Sequence[TextRow]) -> None:
    """Write one line per gene: references, all texts, and the model's figures."""
    values = [plain(row) for row in rows]
    codec.write_rows(path, values[0], (map(codec.cell, row.values()) for row in values))
