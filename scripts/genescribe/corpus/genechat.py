"""GeneChat's published files: NCBI genes with summaries and keyword questions.

A folder with ``seq.json`` ({gene id: [sequence]}), ``qa_summary_rule.json`` ([{"Gene Id",
"Summary", "Name"}]) and, optionally, ``qa_kw.json`` ([{"Gene Id", "Q", "A"}]); layout as in
``genechat/datasets`` of fdkevin0/GeneChat at commit 922bdb9.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genescribe.corpus.source_genes import MAX_LENGTH, Field, SourceGene, Text, problem_of
from genescribe.errors import FormatError
from genescribe.files import check_readable
from genescribe.records import View

SEQUENCES, SUMMARIES, KEYWORDS = "seq.json", "qa_summary_rule.json", "qa_kw.json"
_QUESTIONS = {"symbol": Field.SYMBOL, "full name": Field.NAME}
"""Words of a keyword question, and what it asks for; chromosome and exon count are not asked."""


def is_genechat(folder: Path) -> bool:
    """Tell whether a folder holds GeneChat's files."""
    return (folder / SEQUENCES).is_file()


def read_genechat(folder: Path) -> Iterator[SourceGene]:
    """Yield GeneChat's genes, each read from end to end as it stands in ``seq.json``.

    Raises FormatError for files of another layout.
    """
    sequences = _load(folder / SEQUENCES, dict)
    texts: defaultdict[str, list[Text]] = defaultdict(list)
    organisms: dict[str, str] = {}
    biotypes: dict[str, str] = {}
    for row, place in _rows(folder / SUMMARIES, "Gene Id", "Summary"):
        gene = str(row["Gene Id"])
        texts[gene].append(Text(Field.DESCRIPTION, row["Summary"], f"{place} Summary"))
        if row.get("Name"):
            texts[gene].append(Text(Field.NAME, row["Name"], f"{place} Name"))
    if (folder / KEYWORDS).is_file():
        for row, place in _rows(folder / KEYWORDS, "Gene Id", "Q", "A"):
            gene, question, answer = str(row["Gene Id"]), row["Q"].lower(), row["A"]
            if "organism" in question:
                organisms[gene] = answer
            elif "type" in question:
                biotypes[gene] = answer
            for words, field in _QUESTIONS.items():
                if words in question:
                    texts[gene].append(Text(field, answer, f"{place} {row['Q']}"))
    for gene, given in sequences.items():
        sequence = given[0].upper()[:MAX_LENGTH] if given else ""
        biotype = biotypes.get(gene, "unknown").replace("-", "_")
        yield SourceGene(
            gene,
            biotype,
            View.GENE,
            sequence,
            tuple(texts.get(gene, ())),
            organism=organisms.get(gene),
            drop=problem_of(sequence, biotype),
        )


def _rows(path: Path, *keys: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the objects of a JSON list that have all ``keys``, and where each stands (1-based)."""
    for number, row in enumerate(_load(path, list), start=1):
        if not isinstance(row, dict) or not row.keys() >= set(keys):
            problem = f"object {number} has not the keys {', '.join(keys)}; see docs/corpus.md"
            raise FormatError(path, None, problem)
        yield row, f"{path.name}:{number}"


def _load(path: Path, kind: type) -> Any:  # a dict or list of whatever JSON holds
    check_readable(path)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(path, None, f"not JSON ({error}); fetch the file again") from error
    if not isinstance(values, kind):
        problem = f"not GeneChat's layout (no JSON {kind.__name__}); see docs/corpus.md"
        raise FormatError(path, None, problem)
    return values
