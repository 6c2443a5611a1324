"""Extraction: the right nt, 5' to 3', for every gene, or the reason why not."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genescribe.errors import SequenceMismatchError
from genescribe.genome.extract import (
    ExtractSettings,
    Reading,
    ReadingOf,
    extract,
    representative,
)
from genescribe.genome.fasta import Genome
from genescribe.genome.splice import in_frame, splice, with_flanks
from genescribe.records import Gene, Reason, Segment, Transcript, View, sequence_sha256
from support.transcripts import transcript_sequences

COMPLEMENT = dict(zip("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN", strict=True))
LINEAR = "".join(random.Random(1).choices("ACGT", k=500))
CIRCLE = "".join(random.Random(2).choices("ACGT", k=120))
AUTO = {"default": View.TRANSCRIPT, "protein_coding": View.CDS, "lncRNA": View.GENE}


def base_by_base(sequence: str, pieces: list[Segment]) -> str:
    """Read each position alone, wrapping round; the slow and plain way."""
    letters = []
    for piece in pieces:
        positions = list(range(piece.start, piece.end))
        if piece.strand == "-":
            letters += [COMPLEMENT[sequence[at % len(sequence)]] for at in reversed(positions)]
        else:
            letters += [sequence[at % len(sequence)] for at in positions]
    return "".join(letters)


@pytest.fixture
def genome(tmp_path: Path) -> Iterator[Genome]:
    path = tmp_path / "genome.fa"
    path.write_text(
        f">chr1\n{LINEAR}\n>plasmid\n{CIRCLE}\n>masked\n{'N' * 90}{'ACGT' * 5}\n>one\nG\n"
    )
    with Genome.open(path, tmp_path / "work") as opened:
        yield opened


def gene(
    seqid: str = "chr1",
    parts: list[Segment] | None = None,
    transcripts: tuple[Transcript, ...] = (),
    **changes: object,
) -> Gene:
    parts = parts or [Segment(100, 200, "+")]
    values: dict[str, object] = {
        "gene_id": "g1",
        "seqid": seqid,
        "start": min(part.start for part in parts),
        "end": max(part.end for part in parts),
        "strand": parts[0].strand,
        "biotype": "protein_coding",
        "name": "abc",
        "product": "kinase",
        "parts": tuple(parts),
        "transcripts": transcripts,
        "lines": (7,),
    }
    return Gene(**(values | changes))


def run(genome: Genome, *genes: Gene, circular: tuple[str, ...] = (), **options: object):
    annotation = SimpleNamespace(
        path=Path("in.gff3"), genes=list(genes), circular=frozenset(circular)
    )
    return list(extract(annotation, genome, *one_model(**options)))


def one_model(
    views: dict[str, View] = AUTO, max_length: int | None = None, **options: object
) -> tuple[ExtractSettings, ReadingOf]:
    """The settings, and what one model reads of all biotypes."""
    settings = ExtractSettings(**{"min_length": 1, "exclude_biotypes": (), **options})
    return settings, lambda biotype: Reading(views.get(biotype, views["default"]), max_length)


def transcript(name: str, exons: list[Segment], cds: list[Segment] = ()) -> Transcript:
    return Transcript(name, "mRNA", tuple(exons), tuple(cds))


pieces_of_linear = st.lists(
    st.builds(
        lambda start, length, strand: Segment(start, start + length, strand),
        st.integers(0, 400),
        st.integers(1, 100),
        st.sampled_from("+-."),
    ),
    min_size=1,
    max_size=6,
)


@given(pieces=pieces_of_linear, limit=st.none() | st.integers(1, 300))
@settings(max_examples=200)
def test_splice_is_reading_base_by_base(tmp_path_factory, pieces, limit) -> None:
    path = tmp_path_factory.getbasetemp() / "linear.fa"
    path.write_text(f">chr1\n{LINEAR}\n")
    with Genome.open(path, path.parent) as opened:
        expected = base_by_base(LINEAR, pieces)[:limit]
        assert splice(opened, "chr1", pieces, limit) == expected


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize(
    ("start", "end"), [(110, 130), (119, 121), (0, 120), (100, 220), (130, 140)]
)
def test_a_piece_that_crosses_the_origin(genome: Genome, strand: str, start: int, end: int) -> None:
    piece = Segment(start, end, strand)
    [(row, sequence)] = run(
        genome, gene("plasmid", [piece], biotype="lncRNA"), circular=("plasmid",)
    )
    assert sequence == base_by_base(CIRCLE, [piece])
    assert (row.view, row.length, row.reason) == (View.GENE, end - start, "")


def test_gene_parts_and_trans_spliced_pieces_keep_their_order_and_strands(genome: Genome) -> None:
    parts = [Segment(300, 340, "-"), Segment(10, 30, "+"), Segment(90, 95, "-")]
    trans_spliced = gene("chr1", parts, biotype="lncRNA")
    assert run(genome, trans_spliced)[0][1] == base_by_base(LINEAR, parts)
    coding = gene("chr1", parts, (transcript("t", parts, parts),))
    assert run(genome, coding)[0][1] == base_by_base(LINEAR, parts)


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("phase", [-1, 0, 1, 2])
@pytest.mark.parametrize("first_length", [1, 2, 9])
def test_cds_starts_in_frame(genome: Genome, strand: str, phase: int, first_length: int) -> None:
    near, far = Segment(50, 50 + first_length, "+"), Segment(80, 110, "+")
    pieces = [near, far]
    if strand == "-":
        pieces = [Segment(110 - first_length, 110, "-"), Segment(50, 80, "-")]
    pieces[0] = pieces[0]._replace(phase=phase)
    [(row, sequence)] = run(genome, gene("chr1", None, (transcript("t", pieces, pieces),)))
    assert sequence == base_by_base(LINEAR, pieces)[max(phase, 0) :]
    assert (row.view, row.exons, row.transcript_id) == (View.CDS, 2, "t")
    assert all(piece.end > piece.start for piece in in_frame(pieces))


def test_views_and_their_fallback(genome: Genome) -> None:
    exons = [Segment(100, 120, "+"), Segment(150, 200, "+")]
    coding = transcript("t", exons, [Segment(110, 119, "+", 0)])
    silent = transcript("t", exons)
    cases = [
        ("protein_coding", (coding,), View.CDS, LINEAR[110:119]),
        ("protein_coding", (silent,), View.TRANSCRIPT, LINEAR[100:120] + LINEAR[150:200]),
        ("protein_coding", (), View.GENE, LINEAR[100:200]),
        ("tRNA", (coding,), View.TRANSCRIPT, LINEAR[100:120] + LINEAR[150:200]),
        ("lncRNA", (coding,), View.GENE, LINEAR[100:200]),
    ]
    for biotype, transcripts, view, expected in cases:
        [(row, sequence)] = run(genome, gene(biotype=biotype, transcripts=transcripts))
        assert (row.view, sequence) == (view, expected)
        assert row.sha256 == sequence_sha256(sequence)
        assert row.transcripts == len(transcripts)
        assert row.gc == round(sum(map(expected.count, "GC")) / len(expected), 4)


def test_the_representative_transcript() -> None:
    def of(name: str, exon: int, cds: int) -> Transcript:
        pieces = [Segment(0, cds, "+")] if cds else []
        return transcript(name, [Segment(0, exon, "+")], pieces)

    long_cds, long_rna, same = of("a", 50, 40), of("b", 90, 30), of("c", 60, 40)
    for transcripts, chosen in [
        ((long_rna, long_cds), "a"),
        ((long_cds, same), "c"),
        ((same, replace(same, transcript_id="d")), "c"),
        ((of("n", 10, 0), of("m", 20, 0)), "m"),
    ]:
        found = representative(gene(transcripts=transcripts))
        assert found is not None
        assert found.transcript_id == chosen
    assert representative(gene()) is None


@pytest.mark.parametrize("strand", ["+", "-"])
def test_flanks_stop_at_the_ends_of_a_linear_sequence(genome: Genome, strand: str) -> None:
    for start, end, flank in [(100, 150, 20), (5, 20, 20), (490, 500, 20), (0, 500, 3)]:
        [(_, sequence)] = run(
            genome, gene("chr1", [Segment(start, end, strand)], biotype="lncRNA"), flank=flank
        )
        flanked = Segment(max(0, start - flank), min(500, end + flank), strand)
        assert sequence == base_by_base(LINEAR, [flanked])


@pytest.mark.parametrize("strand", ["+", "-"])
def test_flanks_go_round_a_circle_but_read_nothing_twice(genome: Genome, strand: str) -> None:
    for start, end, flank, used in [(5, 20, 10, 10), (110, 130, 7, 7), (10, 110, 50, 10)]:
        [(row, sequence)] = run(
            genome,
            gene("plasmid", [Segment(start, end, strand)], biotype="lncRNA"),
            circular=("plasmid",),
            flank=flank,
        )
        assert sequence == base_by_base(CIRCLE, [Segment(start - used, end + used, strand)])
        assert row.length <= len(CIRCLE)


def test_flanks_of_several_parts_are_outermost() -> None:
    parts = [Segment(50, 60, "-"), Segment(20, 30, "+")]
    assert with_flanks(parts, 5, 100, circular=False) == [
        Segment(50, 65, "-"),
        Segment(20, 35, "+"),
    ]


def test_spliced_views_have_no_flanks(genome: Genome) -> None:
    exons = [Segment(100, 120, "+")]
    [(row, sequence)] = run(
        genome, gene(transcripts=(transcript("t", exons),), biotype="tRNA"), flank=10
    )
    assert (row.view, sequence) == (View.TRANSCRIPT, LINEAR[100:120])


@pytest.mark.parametrize("strand", ["+", "-"])
def test_the_limit_keeps_the_5_prime_part(genome: Genome, strand: str) -> None:
    exons = [Segment(100, 120, strand), Segment(150, 200, strand)]
    if strand == "-":
        exons.reverse()
    whole = base_by_base(LINEAR, exons)
    for limit in (1, 20, 50, 69, 70, 71):
        [(row, sequence)] = run(
            genome,
            gene(transcripts=(transcript("t", exons),), biotype="tRNA"),
            max_length=limit,
        )
        assert sequence == whole[:limit]
        assert (row.length, row.truncated) == (min(limit, 70), max(0, 70 - limit))


def test_each_biotype_is_read_as_its_own_model_reads_it(genome: Genome) -> None:
    readings = {"tRNA": Reading(View.TRANSCRIPT, 20), "lncRNA": Reading(View.GENE)}
    spliced = transcript("t", [Segment(100, 120, "+"), Segment(150, 200, "+")])
    genes = [
        gene(gene_id=biotype, biotype=biotype, transcripts=(spliced,))
        for biotype in ("tRNA", "lncRNA", "miRNA")
    ]
    annotation = SimpleNamespace(path=Path("in.gff3"), genes=genes, circular=frozenset())
    rows = list(extract(annotation, genome, ExtractSettings(), readings.get))
    assert [(row.view, row.length, row.truncated, row.reason) for row, _ in rows] == [
        ("transcript", 20, 50, ""), ("gene", 100, 0, ""), ("", 0, 0, "no_model"),
    ]  # fmt: skip
    assert [sequence for _, sequence in rows] == [LINEAR[100:120], LINEAR[100:200], ""]


def test_every_reason_has_a_row_and_no_sequence(genome: Genome) -> None:
    genes = [
        gene(gene_id="fine"),
        gene(gene_id="excluded", biotype="rRNA"),
        gene(gene_id="excluded too", biotype="processed_pseudogene"),
        gene("absent", gene_id="absent"),
        gene("chr1", [Segment(3, 12, "+")], gene_id="short"),
        gene("masked", [Segment(80, 95, "-")], gene_id="half N"),
        gene("masked", [Segment(85, 95, "-")], gene_id="just N enough"),
        gene("masked", [Segment(0, 90, "-")], gene_id="all N"),
    ]
    result = run(
        genome,
        *genes,
        exclude_biotypes=frozenset({"rRNA", "*pseudogene"}),
        min_length=10,
        allow_missing_contigs=True,
    )
    assert [(row.gene_id, row.reason.value) for row, _ in result] == [
        ("fine", ""),
        ("excluded", "biotype_excluded"),
        ("excluded too", "biotype_excluded"),
        ("absent", "no_sequence"),
        ("short", "too_short"),
        ("half N", "mostly_n"),
        ("just N enough", ""),
        ("all N", "mostly_n"),
    ]
    for row, sequence in result:
        assert bool(sequence) == (not row.reason)
        assert bool(row.sha256) == (not row.reason)
    assert result[7][0].gc == 0.0
    assert result[6][0].gc == 0.4  # of the five known nt; ACGTA on the other strand is TACGT


def test_genes_of_one_nt_and_of_three_million(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa"
    path.write_text(">big\n" + "ACGTTGCATT\n" * 300_000)
    with Genome.open(path, tmp_path) as opened:
        big, one = gene("big", [Segment(0, 3_000_000, "-")]), gene("big", [Segment(2, 3, "-")])
        [(whole, sequence), (row, letter)] = run(opened, big, one)
        assert (whole.length, sequence[:10], row.length, letter) == (
            3_000_000,
            "AATGCAACGT",
            1,
            "C",
        )
        [(cut, sequence)] = run(opened, big, max_length=10)
        assert (cut.length, cut.truncated, sequence) == (10, 2_999_990, "AATGCAACGT")


def test_a_gene_past_the_end_is_refused_before_the_first_row(genome: Genome) -> None:
    genes = [gene(), gene("plasmid", [Segment(100, 130, "+")], gene_id="over")]
    annotation = SimpleNamespace(path=Path("in.gff3"), genes=genes, circular=frozenset())
    with pytest.raises(SequenceMismatchError) as error:
        extract(annotation, genome, *one_model())
    message = str(error.value)
    assert message.startswith(
        "in.gff3:7: gene over reaches position 130 of plasmid, which has 120 nt"
    )
    assert "Is_circular=true" in message
    with pytest.raises(SequenceMismatchError, match="reaches position 300"):
        run(genome, gene("plasmid", [Segment(100, 300, "+")]), circular=("plasmid",))


def test_an_exon_past_the_end_is_refused(genome: Genome) -> None:
    outside = transcript("t", [Segment(100, 120, "+"), Segment(490, 501, "+")])
    with pytest.raises(SequenceMismatchError, match="gene g1 reaches position 501 of chr1"):
        run(genome, gene(transcripts=(outside,)))


@pytest.mark.parametrize(
    ("used", "known", "expected"),
    [
        ("chr1", ["1", "2"], "chr1 looks like 1: rename"),
        ("1", ["Chr01"], "1 looks like Chr01: rename"),
        ("accn|CP1", ["CP1"], "accn|CP1 looks like CP1: rename"),
        ("NC_000913", ["gi|49175990|ref|NC_000913.3|"], "NC_000913 looks like gi|"),
        ("chrM", ["MT"], "chrM looks like MT"),
        ("X", ["chrY"], "give the FASTA that the annotation was made for"),
    ],
)
def test_names_that_do_not_match(
    tmp_path: Path, used: str, known: list[str], expected: str
) -> None:
    path = tmp_path / "genome.fa"
    path.write_text("".join(f">{name}\n{'ACGT' * 100}\n" for name in known))
    with Genome.open(path, tmp_path) as opened, pytest.raises(SequenceMismatchError) as error:
        run(opened, gene(used))
    message = str(error.value)
    assert f"1 of 1 sequence names are not in {path}: {used}; the FASTA has {known[0]}" in message
    assert expected in message
    assert message.endswith("; or skip these genes")
    assert "\n" not in message


def test_only_the_first_five_missing_names_are_shown(genome: Genome, caplog) -> None:
    genes = [gene(f"chr{number}") for number in range(1, 9)]
    with pytest.raises(SequenceMismatchError) as error:
        run(genome, *genes)
    assert "7 of 8 sequence names" in str(error.value)
    assert "chr2, chr3, chr4, chr5, chr6 and 2 more" in str(error.value)
    with caplog.at_level(logging.WARNING):
        rows = [row for row, _ in run(genome, *genes, allow_missing_contigs=True)]
    assert [row.reason for row in rows] == [Reason.NONE] + [Reason.NO_SEQUENCE] * 7
    assert "7 of 8 sequence names" in caplog.text


def test_all_transcripts(genome: Genome) -> None:
    exons = [Segment(100, 120, "+"), Segment(150, 200, "+")]
    first = transcript("a", exons, [Segment(110, 120, "+", 1)])
    second = transcript("b", exons[:1])
    annotation = SimpleNamespace(
        path=Path("in.gff3"), genes=[gene(transcripts=(first, second))], circular=frozenset()
    )
    spliced = {
        t.transcript_id: s for _, t, s in transcript_sequences(annotation, genome, View.TRANSCRIPT)
    }
    assert spliced == {"a": LINEAR[100:120] + LINEAR[150:200], "b": LINEAR[100:120]}
    coding = [
        (t.transcript_id, s) for _, t, s in transcript_sequences(annotation, genome, View.CDS)
    ]
    assert coding == [("a", LINEAR[111:120])]
