"""Column 9 and its reserved characters, in both dialects."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genescribe.files import decode_line, encode_line
from genescribe.genome.annotation.gff3 import gff3_value
from genescribe.genome.annotation.gtf import gtf_ids
from genescribe.genome.gff import (
    decode_value,
    encode_value,
    parse_gff3_attributes,
    parse_gtf_attributes,
    text_lines,
)

GFF3_COLUMNS = {
    "ID=g;Name=n": {"ID": ["g"], "Name": ["n"]},
    "ID=g; Name = n ;": {"ID": ["g"], "Name": ["n"]},
    "Dbxref=a;Dbxref=b,c": {"Dbxref": ["a", "b", "c"]},
    "Parent=a,b,": {"Parent": ["a", "b"]},
    "Note=x%2Cy%3Bz,w": {"Note": ["x,y;z", "w"]},
    "Note=a=b&c+d": {"Note": ["a=b&c+d"]},
    'ID="quoted"': {"ID": ["quoted"]},
    "ID=g;Lack 3'-end;": {"ID": ["g"], "Lack 3'-end": []},
    "ID=;Parent=p": {"ID": [], "Parent": ["p"]},
    ".;ID=foo": {"ID": ["foo"]},
    "=other": {},
    ".": {},
    "": {},
    "N%20ame=caf%C3%A9": {"N ame": ["café"]},
}

GTF_COLUMNS = {
    'gene_id "g"; transcript_id "t";': {"gene_id": ["g"], "transcript_id": ["t"]},
    'gene_id "g" ; transcript_id "";': {"gene_id": ["g"], "transcript_id": []},
    "gene_id g; transcript_id g.t1": {"gene_id": ["g"], "transcript_id": ["g.t1"]},
    'note "a; b = c # d"; level 2;': {"note": ["a; b = c # d"], "level": ["2"]},
    'tag "x"; tag "y";': {"tag": ["x", "y"]},
    'gene_id "g" transcript_id 33': {"gene_id": ["g"], "transcript_id": ["33"]},
    "note two words; level 2": {"note": ["two words"], "level": ["2"]},
    "g1.t1": {"g1.t1": []},
    "": {},
}


@pytest.mark.parametrize("column", GFF3_COLUMNS)
def test_gff3_attributes(column: str) -> None:
    assert parse_gff3_attributes(column) == GFF3_COLUMNS[column]


@pytest.mark.parametrize("column", GTF_COLUMNS)
def test_gtf_attributes(column: str) -> None:
    assert parse_gtf_attributes(column) == GTF_COLUMNS[column]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("ID=g;Parent=p", "p"),
        ("Parent=p;ID=g", "p"),
        ("ID=g; Parent=p ;x=y", "p"),
        ("Note=Parent=q;Parent=p", "p"),
        ("Note=see Parent=q", ""),
        ("grandParent=q", ""),
        ('Parent="p"', "p"),
        ("ID=g", ""),
    ],
)
def test_one_gff3_value_cut_out(column: str, expected: str) -> None:
    assert gff3_value(column, "Parent=") == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ('gene_id "g"; transcript_id "t"; tag "x";', ("g", "t")),
        ('transcript_id "t"; gene_id "g";', ("g", "t")),
        ('ref_gene_id "r"; gene_id "g"; transcript_id "t";', ("g", "t")),
        ('note "gene_id x"; gene_id "g";', ("g", "")),
        ('gene_id "g"; transcript_id "";', ("g", "")),
        ("gene_id g; transcript_id t", ("g", "t")),
        ("g1.t1", ("", "")),
    ],
)
def test_gtf_ids_in_any_layout(column: str, expected: tuple[str, str]) -> None:
    assert gtf_ids(column) == expected


def test_only_reserved_characters_are_encoded() -> None:
    assert (
        encode_value("a%b;c=d&e,f\tg\n\x7fh i+é\u2019")
        == "a%25b%3Bc%3Dd%26e%2Cf%09g%0A%7Fh i+é\u2019"
    )


@given(st.text())
def test_encoding_is_undone_by_decoding(text: str) -> None:
    encoded = encode_value(text)
    assert decode_value(encoded) == text
    assert not set(encoded) & set("\t\n\r;=&,")


@given(st.lists(st.text(st.characters(exclude_characters="\ud800", codec="utf-8"), min_size=1)))
def test_encoded_values_come_back_from_a_column(values: list[str]) -> None:
    kept = [v for v in values if v.strip() == v and v.strip('"') == v]
    column = "Note=" + ",".join(map(encode_value, kept))
    assert parse_gff3_attributes(column).get("Note", []) == kept


@given(st.binary())
def test_lines_keep_every_byte(data: bytes) -> None:
    lines = [text for _, text in text_lines(io.BytesIO(data))]
    assert b"".join(map(encode_line, lines)) == data
    assert encode_line(decode_line(data)) == data
