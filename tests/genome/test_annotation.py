"""What is refused, the outer form of annotation files, and what is logged."""

from __future__ import annotations

import gzip
import logging
import subprocess
import sys
from pathlib import Path

import pysam
import pytest

from genescribe.errors import AnnotationError, FormatError, InputError
from genescribe.genome.annotation import read_annotation
from support.gff_rows import GENE_TRANSCRIPT, GFF3, only_gene, read, row

REFUSED = {
    "end_before_start": (GFF3 + row("gene", 90, 1), 2, "end 1 is before start 90"),
    "start_zero": (GFF3 + row("gene", 0, 9), 2, "start 0 is below 1"),
    "no_number": (GFF3 + row("gene", "1e3", 9), 2, "not both whole numbers"),
    "strand": (GFF3 + row("gene", 1, 9, strand="x"), 2, "strand 'x'"),
    "phase": (GFF3 + row("CDS", 1, 9, "ID=c", phase="3"), 2, "phase '3'"),
    "eight_columns_and_more": (GFF3 + "c\ts\tgene\t1\t9\n", 2, "found 5 tab-separated columns"),
    "ten_columns": (GFF3 + row("gene", 1, 9, "ID=g\tx"), 2, "found 10 tab-separated columns"),
    "spaces": ("c s gene 1 9 . + . ID=g\n", 1, "separated by spaces"),
    "same_gene_id_twice": (
        GFF3 + row("gene", 1, 9, "ID=g") + row("gene", 20, 90, "ID=g"),
        3,
        'gene id "g" is used again (first on line 2)',
    ),
    "same_gene_id_twice_in_gtf": (
        row("gene", 1, 9, 'gene_id "g";') + row("gene", 20, 90, 'gene_id "g";'),
        2,
        'gene id "g" is used again (first on line 1)',
    ),
    "same_gene_id_on_two_sequences": (
        row("gene", 1, 9, 'gene_id "g";', seqid="X") + row("gene", 1, 9, 'gene_id "g";', seqid="Y"),
        2,
        'gene "g" is on Y but line 1 has it on X',
    ),
    "same_cds_id_on_two_contigs": (
        GFF3 + row("CDS", 1, 9, "ID=P_1") + row("CDS", 1, 9, "ID=P_1", seqid="d"),
        3,
        'ID "P_1" is used again',
    ),
    "same_cds_id_on_two_strands": (
        GFF3 + row("CDS", 1, 9, "ID=P_1") + row("CDS", 20, 30, "ID=P_1", strand="-"),
        3,
        'ID "P_1" is used again',
    ),
    "same_transcript_id_in_two_genes": (
        GFF3
        + row("gene", 1, 9, "ID=g1")
        + row("mRNA", 1, 9, "ID=m;Parent=g1")
        + row("gene", 20, 90, "ID=g2")
        + row("mRNA", 20, 90, "ID=m;Parent=g2"),
        5,
        "used again under another Parent",
    ),
    "gtf_transcript_on_two_sequences": (
        row("exon", 1, 9, GENE_TRANSCRIPT, seqid="X")
        + row("exon", 1, 9, GENE_TRANSCRIPT, seqid="Y"),
        2,
        "is on Y but line 1 has it on X",
    ),
    "cycle": (
        GFF3 + row("gene", 1, 9, "ID=g;Parent=m") + row("mRNA", 1, 9, "ID=m;Parent=g"),
        2,
        "its own ancestor",
    ),
    "cycle_of_transcripts": (
        GFF3 + row("mRNA", 1, 9, "ID=a;Parent=b") + row("mRNA", 1, 9, "ID=b;Parent=a"),
        2,
        "its own ancestor",
    ),
    "own_parent": (GFF3 + row("gene", 1, 9, "ID=g;Parent=g"), 2, "its own ancestor"),
    "child_on_another_sequence": (
        GFF3 + row("mRNA", 1, 9, "ID=m") + row("exon", 1, 9, "Parent=m", seqid="d"),
        3,
        'its parent "m" (line 2) is on c',
    ),
    "cds_on_the_other_strand": (
        GFF3
        + row("mRNA", 1, 90, "ID=m")
        + row("exon", 1, 90, "Parent=m")
        + row("CDS", 1, 90, "Parent=m", phase="0", strand="-"),
        2,
        "pieces on both strands",
    ),
    "gtf_without_ids": (row("exon", 1, 9, 'note "x y"'), 1, "neither gene_id nor transcript_id"),
    "genbank": ("LOCUS       X 9 bp\n", 1, "GenBank"),
    "fasta": (">c\nACGT\n", 1, "this is FASTA"),
    "html": ("<!DOCTYPE html>\n", 1, "found 1 tab-separated columns"),
    "binary": (bytes(range(256)) * 9, 1, "binary"),
    "old_mac": (b"##gff-version 3\rc\ts\tgene\t1\t9\t.\t+\t.\tID=g\r", 1, "carriage return"),
    "comments_only": ("# nothing\n", None, "no features"),
    "no_genes": (GFF3 + row("region", 1, 9), None, "only region (1)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_line_and_advice(tmp_path: Path, case: str) -> None:
    text, line, message = REFUSED[case]
    with pytest.raises(AnnotationError) as caught:
        read(tmp_path, text)
    assert (caught.value.line, caught.value.exit_code) == (line, 2)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    where = f"{tmp_path / 'a.gff'}:{line}: " if line else f"{tmp_path / 'a.gff'}: "
    assert str(caught.value).startswith(where)


PLAIN = (GFF3 + row("gene", 1, 9, "ID=g;Name=n")).encode()


@pytest.mark.parametrize(
    ("data", "line_ending"),
    [
        (PLAIN, b"\n"),
        (PLAIN.replace(b"\n", b"\r\n"), b"\r\n"),
        (b"\xef\xbb\xbf" + PLAIN, b"\n"),
        (PLAIN.replace(b"\n", b"\n\n \t \n"), b"\n"),
        (PLAIN.rstrip(b"\n"), b"\n"),
        (PLAIN.replace(b"Name=n\n", b"Name=n; \t \n"), b"\n"),
        (gzip.compress(PLAIN), b"\n"),
    ],
    ids=["plain", "crlf", "bom", "blank_lines", "no_last_newline", "trailing_space", "gzip"],
)
def test_outer_form_of_the_file(tmp_path: Path, data: bytes, line_ending: bytes) -> None:
    annotation = read(tmp_path, data)
    (gene,) = annotation.genes
    assert (gene.gene_id, gene.name, gene.start, gene.end) == ("g", "n", 0, 9)
    assert annotation.line_ending == line_ending


def test_bgzip(tmp_path: Path) -> None:
    path = tmp_path / "a.gff.gz"
    with pysam.BGZFile(str(path), "wb") as handle:
        handle.write(PLAIN)
    assert len(read_annotation(path).genes) == 1


def test_bytes_that_are_not_utf8_survive(tmp_path: Path) -> None:
    gene = only_gene(tmp_path, PLAIN.replace(b"Name=n", b"Name=caf\xe9"))
    assert gene.name.encode("utf-8", "surrogateescape") == b"caf\xe9"


@pytest.mark.parametrize("end", ["##FASTA\n>c\nAC\n", ">c\nAC\n"])
def test_fasta_section_ends_the_features(tmp_path: Path, end: str) -> None:
    text = PLAIN.decode() + end + row("gene", 1, 9, "ID=not_a_feature")
    annotation = read(tmp_path, text)
    assert annotation.has_fasta
    assert len(annotation.genes) == 1
    assert not read(tmp_path, PLAIN).has_fasta


def test_circular_sequences(tmp_path: Path) -> None:
    text = PLAIN.decode() + row("region", 1, 99, "Is_circular=true", seqid="p")
    text += row("region", 1, 99, "Is_circular=false", seqid="q")
    assert read(tmp_path, text).circular == {"p"}


def test_order_of_genes_is_that_of_their_first_lines(tmp_path: Path) -> None:
    text = (
        GFF3 + row("gene", 50, 90, "ID=b") + row("tRNA", 1, 9, "ID=t") + row("gene", 1, 9, "ID=a")
    )
    assert [gene.gene_id for gene in read(tmp_path, text).genes] == ["b", "t", "a"]


def test_warnings_are_logged_once_with_count_and_first_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = (
        GFF3
        + row("intron", 1, 2)
        + "".join(row("CDS", n, n + 8, f"Parent=x{n}", phase="0") for n in (10, 40, 70))
    )
    with caplog.at_level(logging.INFO):
        read(tmp_path, text)
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings == [f"{tmp_path / 'a.gff'}:3: Parent is never defined (3 times)"]
    assert "intron (1)" in caplog.text


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_annotation(tmp_path / "missing.gff")
    with pytest.raises(InputError, match="directory"):
        read_annotation(tmp_path)
    with pytest.raises(FormatError, match="empty"):
        read(tmp_path, b"")
    with pytest.raises(FormatError, match="truncated"):
        read(tmp_path, gzip.compress(PLAIN + b"# filler\n" * 1000)[:-20])


def test_reading_imports_no_heavy_library(root: Path) -> None:
    code = (
        "import sys, genescribe.genome.annotation.read;"
        "print([m for m in ('numpy', 'pandas', 'torch', 'pysam') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(root / "scripts")},
    )
    assert result.stdout.strip() == "[]"
