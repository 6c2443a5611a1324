"""Annotation and FASTA must name the same sequences; if they do not, say how they differ."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from pathlib import Path

from genescribe.errors import Remedy, SequenceMismatchError

_SHOWN = 5
_PREFIX = re.compile(r"^(chromosome|chrom|chr|scaffold|contig)[_ -]?(?=.)", re.IGNORECASE)
_VERSION = re.compile(r"\.\d+$")
_MITOCHONDRION = {"m", "mt", "mito", "mitochondrion"}

log = logging.getLogger(__name__)


def check_seqids(
    annotation: Path, used: Collection[str], fasta: Path, known: Collection[str], allow: bool
) -> None:
    """Raise SequenceMismatchError unless all ``used`` names are ``known``, or ``allow`` is set.

    ``used`` are the sequence names of the genes of ``annotation`` in file order, ``known``
    those of ``fasta``. With ``allow`` a warning is logged instead.
    """
    known = dict.fromkeys(known)
    missing = [name for name in used if name not in known]
    if not missing:
        return
    found = (
        f"{annotation}: {len(missing)} of {len(used)} sequence names are not in {fasta}: "
        f"{_first(missing)}; the FASTA has {_first(known)}"
    )
    if allow:
        log.warning("%s; genes on these sequences are skipped", found)
        return
    raise SequenceMismatchError(f"{found}; {_hint(missing, known)}", Remedy.SKIP_MISSING_CONTIGS)


def _first(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _hint(missing: Collection[str], known: Collection[str]) -> str:
    """Say what to do; show a pair of names that differ only in prefix, version or the like."""
    by_core = {_core(name): name for name in known}
    for name in missing:
        if _core(name) in by_core:
            return f"{name} looks like {by_core[_core(name)]}: rename them in one of the files"
    return "give the FASTA that the annotation was made for"


def _core(name: str) -> str:
    """Return what is left of a name when the habits of databases are taken off.

    ``gi|49175990|ref|NC_000913.3|`` and ``accn|NC_000913`` both give ``nc_000913``; ``chr01``
    and ``1`` both give ``1``; ``chrM`` and ``MT`` both give ``mt``.
    """
    core = next((word for word in reversed(name.split("|")) if word), name)
    core = _VERSION.sub("", _PREFIX.sub("", core)).lower()
    return "mt" if core in _MITOCHONDRION else core.lstrip("0") or core
