"""What happens to each of the odd annotation files: read with every gene, or refused, and why."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

import pytest

from genescribe.errors import AnnotationError
from genescribe.genome.annotation import Annotation, read_annotation


class Read(NamedTuple):
    """The file is read: dialect, number of genes, and what is odd about it."""

    dialect: str
    genes: int
    why: str


class Refused(NamedTuple):
    """The file is refused: line (None: the whole file), part of the message, and why."""

    line: int | None
    message: str
    why: str


ODD_FILES: dict[str, Read | Refused] = {
    "AGAT__1_test.gff": Read("gtf", 1, "GFF1 of JGI: tag value pairs without semicolons"),
    "AGAT__21_test.gff": Read("gff3", 1, "two exons of one transcript overlap; they are joined"),
    "AGAT__28_test.gff": Read("gff3", 43, "MITOS: no IDs, an empty tenth column, no hierarchy"),
    "AGAT__2_test.gff": Read("gtf", 1, "GFF2: CDS lines have a gene_id but no transcript_id"),
    "AGAT__30_test.gff": Read("gtf", 3, "no gene lines; a pseudogene line instead of transcript"),
    "AGAT__42_test.gff": Read("gtf", 2, "GFF1: the group column names the gene of each line"),
    "AGAT__8_test.gff": Read("gff3", 4, "Prokka: CDS only; signal peptides are no genes"),
    "AGAT__decode_gff3urlescape.gff": Read("gff3", 2, "long values with percent escapes"),
    "AGAT__issue441.gtf": Read("gtf", 1, "two transcripts of one gene lie apart, no gene line"),
    "AGAT__issue448.gtf": Read("gtf", 2, "spaces, brackets and bars in ids; a CDS without phase"),
    "AGAT__stop_split_over_two_exons.gtf": Read("gtf", 1, "the stop codon lies in two exons"),
    "AGAT__testA.gff": Refused(2, "may belong to", "exon without Parent within two transcripts"),
    "AGAT__testD.gff": Read("gff3", 3, "three CDS lines and nothing else"),
    "AGAT__zip_and_fasta.gff.gz": Read("gff3", 2, "gzip with a FASTA section"),
    "BioFmtSpecimens__Homo_sapiens.GRCh38.85.n1000.gff3": Read(
        "gff3", 55, "Ensembl: gene types such as processed_transcript, known by ID=gene:"
    ),
    "BioFmtSpecimens__directives.gff3": Refused(None, "no features", "directives only"),
    "BioFmtSpecimens__hybrid1.gff3": Read("gff3", 1, "an mRNA without a gene; FASTA section"),
    "BioFmtSpecimens__messy_protein_domains.gff3": Refused(
        None, "only match (1000), polypeptide_region (9)", "protein domains, no genes"
    ),
    "BioFmtSpecimens__mm9_sample_ensembl.gff3": Read(
        "gff3", 9, "blank lines; transcripts that have the ID of their gene"
    ),
    "EVidenceModeler__Augustus.gtf.gz": Read("gtf", 146, "AUGUSTUS: bare ids in column 9"),
    "GenomeFileUtil__metagenome.gff": Read("gff3", 20, "IMG: strands 1 and -1"),
    "GenomeFileUtil__trivial.gff": Read("gff3", 4, "a CDS has the ID of its gene, no Parent"),
    "PanACoTA__prodigal.outtest.wrong-end.gff": Read(
        "gff3", 13, "ends beyond the contig: a matter for the FASTA, not for the reader"
    ),
    "TSEBRA__braker.gtf": Read("gtf", 44, "40 bare gene lines lack the prefix of their parts' ids"),
    "bcbb__problem_sequence_region.gff3": Read("gff3", 1, "##sequence-region without a name"),
    "bcbb__spaces.gff3": Read("gff3", 1, "spaces around values; one mRNA on three lines"),
    "bcbb__unescaped-semicolon.gff3": Read("gff3", 1, "a semicolon within a quoted value"),
    "bioperl-live__HUMBETGLOA.gff": Refused(None, "only similarity (4)", "GFF2 of RepeatMasker"),
    "ensembl-genomio__exon_cds_duplicated_ids_test.gff3": Read(
        "gff3", 1, "exons of one transcript share an ID; blank lines"
    ),
    "ensembl-genomio__mt.fna": Refused(1, "this is FASTA", "a genome given as annotation"),
    "ensembl-genomio__tidy.gff3": Read("gff3", 5, "trans-spliced exons on both strands"),
    "genometools__attribute_after_dot.gff3": Read("gff3", 1, "column 9 is .;ID=foo"),
    "genometools__blank_attributes.gff3": Read("gff3", 3, "empty pieces in column 9"),
    "genometools__cds_with_multiple_parents_1.gff3": Read("gff3", 1, "CDS with two Parents"),
    "genometools__corrupt.gff3": Refused(4, "strand 'X'", "no such strand"),
    "genometools__duplicate_attribute.gff3": Read("gff3", 1, "Dbxref twice: values add up"),
    "genometools__empty.gff3": Refused(None, "no features", "a version line only"),
    "genometools__empty_attribute_name.gff3": Read("gff3", 1, "column 9 is =other: no ID"),
    "genometools__gt_gff3_range_check.gff3": Read(
        "gff3", 1, "a gene beyond its ##sequence-region: a matter for the FASTA"
    ),
    "genometools__gt_gff3_whitespace_problem.gff3": Refused(
        3, "sequence name 'ctg123 '", "white space is illegal in seqids and no FASTA has it"
    ),
    "genometools__gt_gtf_to_gff3_test.gtf": Read("gtf", 9, "GTF 2.2: stop codons outside the CDS"),
    "genometools__gt_gtf_to_gff3_test_stop_codon_in_cds.gtf": Read(
        "gtf", 7, "GTF with the stop codons inside the CDS"
    ),
    "genometools__illegal_is_circular_value.gff3": Read(
        "gff3", 1, "Is_circular=xxx says nothing on a gene"
    ),
    "genometools__inconsistent_sequence_ids.gff3": Refused(
        4, "belongs to gene 'gene' on seq", "an exon on another sequence than its gene"
    ),
    "genometools__is_circular_example_with_sequence_region.gff3": Read(
        "gff3", 1, "a CDS without ID that crosses the origin (end beyond the region)"
    ),
    "genometools__minimal_fasta_without_directive.gff3": Read(
        "gff3", 1, "a bare > ends the features; a gene without attributes"
    ),
    "genometools__missing_gff3_header.gff3": Read("gff3", 1, "no version line"),
    "genometools__multi_feature_simple.gff3": Read("gff3", 1, "a CDS on two lines, one ID"),
    "genometools__multi_feature_undefined_parent.gff3": Read(
        "gff3", 1, "the Parent of a CDS is never defined: the CDS makes the gene"
    ),
    "genometools__multi_feature_with_different_parent_1.gff3": Read(
        "gff3", 2, "an exon ID used in two genes: no exon ID is needed to read them"
    ),
    "genometools__multiple_top_level_parents.gff3": Read(
        "gff3", 3, "three mRNAs without a gene share exons"
    ),
    "genometools__orphaned_parent.gff3": Read("gff3", 1, "the second Parent is never defined"),
    "genometools__reverse_feature_order_multiple_parents.gff3": Read(
        "gff3", 2, "the exon comes before its two Parents"
    ),
    "genometools__sequence_region_negative_start.gff3": Refused(
        None, "no features", "a malformed directive and nothing else"
    ),
    "genometools__standard_gene_as_dag.gff3": Read(
        "gff3", 1, "the gene of the specification; exons with several Parents, two CDS in one mRNA"
    ),
    "genometools__terminator_separation.gff3": Read(
        "gff3", 1, "### between a gene and its mRNA; the Parent is clear all the same"
    ),
    "genometools__undefined_parent.gff3": Read("gff3", 1, "one of two Parents is never defined"),
    "genometools__unknown_meta_directive.gff3": Refused(None, "no features", "a directive only"),
    "genometools__uppercase_attributes.gff3": Read("gff3", 1, "every reserved attribute at once"),
    "gff-js__tair10.gff3": Read("gff3", 2, "TAIR: CDS belong to a protein as well"),
    "gff3toembl__chromosome_list.gff": Read("gff3", 4, "Prokka: # in IDs, | in seqids"),
    "gff3toembl__first_feature_missing.gff": Read("gff3", 6, "Prokka with RNA genes"),
    "gffutils__FBgn0031208.gtf": Read("gtf", 3, "a stop codon on the wrong side of its CDS"),
    "gffutils__gencode-v19.gtf": Read("gtf", 1, "GENCODE: numbers without quotes, repeated tags"),
    "gffutils__glimmer_nokeyval.gff3": Read("gff3", 2, "a piece without =; mRNA has its gene's ID"),
    "gffutils__issue167.gff": Refused(1, "separated by spaces", "spaces instead of tabs"),
    "gffutils__issue174.gtf": Read("gtf", 1, "NCBI GTF: exon lines only, repeated db_xref"),
    "gffutils__issue_197.gff": Read("gff3", 11, "genes that overlap; comments between them"),
    "gffutils__mouse_extra_comma.gff3": Read("gff3", 1, "a comma behind the last Parent"),
    "gffutils__sharr.gtf": Read("gtf", 1, "# inside quoted values"),
    "gffutils__unsanitized.gff": Refused(1, "end 500 is before start 1000", "a range backwards"),
    "jbrowse__volvox.gff3": Read("gff3", 6, "mRNAs and a CDS without genes among many other types"),
    "jbrowse__volvox.gtf": Read("gtf", 4, "one gene_id and three features without gene_id"),
    "jbrowse__whitespace.gff3": Refused(None, "only contig (1)", "a contig and no gene"),
    "pyranges__gencode.gff3": Read("gff3", 10, "GENCODE GFF3"),
    "rtracklayer__gtf.gff": Read("gtf", 1, "an empty tenth column"),
    "rtracklayer__v1.gff": Refused(None, "only promoter (2), enhancer (1)", "GFF1 without genes"),
    "tag__lhum-cds-strand.gff3": Refused(
        3, "pieces on both strands", "CDS on the + strand of exons on the - strand"
    ),
    "tag__pbar-withspaces.gff3": Read("gff3", 3, "blank lines; a pseudogene with direct exons"),
    "tag__psyllid-multi-trans.gff3.gz": Read("gff3", 1, "gzip; transcripts without CDS"),
    "tag__vcar-out-of-bounds.gff3": Read(
        "gff3", 3, "genes beyond their ##sequence-region: a matter for the FASTA"
    ),
}

GENE_TYPES = ("gene", "pseudogene", "lincRNA_gene", "snRNA_gene", "miRNA_gene")


def test_the_table_lists_every_file(test_data: Path) -> None:
    files = {path.name for path in (test_data / "odd_gff").iterdir()} - {"TABLE.tsv"}
    assert files == set(ODD_FILES)


@pytest.mark.parametrize("name", [n for n, case in ODD_FILES.items() if isinstance(case, Read)])
def test_odd_file_is_read_with_every_gene(test_data: Path, name: str) -> None:
    case = ODD_FILES[name]
    path = test_data / "odd_gff" / name
    annotation = read_annotation(path)
    assert isinstance(case, Read)
    assert (annotation.dialect, len(annotation.genes)) == (case.dialect, case.genes)
    assert_all_accounted_for(annotation, path)


@pytest.mark.parametrize("name", [n for n, case in ODD_FILES.items() if isinstance(case, Refused)])
def test_odd_file_is_refused_in_one_line(test_data: Path, name: str) -> None:
    case = ODD_FILES[name]
    path = test_data / "odd_gff" / name
    with pytest.raises(AnnotationError) as caught:
        read_annotation(path)
    assert isinstance(case, Refused)
    assert caught.value.line == case.line
    assert case.message in str(caught.value)
    assert "\n" not in str(caught.value)


def assert_all_accounted_for(annotation: Annotation, path: Path) -> None:
    """Each gene line in exactly one gene, each exon and CDS base in a transcript, no id twice."""
    lines = [line for gene in annotation.genes for line in gene.lines]
    assert len(lines) == len(set(lines)), "a line belongs to two genes"
    assert all(gene.lines for gene in annotation.genes)
    ids = [gene.gene_id for gene in annotation.genes]
    assert len(ids) == len(set(ids)), "two genes share an id"
    covered: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for gene in annotation.genes:
        for transcript in gene.transcripts:
            for kind, pieces in (("exon", transcript.exons), ("CDS", transcript.cds)):
                spans = covered.setdefault((gene.seqid, kind), [])
                spans += [(piece.start, piece.end) for piece in pieces]
    opener = gzip.open if path.suffix == ".gz" else Path.open
    with opener(path, "rb") as handle:
        for number, line in enumerate(handle, 1):
            if line.startswith((b">", b"##FASTA")):
                break
            columns = line.decode("utf-8", "surrogateescape").split("\t")
            if line.startswith(b"#") or len(columns) < 8:
                continue
            seqid, kind, start, end = columns[0], columns[2], int(columns[3]) - 1, int(columns[4])
            if kind in GENE_TYPES and "Parent=" not in columns[-1]:
                assert number in lines, f"line {number}: gene line in no gene"
            if kind in ("exon", "CDS"):
                spans = covered.get((seqid, kind), [])
                assert any(a <= start and end <= b for a, b in spans), f"line {number}: lost {kind}"
