"""The judge of product names, on textbook pairs and against the labels of people."""

from __future__ import annotations

import math

import pytest

from genescribe.evaluation.correctness import correct, identity
from genescribe.evaluation.names import Verdict, is_correct, judge
from support.name_panel import pairs, rates

SAME = [
    ("Tryptophan--tRNA ligase", "tryptophanyl-tRNA synthetase"),
    ("60 kDa chaperonin", "chaperonin GroEL"),
    ("LSU ribosomal protein L22p (L17e)", "50S ribosomal protein L22"),
    ("Large ribosomal subunit protein uL22", "50S ribosomal protein L22"),
    ("aspartate--ammonia ligase", "Aspartate--ammonia ligase (EC 6.3.1.1)"),
    ("Phosphate import ATP-binding protein PstB", "phosphate ABC transporter ATP-binding protein"),
    ("DNA polymerase III, beta subunit", "DNA polymerase III subunit beta"),
    ("Transcriptional regulator, TetR family", "TetR family transcriptional regulator"),
    ("Translation elongation factor Tu", "Elongation factor Tu"),
    ("ATP synthase alpha chain (EC 3.6.3.14)", "F0F1 ATP synthase subunit alpha"),
]
DIFFERENT = [
    ("tRNA-Gln", "tRNA-Cys"),
    ("50S ribosomal protein L22", "50S ribosomal protein L27"),
    ("60S ribosomal protein L22", "50S ribosomal protein L22"),
    ("30S ribosomal protein S2", "50S ribosomal protein L2"),
    ("Glutamine--tRNA ligase", "Glutamate--tRNA ligase"),
    ("DNA gyrase subunit A", "DNA gyrase subunit B"),
    ("ATP synthase subunit a", "ATP synthase subunit alpha"),
    ("phosphate ABC transporter permease", "phosphate ABC transporter ATP-binding protein"),
    ("glucosyltransferase", "galactosyltransferase"),
    ("translational regulator", "transcriptional regulator"),
    ("6-phosphofructokinase", "1-phosphofructokinase"),
    ("F-box domain-containing protein", "ammonium transporter"),
]
LESS_PRECISE = [
    ("oxidoreductase", "glucose 1-dehydrogenase"),
    ("putative enolase", "enolase"),
    ("transcriptional regulator", "transcriptional regulator YbdO"),
    ("ABC transporter ATP-binding protein", "zinc ABC transporter ATP-binding protein"),
    ("thioredoxin family protein", "thioredoxin"),
    ("glycolate oxidase", "glycolate oxidase subunit GlcD"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_function_under_two_names(one: str, other: str) -> None:
    assert judge(one, other) == judge(other, one) == Verdict.SAME


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_share_words_but_not_the_function(one: str, other: str) -> None:
    assert judge(one, other) == judge(other, one) == Verdict.DIFFERENT


@pytest.mark.parametrize(("one", "other"), LESS_PRECISE)
def test_a_vaguer_name_is_less_precise(one: str, other: str) -> None:
    assert judge(one, other) == Verdict.LESS_PRECISE
    assert judge(other, one) == Verdict.MORE_PRECISE


@pytest.mark.parametrize("text", ["hypothetical protein", "Uncharacterized protein YabC", ""])
def test_a_name_that_says_nothing(text: str) -> None:
    assert judge(text, "enolase") == judge("enolase", text) == Verdict.UNINFORMATIVE


def test_hedging_is_less_precise_but_correct() -> None:
    assert judge("probable enolase", "enolase") == Verdict.LESS_PRECISE
    assert is_correct("probable enolase", "enolase")


def test_the_judge_agrees_with_people_as_often_as_docs_say() -> None:
    """docs/evaluation.md states the measured figures; these are a little below them."""
    panel = pairs("panel")
    assert len(panel) == 400
    found = rates(panel)
    assert found["different called same"].share <= 0.03
    assert found["same called same"].share >= 0.52
    assert found["verdict is the label"].share >= 0.64
    assert found["called correct and correct"].share >= 0.83


def test_the_panel_is_of_other_names_than_the_development() -> None:
    panel, development = (
        {frozenset((pair.prediction.lower(), pair.reference.lower())) for pair in pairs(side)}
        for side in ("panel", "development")
    )
    assert not panel & development


@pytest.mark.parametrize(
    ("question", "reference", "text", "expected"),
    [
        ("product name", "Enolase (EC 4.2.1.11)", "enolase", 1),
        ("product name (RefSeq)", "enolase", "aldolase", 0),
        ("EC number", "4.2.1.11", "4.2.1.12", 0),
        ("gene symbol", "dnaK", "DNAK", 1),
        ("GC content", "0.61", "0.45", 0),
        ("GC content", "0.61", "0.60", 1),
        ("GC content", "0.61", "high", 0),
        ("translation", "MKVLAAGIVGLMK", "MKVLAAGIVGLMK", 1),
        ("translation", "MKVLAAGIVGLMK", "MKVLAAGIVGLMR", 0),
    ],
)
def test_every_kind_of_question_has_its_ruler(
    question: str, reference: str, text: str, expected: int
) -> None:
    assert correct(question, [reference], text) == expected


def test_prose_has_no_ruler() -> None:
    assert math.isnan(correct("summary", ["This gene encodes an enolase."], "enolase"))


def test_identity_is_by_place_and_of_the_longer_sequence() -> None:
    assert identity("MKVL", "MKVA") == 0.75
    assert identity("MK", "MKVA") == 0.5
