"""The dialects of GFF3 and GTF in small: which genes are read, and from which pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genescribe.genome.annotation import Annotation
from support.gff_rows import GENE_TRANSCRIPT, GFF3, only_gene, read, row, spans, summary

# Dialect: (file, genes as "id biotype name product lines [transcript: exons / CDS]").
DIALECTS = {
    "ensembl_gff3": (
        GFF3
        + row("gene", 1, 90, "ID=gene:E1;Name=abc;biotype=protein_coding;description=kinase%3B A,B")
        + row("mRNA", 1, 90, "ID=transcript:T1;Parent=gene:E1;biotype=protein_coding")
        + row("exon", 1, 90, "Parent=transcript:T1;Name=X")
        + row("CDS", 1, 90, "ID=CDS:P1;Parent=transcript:T1", phase="0"),
        ["gene:E1 protein_coding abc kinase; A,B 2 [transcript:T1: 1-90+ / 1-90+]"],
    ),
    "gencode_gtf": (
        row("gene", 1, 90, 'gene_id "E.1"; gene_type "lincRNA"; gene_name "XIST"; level 2;')
        + row("transcript", 1, 90, 'gene_id "E.1"; transcript_id "T.1"; gene_type "lincRNA";')
        + row("exon", 1, 90, 'gene_id "E.1"; transcript_id "T.1"; tag "a"; tag "b"; level 2;'),
        ["E.1 lincRNA XIST - 1 [T.1: 1-90+ / -]"],
    ),
    "refseq_bacterium": (
        GFF3
        + row("region", 1, 900, "ID=c:1..900;Is_circular=true")
        + row("gene", 1, 90, "ID=gene-b1;Name=thrL;gene_biotype=protein_coding;locus_tag=b1")
        + row("CDS", 1, 90, "ID=cds-P1;Parent=gene-b1;product=leader peptide", phase="0")
        + row("pseudogene", 100, 190, "ID=gene-b2;gene_biotype=pseudogene;pseudo=true")
        + row("gene", 200, 290, "ID=gene-b3;gene=rrf;gene_biotype=rRNA")
        + row("rRNA", 200, 290, "ID=rna-b3;Parent=gene-b3;product=5S ribosomal RNA")
        + row("exon", 200, 290, "ID=exon-b3;Parent=rna-b3;product=5S ribosomal RNA"),
        [
            "gene-b1 protein_coding thrL leader peptide 3 [gene-b1: 1-90+ / 1-90+]",
            "gene-b2 pseudogene - - 5 []",
            "gene-b3 rRNA rrf 5S ribosomal RNA 6 [rna-b3: 200-290+ / -]",
        ],
    ),
    "refseq_two_proteins_of_a_gene": (
        GFF3
        + row("gene", 1, 90, "ID=g")
        + row("CDS", 1, 90, "ID=long;Parent=g", phase="0")
        + row("CDS", 1, 30, "ID=short;Parent=g", phase="0"),
        ["g protein_coding - - 2 [g: 1-90+ / 1-90+, short: 1-30+ / 1-30+]"],
    ),
    "an_id_for_every_cds_piece": (
        GFF3
        + row("mRNA", 1, 90, "ID=m")
        + row("CDS", 1, 30, "ID=m.cds1;Parent=m", phase="0")
        + row("CDS", 61, 90, "ID=m.cds2;Parent=m", phase="0"),
        ["m protein_coding - - 2 [m: 1-30+ 61-90+ / 1-30+ 61-90+]"],
    ),
    "ncbi_gtf": (
        row("gene", 1, 90, 'gene_id "b1"; transcript_id ""; gene "thrL"; gene_biotype "tRNA";')
        + row("exon", 1, 90, 'gene_id "b1"; transcript_id "u_1"; product "tRNA-Thr";'),
        ["b1 tRNA thrL tRNA-Thr 1 [u_1: 1-90+ / -]"],
    ),
    "prokka": (
        GFF3
        + row("CDS", 1, 90, "ID=P_1;Name=dnaK;product=chaperone DnaK", phase="0")
        + row("tRNA", 100, 190, "ID=P_2;product=tRNA-Ser(tga)", strand="-")
        + row("sig_peptide", 1, 9, "note=signal")
        + "##FASTA\n>c\nACGT\n",
        [
            "P_1 protein_coding dnaK chaperone DnaK 2 [P_1: 1-90+ / 1-90+]",
            "P_2 tRNA - tRNA-Ser(tga) 3 [P_2: 100-190- / -]",
        ],
    ),
    "bakta_repeats_the_product_in_name": (
        GFF3 + row("CDS", 1, 90, "ID=B_1;Name=some protein;product=some protein;pseudo=True"),
        ["B_1 pseudogene - some protein 2 [B_1: 1-90+ / 1-90+]"],
    ),
    "braker": (
        row("gene", 1, 90, "g1")
        + row("transcript", 1, 90, "g1.t1")
        + row("CDS", 1, 90, 'transcript_id "g1.t1"; gene_id "g1";', phase="0")
        + row("exon", 1, 90, 'transcript_id "g1.t1"; gene_id "g1";'),
        ["g1 protein_coding - - 1 [g1.t1: 1-90+ / 1-90+]"],
    ),
    "stringtie": (
        row("transcript", 1, 90, 'gene_id "S.1"; transcript_id "S.1.1"; ref_gene_id "R";')
        + row("exon", 1, 90, 'gene_id "S.1"; transcript_id "S.1.1";')
        + row("transcript", 1, 99, 'gene_id "S.1"; transcript_id "S.1.2";')
        + row("exon", 1, 99, 'gene_id "S.1"; transcript_id "S.1.2";'),
        ["S.1 unknown - - 1+3 [S.1.1: 1-90+ / -, S.1.2: 1-99+ / -]"],
    ),
    "gtf_of_exons_only": (
        row("exon", 1, 90, 'gene_id "g"; transcript_id "t1"; gene_symbol "sym";')
        + row("exon", 1, 30, 'gene_id "g"; transcript_id "t2";')
        + row("exon", 61, 90, 'gene_id "g"; transcript_id "t2";'),
        ["g unknown sym - 1+2 [t1: 1-90+ / -, t2: 1-30+ 61-90+ / -]"],
    ),
    "gffread_leaves_gene_id_out": (
        row("transcript", 1, 90, 'transcript_id "t"; gene_id "g"; gene_name "n"')
        + row("exon", 1, 90, 'transcript_id "t"; gene_id "g";')
        + row("CDS", 1, 90, 'transcript_id "t";', phase="0"),
        ["g protein_coding n - 1 [t: 1-90+ / 1-90+]"],
    ),
    "gffread_gff3_without_genes": (
        GFF3
        + row("transcript", 1, 90, "ID=t1;geneID=G;gene_name=n")
        + row("exon", 1, 90, "Parent=t1")
        + row("transcript", 1, 99, "ID=t2;geneID=G;gene_name=n")
        + row("exon", 1, 99, "Parent=t2"),
        ["G unknown n - 2+4 [t1: 1-90+ / -, t2: 1-99+ / -]"],
    ),
    "ucsc_one_name_on_two_sequences": (
        row("exon", 1, 90, 'gene_id "HLA"; transcript_id "t1";')
        + row("exon", 1, 90, 'gene_id "HLA"; transcript_id "t2";', seqid="alt"),
        ["HLA unknown - - 1 [t1: 1-90+ / -]", "HLA@alt unknown - - 2 [t2: 1-90+ / -]"],
    ),
    "tair": (
        GFF3
        + row("gene", 1, 90, "ID=A;Note=protein_coding_gene")
        + row("mRNA", 1, 90, "ID=A.1;Parent=A")
        + row("protein", 1, 90, "ID=A.1-Protein;Derives_from=A.1")
        + row("CDS", 1, 90, "Parent=A.1,A.1-Protein;", phase="0")
        + row("transposable_element_gene", 100, 190, "ID=T")
        + row("mRNA_TE_gene", 100, 190, "ID=T.1;Parent=T"),
        [
            "A protein_coding - - 2 [A.1: 1-90+ / 1-90+]",
            "T transposable_element - - 6 [T.1: 100-190+ / -]",
        ],
    ),
    "sgd_with_undefined_parents": (
        GFF3
        + row("gene", 1, 90, "ID=YAL1W;Name=YAL1W")
        + row("CDS", 1, 30, "Parent=YAL1W_mRNA;Name=YAL1W_CDS", phase="0")
        + row("CDS", 61, 90, "Parent=YAL1W_mRNA;Name=YAL1W_CDS", phase="0")
        + row("CDS", 200, 290, "Parent=YTY1;Name=YTY1_CDS", phase="0"),
        [
            "YAL1W protein_coding YAL1W - 2 [YAL1W_mRNA: 1-30+ 61-90+ / 1-30+ 61-90+]",
            "YTY1 protein_coding YTY1_CDS - 5 [YTY1: 200-290+ / 200-290+]",
        ],
    ),
    "braker_transcript_without_gene_line": (
        row("transcript", 1, 90, "g1.t1")
        + row("CDS", 1, 90, 'transcript_id "g1.t1"; gene_id "g1";', phase="0"),
        ["g1 protein_coding - - 1 [g1.t1: 1-90+ / 1-90+]"],
    ),
    "undefined_parent_within_one_gene": (
        GFF3
        + row("gene", 1, 90, "ID=FBgn1")
        + row("mRNA", 1, 90, "ID=FBtr1;Parent=FBgn1")
        + row("exon", 1, 90, "Parent=FBtr1")
        + row("exon", 1, 30, "Parent=FBtr2"),
        ["FBgn1 protein_coding - - 2 [FBtr1: 1-90+ / -, FBtr2: 1-30+ / -]"],
    ),
    "undefined_parents_that_share_a_piece": (
        GFF3 + row("CDS", 1, 90, "ID=c;Parent=t1,t2", phase="0"),
        ["t1 protein_coding - - 2 [t1: 1-90+ / 1-90+, t2: 1-90+ / 1-90+]"],
    ),
    "one_of_two_genes_has_the_locus_tag": (
        GFF3
        + row("gene", 1, 90, "ID=ga;locus_tag=L1")
        + row("gene", 1, 90, "ID=gb;locus_tag=L2")
        + row("CDS", 1, 90, "ID=c;locus_tag=L2", phase="0"),
        ["ga unknown - - 2 []", "gb protein_coding - - 3 [c: 1-90+ / 1-90+]"],
    ),
    "gene_and_cds_linked_by_locus_tag": (
        GFF3
        + row("gene", 1, 90, "locus_tag=L1")
        + row("CDS", 1, 90, "ID=c1;locus_tag=L1", phase="0"),
        ["L1 protein_coding - - 2 [c1: 1-90+ / 1-90+]"],
    ),
    "reading_frames_in_a_patric_pseudogene": (
        GFF3
        + row("pseudogene", 1, 90, "ID=pg.1")
        + row("CDS", 1, 30, "ID=peg.1", phase="0")
        + row("CDS", 61, 90, "ID=peg.2", phase="0"),
        [
            "pg.1 pseudogene - - 2 []",
            "peg.1 protein_coding - - 3 [peg.1: 1-30+ / 1-30+]",
            "peg.2 protein_coding - - 4 [peg.2: 61-90+ / 61-90+]",
        ],
    ),
    "snorna_in_the_intron_of_its_host": (
        GFF3
        + row("gene", 1, 90, "ID=host")
        + row("mRNA", 1, 90, "ID=host.1;Parent=host")
        + row("exon", 1, 30, "Parent=host.1")
        + row("exon", 61, 90, "Parent=host.1")
        + row("snoRNA", 40, 50, "ID=sno"),
        [
            "host protein_coding - - 2 [host.1: 1-30+ 61-90+ / -]",
            "sno snoRNA - - 6 [sno: 40-50+ / -]",
        ],
    ),
    "operon": (
        GFF3
        + row("operon", 1, 90, "ID=op")
        + row("CDS", 1, 30, "ID=c1;Parent=op", phase="0")
        + row("CDS", 61, 90, "ID=c2;Parent=op", phase="0"),
        [
            "c1 protein_coding - - 3 [c1: 1-30+ / 1-30+]",
            "c2 protein_coding - - 4 [c2: 61-90+ / 61-90+]",
        ],
    ),
    "exons_below_gene_and_transcript": (
        GFF3
        + row("gene", 1, 90, "ID=g")
        + row("exon", 1, 90, "Parent=g")
        + row("mRNA", 1, 90, "ID=m;Parent=g")
        + row("exon", 1, 90, "Parent=m"),
        ["g protein_coding - - 2 [m: 1-90+ / -]"],
    ),
    "exons_below_the_gene_only": (
        GFF3 + row("pseudogene", 1, 90, "ID=g") + row("exon", 1, 90, "Parent=g"),
        ["g pseudogene - - 2 [g: 1-90+ / -]"],
    ),
    "mirna_below_its_primary_transcript": (
        GFF3
        + row("gene", 1, 90, "ID=g")
        + row("primary_transcript", 1, 90, "ID=p;Parent=g")
        + row("exon", 1, 90, "Parent=p")
        + row("miRNA", 10, 30, "ID=m;Parent=p")
        + row("exon", 10, 30, "Parent=m"),
        ["g miRNA - - 2 [p: 1-90+ / -, m: 10-30+ / -]"],
    ),
    "gene_below_its_children": (
        GFF3
        + row("exon", 1, 90, "Parent=m")
        + row("mRNA", 1, 90, "ID=m;Parent=g")
        + row("gene", 1, 90, "ID=g"),
        ["g protein_coding - - 4 [m: 1-90+ / -]"],
    ),
    "gff1_group": (
        row("exon", 1, 90, "geneA") + row("CDS", 1, 90, "geneA", phase="0"),
        ["geneA protein_coding - - 1 [geneA: 1-90+ / 1-90+]"],
    ),
    "awkward_values": (
        GFF3
        + row("gene", 1, 90, ' ID = a b ; Name="x;=#" ;;Note=Parent=q;Dbxref=1;Dbxref=2;lone ; ')
        + row("mRNA", 1, 90, "Note=ID=z;ID=a b.1; Parent=a b,"),
        ['a b protein_coding "x - 2 [a b.1: 1-90+ / -]'],
    ),
    "spaces_and_signs_in_gtf_values": (
        row("gene", 1, 90, 'gene_id "a;b #1"; gene_name "x = y; z";')
        + row("exon", 1, 90, 'gene_id "a;b #1"; transcript_id "t 1";'),
        ["a;b #1 unknown x = y; z - 1 [t 1: 1-90+ / -]"],
    ),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dialect(tmp_path: Path, dialect: str) -> None:
    text, expected = DIALECTS[dialect]
    assert [summary(gene) for gene in read(tmp_path, text).genes] == expected


# There order tells which protein or gene is first, what an operon is, where features end.
IN_ORDER = {"operon", "refseq_two_proteins_of_a_gene", "ucsc_one_name_on_two_sequences", "prokka"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(dialect=st.sampled_from(sorted(DIALECTS.keys() - IN_ORDER)), data=st.data())
def test_genes_do_not_depend_on_the_order_of_lines(
    tmp_path: Path, dialect: str, data: st.DataObject
) -> None:
    text, _ = DIALECTS[dialect]
    shuffled = data.draw(st.permutations(text.splitlines(keepends=True)))
    assert content(read(tmp_path, "".join(shuffled))) == content(read(tmp_path, text))


def content(annotation: Annotation) -> dict[str, object]:
    return {
        gene.gene_id: (gene.biotype, gene.parts, sorted(gene.transcripts, key=str))
        for gene in annotation.genes
    }


PIECES = {
    "minus_strand_reads_downwards": (
        GFF3
        + row("mRNA", 1, 90, "ID=m", strand="-")
        + row("exon", 1, 30, "Parent=m", strand="-")
        + row("exon", 61, 90, "Parent=m", strand="-"),
        ("61-90- 1-30-", "-"),
    ),
    "cds_and_utr_make_exons": (
        GFF3
        + row("mRNA", 1, 90, "ID=m")
        + row("five_prime_UTR", 1, 10, "Parent=m")
        + row("CDS", 11, 40, "Parent=m", phase="0")
        + row("three_prime_UTR", 41, 50, "Parent=m")
        + row("three_prime_UTR", 71, 90, "Parent=m"),
        ("1-50+ 71-90+", "11-40+"),
    ),
    "overlapping_exons_are_joined": (
        GFF3
        + row("mRNA", 1, 90, "ID=m")
        + row("exon", 1, 50, "Parent=m")
        + row("exon", 40, 90, "Parent=m"),
        ("1-90+", "-"),
    ),
    "slippage_keeps_overlapping_cds": (
        GFF3
        + row("gene", 1, 90, "ID=g")
        + row("CDS", 1, 30, "ID=c;Parent=g", phase="0")
        + row("CDS", 30, 90, "ID=c;Parent=g", phase="0"),
        ("1-90+", "1-30+ 30-90+"),
    ),
    "stop_codon_beside_the_cds": (
        row("exon", 1, 90, GENE_TRANSCRIPT)
        + row("CDS", 1, 87, GENE_TRANSCRIPT, phase="0")
        + row("stop_codon", 88, 90, GENE_TRANSCRIPT),
        ("1-90+", "1-90+"),
    ),
    "stop_codon_inside_the_cds": (
        row("exon", 1, 90, GENE_TRANSCRIPT)
        + row("CDS", 1, 90, GENE_TRANSCRIPT, phase="0")
        + row("stop_codon", 88, 90, GENE_TRANSCRIPT),
        ("1-90+", "1-90+"),
    ),
    "stop_codon_in_two_exons_of_the_minus_strand": (
        row("exon", 61, 90, GENE_TRANSCRIPT, strand="-")
        + row("exon", 1, 20, GENE_TRANSCRIPT, strand="-")
        + row("CDS", 62, 90, GENE_TRANSCRIPT, strand="-", phase="0")
        + row("stop_codon", 61, 61, GENE_TRANSCRIPT, strand="-")
        + row("stop_codon", 19, 20, GENE_TRANSCRIPT, strand="-"),
        ("61-90- 1-20-", "61-90- 19-20-"),
    ),
    "trans_spliced_pieces_keep_their_order": (
        GFF3
        + row("gene", 50, 90, "ID=g;part=1;exception=trans-splicing", strand="-")
        + row("gene", 1, 40, "ID=g;part=2;exception=trans-splicing")
        + row("CDS", 50, 90, "ID=c;Parent=g", strand="-", phase="0")
        + row("CDS", 1, 40, "ID=c;Parent=g", phase="1"),
        ("50-90- 1-40+", "50-90- 1-40+"),
    ),
    "trans_spliced_on_one_strand_of_a_circle": (
        GFF3
        + row("region", 1, 100, "Is_circular=true")
        + row("gene", 50, 100, "ID=g;part=1")
        + row("gene", 1, 40, "ID=g;part=2")
        + row("CDS", 50, 60, "ID=c;Parent=g", phase="0")
        + row("CDS", 1, 40, "ID=c;Parent=g", phase="1"),
        ("50-60+ 1-40+", "50-60+ 1-40+"),
    ),
    "pieces_that_meet_at_the_origin": (
        GFF3
        + row("region", 1, 100, "Is_circular=true")
        + row("gene", 91, 100, "ID=g", strand="-")
        + row("gene", 1, 20, "ID=g", strand="-")
        + row("CDS", 91, 100, "ID=c;Parent=g", strand="-", phase="0")
        + row("CDS", 1, 20, "ID=c;Parent=g", strand="-", phase="0"),
        ("1-20- 91-100-", "1-20- 91-100-"),
    ),
}


@pytest.mark.parametrize("case", PIECES)
def test_pieces_in_transcription_order(tmp_path: Path, case: str) -> None:
    text, expected = PIECES[case]
    (transcript,) = only_gene(tmp_path, text).transcripts
    assert (spans(transcript.exons), spans(transcript.cds)) == expected


def test_split_stop_codon_has_the_phase_that_its_first_bases_leave(tmp_path: Path) -> None:
    text, _ = PIECES["stop_codon_in_two_exons_of_the_minus_strand"]
    assert only_gene(tmp_path, text).transcripts[0].cds[-1].phase == 2


def test_parts_and_lines_of_a_gene_on_several_lines(tmp_path: Path) -> None:
    gene = only_gene(tmp_path, PIECES["trans_spliced_pieces_keep_their_order"][0])
    assert (gene.start, gene.end, gene.lines) == (0, 90, (2, 3))
    assert spans(gene.parts) == "50-90- 1-40+"
