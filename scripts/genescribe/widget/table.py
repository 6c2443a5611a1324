"""The genes of a run as a table that is searched, filtered, sorted and paged in the kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from genescribe.artifacts.curation import Curation
from genescribe.report.entries import Entry

ALL = ""
"""The value of a filter that lets every gene pass."""
UNREVIEWED = "not reviewed"


class Column(NamedTuple):
    """A column of the table: key, title, the value that it is sorted by."""

    key: str
    title: str
    value: Callable[[Entry], Any]


COLUMNS = (
    Column("gene", "Gene", lambda entry: entry.row.gene_id),
    Column("place", "Place", lambda entry: (entry.row.seqid, entry.row.start)),
    Column("biotype", "Biotype", lambda entry: entry.row.biotype),
    Column("text", "Description (prediction)", lambda entry: entry.description.text.lower()),
    Column("score", "Score", lambda entry: entry.description.score),
    Column("lift", "Lift", lambda entry: entry.description.lift),
    Column("status", "Status", lambda entry: entry.description.status),
    Column("review", "Review", lambda entry: entry.row.gene_id),
)
_SORTED_BY = {column.key: column.value for column in COLUMNS}


@dataclass(frozen=True)
class Query:
    """What to show: empty filters let all genes pass; ``sort`` "" is the order of the input.

    All words of ``search`` must occur, in any column, in any case.
    """

    search: str = ""
    status: str = ALL
    biotype: str = ALL
    contig: str = ALL
    review: str = ALL
    min_score: float = 0.0
    min_lift: float | None = None
    sort: str = ""
    descending: bool = False


class GeneTable:
    """All genes of a run, with what was decided about them.

    Positions count the genes in the order of the input.
    """

    def __init__(self, entries: list[Entry], curations: Mapping[str, Curation]) -> None:
        self.entries = entries
        self.curations = dict(curations)
        self._words = [self._all_words(entry) for entry in entries]
        self.position = {entry.row.gene_id: number for number, entry in enumerate(entries)}

    def decide(self, gene_id: str, curation: Curation | None) -> None:
        """Note a decision, or that there is none any more."""
        if curation is None:
            self.curations.pop(gene_id, None)
        else:
            self.curations[gene_id] = curation
        number = self.position[gene_id]
        self._words[number] = self._all_words(self.entries[number])

    def choices(self, value: Callable[[Entry], str]) -> list[tuple[str, str]]:
        """Return (label with count, value), the commonest first, for a filter."""
        counts = Counter(value(entry) for entry in self.entries)
        return [(f"{name or '(none)'} ({count:,})", name) for name, count in counts.most_common()]

    def select(self, query: Query) -> list[int]:
        """Return the positions of the genes to show, in the order to show them."""
        words = query.search.lower().split()
        passed = [
            number
            for number, entry in enumerate(self.entries)
            if self._passes(entry, query) and all(word in self._words[number] for word in words)
        ]
        return self._sorted(passed, query) if query.sort else passed

    def page(self, positions: list[int]) -> list[dict[str, str]]:
        """Return the cells of these genes, as texts, by column; ``reason`` beside ``status``."""
        return [self._cells(self.entries[number]) for number in positions]

    def review_of(self, gene_id: str) -> str:
        """Return the decision about a gene, or that there is none."""
        curation = self.curations.get(gene_id)
        return str(curation.decision) if curation else UNREVIEWED

    def text_of(self, entry: Entry) -> str:
        """Return what the annotation would say: the edited text, or the model's."""
        curation = self.curations.get(entry.row.gene_id)
        return curation.text if curation and curation.text else entry.description.text

    def _passes(self, entry: Entry, query: Query) -> bool:
        row, found = entry
        return (
            query.status in (ALL, found.status)
            and query.biotype in (ALL, row.biotype)
            and query.contig in (ALL, row.seqid)
            and query.review in (ALL, self.review_of(row.gene_id))
            and (not query.min_score or (found.score or 0.0) >= query.min_score)
            and (
                query.min_lift is None or (found.lift is not None and found.lift >= query.min_lift)
            )
        )

    def _sorted(self, positions: list[int], query: Query) -> list[int]:
        """Sort; genes without the value stand last in both directions."""
        value = self._value(query.sort)
        keyed = [(number, value(self.entries[number])) for number in positions]
        known = [item for item in keyed if item[1] is not None]
        known.sort(key=lambda item: item[1], reverse=query.descending)
        return [number for number, _ in known] + [n for n, found in keyed if found is None]

    def _value(self, key: str) -> Callable[[Entry], Any]:
        if key == "review":
            return lambda entry: self.review_of(entry.row.gene_id)
        return _SORTED_BY[key]

    def _all_words(self, entry: Entry) -> str:
        row, found = entry
        words = [*self._cells(entry).values(), row.product, found.text, found.model, found.prompt]
        return "\n".join(words).lower()

    def _cells(self, entry: Entry) -> dict[str, str]:
        row, found = entry
        review = self.review_of(row.gene_id)
        return {
            "gene": row.gene_id,
            "name": row.name,
            "place": f"{row.seqid}:{row.start + 1:,}-{row.end:,} ({row.strand})",
            "biotype": row.biotype,
            "text": self.text_of(entry),
            "score": "" if found.score is None else f"{found.score:.2f}",
            "lift": "" if found.lift is None else f"{found.lift:.2f}",
            "status": found.status,
            "reason": found.reason,
            "review": "" if review == UNREVIEWED else review,
        }


def turned(query: Query, column: str) -> Query:
    """Return the query after a click on a column's head: up, down, then the input's order."""
    if query.sort != column:
        return replace(query, sort=column, descending=False)
    if not query.descending:
        return replace(query, descending=True)
    return replace(query, sort="", descending=False)
