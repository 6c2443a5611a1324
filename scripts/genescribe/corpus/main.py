"""What this room is asked for: ``build`` writes a corpus, ``split`` divides one into sides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genescribe.artifacts.codec import cell, write_rows
from genescribe.corpus import partition
from genescribe.corpus.collection import Report, build_corpus, write_report
from genescribe.corpus.partition import Leakage, SplitSettings
from genescribe.corpus.records import by_gene, read_corpus, write_corpus
from genescribe.corpus.sources import Source
from genescribe.corpus.splits import write_splits
from genescribe.files import refuse_existing


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
    report_path = _beside(out, ".report.json")
    refuse_existing([out, report_path], force)
    records, report = build_corpus(sources)
    write_corpus(out, records)
    write_report(report_path, report)
    return report


def split(
    corpus: Path,
    out: Path,
    settings: SplitSettings,
    *,
    use_mmseqs: bool = True,
    threads: int = 1,
    force: bool = False,
) -> list[Leakage]:
    """Write on which side each sequence of a corpus is to ``out`` (.tsv).

    What the sides share is returned, and written beside it as ``.leakage.tsv``. ``use_mmseqs``
    finds distant relatives by alignment, in ``threads``. Raises OutputExistsError unless
    ``force``, and what ``partition.divide`` and ``partition.find_relatives`` raise.

    >>> from genescribe import corpus
    >>> from genescribe.corpus.partition import By, SplitSettings
    >>> settings = SplitSettings(By.RANDOM, validation=0, test=1)
    >>> (test,) = corpus.split(
    ...     Path("corpus.jsonl.gz"), Path("splits.tsv"), settings, use_mmseqs=False
    ... )
    >>> test.side, test.genes, test.same_answer_in_train
    (<Side.TEST: 'test'>, 1, 0)
    """
    report_path = _beside(out, ".leakage.tsv")
    refuse_existing([out, report_path], force)
    genes = list(by_gene(read_corpus(corpus)))
    partition.check_organisms(genes, settings)
    relatives = partition.find_relatives(genes, use_mmseqs=use_mmseqs, threads=threads)
    rows = partition.divide(genes, settings, relatives)
    report = partition.leakage(genes, rows)
    write_splits(out, rows)
    write_rows(report_path, Leakage._fields, (map(cell, side) for side in report))
    return report


def _beside(path: Path, ending: str) -> Path:
    """Return the path of a companion: corpus.jsonl.gz -> corpus.report.json."""
    return path.with_name(path.name.split(".")[0] + ending)
