"""The GFF3 made from a GTF: structure, phases, IDs, attributes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import gffutils
import pytest

from genescribe.genome.annotation import read_annotation
from genescribe.genome.decoration.decorate import decorate
from genescribe.genome.decoration.strip import strip
from genescribe.genome.settings import DecorateSettings
from support.made_up_descriptions import PLAIN, describe_all

COLUMNS = ("seqid", "source", "type", "start", "end", "score", "strand", "phase", "attributes")


def line(kind: str, start: int, end: int, attributes: str, strand="+", phase=".", score="."):
    """Return one GTF line on chr1."""
    return f"chr1\tsrc\t{kind}\t{start}\t{end}\t{score}\t{strand}\t{phase}\t{attributes}\n"


def gff3_of(folder: Path, gtf: str) -> list[dict[str, str]]:
    """Return the features that are made of ``gtf``, without our decoration."""
    source = folder / "in.gtf"
    source.write_text(gtf, encoding="utf-8")
    out = folder / "out.gff3"
    settings = DecorateSettings(sorted_copy=False)
    decorate(source, describe_all(read_annotation(source)), out, settings)
    plain = folder / "plain.gff3"
    with plain.open("wb") as handle:
        strip(out, handle)
    rows = plain.read_text(encoding="utf-8").splitlines()
    assert rows[0] == "##gff-version 3"
    features = [row for row in rows if not row.startswith("#")]
    return [dict(zip(COLUMNS, row.split("\t"), strict=True)) for row in features]


def keys(feature: dict[str, str]) -> dict[str, str]:
    """Return column 9 as a dictionary."""
    return dict(piece.split("=") for piece in feature["attributes"].split(";"))


T = 'gene_id "g1"; transcript_id "t1";'


def test_hierarchy_phases_and_stop_codon(tmp_path):
    gtf = (
        line("gene", 101, 400, 'gene_id "g1"; gene_name "abc";', "-", score="7.5")
        + line("transcript", 101, 400, T + ' gene_name "abc"; tag "a"; tag "b";', "-")
        + line("exon", 301, 400, T + ' exon_number "1"; gene_name "abc";', "-")
        + line("exon", 101, 200, T + ' exon_number "2";', "-")
        + line("CDS", 301, 380, T + ' protein_id "p1";', "-", "0", score="0.9")
        + line("CDS", 124, 200, T + ' protein_id "p1";', "-", "1")
        + line("stop_codon", 121, 123, T, "-", "0")
    )
    gene, mrna, exon1, exon2, cds1, cds2 = gff3_of(tmp_path, gtf)
    assert [f["type"] for f in (gene, mrna, exon1, cds2)] == ["gene", "mRNA", "exon", "CDS"]
    assert (gene["score"], cds1["score"], cds2["score"]) == ("7.5", "0.9", ".")
    assert gene["attributes"] == "ID=g1;Name=abc;gene_id=g1;gene_name=abc"
    assert mrna["attributes"] == "ID=t1;Parent=g1;transcript_id=t1;tag=a,b"
    assert [exon1["start"], exon2["start"]] == ["301", "101"]
    assert exon1["attributes"] == "Parent=t1;exon_number=1"
    assert keys(cds1) == keys(cds2) == {"ID": "t1.CDS", "Parent": "t1", "protein_id": "p1"}
    assert [(c["start"], c["end"], c["phase"]) for c in (cds1, cds2)] == [
        ("301", "380", "0"),
        ("121", "200", "1"),
    ]


def test_wrong_frames_are_corrected_from_the_first(tmp_path, caplog):
    caplog.set_level("INFO")
    gtf = (
        line("exon", 1, 300, T)
        + line("CDS", 1, 10, T, phase="2")
        + line("CDS", 21, 30, T, phase="0")
        + line("CDS", 41, 60, T, phase=".")
    )
    phases = [f["phase"] for f in gff3_of(tmp_path, gtf) if f["type"] == "CDS"]
    assert phases == ["2", "1", "0"]  # 10 - 2 = 8 leaves 1 to take; 10 - 1 = 9 leaves none
    assert "frames that contradict the lengths of the CDS were corrected (1 times)" in caplog.text


def test_ids_are_unique_and_reserved_keys_lower_case(tmp_path, caplog):
    caplog.set_level("INFO")
    gtf = (
        line("gene", 1, 90, 'gene_id "x"; ID "7"; Parent "q"; FPKM "1,5"; Note "a;b=c"; empty "";')
        + line("transcript", 1, 90, 'gene_id "x"; transcript_id "x";', score="bad")
        + line("exon", 1, 90, 'gene_id "x"; transcript_id "x"; Name "e%1"; é "ü";')
    )
    gene, transcript, exon = gff3_of(tmp_path, gtf)
    assert gene["attributes"] == "ID=x;gene_id=x;id=7;parent=q;fpkm=1%2C5;Note=a%3Bb%3Dc"
    assert transcript["attributes"] == "ID=x.1;Parent=x;transcript_id=x"
    assert transcript["score"] == "."
    assert exon["attributes"] == "Parent=x.1;Name=e%251;é=ü"
    assert "attribute FPKM was written as fpkm (1 times)" in caplog.text
    assert "IDs that another feature has already got a number (1 times)" in caplog.text


def test_genes_and_transcripts_without_lines_of_their_own(tmp_path):
    told = 'gene_id "g1"; transcript_id "t1"; gene_name "abc"; transcript_name "abc-1"; n "1";'
    gtf = "".join(line(kind, 1, 90, told, phase="0") for kind in ("exon", "CDS"))
    gene, mrna, exon, cds = gff3_of(tmp_path, gtf)
    assert gene["attributes"] == "ID=g1;Name=abc;gene_id=g1;gene_name=abc"
    assert mrna["attributes"] == (
        "ID=t1;Parent=g1;Name=abc-1;transcript_id=t1;transcript_name=abc-1"
    )
    assert exon["attributes"] == "Parent=t1;n=1"
    assert cds["attributes"] == "ID=t1.CDS;Parent=t1;n=1"
    assert {f["source"] for f in (gene, mrna, exon, cds)} == {"src"}


@pytest.mark.parametrize(
    ("biotype", "stated", "term"),
    [
        ("lncRNA", "transcript", "lnc_RNA"),
        ("Mt_tRNA", "transcript", "tRNA"),
        ("snoRNA", "transcript", "snoRNA"),
        ("processed_pseudogene", "transcript", "pseudogenic_transcript"),
        ("TEC", "transcript", "transcript"),
        ("", "tRNA", "tRNA"),
    ],
)
def test_transcript_types_are_ontology_terms(tmp_path, biotype, stated, term):
    attributes = f'{T} transcript_biotype "{biotype}";'
    gtf = line(stated, 1, 90, attributes) + line("exon", 1, 90, attributes)
    assert gff3_of(tmp_path, gtf)[1]["type"] == term


def test_comments_of_the_header_stay_comments(tmp_path):
    gtf = "##gff-version 2\n#!genome-build X\n##date: today\n\n# free\n" + line("exon", 1, 9, T)
    gff3_of(tmp_path, gtf)
    header = [r for r in (tmp_path / "plain.gff3").read_text().splitlines() if r.startswith("#")]
    assert header == ["##gff-version 3", "#!genome-build X", "# date: today", "# free"]


def test_lines_of_a_gene_may_be_far_apart(tmp_path):
    other = T.replace("1", "2")
    gtf = (
        line("exon", 1, 9, T + ' n "1";')
        + line("exon", 101, 109, other)
        + line("intron", 10, 20, T)
        + line("exon", 21, 29, T + ' n "2";')
    )
    features = gff3_of(tmp_path, gtf)
    assert [f["attributes"] for f in features if f["type"] == "exon"] == [
        "Parent=t1;n=1",
        "Parent=t1;n=2",
        "Parent=t2",
    ]


def test_both_readers_find_the_same_genes_in_gtf_and_gff3(tmp_path, test_data, need):
    source = test_data / "genomes" / "braker_example" / "braker_test3.gtf.gz"
    before = read_annotation(source)
    descriptions = describe_all(before)
    out = tmp_path / "braker.gff3"
    decorate(source, descriptions, out, DecorateSettings())
    after = read_annotation(out)
    assert [(g.gene_id, g.parts, g.biotype) for g in after.genes] == [
        (g.gene_id, g.parts, g.biotype) for g in before.genes
    ]
    assert [[t.exons for t in g.transcripts] for g in after.genes] == [
        [t.exons for t in g.transcripts] for g in before.genes
    ]
    subprocess.run([need("gt"), "gff3validator", out], check=True, capture_output=True)
    database = gffutils.create_db(str(out), ":memory:", merge_strategy="create_unique")
    for gene in before.genes[::10]:
        feature = database[gene.gene_id]
        if descriptions[gene.gene_id].text == PLAIN and "Note" in feature.attributes:
            assert feature.attributes["Note"] == [PLAIN]
    assert [f.id for f in database.children("g1", featuretype="mRNA")] == ["g1.t1"]


def test_part_numbers_stay_behind(tmp_path):
    """All lines of one GFF3 feature share a column 9, so a number of the line has no place."""
    gtf = "".join(
        line("gene", start, end, f'gene_id "g"; part "{part}";')
        + line("exon", start, end, f'gene_id "g"; transcript_id "t"; part "{part}";')
        for part, (start, end) in enumerate([(900, 1000), (1, 50)], 1)
    )
    assert not any("part=" in feature["attributes"] for feature in gff3_of(tmp_path, gtf))
