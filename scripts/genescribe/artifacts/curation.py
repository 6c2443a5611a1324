"""What a person decided about descriptions: ``curation.tsv``, and applying it.

The columns of the table are ``gene_id``, ``decision`` (accept, reject, edit), ``text`` (what the
annotation shall say) and ``predicted`` (the model's text that was judged).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from genescribe.artifacts.codec import Table
from genescribe.errors import FormatError, InputError, Remedy
from genescribe.records import Description, Reason, Status

log = logging.getLogger(__name__)


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


_CURATIONS = Table(Curation, "curation", Remedy.CORRECT_LINE)


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
    decisions = _CURATIONS.read(path)
    seen: set[str] = set()
    for number, one in enumerate(decisions, start=2):
        gene = f"gene {one.gene_id}"
        if one.decision is not Decision.REJECT and not one.text.strip():
            raise FormatError(path, number, f"{one.decision} of {gene} has no text; reject it")
        if one.gene_id in seen:
            raise FormatError(path, number, f"{gene} is there twice; leave one line")
        seen.add(one.gene_id)
    return decisions


def write_curation(path: Path, curations: Iterable[Curation]) -> None:
    """Write one line per decision, in order of gene ids, or leave ``path`` as it was."""
    _CURATIONS.write(path, sorted(curations, key=lambda one: one.gene_id))
