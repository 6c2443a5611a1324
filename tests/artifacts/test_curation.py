"""What a person decided, in a file and in the annotation."""

from __future__ import annotations

import json

import pytest

from genescribe.artifacts.curation import (
    Curation,
    Decision,
    curate,
    read_curation,
    write_curation,
)
from genescribe.artifacts.descriptions import write_descriptions
from genescribe.errors import FormatError, InputError
from genescribe.records import Reason, Status

HOSTILE = "=1+1\ttab\nnewline\\n 'quoted' ω"
GFF3 = """\
##gff-version 3
c1\tx\tgene\t1\t90\t.\t+\t.\tID=a;Note=old\r
c1\tx\tgene\t101\t190\t.\t+\t.\tID=b;\x20
c1\tx\tgene\t201\t290\t.\t-\t.\tID=c
c1\tx\tgene\t301\t390\t.\t-\t.\tID=d;;
"""


@pytest.fixture
def described(described_gene):
    """One certain text, two uncertain ones, and a gene that was skipped."""
    low = {"status": Status.UNCERTAIN, "reason": Reason.LOW_LIFT}
    none = {"status": Status.SKIPPED, "reason": Reason.TOO_SHORT, "text": ""}
    none |= {"score": None, "lift": None, "model": ""}
    genes = [
        described_gene("a", text="a kinase"),
        described_gene("b", text="a ligase", **low),
        described_gene("c", text="a lyase", **low),
        described_gene("d", **none),
    ]
    return {one.gene_id: one for _, one in genes}


def test_file_gives_back_what_was_decided(tmp_path) -> None:
    made = [
        Curation("b", Decision.EDIT, HOSTILE, "x"),
        Curation("a", Decision.REJECT, "", HOSTILE),
    ]
    write_curation(tmp_path / "c.tsv", made)
    assert read_curation(tmp_path / "c.tsv") == [made[1], made[0]]
    spreadsheet = (tmp_path / "c.tsv").read_bytes().replace(b"\n", b"\r\n")
    (tmp_path / "c.tsv").write_bytes(spreadsheet)
    assert read_curation(tmp_path / "c.tsv") == [made[1], made[0]]


def test_decisions_are_applied(described) -> None:
    curated = curate(
        described,
        [
            Curation("a", Decision.REJECT, "", "a kinase"),
            Curation("b", Decision.ACCEPT, "a ligase", "a ligase"),
            Curation("c", Decision.EDIT, "a hydrolase", "a lyase"),
            Curation("d", Decision.EDIT, "a tRNA", ""),
        ],
    )
    rejected, accepted, edited, written = (curated[gene_id] for gene_id in "abcd")
    assert (rejected.text, rejected.status, rejected.reason) == ("", "uncertain", "rejected")
    assert (accepted.text, accepted.status, accepted.reason) == ("a ligase", "described", "")
    assert accepted.model == "tiny@0123456789ab+accepted"
    assert accepted.lift == described["b"].lift
    assert (edited.text, edited.status, edited.score) == ("a hydrolase", "described", None)
    assert edited.model == "tiny@0123456789ab+edited"
    assert (written.text, written.status, written.model) == ("a tRNA", "described", "edited")


def test_decision_about_another_text_is_left_out(described, caplog) -> None:
    decided = [Curation("a", Decision.REJECT, "", "what an older model wrote")]
    assert curate(described, decided) == described
    assert "1 decisions are about texts that were written anew since" in caplog.text


def test_unknown_gene(described) -> None:
    with pytest.raises(InputError, match="gene x: is in the curation but has no description"):
        curate(described, [Curation("x", Decision.REJECT, "", "")])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("gene_id\ttext\n", "c.tsv:1: not a curation"),
        (
            "gene_id\tdecision\ttext\tpredicted\na\tmaybe\tx\ty\n",
            "c.tsv:2: .*'maybe' is not one of",
        ),
        (
            "gene_id\tdecision\ttext\tpredicted\na\tedit\n",
            "c.tsv:2: .*has 2 columns",
        ),
        ("gene_id\tdecision\ttext\tpredicted\na\tedit\t \ty\n", "c.tsv:2: edit of gene a has no"),
        (
            "gene_id\tdecision\ttext\tpredicted\na\treject\t\ty\na\treject\t\ty\n",
            "c.tsv:3: gene a is there twice",
        ),
    ],
)
def test_bad_file(tmp_path, content, message) -> None:
    (tmp_path / "c.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        read_curation(tmp_path / "c.tsv")


@pytest.mark.parametrize("uncertain", [[], ["--write-uncertain"]])
def test_decorate_applies_a_curation_and_strip_undoes_it(
    tmp_path, described, genescribe, uncertain
) -> None:
    annotation = tmp_path / "in.gff3"
    annotation.write_bytes(GFF3.encode())
    write_descriptions(tmp_path / "d.jsonl", described.values())
    decided = [
        Curation("a", Decision.REJECT, "", "a kinase"),
        Curation("b", Decision.ACCEPT, "a ligase", "a ligase"),
        Curation("d", Decision.EDIT, "one; two, three=%", ""),
    ]
    write_curation(tmp_path / "curation.tsv", decided)
    done = genescribe(
        "decorate", "--annotation", annotation, "--descriptions", tmp_path / "d.jsonl",
        "--curation", tmp_path / "curation.tsv", "--out", tmp_path / "out.gff3",
        "--no-sorted-copy", "--record", tmp_path / "record.json", *uncertain,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "out.gff3").read_text("utf-8").splitlines()
    assert "a kinase" not in lines[1]
    assert "genescribe_status=uncertain;genescribe_reason=rejected" in lines[1]
    assert "Note=a ligase;genescribe_status=described" in lines[2]
    assert "genescribe_model=tiny@0123456789ab+accepted" in lines[2]
    assert ("a lyase" in lines[3]) == bool(uncertain)
    assert "Note=one%3B two%2C three%3D%25" in lines[4]
    inputs = json.loads((tmp_path / "record.json").read_text("utf-8"))["inputs"]
    assert set(inputs) == {"annotation", "curation"}
    stripped = genescribe("strip", tmp_path / "out.gff3", "--out", tmp_path / "back.gff3")
    assert stripped.returncode == 0
    assert (tmp_path / "back.gff3").read_bytes() == GFF3.encode()
