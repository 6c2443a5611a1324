"""Exact answers against hand-made truths, and which answers pass as agreeing with them."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from genescribe.specs.tasks import TASK_TYPES, Asked, check

COMPLEMENT = str.maketrans("ACGT", "TGCA")
# two lines of out/metrics/sample_table_20240118.csv of Huatsing-Lau/GenomicLLM
PUBLISHED_CDS = "CAATATGTCACCGAGCTGCAGAGCCCCCAGCCCCAGGCACAGCCACCGGGTGGCCAGAAGCAG"
PUBLISHED_PROTEIN = "GlnTyrValThrGluLeuGlnSerProGlnProGlnAlaGlnProProGlyGlyGlnLysGln"
PUBLISHED_NO_ORF = (
    "TGGCTGAAGACAACCACAAAAAAAAAACAGTTAAGATGTTGGAATACCTGGGCAAAGATGTTCTTCATGGTGTTTTTAATTATTTGGCAAAA"
    "CACGATGTTCTGA"
)


def exact(task: str, sequence: str) -> str:
    checked = check(task, Asked(sequence), "")
    assert checked is not None
    return checked.exact


def difference(task: str, sequence: str, answer: str) -> str:
    checked = check(task, Asked(sequence), answer)
    assert checked is not None
    assert checked.agrees == (checked.difference == "")
    return checked.difference


def test_strands_of_random_sequences() -> None:
    rng = random.Random(3)
    for length in (1, 2, 3, 50, 1236):
        sequence = "".join(rng.choices("ACGT", k=length))
        paired = sequence.translate(COMPLEMENT)
        assert exact("reverse", sequence) == "".join(reversed(sequence))
        assert exact("complement", sequence) == paired
        assert exact("reverse_complement", sequence) == "".join(reversed(paired))


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [("ACGT", "0.500"), ("AAAG", "0.250"), ("AAT", "0.000"), ("GCGN", "1.000"), ("GAA", "0.333")],
)
def test_gc_content_counts_known_letters(sequence: str, expected: str) -> None:
    assert exact("gc_content", sequence) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("0.333", ""),
        ("0.334", "off by 0.001"),
        ("0.33", ""),
        ("0.3", "off by 0.033"),  # one digit is not enough to agree
        ("33.3 %", ""),
        ("33%", ""),
        ("33.3", ""),
        ("about 0.379", "off by 0.046"),
        ("0", "off by 0.333"),
        ("unknown", "no number"),
        ("", "no number"),
    ],
)
def test_gc_content_agrees_to_the_digits_written(answer: str, expected: str) -> None:
    assert difference("gc_content", "GAA", answer) == expected


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("ATGAAATAA", "True"),
        ("ATGAAATAAA", "False"),  # a letter too many
        ("AATGAAATA", "False"),
        ("ATGTAAAAATAA", "False"),  # a stop inside
        ("ATGAAAAAA", "False"),  # no stop
        ("CTGAAATAA", "False"),
        ("ATGNNNTAA", "True"),
        ("A", "False"),
        (PUBLISHED_NO_ORF, "False"),
    ],
)
def test_open_reading_frame(sequence: str, expected: str) -> None:
    assert exact("orf", sequence) == expected


def test_a_label_agrees_whatever_its_case() -> None:
    assert difference("orf", "ATGTAA", " true.") == ""
    assert difference("orf", "ATGTAA", "False") == "another answer"


def test_protein_in_three_letter_residues() -> None:
    assert exact("protein", PUBLISHED_CDS) == PUBLISHED_PROTEIN
    assert exact("protein", "ATGTAAAAATAACC") == "MetTerLys"
    assert difference("protein", PUBLISHED_CDS, PUBLISHED_PROTEIN) == ""
    wrong = PUBLISHED_PROTEIN.replace("GlnTyr", "GlnLeu", 1)
    assert difference("protein", PUBLISHED_CDS, wrong) == "1 edit to 21 residues"
    assert difference("protein", PUBLISHED_CDS, PUBLISHED_PROTEIN[3:]) == "1 edit to 21 residues"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("TTGCA", ""),
        ("ttg ca", ""),
        ("TTGCC", "1 edit to 5 letters"),
        ("TGCA", "1 edit to 5 letters"),  # one left out does not make all others wrong
        ("TTGCATT", "2 edits to 5 letters"),
        ("", "5 edits to 5 letters"),
        ("é 中", "5 edits to 5 letters"),
    ],
)
def test_sequences_that_differ_say_by_how_many_letters(answer: str, expected: str) -> None:
    assert difference("reverse_complement", "TGCAA", answer) == expected


def test_a_told_fact_is_found_again() -> None:
    asked = Asked("ACGT", "symbol=MIR7158, Dbxref:MIM=300586", "Dbxref:MIM")
    checked = check("reading_comprehension", asked, "300586")
    assert checked is not None
    assert (checked.exact, checked.agrees) == ("300586", True)
    wrong = check("reading_comprehension", asked, "300587")
    assert wrong is not None
    assert not wrong.agrees
    assert check("reading_comprehension", Asked("ACGT", "symbol=x", "id"), "x") is None


def test_what_cannot_be_computed_is_not_checked() -> None:
    assert check("description", Asked("ACGT"), "a kinase") is None
    assert check("a task of somebody", Asked("ACGT"), "x") is None
    computed = {name for name, kind in TASK_TYPES.items() if kind.exact}
    assert computed == {
        "gc_content", "orf", "reverse", "complement", "reverse_complement", "protein",
        "reading_comprehension",
    }  # fmt: skip


def test_tasks_are_listed_without_the_libraries_that_compute_them() -> None:
    code = (
        "import sys; from genescribe.specs.tasks import TASK_TYPES; assert TASK_TYPES;"
        "assert not {'Bio', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": sys.path[0]})
