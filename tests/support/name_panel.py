"""The judge of names against the labels of people: ``python tests/support/name_panel.py``.

Prints the tables of docs/evaluation.md.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from genescribe.evaluation.intervals import wilson
from genescribe.evaluation.names import Verdict, is_correct, judge

FOLDER = Path(__file__).parents[1] / "evaluation" / "names"


class Pair(NamedTuple):
    """Two names, what a person says of the first, compared with the second, and from where."""

    prediction: str
    reference: str
    label: Verdict
    reason: str
    stratum: str

    @property
    def is_correct(self) -> bool:
        """Whether they say the same, but for how sure they are."""
        return self.label == Verdict.SAME or self.reason.startswith("hedge")


class Rate(NamedTuple):
    """How many of how many, with the Wilson interval of their share."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        return self.hits / self.of

    def __str__(self) -> str:
        low, high = wilson(self.hits, self.of)
        return f"{self.hits} of {self.of}, {self.share:.1%} ({low:.1%} to {high:.1%})"


def pairs(side: str) -> list[Pair]:
    with (FOLDER / f"{side}.tsv").open(encoding="utf-8") as lines:
        table = csv.DictReader(
            (line for line in lines if not line.startswith("#")),
            delimiter="\t",
            quoting=csv.QUOTE_NONE,
        )
        return [
            Pair(
                row["prediction"],
                row["reference"],
                Verdict(row["label"]),
                row["reason"],
                row["stratum"],
            )
            for row in table
        ]


def confusion(panel: list[Pair]) -> Counter[tuple[Verdict, Verdict]]:
    """Count pairs by label and verdict."""
    return Counter((pair.label, judge(pair.prediction, pair.reference)) for pair in panel)


def rates(panel: list[Pair]) -> dict[str, Rate]:
    """Return accuracy, false and found sames, and the same for ``is_correct``."""
    counts = confusion(panel)

    def of(label: Verdict, verdict: Verdict) -> Rate:
        return Rate(counts[label, verdict], sum(counts[label, one] for one in Verdict))

    found = [(pair, is_correct(pair.prediction, pair.reference)) for pair in panel]
    others = [(pair, yes) for pair, yes in found if not pair.is_correct]
    return {
        "verdict is the label": Rate(sum(counts[one, one] for one in Verdict), counts.total()),
        "different called same": of(Verdict.DIFFERENT, Verdict.SAME),
        "same called same": of(Verdict.SAME, Verdict.SAME),
        "correct called correct": Rate(
            sum(yes for pair, yes in found if pair.is_correct), len(found) - len(others)
        ),
        "different called correct": Rate(
            sum(yes for pair, yes in others if pair.label == Verdict.DIFFERENT),
            sum(pair.label == Verdict.DIFFERENT for pair, _ in others),
        ),
        "called correct and correct": Rate(
            sum(yes for pair, yes in found if pair.is_correct), sum(yes for _, yes in found)
        ),
    }


def main(side: str = "panel") -> None:
    panel = pairs(side)
    for name, rate in rates(panel).items():
        print(f"| {name} | {rate} |")
    counts = confusion(panel)
    print("| label \\ verdict |", " | ".join(Verdict), "|")
    for label in Verdict:
        print(f"| {label} |", " | ".join(str(counts[label, one]) for one in Verdict), "|")
    print("| stratum | pairs | verdict is the label | different called same | same called same |")
    for stratum in dict.fromkeys(pair.stratum for pair in panel):
        of = [pair for pair in panel if pair.stratum == stratum]
        found = rates(of)
        cells = [f"{rate.hits} of {rate.of}" for rate in list(found.values())[:3]]
        print(f"| {stratum} | {len(of)} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main(*sys.argv[1:])
