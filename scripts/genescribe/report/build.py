"""One self-contained HTML file that shows what was written about every gene.

Without JavaScript the file holds the summary, the charts, the first genes and the run record.
With it, all genes can be searched: their data lie in a script block that browsers do not run,
as gzip in base64, which also keeps every text of a model or an annotation out of the markup.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from genescribe.pages import genes_table
from genescribe.pages import html as pages
from genescribe.pages.charts import Chart
from genescribe.records import Description, GeneRow, Status
from genescribe.report import plots, provenance
from genescribe.report.entries import (
    REASON_MEANING,
    STATUS_MEANING,
    Entry,
    count_reasons,
    count_statuses,
    medians,
    pair,
    score_name,
)

SECTIONS = [(name, name.capitalize()) for name in ("genes", "charts", "reasons", "provenance")]
STATIC_ROWS = 200  # genes that are readable without JavaScript
TOP_CONTIGS = 20
TOP_BIOTYPES = 12
CELL_CHARACTERS = 400  # of a text in the table; genes_table.js uses the same, the detail shows all


def build_report(
    rows: Sequence[GeneRow],
    descriptions: Mapping[str, Description],
    *,
    run: Mapping[str, Any],
    title: str,
    out: Path,
) -> None:
    """Write the report of one assembly to ``out``; the same input gives the same bytes.

    ``run`` is the run record (any of its keys may be absent). Raises InputError where genes
    and descriptions do not belong together, OutputError where ``out`` cannot be written.
    """
    entries = pair(rows, descriptions)
    score, statuses = score_name(entries), count_statuses(entries)
    data = genes_table.packed(entries, meanings=REASON_MEANING)
    pages.write_page(
        out,
        __package__,
        "template.html",
        title=title,
        sections=SECTIONS,
        skip_to="genes",
        total=len(entries),
        statuses=[(status, count, STATUS_MEANING[status]) for status, count in statuses.items()],
        medians=medians(entries),
        score_name=score,
        models=sorted({entry.description.model for entry in entries} - {""}),
        charts=_charts(entries, statuses, score),
        reasons=[(*item, REASON_MEANING[item[1]]) for item in count_reasons(entries)],
        entries=entries[:STATIC_ROWS],
        cell_characters=CELL_CHARACTERS,
        provenance=provenance.tables(run),
        version=run.get("genescribe_version", ""),
        created=str(run.get("created", "")),
        payload=base64.b64encode(data).decode(),
        style=genes_table.style() + pages.asset(__package__, "report.css"),
        script=genes_table.script(pages.asset(__package__, "report.js")),
    )


def _charts(entries: Sequence[Entry], statuses: Mapping[Status, int], score: str) -> list[Chart]:
    texts = [description for _, description in entries if description.text]
    scores = [(d.status, d.score) for d in texts if d.score is not None]
    lifts = [(d.status, d.lift) for d in texts if d.lift is not None]
    lengths = [(d.status, float(len(d.text))) for d in texts]
    contigs = _grouped(((row.seqid, d.status) for row, d in entries), TOP_CONTIGS)
    biotypes = _grouped(((row.biotype or "none", d.status) for row, d in entries), TOP_BIOTYPES)
    by_status = {status.value: {status: count} for status, count in statuses.items()}
    return [
        plots.histogram("plot-score", score.capitalize(), scores, span=(0.0, 1.0)),
        plots.histogram("plot-lift", "Lift (nats per token)", lifts),
        plots.histogram("plot-length", "Length of the text (characters)", lengths),
        plots.by_group("plot-status", "status", by_status),
        plots.by_group("plot-biotype", "biotype", biotypes),
        plots.by_group("plot-contig", "contig", contigs),
    ]


def _grouped(pairs: Iterable[tuple[str, Status]], top: int) -> dict[str, Counter[Status]]:
    """Count statuses per group, the largest groups first, the rest under "other"."""
    groups: dict[str, Counter[Status]] = {}
    for label, status in pairs:
        groups.setdefault(label, Counter())[status] += 1
    ordered = sorted(groups, key=lambda label: (-groups[label].total(), label))
    shown = {label: groups[label] for label in ordered[:top]}
    rest = ordered[top:]
    if rest:
        shown[f"{len(rest):,} other"] = sum((groups[label] for label in rest), Counter[Status]())
    return shown
