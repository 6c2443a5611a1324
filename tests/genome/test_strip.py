"""Strip gives back the bytes that were decorated, and says so where it cannot."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genescribe.errors import AnnotationError
from genescribe.genome.annotation import read_annotation
from genescribe.genome.decoration.decorate import decorate
from genescribe.genome.decoration.strip import strip
from genescribe.genome.settings import DecorateSettings
from support.made_up_descriptions import describe_all


def stripped(path: Path) -> bytes:
    """Return what ``strip`` writes."""
    out = io.BytesIO()
    strip(path, out)
    return out.getvalue()


def test_undecorated_file_is_copied_with_a_warning(tmp_path, caplog):
    plain = tmp_path / "plain.gff3"
    plain.write_bytes(
        b"\xef\xbb\xbf##gff-version 3\r\n\xff not UTF-8\nc\tx\tgene\t1\t9\t.\t+\t.\tID=a"
    )
    assert stripped(plain) == plain.read_bytes()
    assert "nothing of genescribe's in it" in caplog.text


def test_a_line_changed_by_hand_is_refused_with_its_number(tmp_path):
    changed = tmp_path / "changed.gff3"
    changed.write_text(
        "##gff-version 3\nc\tx\tgene\t1\t9\t.\t+\t.\tID=a;genescribe_status=described\n"
    )
    with pytest.raises(AnnotationError, match=r"changed\.gff3:2: the text in 'Note' is gone"):
        stripped(changed)


COLUMN_9 = ["", ";", " ", "; ", ";;Note=a", ";Note=a,b;x=y;", ";Note=", ";Note=a;Note=b", ";é=%2C"]
LOOKS_DECORATED = "c\tx\tgene\t1\t9\t.\t+\t.\tNote=a;genescribe_status=described"
ENDINGS = ["\n", "\r\n"]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    columns=st.lists(st.sampled_from(COLUMN_9), min_size=1, max_size=7),
    ending=st.sampled_from(ENDINGS),
    bom=st.booleans(),
    last_ending=st.booleans(),
    fasta=st.booleans(),
    attribute=st.sampled_from(["Note", "note", "description"]),
    write_uncertain=st.booleans(),
)
def test_any_gff3_comes_back(
    tmp_path, columns, ending, bom, last_ending, fasta, attribute, write_uncertain
):
    lines = ["##gff-version 3", "", f"#{LOOKS_DECORATED}"]
    for number, column in enumerate(columns):
        place = f"c\tx\tgene\t{number * 10 + 1}\t{number * 10 + 9}\t.\t+\t.\tID=g{number}"
        lines += [place + column, place.replace("gene", "region").replace("ID=g", "ID=r")]
    if fasta:
        lines += ["##FASTA", f">{LOOKS_DECORATED}", "ACGT"]
    text = ("\ufeff" if bom else "") + ending.join(lines) + (ending if last_ending else "")
    source, out = tmp_path / "in.gff3", tmp_path / "out.gff3"
    source.write_bytes(text.encode())
    options = DecorateSettings(
        attribute=attribute, write_uncertain=write_uncertain, sorted_copy=False
    )
    decorate(source, describe_all(read_annotation(source)), out, options)
    assert out.read_bytes() != source.read_bytes()
    assert stripped(out) == source.read_bytes()


def test_gzip_and_gtf_come_back_and_made_gff3_loses_only_the_decoration(tmp_path, caplog):
    gtf = 'c\tx\tgene\t1\t9\t.\t+\t.\tgene_id "g1"; note "a; b"\r\nc\tx\tgene\t20\t29\t.\t+\t.\tg2'
    source = tmp_path / "in.gtf.gz"
    source.write_bytes(gzip.compress(gtf.encode()))
    out = tmp_path / "new.gff3"
    paths = decorate(source, describe_all(read_annotation(source)), out, DecorateSettings())
    compressed = tmp_path / "again.gtf.gz"
    compressed.write_bytes(gzip.compress(paths[1].read_bytes()))
    caplog.clear()
    assert stripped(paths[1]) == stripped(compressed) == gtf.encode()
    assert stripped(out).decode() == (
        "##gff-version 3\n"
        "c\tx\tgene\t1\t9\t.\t+\t.\tID=g1;gene_id=g1;note=a%3B b\n"
        "c\tx\tgene\t20\t29\t.\t+\t.\tID=g2;gene_id=g2\n"
    )
    assert "nothing of genescribe's" not in caplog.text
