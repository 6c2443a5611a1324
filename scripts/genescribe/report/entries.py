"""Every gene with its description, and the counts that a report is made of."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from genescribe.records import Description, GeneRow, Reason, Status, check_same_genes

STATUS_MEANING: Mapping[Status, str] = {
    Status.DESCRIBED: "The text passed the model’s thresholds and is in the annotation.",
    Status.UNCERTAIN: "The model wrote a text, but too little speaks for it. "
    "By default it stays in the tables.",
    Status.SKIPPED: "The gene was not given to the model.",
    Status.FAILED: "The model could not process the gene.",
}

REASON_MEANING: Mapping[Reason, str] = {
    Reason.BIOTYPE_EXCLUDED: "Genes of this biotype were left out on request.",
    Reason.NO_MODEL: "No model was chosen for genes of this biotype.",
    Reason.NO_SEQUENCE: "The genome has no sequence for this gene, or the gene has no such part.",
    Reason.TOO_SHORT: "The sequence is shorter than the model’s minimum.",
    Reason.MOSTLY_N: "Too much of the sequence is unknown bases (N).",
    Reason.LOW_LIFT: "The sequence makes the text hardly more likely than no sequence does, "
    "so the text may be the model’s habit.",
    Reason.LOW_SCORE: "The model is not sure enough of its text.",
    Reason.EMPTY_TEXT: "The model wrote nothing.",
    Reason.OUT_OF_MEMORY: "The gene did not fit into memory, even alone.",
    Reason.REJECTED: "A person read the text and rejected it.",
}


class Entry(NamedTuple):
    """A gene and what became of it."""

    row: GeneRow
    description: Description


def pair(rows: Sequence[GeneRow], descriptions: Mapping[str, Description]) -> list[Entry]:
    """Join genes and descriptions, in the order of ``rows``; every gene gets one entry.

    A gene that extraction gave a reason needs no description: it counts as skipped. Raises
    InputError where the two do not belong together.
    """
    skipped = {row.gene_id: Description.skipped(row) for row in rows if row.reason}
    complete = {**skipped, **descriptions}
    check_same_genes((row.gene_id for row in rows), complete, "the table of genes")
    return [Entry(row, complete[row.gene_id]) for row in rows]


def count_statuses(entries: Iterable[Entry]) -> dict[Status, int]:
    """Count genes per status, each of them, in their order."""
    counts = Counter(entry.description.status for entry in entries)
    return {status: counts[status] for status in Status}


def count_reasons(entries: Iterable[Entry]) -> list[tuple[Status, Reason, int]]:
    """Count the genes that have a reason, the commonest first."""
    counts = Counter(
        (entry.description.status, entry.description.reason)
        for entry in entries
        if entry.description.reason
    )
    return sorted(((*key, n) for key, n in counts.items()), key=lambda item: (-item[2], item[:2]))


def score_name(entries: Iterable[Entry]) -> str:
    """Return what to call the scores of all these genes together."""
    kinds = {description.calibrated for _, description in entries if description.score is not None}
    if kinds == {True, False}:
        return "score (calibrated for some models only)"
    return "score (not calibrated)" if False in kinds else "score"


def medians(entries: Iterable[Entry]) -> dict[str, float | None]:
    """Return the medians of score and lift over the genes that have them, None if none has."""
    known: dict[str, list[float]] = {"score": [], "lift": []}
    for _, description in entries:
        for name, values in known.items():
            if (value := getattr(description, name)) is not None:
                values.append(value)
    return {name: statistics.median(values) if values else None for name, values in known.items()}
