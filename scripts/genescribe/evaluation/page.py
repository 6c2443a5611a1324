"""The pages of results: one self-contained HTML file that needs no JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from genescribe.evaluation import drawings
from genescribe.evaluation.comparison import MODEL, STRATA_METRICS, SYSTEMS
from genescribe.evaluation.figures import (
    EXAMPLES,
    CalibrationFigures,
    CorpusData,
    Evaluation,
    Figure,
    Figures,
    TextRow,
    plain,
)
from genescribe.evaluation.metrics import CORRECT
from genescribe.evaluation.shown import MAIN, METRICS, STATUS_HEADS, shown, status_table
from genescribe.pages import html
from genescribe.pages.charts import Bar, Chart
from genescribe.version import __version__

CHARTED = ("bleu_1", "bleu_4", "meteor", "rouge_l", "semantic_f1", CORRECT)
MAX_GROUPS = 30
CAUTION = (
    "These figures compare the words of a description with those of one annotation. A right "
    "function in other words scores low, a wrong one in the same words scores high, and references "
    "are themselves mostly transferred by similarity. Compare with the baselines, not with 1."
)
READ = {
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


def write_evaluation_page(path: Path, figures: Evaluation) -> None:
    """Write the page of an evaluation; same figures, same bytes."""
    sections = [_systems(figures), _habit(figures), _thresholds(figures), *_divisions(figures)]
    sections += [_protocols(figures), _examples(figures), _made(figures)]
    _write(
        path,
        f"Evaluation of {figures.model or 'descriptions'}",
        f"{figures.genes:,} genes",
        _tiles(figures),
        [section for section in sections if section.charts or section.tables],
    )


def write_calibration_page(path: Path, figures: CalibrationFigures) -> None:
    """Write the page of a calibration; same figures, same bytes."""
    chosen, target = figures.thresholds, figures.target_precision
    reached = f"{chosen.coverage:.1%}" if chosen.reached else "none"
    precision = "–" if chosen.precision is None else f"{chosen.precision:.1%}"
    tiles = [
        Tile("Right", f"{figures.share_correct:.1%}", f"of all texts: {figures.correct}"),
        Tile("Described", reached, f"of the genes, at a score of at least {chosen.min_score}"),
        Tile("Right among them", precision, f"wanted: {target:.0%}, with margin"),
        Tile("Lift at least", f"{chosen.min_lift:.2f}", "nats per token, else uncertain"),
    ]
    charts = [
        drawings.reliability("reliability", "Share of right texts by score", figures.reliability),
        drawings.coverage(
            "coverage", "Share of right texts among those described", figures.curve, target
        ),
    ]
    thresholds = plain(chosen) | plain(figures.quality)
    numbers = {f"calibration: {name}": one for name, one in plain(figures.calibration).items()}
    numbers |= {name.replace("_", " "): value for name, value in thresholds.items()}
    rows = [
        (Cell(name), Cell("–" if value is None else str(value))) for name, value in numbers.items()
    ]
    words = (
        "Scores here are cross-fitted: each gene's comes from a fit on the others. The dashed "
        "diagonal is a perfect score, the dashed line the precision asked for."
    )
    sections = [
        Section("score", "Score and threshold", words, charts, []),
        Section("numbers", "Numbers", "", [], [Table("", ("", "value"), rows)]),
        _made(figures),
    ]
    title = f"Calibration of {figures.model}"
    _write(path, title, f"{figures.genes:,} genes", tiles, sections)


def _write(
    path: Path, title: str, facts: str, tiles: Sequence[Tile], sections: Sequence[Section]
) -> None:
    html.write_page(
        path,
        __package__,
        "page.html",
        title=title,
        facts=facts,
        caution=CAUTION,
        tiles=tiles,
        parts=sections,
        sections=[(section.name, section.title) for section in sections],
        skip_to="figures",
        version=__version__,
        style=html.asset(__package__, "evaluation.css"),
    )


def _tiles(figures: Evaluation) -> list[Tile]:
    model = figures.systems[MODEL]
    tiles = [
        Tile("Right", _value(model[CORRECT], CORRECT), figures.definitions.correct),
        Tile("BLEU-1", _value(model["bleu_1"], "bleu_1"), "mean of the texts"),
        Tile("ROUGE-L", _value(model["rouge_l"], "rouge_l"), "mean F of the texts"),
    ]
    if one := figures.statuses.get("described"):
        correct = "–" if one.correct is None else f"{one.correct:.1%}"
        described = f"{one.coverage:.1%} of the genes are described"
        tiles.append(Tile("Right if described", correct, described))
    if (lift := model["lift"].value) is not None:
        tiles.append(Tile("Lift", f"{lift:.2f}", "nats per token of own texts"))
    return tiles


def _systems(figures: Evaluation) -> Section:
    systems = figures.systems
    charts = [
        drawings.bars(
            f"plot-{metric}",
            METRICS[metric],
            [
                _bar(
                    SYSTEMS[name].removeprefix("the model, ").removesuffix(" description"),
                    measured[metric],
                    metric,
                    is_other=name != MODEL,
                )
                for name, measured in systems.items()
            ],
        )
        for metric in CHARTED
    ]
    main = _by_system("Means, with 95 % intervals", "text from", systems, MAIN)
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
    if figures.differences:
        above = "How far the model is above each baseline"
        tables.insert(1, _by_system(above, "model minus", figures.differences, STRATA_METRICS))
    empty = {SYSTEMS[name]: count for name, count in figures.empty.items() if count}
    nothing = "; ".join(f"{name}: {count:,}" for name, count in empty.items()) or "none"
    words = f"Every gene counts; an empty text scores 0. Empty texts: {nothing}."
    return Section("metrics", "The model and what needs no model", words, charts, tables)


def _by_system(
    caption: str, corner: str, systems: Mapping[str, Figures], metrics: Sequence[str]
) -> Table:
    rows = [
        [Cell(SYSTEMS[name]), *(_cell(measured[m], m) for m in metrics)]
        for name, measured in systems.items()
    ]
    return Table(caption, [corner, *(METRICS[m] for m in metrics)], rows)


def _bar(label: str, figure: Figure, metric: str, *, is_other: bool = False) -> Bar:
    value, text = figure.value or 0.0, _value(figure, metric)
    return drawings.bar(label, value, text, figure.interval or (value, value), is_other=is_other)


def _habit(figures: Evaluation) -> Section:
    words = (
        "How many nats the model needs for each token of the references, by what it reads. Where "
        "the gene takes nothing off, what is written about it is habit."
    )
    rows = [[Cell(READ[name]), _cell(f, "nats")] for name, f in figures.nll.items()]
    tables = [Table("", ("the model reads the references", "nats per token"), rows)]
    return Section("nats", "What the sequence tells the model", words, [], tables if rows else [])


def _thresholds(figures: Evaluation) -> Section:
    rows = [[Cell(cell) for cell in row] for row in status_table(figures.statuses)]
    tables = [Table("By status", STATUS_HEADS, rows)]
    charts = []
    if scores := figures.scores:
        name = "score" if scores.calibrated else "score (not calibrated)"
        charts = [
            drawings.reliability(
                "reliability", f"Share of right texts by {name}", scores.reliability
            ),
            drawings.coverage(
                "coverage", "Share of right texts among those described", scores.curve
            ),
        ]
        quality = [
            [Cell(name.replace("_", " ")), Cell("–" if value is None else f"{value:.3f}")]
            for name, value in plain(scores.quality).items()
        ]
        tables.append(Table("The score as a probability", ("", "value"), quality))
    words = "Uncertain texts are kept in the tables and, by default, not written into the GFF."
    return Section("statuses", "Does it know what it knows?", words, charts, tables)


def _divisions(figures: Evaluation) -> list[Section]:
    sections = []
    for division, groups in figures.strata.items():
        name = division.replace(" ", "-")
        listed = dict(list(groups.items())[:MAX_GROUPS])
        left = len(groups) - len(listed)
        words = f"{left} smaller groups are in evaluation.tsv." if left else ""
        own = {label: group.systems[MODEL] for label, group in listed.items()}
        bars = [_bar(label[:26], f["rouge_l"], "rouge_l") for label, f in own.items()]
        chart = drawings.bars(f"plot-{name}", "ROUGE-L of the model", bars)
        metrics = (*STRATA_METRICS, "lift")
        rows = [
            [Cell(label), Cell(f"{listed[label].genes:,}"), *(_cell(f[m], m) for m in metrics)]
            for label, f in own.items()
        ]
        tables = [Table("The model", [division, "genes", *(METRICS[m] for m in metrics)], rows)]
        if len(figures.systems) > 1:
            heads = [division, *(SYSTEMS[system] for system in figures.systems)]
            beside = [
                [Cell(label), *(_cell(f["rouge_l"], "rouge_l") for f in group.systems.values())]
                for label, group in listed.items()
            ]
            tables.append(Table("ROUGE-L beside the baselines", heads, beside))
        sections.append(Section(name, f"By {division}", words, [chart], tables))
    return sections


def _protocols(figures: Evaluation) -> Section:
    tables = [
        _by_system(f"{name}: {one.definition}", "text from", one.systems, list(one.systems[MODEL]))
        for name, one in figures.protocols.items()
    ]
    words = "The same texts, scored as published models were."
    return Section("protocols", "Protocols of published models", words, [], tables)


def _examples(figures: Evaluation) -> Section:
    has_nearest = "nearest" in figures.systems
    rows = [
        [
            Cell(row.gene_id, f"{row.organism}, {row.biotype}"),
            Cell(row.reference),
            Cell(row.texts[MODEL], _marks(row)),
            *([Cell(row.texts["nearest"])] if has_nearest else []),
        ]
        for row in figures.rows[:EXAMPLES]
    ]
    heads = ["gene", "reference", "the model", *(["nearest training gene"] if has_nearest else [])]
    words = "The first genes in the order of the input, not chosen; texts.tsv has all of them."
    return Section("texts", "In its own words", words, [], [Table("", heads, rows, texts=True)])


def _marks(row: TextRow) -> str:
    numbers = {"score": row.score, "lift": row.lift}
    marks = [f"{name} {value:.2f}" for name, value in numbers.items() if value is not None]
    return ", ".join([row.status, *marks, "right" if row.metrics[CORRECT] else "not right"])


def _made(figures: Evaluation | CalibrationFigures) -> Section:
    data = figures.data
    facts = {"model": figures.model}
    if isinstance(data, CorpusData):
        facts |= {"corpus": data.corpus, "splits": data.splits}
        facts |= {"sides": ", ".join(data.sides), "questions": ", ".join(data.questions)}
        facts |= {"training genes": f"{data.training_genes:,}" if data.training_genes else ""}
    else:
        facts |= {"descriptions": data.descriptions, "references": data.references}
    facts |= {f"left out: {why}": f"{count:,} records" for why, count in data.left_out.items()}
    if isinstance(figures, Evaluation):
        facts |= {name: str(value) for name, value in plain(figures.definitions).items()}
    rows = [[Cell(name), Cell(value)] for name, value in facts.items() if value]
    return Section("made", "How this was made", "", [], [Table("", ("", ""), rows, texts=True)])


def _cell(figure: Figure, metric: str) -> Cell:
    value, _, interval = shown(figure, metric).partition(" (")
    return Cell(value, interval.removesuffix(")"))


def _value(figure: Figure, metric: str) -> str:
    return _cell(figure, metric).text
