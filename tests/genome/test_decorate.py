"""What decorate writes, line by line, on small annotations; and what it refuses."""

from __future__ import annotations

import gzip
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from genescribe.errors import AnnotationError, InputError, OutputError
from genescribe.genome.annotation import read_annotation
from genescribe.genome.decoration.decorate import decorate
from genescribe.genome.decoration.strip import check_undecorated, strip
from genescribe.genome.settings import DecorateSettings
from genescribe.records import Description, Reason, Status
from support.made_up_descriptions import PLAIN, describe_all, description

GFF3 = (
    "##gff-version 3\r\n"
    "#chr1\tx\tgene\t1\t90\t.\t+\t.\tID=g0;Note=a comment;genescribe_status=described\r\n"
    "chr1\tx\tgene\t1\t90\t.\t+\t.\tID=g1;Note=old;\r\n"
    "chr1\tx\tmRNA\t1\t90\t.\t+\t.\tID=t1;Parent=g1\r\n"
    "\r\n"
    "chr1\tx\texon\t1\t90\t.\t+\t.\tParent=t1\r\n"
    "###\r\n"
    "chr1\tx\tgene\t200\t290\t.\t-\t.\tID=g 2\r\n"
    "##FASTA\r\n"
    ">chr1\tx\tgene\t1\t90\t.\t+\t.\tID=g0;Note=a header;genescribe_status=described\r\n"
    "ACGT"
)
GTF = (
    "#!genome-build x\n"
    'chr1\tx\tgene\t1\t90\t.\t+\t.\tgene_id "g1"; gene_name "abc";\n'
    'chr1\tx\ttranscript\t1\t90\t.\t+\t.\tgene_id "g1"; transcript_id "t1";\n'
    'chr1\tx\texon\t1\t90\t.\t+\t.\tgene_id "g1"; transcript_id "t1";\n'
)


def run(
    folder: Path, text: str, descriptions: dict[str, Description], name="in.gff3", **options
) -> tuple[str, list[Path]]:
    """Decorate ``text``; return what was written as NAME.gff3, and all paths."""
    source = folder / name
    source.write_bytes(text.encode())
    out = folder / "out" / "new.gff3"
    paths = decorate(source, descriptions, out, DecorateSettings(**options))
    return out.read_bytes().decode(), paths


def test_only_column_9_of_gene_lines_changes(tmp_path):
    descriptions = {"g1": description("g1"), "g 2": description("g 2", 3)}
    written, paths = run(tmp_path, GFF3, descriptions)
    assert written == GFF3.replace(
        "Note=old;",
        "Note=old,Thioredoxin%3B keeps proteins reduced%2C with NADPH;"
        "genescribe_status=described;genescribe_score=0.710;genescribe_lift=1.240;"
        "genescribe_model=tiny@0123456789ab;",
    ).replace("ID=g 2", "ID=g 2;genescribe_status=skipped;genescribe_reason=too_short")
    assert [path.name for path in paths] == [
        "new.gff3",
        "new.sorted.gff3.gz",
        "new.sorted.gff3.gz.tbi",
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in paths
    )


def test_uncertain_texts_are_written_only_on_request(tmp_path):
    one = GFF3.replace("ID=g 2", "ID=g2")
    descriptions = {"g1": description("g1", 1), "g2": description("g2", 4)}
    keys = "genescribe_status=uncertain;genescribe_reason=low_lift"
    written, _ = run(tmp_path, one, descriptions)
    assert f"Note=old;{keys}" in written
    assert "Thioredoxin" not in written
    assert "ID=g2;genescribe_status=failed;genescribe_reason=out_of_memory\r\n" in written
    written, _ = run(tmp_path, one, descriptions, write_uncertain=True)
    assert f"Note=old,Thioredoxin%3B keeps proteins reduced%2C with NADPH;{keys}" in written
    assert "genescribe_attribute=Note" in written


def test_another_attribute_is_named_in_the_line(tmp_path):
    descriptions = {"g1": description("g1"), "g 2": description("g 2", 3)}
    written, _ = run(tmp_path, GFF3, descriptions, attribute="description", sorted_copy=False)
    assert "Note=old;description=Thioredoxin%3B" in written
    assert "genescribe_attribute=description;\r\n" in written


def test_gtf_gives_gtf_and_gff3(tmp_path):
    text = 'say "hi"; done'
    descriptions = {"g1": replace(description("g1"), text=text)}
    written, paths = run(tmp_path, GTF, descriptions, name="in.gtf")
    assert [path.suffix for path in paths] == [".gff3", ".gtf", ".gz", ".tbi"]
    assert paths[1].read_text() == GTF.replace(
        'gene_name "abc";',
        'gene_name "abc"; note "say \'hi\', done"; genescribe_status "described"; '
        'genescribe_score "0.710"; genescribe_lift "1.240"; '
        'genescribe_model "tiny@0123456789ab";',
    )
    assert 'ID=g1;Name=abc;gene_id=g1;gene_name=abc;Note=say "hi"%3B done;genescribe' in written


def test_bare_gene_names_of_braker(tmp_path):
    gtf = "chr1\tx\tgene\t1\t9\t.\t+\t.\tg1\n" + "".join(
        f'chr1\tx\t{kind}\t1\t9\t.\t+\t0\tgene_id "g1"; transcript_id "g1.t1";\n'
        for kind in ("exon", "CDS")
    )
    written, paths = run(tmp_path, gtf, {"g1": description("g1")}, name="in.gtf")
    text = 'g1; note "Thioredoxin, keeps proteins reduced, with NADPH"; genescribe_status "desc'
    assert text in paths[1].read_text()
    assert "\tID=g1;gene_id=g1;Note=Thioredoxin%3B" in written


def test_all_lines_of_a_gene_get_the_same(tmp_path):
    gff3 = "##gff-version 3\n" + "".join(
        f"chr1\tx\tgene\t{start}\t{start + 9}\t.\t+\t.\tID=g1;part={part};"
        "exception=trans-splicing\n"
        for part, start in enumerate((1, 100), 1)
    )
    written, _ = run(tmp_path, gff3, {"g1": description("g1")})
    added = {line.split("trans-splicing", 1)[1] for line in written.splitlines()[1:]}
    assert len(added) == 1
    assert "genescribe_status" in added.pop()


def test_every_change_of_a_text_is_logged(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    hostile = replace(description("g1"), text='β\ttwo "q";')
    run(tmp_path, GTF, {"g1": hostile}, name="in.gtf", ascii=True)
    assert "gene g1: text 'β\\ttwo \"q\";' -> 'beta two \"q\";'" in caplog.text
    assert "gene g1: GTF text 'beta two \"q\";' -> \"beta two 'q',\"" in caplog.text
    caplog.clear()
    run(tmp_path, GTF, {"g1": replace(hostile, text="plain")}, name="in.gtf")
    assert "->" not in caplog.text


def test_a_text_of_nothing_is_not_written_as_described(tmp_path, caplog):
    descriptions = {"g1": replace(description("g1"), text="\x00\n"), "g 2": description("g 2")}
    written, _ = run(tmp_path, GFF3, descriptions)
    assert "Note=old;genescribe_status=failed;genescribe_reason=empty_text;" in written
    assert "gene g1: its text is empty" in caplog.text


@pytest.mark.parametrize(
    "attribute",
    [
        *("product", "ID", "Parent", "Name", "Alias", "Dbxref", "Myown", "gene_id"),
        *("transcript_id", "genescribe_status", "", "a b", "a=b", "note;", "é"),
    ],
)
def test_attributes_that_must_not_hold_a_sentence(attribute):
    with pytest.raises(InputError, match="cannot take descriptions; choose Note"):
        DecorateSettings(attribute=attribute)


@pytest.mark.parametrize("attribute", ["Note", "note", "description", "my.own-key_2"])
def test_attributes_that_may(attribute):
    assert DecorateSettings(attribute=attribute).attribute == attribute


def test_decorated_input_is_refused(tmp_path):
    descriptions = {"g1": description("g1"), "g 2": description("g 2", 3)}
    written, _ = run(tmp_path, GFF3, descriptions)
    again = tmp_path / "again.gff3"
    again.write_bytes(written.encode())
    message = rf"{again}:3: already decorated; take its descriptions out first"
    with pytest.raises(AnnotationError, match=message):
        check_undecorated(again)
    with pytest.raises(AnnotationError, match=message):
        decorate(again, descriptions, tmp_path / "x.gff3", DecorateSettings())
    assert not (tmp_path / "x.gff3").exists()


def test_descriptions_of_another_annotation_are_refused(tmp_path):
    one = {"g1": description("g1")}
    with pytest.raises(InputError, match=r"in.gff3: 1 genes have no .*\(first: g 2\)"):
        run(tmp_path, GFF3, one)
    more = {f"g{n}": description(f"g{n}") for n in range(1, 9)} | {"g 2": description("g 2")}
    with pytest.raises(InputError, match=r"7 descriptions are of genes .*\(first: g2, g3, g4\)"):
        run(tmp_path, GFF3, more)
    assert not (tmp_path / "out").exists()


def test_the_input_is_never_overwritten(tmp_path):
    gtf = tmp_path / "genes.gtf"
    gtf.write_text(GTF)
    with pytest.raises(InputError, match=r"genes\.gtf: is the input itself"):
        decorate(gtf, {"g1": description("g1")}, tmp_path / "genes.gff3", DecorateSettings())
    assert gtf.read_text() == GTF
    assert list(tmp_path.iterdir()) == [gtf]


def test_nothing_is_left_when_writing_fails(tmp_path):
    blocked = tmp_path / "out"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="cannot be written"):
        run(tmp_path, GTF, {"g1": description("g1")}, name="in.gtf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.gtf", "out"]


def test_same_input_same_bytes(tmp_path):
    descriptions = {"g1": description("g1"), "g 2": description("g 2", 1)}
    first = [path.read_bytes() for path in run(tmp_path, GFF3, descriptions)[1]]
    assert [path.read_bytes() for path in run(tmp_path, GFF3, descriptions)[1]] == first


def test_compressed_input_gives_plain_output(tmp_path):
    source = tmp_path / "in.gff3.gz"
    source.write_bytes(gzip.compress(GFF3.encode()))
    out = tmp_path / "out.gff3"
    decorate(source, describe_all(read_annotation(source)), out, DecorateSettings())
    assert out.read_bytes().startswith(b"##gff-version 3\r\n")


def test_missing_numbers_are_left_out(tmp_path):
    bare = Description("g1", PLAIN, Status.DESCRIBED, Reason.NONE, None, None, 0, "", "")
    written, _ = run(tmp_path, GFF3, {"g1": bare, "g 2": description("g 2", 3)})
    assert "NADPH;genescribe_status=described;\r\n" in written


def test_what_was_not_read_and_not_calibrated_is_written_and_taken_out_again(tmp_path):
    cut = replace(description("g1"), truncated=5321, calibrated=False)
    written, paths = run(tmp_path, GFF3, {"g1": cut, "g 2": description("g 2", 3)})
    assert "genescribe_score=0.710;genescribe_calibrated=no;genescribe_lift=1.240;" in written
    assert "genescribe_model=tiny@0123456789ab;genescribe_truncated=5321;\r\n" in written
    with (tmp_path / "stripped").open("wb") as out:
        strip(paths[0], out)
    assert (tmp_path / "stripped").read_bytes().decode() == GFF3
