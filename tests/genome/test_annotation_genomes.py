"""Real annotations: numbers of genes, counted in another way, and GFF3 against gffread's GTF."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from genescribe.genome.annotation import read_annotation
from genescribe.records import Gene, Transcript

# File: genes, most frequent biotype, and how an outsider counts the genes (see COUNTS).
GENOMES = {
    # The GenBank file has 6,381 lines of type gene and 18 of type pseudogene.
    "yeast_genbank/GCA_000146045.2_R64_genomic.gff.gz": (6399, "protein_coding", "gene lines"),
    "yeast_genbank/R64_gffread.gtf.gz": (6399, "protein_coding", "gene_ids"),
    "yeast_refseq/GCF_000146045.2_R64-4-1.gff.gz": (6470, "protein_coding", "gene lines"),
    # 6,614 gene lines; the CDS of 89 transposon genes name Parents that have none.
    "yeast_sgd/agape_sgd.gff.gz": (6703, "protein_coding", "parents of CDS"),
    "yeast_sgd/sgd_features.gtf.gz": (7128, "protein_coding", "gene_ids"),
    "ecoli_k12/GCF_000005845.2_genomic.gff.gz": (4639, "protein_coding", "gene lines"),
    "ecoli_o104_patric/1240778.3.PATRIC.gff.gz": (5527, "protein_coding", "feature lines"),
    "paeruginosa_pao1/NC_002516.2.gff3.gz": (5697, "protein_coding", "gene lines"),
    "bsubtilis_168/AL009126.3.gff3.gz": (4536, "protein_coding", "gene lines"),
    "mtb_h37rv/tbdb_genome.gff.gz": (4109, "protein_coding", "gene lines"),
    "portiera_prokka/GCF_000292685.gff.gz": (295, "protein_coding", "feature lines"),
    "prokka_embl/prokka.gff3.gz": (2132, "protein_coding", "feature lines"),
    "braker_example/braker_test3.gtf.gz": (265, "protein_coding", "gene_ids"),
    "braker_example/augustus.hints_test3.gtf.gz": (279, "protein_coding", "gene_ids"),
    "fly_dm6_small/dm6.small.gtf": (167, "unknown", "gene_ids"),
    "maker_embl/maker.gff3": (69, "protein_coding", "gene lines"),
    "tbrucei_chr1/annotation.gff3.gz": (513, "protein_coding", "gene lines"),
}


def columns_of(path: Path) -> Iterator[list[str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", errors="surrogateescape") as handle:
        for line in handle:
            if line.startswith((">", "##FASTA")):
                return
            if not line.startswith("#") and line.count("\t") == 8:
                yield line.rstrip("\n").split("\t")


def count(path: Path, way: str) -> int:
    rows = columns_of(path)
    if way == "gene lines":
        return sum(row[2].endswith("gene") and "Parent=" not in row[8] for row in rows)
    if way == "feature lines":
        return sum(1 for _ in rows)
    pattern = {"gene_ids": r'gene_id "([^"]+)"', "parents of CDS": r"Parent=([^;]+)"}[way]
    return len({match[1] for row in rows if (match := re.search(pattern, row[8]))})


@pytest.mark.parametrize("name", GENOMES)
def test_number_of_genes(test_data: Path, name: str) -> None:
    expected, biotype, way = GENOMES[name]
    path = test_data / "genomes" / name
    genes = read_annotation(path).genes
    assert len(genes) == expected == count(path, way)
    assert len({gene.gene_id for gene in genes}) == expected
    assert Counter(gene.biotype for gene in genes).most_common(1)[0][0] == biotype
    lines = [line for gene in genes for line in gene.lines]
    assert len(lines) == len(set(lines))


def test_yeast_gene_lines_are_6381_genes_and_18_pseudogenes(test_data: Path) -> None:
    path = test_data / "genomes" / "yeast_genbank" / "GCA_000146045.2_R64_genomic.gff.gz"
    biotypes = Counter(gene.biotype for gene in read_annotation(path).genes)
    assert biotypes["pseudogene"] == 18
    assert sum(biotypes.values()) - 18 == 6381


def test_agape_genes_all_have_their_cds(test_data: Path) -> None:
    genes = read_annotation(test_data / "genomes" / "yeast_sgd" / "agape_sgd.gff.gz").genes
    assert all(len(gene.transcripts) == 1 and gene.transcripts[0].cds for gene in genes)


def by_id(genes: list[Gene]) -> dict[str, dict[str, Transcript]]:
    return {gene.gene_id: {t.transcript_id: t for t in gene.transcripts} for gene in genes}


def test_gff3_and_the_gtf_that_gffread_makes_of_it_read_alike(test_data: Path) -> None:
    folder = test_data / "genomes" / "yeast_genbank"
    gff3 = by_id(read_annotation(folder / "GCA_000146045.2_R64_genomic.gff.gz").genes)
    gtf = by_id(read_annotation(folder / "R64_gffread.gtf.gz").genes)
    assert gff3.keys() == gtf.keys()
    for gene_id, transcripts in gff3.items():
        assert transcripts.keys() == gtf[gene_id].keys()
        for transcript_id, transcript in transcripts.items():
            other = gtf[gene_id][transcript_id]
            assert (transcript.exons, transcript.cds) == (other.exons, other.cds), transcript_id


def test_gene_on_two_contigs_is_refused(test_data: Path) -> None:
    path = test_data / "genomes" / "redalga_modified" / "RedAlgaeModified.gff"
    with pytest.raises(ValueError, match=r":30: gene \"gene_on_2contigs\" is on NC_010128.1"):
        read_annotation(path)
