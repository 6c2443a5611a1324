"""The pages of results: one self-contained HTML file that needs no JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from genescribe.evaluation import drawings
from genescribe.evaluation.evaluate import MODEL, STRATA_METRICS, SYSTEMS
from genescribe.evaluation.tables import MAIN, METRICS, STATUS_HEADS, shown, status_table
from genescribe.pages import html
from genescribe.pages.charts import Chart
from genescribe.version import __version__

Figures = Mapping[str, Any]

CHARTED = ("bleu_1", "bleu_4", "meteor", "rouge_l", "semantic_f1", "right")
MAX_GROUPS = 30
CAUTION = (
    "These figures compare the words of a description with those of one annotation. A right "
    "function in other words scores low, a wrong one in the same words scores high, and references "
    "are themselves mostly transferred by similarity. Compare with the baselines, not with 1."
)
NATS = {
    "gene": "with the gene",
    "other_gene": "with another gene's sequence",
    "no_sequence": "with no sequence",
    "other_gene_minus_gene": "what the gene takes off, against another gene's sequence",
    "no_sequence_minus_gene": "what the gene takes off, against no sequence",
}


class Cell(NamedTuple):
    """One cell of a table; ``small`` stands below, in quieter letters."""

    text: str
    small: str = ""


class Table(NamedTuple):
    """A table; ``texts`` marks one whose cells are texts, not numbers."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    texts: bool = False


class Section(NamedTuple):
    """A part of a page: a heading, a few words, drawings, then tables."""

    name: str
    title: str
    words: str
    charts: Sequence[Chart]
    tables: Sequence[Table]


class Tile(NamedTuple):
    """A figure at the head of a page, with what it means."""

    name: str
    value: str
    meaning: str


def write_evaluation_page(path: Path, figures: Figures) -> None:
    """Write the page of an evaluation (``evaluate.report``); same figures, same bytes."""
    sections = [_systems(figures), _habit(figures), _thresholds(figures), *_divisions(figures)]
    sections += [_protocols(figures), _examples(figures), _made(figures)]
    _write(
        path,
        f"Evaluation of {figures['model'] or 'descriptions'}",
        f"{figures['genes']:,} genes",
        _tiles(figures),
        [section for section in sections if section.charts or section.tables],
    )


def write_calibration_page(path: Path, figures: Figures) -> None:
    """Write the page of a calibration (calibration.json); same figures, same bytes."""
    found, quality = figures["thresholds"], figures["quality"]
    reached = f"{found['coverage']:.1%}" if found["reached"] else "none"
    precision = "–" if found["precision"] is None else f"{found['precision']:.1%}"
    tiles = [
        Tile("Right", f"{figures['share_right']:.1%}", f"of all texts: {figures['right']}"),
        Tile("Described", reached, f"of the genes, at a score of at least {found['min_score']}"),
        Tile(
            "Right among them", precision, f"wanted: {figures['target_precision']:.0%}, with margin"
        ),
        Tile("Lift at least", f"{found['min_lift']:.2f}", "nats per token, else uncertain"),
    ]
    charts = [
        drawings.reliability(
            "reliability", "Share of right texts by score", figures["reliability"]
        ),
        drawings.coverage(
            "coverage",
            "Share of right texts among those described",
            figures["curve"],
            figures["target_precision"],
        ),
    ]
    numbers = [
        *(("calibration: " + name, value) for name, value in figures["calibration"].items()),
        *((name.replace("_", " "), value) for name, value in found.items()),
        *((name.replace("_", " "), value) for name, value in quality.items()),
    ]
    words = (
        "Scores here are cross-fitted: each gene's comes from a fit on the others. The dashed "
        "diagonal is a perfect score, the dashed line the precision asked for."
    )
    rows = [(Cell(name), Cell("–" if value is None else str(value))) for name, value in numbers]
    sections = [
        Section("score", "Score and threshold", words, charts, []),
        Section("numbers", "Numbers", "", [], [Table("", ("", "value"), rows)]),
        _made(figures),
    ]
    title = f"Calibration of {figures['model']}"
    _write(path, title, f"{figures['genes']:,} genes", tiles, sections)


def _write(
    path: Path, title: str, facts: str, tiles: Sequence[Tile], sections: Sequence[Section]
) -> None:
    own = html.asset(__package__, "evaluation.css")
    html.write_page(
        path,
        __package__,
        "page.html",
        title=title,
        facts=facts,
        caution=CAUTION,
        tiles=tiles,
        sections=sections,
        version=__version__,
        **html.inlined(style=html.style(own)),
    )


def _tiles(figures: Figures) -> list[Tile]:
    model = figures["systems"][MODEL]
    tiles = [
        Tile("Right", f"{model['right']['value']:.1%}", figures["definitions"]["right"]),
        Tile("BLEU-1", f"{model['bleu_1']['value']:.3f}", "mean of the texts"),
        Tile("ROUGE-L", f"{model['rouge_l']['value']:.3f}", "mean F of the texts"),
    ]
    if "described" in figures["statuses"]:
        found = figures["statuses"]["described"]
        share = f"{found['right']:.1%}" if found["genes"] else "–"
        tiles.append(
            Tile("Right if described", share, f"{found['coverage']:.1%} of the genes are described")
        )
    if model["lift"]["value"] is not None:
        tiles.append(Tile("Lift", f"{model['lift']['value']:.2f}", "nats per token of own texts"))
    return tiles


def _systems(figures: Figures) -> Section:
    systems = figures["systems"]
    charts = [
        drawings.bars(f"plot-{metric}", METRICS[metric], _bars(systems, metric))
        for metric in CHARTED
    ]
    main = Table(
        "Means, with 95 % intervals",
        ["text from", *(METRICS[metric] for metric in MAIN)],
        [[Cell(SYSTEMS[name]), *(_cell(f[m], m) for m in MAIN)] for name, f in systems.items()],
    )
    others = [name for name in METRICS if name not in MAIN]
    rest = Table(
        "All other metrics",
        ["metric", *(SYSTEMS[name] for name in systems)],
        [
            [Cell(METRICS[m]), *(_cell(f[m], m) if m in f else Cell("–") for f in systems.values())]
            for m in others
        ],
    )
    tables = [main, rest]
    if figures["differences"]:
        heads = ["model minus", *(METRICS[metric] for metric in STRATA_METRICS)]
        rows = [
            [Cell(SYSTEMS[name]), *(_cell(f[m], m) for m in STRATA_METRICS)]
            for name, f in figures["differences"].items()
        ]
        tables.insert(1, Table("How far the model is above each baseline", heads, rows))
    empty = {SYSTEMS[name]: count for name, count in figures["empty"].items() if count}
    nothing = "; ".join(f"{name}: {count:,}" for name, count in empty.items()) or "none"
    words = f"Every gene counts; an empty text scores 0. Empty texts: {nothing}."
    return Section("metrics", "The model and what needs no model", words, charts, tables)


def _bars(systems: Figures, metric: str) -> list[drawings.Bar]:
    return [
        drawings.Bar(
            label=SYSTEMS[name].removeprefix("the model, ").removesuffix(" description"),
            value=figures[metric]["value"],
            interval=tuple(figures[metric]["interval"]),
            kind="fill-described" if name == MODEL else "fill-skipped",
            text=_value(figures[metric], metric),
        )
        for name, figures in systems.items()
    ]


def _habit(figures: Figures) -> Section:
    words = (
        "How many nats the model needs for each token of the references, by what it reads. Where "
        "the gene takes nothing off, what is written about it is habit."
    )
    rows = [[Cell(NATS[name]), _cell(f, "nats")] for name, f in figures["nats"].items()]
    tables = [Table("", ("the model reads the references", "nats per token"), rows)]
    return Section("nats", "What the sequence tells the model", words, [], tables if rows else [])


def _thresholds(figures: Figures) -> Section:
    scores = figures["scores"]
    rows = [[Cell(cell) for cell in row] for row in status_table(figures["statuses"])]
    tables = [Table("By status", STATUS_HEADS, rows)]
    charts = []
    if scores:
        name = "score" if scores["calibrated"] else "score (not calibrated)"
        charts = [
            drawings.reliability(
                "reliability", f"Share of right texts by {name}", scores["reliability"]
            ),
            drawings.coverage(
                "coverage", "Share of right texts among those described", scores["curve"]
            ),
        ]
        quality = [
            [Cell(name.replace("_", " ")), Cell("–" if value is None else f"{value:.3f}")]
            for name, value in scores["quality"].items()
        ]
        tables.append(Table("The score as a probability", ("", "value"), quality))
    words = "Uncertain texts are kept in the tables and, by default, not written into the GFF."
    return Section("statuses", "Does it know what it knows?", words, charts, tables)


def _divisions(figures: Figures) -> list[Section]:
    sections = []
    for division, groups in figures["strata"].items():
        name = division.replace(" ", "-")
        listed = dict(list(groups.items())[:MAX_GROUPS])
        left = len(groups) - len(listed)
        words = f"{left} smaller groups are in evaluation.tsv." if left else ""
        systems = list(figures["systems"])
        chart = drawings.bars(
            f"plot-{name}",
            "ROUGE-L of the model",
            [
                drawings.Bar(
                    label=label[:26],
                    value=group["systems"][MODEL]["rouge_l"]["value"],
                    interval=tuple(group["systems"][MODEL]["rouge_l"]["interval"]),
                    kind="fill-described",
                    text=_value(group["systems"][MODEL]["rouge_l"], "rouge_l"),
                )
                for label, group in listed.items()
            ],
        )
        heads = [division, "genes", *(METRICS[m] for m in (*STRATA_METRICS, "lift"))]
        model = [
            [
                Cell(label),
                Cell(f"{group['genes']:,}"),
                *(_cell(group["systems"][MODEL][m], m) for m in (*STRATA_METRICS, "lift")),
            ]
            for label, group in listed.items()
        ]
        beside = [
            [Cell(label), *(_cell(group["systems"][s]["rouge_l"], "rouge_l") for s in systems)]
            for label, group in listed.items()
        ]
        tables = [Table("The model", heads, model)]
        if len(systems) > 1:
            others = [division, *(SYSTEMS[system] for system in systems)]
            tables.append(Table("ROUGE-L beside the baselines", others, beside))
        sections.append(Section(name, f"By {division}", words, [chart], tables))
    return sections


def _protocols(figures: Figures) -> Section:
    tables = []
    for name, found in figures["protocols"].items():
        metrics = list(found["systems"][MODEL])
        rows = [
            [Cell(SYSTEMS[s]), *(_cell(f[m], m) for m in metrics)]
            for s, f in found["systems"].items()
        ]
        heads = ["text from", *(METRICS[m] for m in metrics)]
        tables.append(Table(f"{name}: {found['definition']}", heads, rows))
    words = "The same texts, scored as published models were."
    return Section("protocols", "Protocols of published models", words, [], tables)


def _examples(figures: Figures) -> Section:
    rows = [
        [
            Cell(row["gene_id"], f"{row['organism']}, {row['biotype']}"),
            Cell(row["reference"]),
            Cell(row[MODEL], _marks(row)),
            *([Cell(row["nearest"])] if "nearest" in row else []),
        ]
        for row in figures["examples"]
    ]
    has_nearest = any("nearest" in row for row in figures["examples"])
    heads = ["gene", "reference", "the model", *(["nearest training gene"] if has_nearest else [])]
    words = "The first genes in the order of the input, not chosen; texts.tsv has all of them."
    return Section("texts", "In its own words", words, [], [Table("", heads, rows, texts=True)])


def _marks(row: Mapping[str, Any]) -> str:
    marks = [row["status"]]
    marks += [f"{name} {row[name]:.2f}" for name in ("score", "lift") if row[name] is not None]
    return ", ".join([*marks, "right" if row["right"] else "not right"])


def _made(figures: Figures) -> Section:
    told = ("model", "corpus", "splits", "descriptions", "references")
    rows = [[Cell(name), Cell(str(figures[name]))] for name in told if figures.get(name)]
    for name in ("sides", "questions"):
        if figures.get(name):
            rows.append([Cell(name), Cell(", ".join(figures[name]))])
    if figures.get("training_genes"):
        rows.append([Cell("training genes"), Cell(f"{figures['training_genes']:,}")])
    rows += [
        [Cell(f"left out: {reason}"), Cell(f"{count:,} records")]
        for reason, count in figures["left_out"].items()
    ]
    rows += [[Cell(n), Cell(str(value))] for n, value in figures.get("definitions", {}).items()]
    return Section("made", "How this was made", "", [], [Table("", ("", ""), rows, texts=True)])


def _cell(figure: Mapping[str, Any], metric: str) -> Cell:
    value, _, interval = shown(figure, metric).partition(" (")
    return Cell(value, interval.removesuffix(")"))


def _value(figure: Mapping[str, Any], metric: str) -> str:
    return _cell(figure, metric).text
