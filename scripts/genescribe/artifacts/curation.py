"""What a person decided about descriptions: ``curation.tsv``, and applying it.

The file is UTF-8 and tab-separated like ``descriptions.tsv``, its cells escaped in the same way:
``gene_id``, ``decision`` (accept, reject, edit), ``text`` (what the annotation shall say) and
``predicted`` (the model's text that was judged).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from genescribe.artifacts.tables import escape, unescape
from genescribe.errors import FormatError, InputError
from genescribe.files import ENCODING, ENCODING_ERRORS, atomic_path, check_readable
from genescribe.records import Description, Reason, Status

log = logging.getLogger(__name__)

CURATION_COLUMNS = ("gene_id", "decision", "text", "predicted")


class Decision(StrEnum):
    """What a person may decide about a text."""

    ACCEPT = "accept"
    REJECT = "reject"
    EDIT = "edit"


MARKS = {Decision.ACCEPT: "+accepted", Decision.EDIT: "+edited"}
"""What the model's identity gets, so that the annotation tells whose sentence it is."""


@dataclass(frozen=True, slots=True)
class Curation:
    """One decision; ``text`` is what the annotation shall say, ``predicted`` what was judged."""

    gene_id: str
    decision: Decision
    text: str
    predicted: str


def curate(
    descriptions: Mapping[str, Description], curations: Iterable[Curation]
) -> dict[str, Description]:
    """Return the descriptions with the decisions applied.

    An accepted or edited gene is ``described``, and its model's identity ends in ``+accepted`` or
    ``+edited``; an edited text has neither score nor lift. A rejected text is gone, its gene
    ``uncertain: rejected``. Decisions about a text that the model has since replaced are left
    out, with a warning. Raises InputError for a gene without a description.
    """
    curated, stale = dict(descriptions), list[str]()
    for one in curations:
        found = descriptions.get(one.gene_id)
        if found is None:
            raise InputError(
                f"gene {one.gene_id}: is in the curation but has no description; give the "
                "curation that was made from these descriptions"
            )
        if found.text != one.predicted:
            stale.append(one.gene_id)
            continue
        curated[one.gene_id] = _decided(found, one)
    if stale:
        log.warning(
            "%d decisions are about texts that were written anew since, and are left out "
            "(first: %s)",
            len(stale),
            ", ".join(stale[:3]),
        )
    return curated


def _decided(found: Description, one: Curation) -> Description:
    if one.decision is Decision.REJECT:
        return replace(found, text="", status=Status.UNCERTAIN, reason=Reason.REJECTED)
    described = replace(
        found,
        text=one.text,
        status=Status.DESCRIBED,
        reason=Reason.NONE,
        model=f"{found.model}{MARKS[one.decision]}".lstrip("+"),
    )
    if one.decision is Decision.EDIT:
        return replace(described, score=None, lift=None, n_tokens=0)
    return described


def read_curation(path: Path) -> list[Curation]:
    """Read a curation; raises FormatError with the line that cannot be one."""
    check_readable(path)
    with path.open(encoding=ENCODING, errors=ENCODING_ERRORS, newline="") as handle:
        header = tuple(handle.readline().rstrip("\r\n").split("\t"))
        if header != CURATION_COLUMNS:
            raise FormatError(
                path, 1, f"not a curation; its columns are {', '.join(CURATION_COLUMNS)}"
            )
        found = [_parse(path, number, line) for number, line in enumerate(handle, start=2)]
    seen: set[str] = set()
    for number, one in enumerate(found, start=2):
        if one.gene_id in seen:
            raise FormatError(path, number, f"gene {one.gene_id} is there twice; leave one line")
        seen.add(one.gene_id)
    return found


def _parse(path: Path, number: int, line: str) -> Curation:
    cells = [unescape(cell) for cell in line.rstrip("\r\n").split("\t")]
    if len(cells) != len(CURATION_COLUMNS):
        raise FormatError(
            path, number, f"has {len(cells)} columns; a curation has {len(CURATION_COLUMNS)}"
        )
    gene_id, decision, text, predicted = cells
    if decision not in set(Decision):
        raise FormatError(
            path, number, f"decision {decision!r}; decisions are {', '.join(Decision)}"
        )
    if decision != Decision.REJECT and not text.strip():
        raise FormatError(path, number, f"{decision} of gene {gene_id} has no text; reject it")
    return Curation(gene_id, Decision(decision), text, predicted)


def write_curation(path: Path, curations: Iterable[Curation]) -> None:
    """Write one line per decision, in order of gene ids, or leave ``path`` as it was."""
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding=ENCODING, errors=ENCODING_ERRORS, newline="") as out,
    ):
        out.write("\t".join(CURATION_COLUMNS) + "\n")
        for one in sorted(curations, key=lambda one: one.gene_id):
            cells = (one.gene_id, one.decision, one.text, one.predicted)
            out.write("\t".join(map(escape, cells)) + "\n")
