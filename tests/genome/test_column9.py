"""Column 9: what is added can be read back, and taken out without a trace."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genescribe.genome.decoration.column9 import (
    ATTRIBUTE_KEY,
    GFF3,
    GTF,
    STATUS_KEY,
    Addition,
    Column9,
    UndecodableError,
    add,
    dialect_of_decoration,
    gtf_value,
    remove,
)
from genescribe.genome.decoration.plain_text import flatten, fold_to_ascii
from genescribe.genome.gff import decode_value, encode_value

COLUMNS_1_TO_8 = "chr1\tsrc\tgene\t1\t90\t.\t+\t."
HOSTILE = 'a;b=c&d,e%3Bf\tg\nh\x00i \N{GREEK SMALL LETTER BETA}-lactamase "q" genescribe_status=x'

UGLY_GFF3 = [
    "ID=g1",
    "ID=g1;",
    "ID=g1; ",
    "ID=g1;;; ;",
    ".",
    ". ",
    "",
    " ",
    ";",
    ";;",
    "g1",
    "ID=g1;Note=one",
    "ID=g1;Note=one,two;Name=n;",
    "ID=g1;Note=",
    "ID=g1;Note=;",
    "Note=a,;ID=g1",
    "Note=a;ID=g1;Note=b;Name=c",
    "ID=g1; Note = spaced out ;x=y",
    "ID=g1;Note",
    'ID=g1;Note="a;b"',
    "ID=g1;Note=the genescribe_status=described key",
    "ID=g1;genescribe_score=3",
    "ID=g1;genescribe_attribute=Name",
    "ID=g1;Note=a%3Bgenescribe_status=b",
    "ID=g1\t\t",
]
UGLY_GTF = [
    'gene_id "g1";',
    'gene_id "g1"; transcript_id "";',
    'gene_id "g1"',
    'gene_id "g1"; ',
    "g1",
    'gene_id g1; note "one; two";',
    'gene_id "g1"; note "genescribe_status described";',
    "gene_id g1 ; transcript_id g1.t1 ;",
]
ENDINGS = ["\n", "\r\n", "", " \r\n", "\r\r\n"]


def addition_for(dialect: Column9, attribute: str, text: str, status: str) -> Addition:
    """Build what decorate builds, in the simplest way."""
    keys = [(STATUS_KEY, status), ("genescribe_score", "0.500")]
    if text and (status != "described" or attribute != dialect.default_attribute):
        keys.append((ATTRIBUTE_KEY, attribute))
    return Addition(attribute, text, keys)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("text", [flatten(HOSTILE), ""])
@pytest.mark.parametrize(
    ("column", "dialect"),
    [(column, GFF3) for column in UGLY_GFF3] + [(column, GTF) for column in UGLY_GTF],
)
def test_ugly_columns_come_back(column: str, dialect: Column9, text: str, ending: str) -> None:
    line = f"{COLUMNS_1_TO_8}\t{column}{ending}"
    for attribute in (dialect.default_attribute, "description"):
        status = "described" if text else "skipped"
        decorated = add(line, addition_for(dialect, attribute, text, status), dialect)
        assert decorated != line
        assert dialect_of_decoration(decorated) is dialect
        assert decorated.startswith(COLUMNS_1_TO_8 + "\t")
        assert decorated.endswith(ending)
        assert remove(decorated) == line


def test_missing_column_comes_back() -> None:
    for ending in ENDINGS:
        line = COLUMNS_1_TO_8 + ending
        decorated = add(line, addition_for(GFF3, "Note", "text", "described"), GFF3)
        assert remove(decorated) == line


UNMARKED = st.text(
    alphabet=st.sampled_from("ab ;=,.%\t\r\"'Note9_") | st.characters(exclude_characters="\n"),
    max_size=40,
) | st.lists(
    st.sampled_from(
        [
            *("Note=a", "Note=", "Note=a,b", " Note=x ", "Note", "ID=g", "", " ", "."),
            *('note "a"', 'gene_id "g"', 'note "a; b"', "description=d"),
            *("genescribe_score=1", "genescribe_attribute=ID"),
        ]
    ),
    max_size=6,
).map(";".join)


@given(
    column=UNMARKED,
    ending=st.sampled_from(ENDINGS),
    text=st.text(max_size=60),
    status=st.sampled_from(["described", "uncertain"]),
    attribute=st.sampled_from(["Note", "note", "description"]),
    dialect=st.sampled_from([GFF3, GTF]),
)
@example("Note=a", "\n", "x,y", "described", "Note", GFF3)
def test_any_column_comes_back(
    column: str, ending: str, text: str, status: str, attribute: str, dialect: Column9
) -> None:
    line = f"{COLUMNS_1_TO_8}\t{column}{ending}"
    flat = flatten(text)
    status = status if flat else "skipped"
    decorated = add(line, addition_for(dialect, attribute, flat, status), dialect)
    assert remove(decorated) == line
    assert decorated.count("\n") == line.count("\n")
    if flat and dialect is GFF3:
        values = [
            piece.partition("=")[2].rpartition(",")[2]
            for piece in decorated.split("\t", 8)[8].split(";")
            if "=" in piece and piece.partition("=")[0].strip() == attribute
        ]
        assert decode_value(values[-1]) == flat
    if flat and dialect is GTF:
        assert f'{attribute} "{gtf_value(flat)}"; {STATUS_KEY} "{status}"' in decorated


@given(st.text(st.characters(codec=None)))
@example("\ud800 a")
def test_text_is_one_line_without_controls(text: str) -> None:
    flat = flatten(text)
    assert flat == flatten(flat)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]|  |^ | $", flat)
    assert decode_value(encode_value(flat)) == flat
    folded = fold_to_ascii(flat)
    assert folded.isascii()
    assert folded == flatten(folded)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("β-lactamase, Δ5 and λ", "beta-lactamase, Delta5 and lambda"),
        ("5′–3′ “exo” ½", "5'-3' \"exo\" 1/2"),
        ("50 µm", "50 um"),
        ("ﬁbre Ångström", "fibre Angstrom"),
        ("ς ά", "sigma alpha"),
        ("plain", "plain"),
    ],
)
def test_ascii_as_a_biologist_would_spell_it(text: str, folded: str) -> None:
    assert fold_to_ascii(text) == folded


def test_only_reserved_characters_are_encoded() -> None:
    line = add(
        f"{COLUMNS_1_TO_8}\tID=g\n", addition_for(GFF3, "Note", flatten(HOSTILE), "described"), GFF3
    )
    note = line.split(";Note=")[1].split(";")[0]
    assert note == (
        "a%3Bb%3Dc%26d%2Ce%253Bf g hi \N{GREEK SMALL LETTER BETA}-lactamase "
        '"q" genescribe_status%3Dx'
    )


def test_attributes_that_others_added_behind_ours_stay() -> None:
    decorated = add(
        f"{COLUMNS_1_TO_8}\tID=g;\n", addition_for(GFF3, "Note", "text", "described"), GFF3
    )
    assert remove(decorated.replace(";\n", ";x=y;\n")) == f"{COLUMNS_1_TO_8}\tID=g;x=y;\n"


def test_a_line_whose_text_was_taken_out_is_refused() -> None:
    line = f"{COLUMNS_1_TO_8}\tID=g;genescribe_status=described\n"
    with pytest.raises(UndecodableError, match="'Note' is gone"):
        remove(line)
