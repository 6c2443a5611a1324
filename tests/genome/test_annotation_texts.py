"""What the lines of a gene say of it, in GFF3 and in GTF."""

from __future__ import annotations

from pathlib import Path

from genescribe.genome.annotation import LineText, read_annotation, read_texts

KEYS = {"product", "note"}
GFF3 = """\
##gff-version 3
c\tx\tgene\t1\t90\t.\t+\t.\tID=g1;Note=one%2C two,three;colour=red
c\tx\tmRNA\t1\t90\t.\t+\t.\tID=t1;Parent=g1;product=kinase
c\tx\texon\t1\t90\t.\t+\t.\tParent=t1;Note=of an exon
c\tx\tCDS\t1\t90\t.\t+\t0\tID=p;Parent=t1,t2;product=kinase
c\tx\tgene\t1\t95\t.\t+\t.\tID=g2
c\tx\tmRNA\t1\t95\t.\t+\t.\tID=t2;Parent=g2;Product=
c\tx\tgene\t200\t300\t.\t+\t.\tID=g3
"""
GTF = """\
c\tx\tgene\t1\t90\t.\t+\t.\tgene_id "g1"; Note "a; b, c";
c\tx\ttranscript\t1\t90\t.\t+\t.\tgene_id "g1"; transcript_id "t1"; product "kinase";
c\tx\texon\t1\t90\t.\t+\t.\tgene_id "g1"; transcript_id "t1"; note "of an exon";
c\tx\tCDS\t1\t90\t.\t+\t0\tgene_id "g2"; transcript_id "t2"; product "ligase";
c\tx\tCDS\t40\t90\t.\t+\t0\tgene_id "g2"; transcript_id "t2"; product "ligase";
"""


def texts_of(path: Path, text: str) -> dict[str, list[LineText]]:
    path.write_text(text)
    return read_texts(read_annotation(path), KEYS)


def test_gff3_lines_speak_of_the_genes_above_them(tmp_path: Path) -> None:
    assert texts_of(tmp_path / "x.gff3", GFF3) == {
        "g1": [
            LineText(2, "Note", ["one, two", "three"]),
            LineText(3, "product", ["kinase"]),
            LineText(5, "product", ["kinase"]),
        ],
        "g2": [LineText(5, "product", ["kinase"])],
    }


def test_gtf_lines_speak_of_the_gene_that_they_name(tmp_path: Path) -> None:
    assert texts_of(tmp_path / "x.gtf", GTF) == {
        "g1": [LineText(1, "Note", ["a; b, c"]), LineText(2, "product", ["kinase"])],
        "g2": [LineText(4, "product", ["ligase"]), LineText(5, "product", ["ligase"])],
    }
