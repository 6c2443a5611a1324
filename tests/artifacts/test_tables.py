"""genes.tsv, sequences.fa.gz and descriptions.tsv: what is written is what is read."""

from __future__ import annotations

import csv
import gzip
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genescribe.artifacts.codec import escape, unescape
from genescribe.artifacts.descriptions import DESCRIPTION_COLUMNS, write_descriptions_tsv
from genescribe.artifacts.genes import read_genes_tsv, write_genes_tsv
from genescribe.artifacts.sequences import read_sequences, write_sequences
from genescribe.errors import FormatError, InputError
from genescribe.records import (
    Description,
    GeneRow,
    Reason,
    SequenceRecord,
    Status,
    View,
    sequence_sha256,
)

HARD_TEXTS = [
    "plain",
    "",
    '=HYPERLINK("http://evil")',
    "+1",
    "-2",
    "@SUM(A1)",
    "'quoted'",
    "''",
    "a\tb\nc\rd",
    "back\\slash \\t not a tab",
    "gène β 遺伝子",
    "\x85 next line \u2028",
    " edges ",
    "not UTF-8: \udce9",
    "50% off",
]


def make_row(gene_id: str = "g1", **changes: object) -> GeneRow:
    values: dict[str, object] = {
        "gene_id": gene_id,
        "seqid": "chr1",
        "start": 9,
        "end": 20,
        "strand": "-",
        "biotype": "protein_coding",
        "name": "abc",
        "product": "",
        "transcripts": 1,
        "transcript_id": "t1",
        "exons": 2,
        "view": "cds",
        "length": 11,
        "truncated": 0,
        "gc": 0.4545,
        "sha256": "ab",
        "reason": Reason.NONE,
    }
    return GeneRow(**(values | changes))


def make_record(gene_id: str, sequence: str, biotype: str = "protein_coding") -> SequenceRecord:
    return SequenceRecord(gene_id, View.CDS, biotype, sequence, sequence_sha256(sequence))


@pytest.mark.parametrize("text", HARD_TEXTS)
def test_a_text_column_comes_back_and_is_no_formula(tmp_path: Path, text: str) -> None:
    row = make_row(text or "id", name=text, product=text, biotype=text, transcript_id=text)
    write_genes_tsv(tmp_path / "genes.tsv", [row])
    assert read_genes_tsv(tmp_path / "genes.tsv") == [row]
    with (tmp_path / "genes.tsv").open(
        encoding="utf-8", errors="surrogateescape", newline=""
    ) as handle:
        lines = list(csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(lines) == 2
    assert not lines[1][6].startswith(("=", "+", "-", "@"))


@given(st.text())
@settings(max_examples=300)
def test_any_text_is_one_cell(text: str) -> None:
    cell = escape(text)
    assert not set(cell) & set("\t\n\r")
    assert unescape(cell) == text


def test_positions_are_one_based_and_closed_in_the_file(tmp_path: Path) -> None:
    write_genes_tsv(tmp_path / "genes.tsv", [make_row(reason=Reason.TOO_SHORT, view="")])
    header, line = (tmp_path / "genes.tsv").read_text().splitlines()
    cells = dict(zip(header.split("\t"), line.split("\t"), strict=True))
    assert list(cells) == list(GeneRow.__dataclass_fields__)
    assert (cells["start"], cells["end"]) == ("10", "20")
    assert (cells["gc"], cells["reason"]) == ("0.4545", "too_short")
    assert read_genes_tsv(tmp_path / "genes.tsv")[0].start == 9


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda text: text.replace("gene_id", "id"), ":1: not a genes.tsv"),
        (lambda text: text.replace("\t10\t", "\tten\t"), ":2: not a row"),
        (lambda text: text.replace("\tcds\t", "\tcdna\t"), ":2: not a row"),
        (lambda text: text + "g2\tchr1\n", ":3: not a row"),
        (lambda text: text.rstrip("\n") + "unknown_reason\n", ":2: not a row"),
        (lambda text: text.replace("\t10\t", "\t1_0\t"), ":2: not a row"),
        (lambda text: text.replace("\t10\t", "\t\u0661\u0660\t"), ":2: not a row"),
        (lambda text: text.replace("\t20\t", "\t+20\t"), ":2: not a row"),
        (lambda text: text.replace("0.4545", "nan"), ":2: not a row"),
        (lambda text: text.replace("\t-\t", "\tminus\t"), ":2: not a row"),
    ],
)
def test_a_changed_table_is_refused_with_its_line(tmp_path: Path, change, where: str) -> None:
    path = tmp_path / "genes.tsv"
    write_genes_tsv(path, [make_row()])
    path.write_text(change(path.read_text()))
    with pytest.raises(FormatError) as error:
        read_genes_tsv(path)
    assert f"{path}{where}" in str(error.value)
    assert "; extract the genes again" in str(error.value)
    assert "\n" not in str(error.value)


def test_sequences_come_back(tmp_path: Path) -> None:
    records = [
        make_record("g1", "ACGT" * 50),
        make_record("my gene 100%\u2028", "A", biotype="odd type"),
        make_record("g=3", "N" * 160),
        make_record("gene \udce9, not UTF-8", "ACGT"),
        replace(make_record("long", "ACGT"), truncated=5321),
    ]
    path = tmp_path / "sequences.fa.gz"
    write_sequences(path, records)
    assert list(read_sequences(path)) == records
    text = gzip.decompress(path.read_bytes()).decode()
    assert ">my%20gene%20100%25%E2%80%A8 view=cds biotype=odd%20type sha256=" in text


def test_sequences_are_bgzip_with_the_same_bytes_each_time(tmp_path: Path, need) -> None:
    records = [make_record(f"g{number}", "ACGGT" * 40_000) for number in range(3)]
    for name in ("a.fa.gz", "b.fa.gz"):
        write_sequences(tmp_path / name, records)
    written = (tmp_path / "a.fa.gz").read_bytes()
    assert written == (tmp_path / "b.fa.gz").read_bytes()
    # SAM specification, 4.1.2: the empty block by which readers know that nothing is missing
    assert written.endswith(bytes.fromhex("1f8b08040000000000ff0600424302001b000300") + bytes(8))
    region = subprocess.run(
        [need("samtools"), "faidx", tmp_path / "a.fa.gz", "g2:199996-200000"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert region.stdout == ">g2:199996-200000\nACGGT\n"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (">g1 view=cds biotype=x sha256=00\nACGT\n", ":1: the sequence is not the one"),
        (">g1\nACGT\n", ":1: not a record"),
        ("ACGT\n", ":1: not a record"),
        (f">g1 view=exon biotype=x sha256={sequence_sha256('A')}\nA\n", ":1: not a record"),
        (
            f">g1 view=cds biotype=x sha256={sequence_sha256('A')} truncated=-1\nA\n",
            ":1: not a record",
        ),
        (
            f">g1 view=cds biotype=x sha256={sequence_sha256('A')}\nA\n>g2 x\nA\n",
            ":3: not a record",
        ),
    ],
)
def test_foreign_sequences_are_refused_with_their_line(
    tmp_path: Path, text: str, where: str
) -> None:
    path = tmp_path / "sequences.fa.gz"
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(FormatError) as error:
        list(read_sequences(path))
    assert f"{path}{where}" in str(error.value)


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "sequences.fa.gz"
    write_sequences(path, [make_record("g1", "ACGT")])
    before = path.read_bytes()

    def stops():
        yield make_record("g2", "ACGT" * 100_000)
        raise InputError("stop")

    with pytest.raises(InputError):
        write_sequences(path, stops())
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["sequences.fa.gz"]


def test_descriptions_table(tmp_path: Path) -> None:
    described = Description(
        "g1", "=cmd|' /C calc'!A0", Status.DESCRIBED, Reason.NONE, 0.71, -0.25, 9, "tiny@ab", "p1",
        truncated=5321, calibrated=False,
    )  # fmt: skip
    skipped = Description(
        "g2", "", Status.SKIPPED, Reason.TOO_SHORT, None, None, 0, "tiny@ab", "p1"
    )
    path = tmp_path / "descriptions.tsv"
    rows = [make_row("g1", product="kinase"), make_row("g2", reason=Reason.TOO_SHORT)]
    write_descriptions_tsv(path, rows, {"g2": skipped, "g1": described})
    header, first, second = (line.split("\t") for line in path.read_text().splitlines())
    assert header == list(DESCRIPTION_COLUMNS)
    assert first[:7] == ["g1", "chr1", "10", "20", "-", "protein_coding", "abc"]
    assert first[7:12] == ["described", "", "0.7100", "-0.2500", "9"]
    assert first[12:] == ["tiny@ab", "p1", "5321", "no", "kinase", "'=cmd|' /C calc'!A0"]
    assert second[7:12] == ["skipped", "too_short", "", "", "0"]
    assert second[14:16] == ["0", ""]
    with pytest.raises(InputError, match=r"1 genes have no description \(first: g2\)"):
        write_descriptions_tsv(path, rows, {"g1": described})
