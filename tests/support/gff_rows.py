"""Small annotations written in tests, and genes written as one line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genescribe.genome.annotation import Annotation, read_annotation
from genescribe.records import Gene, Segment

GFF3 = "##gff-version 3\n"
GENE_TRANSCRIPT = 'gene_id "g"; transcript_id "t";'


def row(
    kind: str,
    start: object,
    end: object,
    attributes: str = ".",
    *,
    strand: str = "+",
    phase: str = ".",
    seqid: str = "c",
) -> str:
    return f"{seqid}\tsrc\t{kind}\t{start}\t{end}\t.\t{strand}\t{phase}\t{attributes}\n"


def read(tmp_path: Path, text: str | bytes, name: str = "a.gff") -> Annotation:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_annotation(path)


def only_gene(tmp_path: Path, text: str | bytes) -> Gene:
    (gene,) = read(tmp_path, text).genes
    return gene


def summary(gene: Gene) -> str:
    """A gene in one line: id biotype name product lines [transcript: exons / CDS]."""
    transcripts = ", ".join(
        f"{t.transcript_id}: {spans(t.exons)} / {spans(t.cds)}" for t in gene.transcripts
    )
    lines = "+".join(map(str, gene.lines))
    name, product = gene.name or "-", gene.product or "-"
    return f"{gene.gene_id} {gene.biotype} {name} {product} {lines} [{transcripts}]"


def spans(pieces: Sequence[Segment]) -> str:
    return " ".join(f"{p.start + 1}-{p.end}{p.strand}" for p in pieces) or "-"
