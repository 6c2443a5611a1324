"""Sources of genes: annotations, GenBank, pairs, GeneChat's files, and the sheet of them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from genescribe.corpus.collection import build_corpus
from genescribe.corpus.records import by_gene
from genescribe.corpus.source_genes import Drop, Field, SourceGene
from genescribe.corpus.sources import Source, read_sheet, source_name
from genescribe.errors import FormatError, InputError
from genescribe.genome.annotation import read_annotation
from genescribe.genome.extract import Reading, extract
from genescribe.genome.fasta import Genome
from genescribe.genome.settings import ExtractSettings
from genescribe.records import View
from support.corpus_toys import open_frame, pair, write_pairs

COMPLEMENT = str.maketrans("ACGT", "TGCA")


def read(path: Path, **about: object) -> dict[str, SourceGene]:
    source = Source("toy", path, **about)  # type: ignore[arg-type]
    return {entry.gene_id: entry for entry in source.entries()}


def texts(entry: SourceGene) -> set[tuple[str, str, str]]:
    return {(text.field.value, text.value, text.provenance) for text in entry.texts}


# ---- annotations

GFF3 = """\
##gff-version 3
c\tx\tgene\t11\t{end}\t.\t+\t.\tID=gene-a;Name=lig;gene_biotype=protein_coding
c\tx\tmRNA\t11\t{end}\t.\t+\t.\tID=rna-a;Parent=gene-a;product=DNA ligase
c\tx\tCDS\t11\t{end}\t.\t+\t0\tID=cds-a;Parent=rna-a;{more}
c\tx\tgene\t11\t60\t.\t-\t.\tID=gene-b;gene_biotype=tRNA;description=tRNA-Ala
c\tx\tgene\t11\t60\t.\t+\t.\tID=gene-c;gene_biotype=pseudogene;description=old kinase
c\tx\tgene\t11\t20\t.\t+\t.\tID=gene-d;description=short one
c\tx\tgene\t11\t60\t.\t+\t.\tID=gene-e
"""
MORE = (
    "product=DNA ligase,LigA;Note=joins%3B nicks, and ends;eC_number=6.5.1.2;"
    "go_process=ligation|0006266||IEA"
)
GTF = """\
c\tx\ttranscript\t11\t{end}\t.\t+\t.\tgene_id "a"; transcript_id "a.t"; product "DNA ligase";
c\tx\tCDS\t11\t{end}\t.\t+\t0\tgene_id "a"; transcript_id "a.t"; note "joins the ends of DNA";
"""


@pytest.fixture
def genome(tmp_path: Path) -> tuple[Path, str]:
    """A FASTA with a CDS from position 11 on, and that CDS."""
    cds = open_frame(random.Random(3))
    path = tmp_path / "genome.fa"
    path.write_text(f">c\n{'G' * 10}{cds}{'C' * 100}\n")
    return path, cds


def test_gff3_gives_the_texts_of_all_lines_of_a_gene(
    tmp_path: Path, genome: tuple[Path, str]
) -> None:
    fasta, cds = genome
    path = tmp_path / "genes.gff3"
    path.write_text(GFF3.format(end=10 + len(cds), more=MORE))
    genes = read(path, genome=fasta)
    assert texts(genes["gene-a"]) == {
        ("symbol", "lig", "genes.gff3:2 name"),
        ("product", "DNA ligase", "genes.gff3:3 product"),
        ("note", "joins; nicks, and ends", "genes.gff3:4 Note"),
        ("ec", "6.5.1.2", "genes.gff3:4 eC_number"),
        ("process", "ligation", "genes.gff3:4 go_process"),
    }
    assert (genes["gene-a"].view, genes["gene-a"].sequence) == (View.CDS, cds)
    assert genes["gene-b"].sequence == cds[:50].translate(COMPLEMENT)[::-1]
    assert texts(genes["gene-b"]) == {("description", "tRNA-Ala", "genes.gff3:5 description")}
    assert [genes[f"gene-{name}"].drop for name in "abcde"] == [
        None, None, Drop.BIOTYPE_EXCLUDED, Drop.TOO_SHORT, None,
    ]  # fmt: skip
    assert not genes["gene-e"].texts


def test_gtf_and_a_genome_inside_the_annotation(tmp_path: Path, genome: tuple[Path, str]) -> None:
    fasta, cds = genome
    gtf = tmp_path / "genes.gtf"
    gtf.write_text(GTF.format(end=10 + len(cds)))
    assert {text[:2] for text in texts(read(gtf, genome=fasta)["a"])} == {
        ("product", "DNA ligase"),
        ("note", "joins the ends of DNA"),
    }
    with pytest.raises(InputError, match=r"genes\.gtf: carries no sequences"):
        read(gtf)
    both = tmp_path / "both.gff3"
    both.write_text(GFF3.format(end=10 + len(cds), more=MORE) + "##FASTA\n" + fasta.read_text())
    assert read(both)["gene-a"].sequence == cds


def test_real_genes_are_read_as_run_reads_them(test_data: Path, tmp_path: Path) -> None:
    folder = test_data / "genomes" / "ecoli_k12"
    gff, fasta, gbff = (
        folder / f"GCF_000005845.2_genomic.{ending}.gz" for ending in ("gff", "fna", "gbff")
    )
    settings = ExtractSettings(min_length=1, exclude_biotypes=())
    with Genome.open(fasta, tmp_path) as opened:
        rows = extract(read_annotation(gff), opened, settings, lambda biotype: Reading(View.CDS))
        expected = {row.gene_id.removeprefix("gene-"): sequence for row, sequence in rows}
    genes = {name: entry for name, entry in read(gbff).items() if entry.drop is None}
    assert len(genes) > 4400
    assert {name: entry.sequence for name, entry in genes.items()} == {
        name: expected[name] for name in genes
    }
    assert genes["b0003"].organism == "Escherichia coli str. K-12 substr. MG1655"
    assert {text[:2] for text in texts(genes["b0003"])} == {
        ("symbol", "thrB"),
        ("ec", "2.7.1.39"),
        ("product", "homoserine kinase"),
    }


# ---- GenBank


GENBANK = """\
LOCUS       TOY              {length:>11} bp    DNA     linear   BCT 01-JAN-2020
FEATURES             Location/Qualifiers
     CDS             1..30
                     /locus_tag="t1"
                     /product="other isoform"
     CDS             complement(1..{length})
                     /locus_tag="t1"
                     /product="holin"
                     /note="makes holes in
                     the membrane"
     CDS             1..60
                     /locus_tag="t2"
                     /pseudo
                     /product="broken"
     mRNA            1..60
                     /locus_tag="t3"
     CDS             join(1..30,J00194.1:1..30)
                     /locus_tag="t4"
                     /product="elsewhere"
{origin}//
"""


def write_genbank(path: Path, sequence: str) -> Path:
    origin = (
        f"ORIGIN\n        1 {sequence.lower()}\n"
        if sequence
        else "CONTIG      join(J00194.1:1..90)\n"
    )
    path.write_text(GENBANK.format(length=max(90, len(sequence)), origin=origin))
    return path


def test_genbank(tmp_path: Path) -> None:
    sequence = open_frame(random.Random(1))
    genes = read(write_genbank(tmp_path / "toy.gbk", sequence))
    assert genes["t1"].sequence == sequence.translate(COMPLEMENT)[::-1]
    place = f"toy.gbk:TOY:1-{len(sequence)}"
    assert texts(genes["t1"]) == {
        ("product", "holin", f"{place} product"),
        ("note", "makes holes in the membrane", f"{place} note"),
    }
    drops = {name: entry.drop for name, entry in genes.items()}
    assert drops == {"t1": None, "t2": Drop.BIOTYPE_EXCLUDED, "t4": Drop.NO_SEQUENCE}


def test_genbank_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"toy\.gbk: an entry has no sequence \(ORIGIN\)"):
        read(write_genbank(tmp_path / "toy.gbk", ""))
    (tmp_path / "other.gbk").write_text("no GenBank\n")
    with pytest.raises(FormatError, match=r"other\.gbk: has no CDS or RNA feature"):
        read(tmp_path / "other.gbk")


# ---- pairs


def test_pairs(tmp_path: Path) -> None:
    cds = open_frame(random.Random(2))
    rows = [
        pair("p1", cds.lower(), "all; of; it", product="holin", note="makes holes"),
        pair("p2", "ACGT" * 10, "tRNA-Ala", biotype="tRNA"),
        pair("p3", "ACGJ" * 10, "no DNA"),
        pair("p4", "ACG", "short"),
        pair("p5", "N" * 40, "unknown letters"),
        pair("p6", "", "nothing"),
    ]
    genes = read(write_pairs(tmp_path / "toy.jsonl.gz", rows))
    assert (genes["p1"].sequence, genes["p1"].biotype) == (cds, "protein_coding")
    assert texts(genes["p1"]) == {
        ("product", "holin", "toy.jsonl.gz:1 product"),
        ("note", "makes holes", "toy.jsonl.gz:1 note"),
    }
    assert (genes["p2"].view, genes["p2"].biotype) == (View.TRANSCRIPT, "tRNA")
    assert [genes[f"p{n}"].drop for n in range(1, 7)] == [
        None, None, Drop.NOT_DNA, Drop.TOO_SHORT, Drop.MOSTLY_N, Drop.NO_SEQUENCE,
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["[]", "{", '{"id": "a", "seq": "A"}', '{"id": "a", "desc": ""}'])
def test_lines_that_are_no_pairs(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(pair("a", "ACGT" * 10, "x")) + f"\n{line}\n")
    with pytest.raises(FormatError, match=r"bad\.jsonl:2: not a pair"):
        read(path)


# ---- GeneChat's files


def test_genechat(tmp_path: Path) -> None:
    dna = "ACGT" * 20
    (tmp_path / "seq.json").write_text(json.dumps({"7": [dna], "8": []}))
    summary = [{"Gene Id": 7, "Summary": "This gene encodes a kinase.", "Name": "salt kinase"}]
    (tmp_path / "qa_summary_rule.json").write_text(json.dumps(summary))
    asked = {
        "What is the organism?": "Homo sapiens",
        "What is the locus type?": "protein-coding",
        "What is the official symbol?": "SIK1",
        "How many exons?": "3",
    }
    keywords = [{"Gene Id": "7", "Q": q, "A": a} for q, a in asked.items()]
    (tmp_path / "qa_kw.json").write_text(json.dumps(keywords))
    genes = read(tmp_path)
    gene = genes["7"]
    assert (gene.organism, gene.biotype, gene.view) == ("Homo sapiens", "protein_coding", View.GENE)
    assert texts(gene) == {
        ("description", "This gene encodes a kinase.", "qa_summary_rule.json:1 Summary"),
        ("name", "salt kinase", "qa_summary_rule.json:1 Name"),
        ("symbol", "SIK1", "qa_kw.json:3 What is the official symbol?"),
    }
    assert genes["8"].drop is Drop.NO_SEQUENCE
    records, _ = build_corpus([Source("genechat", tmp_path)])
    assert {record.question for record in next(by_gene(records))} == {
        "product name", "function", "gene symbol", "biotype",
    }  # fmt: skip
    for content, message in (("[", "not JSON"), ("{}", "no JSON list"), ("[{}]", "object 1 has")):
        (tmp_path / "qa_summary_rule.json").write_text(content)
        with pytest.raises(FormatError, match=message):
            read(tmp_path)


# ---- the sheet


def test_sheet(tmp_path: Path) -> None:
    sheet = tmp_path / "sources.tsv"
    sheet.write_text(
        "# a comment\nsource\tinput\tgenome\torganism\tstyle\tfields\n"
        "one\ta.gff3\ta.fa\tToy toy\tRefSeq\tproduct, note\n\n\tb.jsonl.gz\n"
    )
    assert read_sheet(sheet, Path("data")) == [
        Source(
            "one", Path("data/a.gff3"), Path("data/a.fa"), "Toy toy", "RefSeq",
            frozenset({Field.PRODUCT, Field.NOTE}),
        ),
        Source("b", Path("data/b.jsonl.gz")),
    ]  # fmt: skip
    assert source_name(Path("x/GCF_1.2_genomic.gff.gz")) == "GCF_1.2_genomic"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("source\tinput\n", ": names no source"),
        ("source\tinput\na\tb.gff\na\tc.gff\n", ": source 'a' is there twice"),
        ("source\tfile\na\tb.gff\n", ":2: 'file' has no place"),
        ("source\tinput\na\tb.gff\tc\n", ":2: a cell has no place"),
        ("source\tinput\na\t\n", ":2: has no input"),
        ("#\ninput\tfields\na.gff\tproduct,gene\n", ":3: fields: 'gene' is not .*choose from prod"),
    ],
)
def test_bad_sheets(tmp_path: Path, lines: str, message: str) -> None:
    sheet = tmp_path / "sources.tsv"
    sheet.write_text(lines)
    with pytest.raises(FormatError, match=message):
        read_sheet(sheet, tmp_path)


def test_a_file_of_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"genes\.bed: what kind of file is it\? Give one that"):
        read(tmp_path / "genes.bed")
