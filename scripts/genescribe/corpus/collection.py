"""``build`` writes a corpus: all genes of all sources, no answer twice, every loss counted."""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from genescribe.corpus.questions import Answer, answers
from genescribe.corpus.records import (
    BIOTYPE,
    PRODUCT_NAME,
    CorpusRecord,
    beside,
    by_gene,
    in_style,
    without_style,
    write_corpus,
)
from genescribe.corpus.source_genes import Drop, SourceGene
from genescribe.corpus.sources import Source
from genescribe.corpus.texts import broken_words, is_dubious, mend
from genescribe.errors import InputError
from genescribe.files import atomic_path, refuse_existing
from genescribe.records import sequence_sha256

log = logging.getLogger(__name__)


@dataclass
class SourceReport:
    """What became of one source: genes read and kept, records, and losses by reason.

    Reasons that begin with ``text:`` count texts, the others genes.
    """

    source: str
    genes: int = 0
    kept: int = 0
    records: int = 0
    dropped: Counter[Drop] = field(default_factory=Counter)


@dataclass
class QuestionReport:
    """The records of one question; ``answers`` counts different texts."""

    question: str
    records: int
    informative: int
    answers: int


@dataclass
class Report:
    """What a corpus was built from, and what of it is there."""

    genes: int
    records: int
    sources: list[SourceReport]
    questions: list[QuestionReport]
    mended: dict[str, str]


def build(sources: Sequence[Source], out: Path, *, force: bool = False) -> Report:
    """Write the genes of all sources, with questions and answers, to ``out`` (.jsonl or .jsonl.gz).

    The report is written beside it, as ``.report.json``. Raises OutputExistsError unless
    ``force``, and what reading the sources raises.

    >>> from genescribe import corpus
    >>> from genescribe.corpus.sources import Source
    >>> example = Source("example", Path("example.gff3"), genome=Path("example.fa"))
    >>> report = corpus.build([example], Path("corpus.jsonl.gz"))
    >>> report.genes, [question.question for question in report.questions]
    (2, ['biotype', 'product name'])
    """
    report_path = beside(out, ".report.json")
    refuse_existing([out, report_path], force)
    records, report = build_corpus(sources)
    write_corpus(out, records)
    with atomic_path(report_path) as temporary:
        text = json.dumps(report, default=vars, indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return report


def build_corpus(sources: Sequence[Source]) -> tuple[list[CorpusRecord], Report]:
    """Read all sources; return the records, those of a sequence together, and a report.

    A sequence stands where the first source has it, with the answers of all of them. An answer
    that says nothing is left out where the same sequence has one that does. Raises InputError for
    sources without descriptions, or with but one for all genes.
    """
    reports = {source.name: SourceReport(source.name) for source in sources}
    if len(reports) < len(sources):
        raise InputError("two inputs have the same name; list them in a sheet with other names")
    read = [(source, entry) for source in sources for entry in _usable(source, reports)]
    broken = broken_words(text.value for _, entry in read for text in entry.texts)
    genes: defaultdict[str, dict[tuple[str, str], CorpusRecord]] = defaultdict(dict)
    for source, entry in read:
        report = reports[source.name]
        own = answers(_mended(entry, broken), source.fields, report.dropped)
        if not any(answer.question != BIOTYPE for answer in own):
            report.dropped[Drop.NO_DESCRIPTION] += 1
            continue
        report.kept += 1
        sha256 = sequence_sha256(entry.sequence)
        for record in _records(source, entry, sha256, own):
            known = genes[sha256].setdefault((record.question, record.answer), record)
            report.dropped[Drop.DUPLICATE] += known is not record
    records = [record for own in genes.values() for record in _best(own.values(), reports)]
    check_descriptions(records, sources)
    for record in records:
        reports[record.source].records += 1
    return records, Report(
        len(genes), len(records), list(reports.values()), question_reports(records), broken
    )


def _usable(source: Source, reports: dict[str, SourceReport]) -> Iterable[SourceGene]:
    report = reports[source.name]
    for entry in source.entries():
        report.genes += 1
        drop = entry.drop
        if drop is None and any(is_dubious(text.value) for text in entry.texts):
            drop = Drop.DUBIOUS_GENE
        if drop is None and not entry.texts:
            drop = Drop.NO_DESCRIPTION
        if drop is None:
            yield entry
        else:
            report.dropped[drop] += 1
    log.info("read %s: %d genes", source.name, report.genes)


def _mended(entry: SourceGene, broken: dict[str, str]) -> SourceGene:
    if not broken:
        return entry
    texts = tuple(text._replace(value=mend(text.value, broken)) for text in entry.texts)
    return replace(entry, texts=texts)


def _records(
    source: Source, entry: SourceGene, sha256: str, given: Iterable[Answer]
) -> Iterable[CorpusRecord]:
    """Yield the records of a gene; a product name in a known style stands under both questions."""
    for answer in given:
        questions = [answer.question]
        if answer.question == PRODUCT_NAME and source.style:
            questions.append(in_style(PRODUCT_NAME, source.style))
        for question in questions:
            yield CorpusRecord(
                gene_id=entry.gene_id,
                source=source.name,
                organism=source.organism or entry.organism,
                biotype=entry.biotype,
                view=entry.view,
                sequence=entry.sequence,
                sha256=sha256,
                question=question,
                answer=answer.text,
                informative=answer.informative,
                provenance=answer.provenance,
            )


def _best(
    records: Iterable[CorpusRecord], reports: dict[str, SourceReport]
) -> Iterable[CorpusRecord]:
    """Leave out answers that say nothing to questions that another source answers."""
    own = list(records)
    answered = {without_style(record.question) for record in own if record.informative}
    for record in own:
        if record.informative or without_style(record.question) not in answered:
            yield record
        else:
            reports[record.source].dropped[Drop.SAYS_LESS] += 1


def question_reports(records: Iterable[CorpusRecord]) -> list[QuestionReport]:
    """Return the counts of each question, in the order of the questions' names."""
    of_question: defaultdict[str, list[CorpusRecord]] = defaultdict(list)
    for record in records:
        of_question[record.question].append(record)
    return [
        QuestionReport(
            question,
            len(own),
            sum(record.informative for record in own),
            len({record.answer for record in own}),
        )
        for question, own in sorted(of_question.items())
    ]


def check_descriptions(records: Sequence[CorpusRecord], sources: Sequence[Source]) -> None:
    """Raise InputError for records from which nothing can be learnt about genes."""
    where = ", ".join(str(source.input) for source in sources[:3])
    where += f" and {len(sources) - 3} more" if len(sources) > 3 else ""
    if not records:
        raise InputError(
            f"{where}: no gene carries a description (Note, product, description, function); "
            "annotate it, or give another source"
        )
    in_words = [record for record in records if record.question != BIOTYPE]
    if not any(record.informative for record in in_words):
        raise InputError(
            f"{where}: every description says that nothing is known (like {in_words[0].answer!r}); "
            "give a source that describes genes"
        )
    genes = sum(1 for _ in by_gene(records))
    if genes > 1 and len({record.answer for record in in_words}) == 1:
        raise InputError(
            f"{where}: all {genes} genes have the same description, {in_words[0].answer!r}; "
            "give a source with more than one"
        )
