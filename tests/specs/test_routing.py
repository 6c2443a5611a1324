"""Routing: which model describes the genes of which biotype."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from fnmatch import translate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genescribe.errors import InputError, UnknownModelError
from genescribe.specs.routing import Route, Routes, load_routes, one_model
from genescribe.specs.spec import load_spec

TINY = load_spec("tiny")


@pytest.fixture
def second(tmp_path: Path, write_spec: Callable[..., Path]) -> str:
    """The path of another spec."""
    return str(write_spec(tmp_path, "second"))


@pytest.mark.parametrize(
    ("biotype", "model"),
    [
        ("protein_coding", "tiny"),
        ("PROTEIN_CODING", "tiny"),
        ("rRNA", None),
        ("tRNA", "second"),
        ("lnc_RNA", "second"),
        ("SRP_RNA", "second"),
        ("miRNA_primary", None),
        ("", None),
    ],
)
def test_the_first_pattern_that_matches_decides(
    second: str, biotype: str, model: str | None
) -> None:
    routes = load_routes({"protein_coding": "tiny", "rRNA": "skip", "*rna": second})
    found = routes.spec_of(biotype)
    assert (found.name if found else None) == model


patterns = st.lists(st.text("aAb*?", min_size=1, max_size=4), min_size=1, max_size=6)


@given(patterns=patterns, biotype=st.text("aAb", max_size=5))
def test_routes_are_a_list_of_regular_expressions_tried_in_order(
    patterns: list[str], biotype: str
) -> None:
    expected = next(
        (p for p in patterns if re.match(translate(p), biotype, re.IGNORECASE | re.ASCII)), None
    )
    route = Routes(tuple(Route(pattern, TINY) for pattern in patterns)).route_of(biotype)
    assert (route.pattern if route else None) == expected


def test_one_model_takes_everything() -> None:
    for routes in (load_routes("tiny"), one_model(TINY)):
        assert routes.specs == [TINY]
        assert routes.spec_of("anything") == TINY


def test_a_model_with_several_routes_is_one_model(second: str) -> None:
    routes = load_routes({"a": "tiny", "b": second, "c": "tiny", "*": "skip"})
    assert [spec.name for spec in routes.specs] == ["tiny", "second"]
    assert routes.patterns_of(TINY) == ["a", "c"]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"*": "tiny", "tRNA": "skip"}, "route tRNA: is never used, since \\* before it"),
        ({"*RNA": "tiny", "trna": "skip"}, r"route trna: is never used, since \*RNA before it"),
        ({"x*": "tiny", "X*": "skip"}, r"route X\*: is never used"),
        ({" ": "tiny"}, "a pattern is empty"),
        ({"tRNA": "skip", "*": "skip"}, "no route leads to a model"),
        ("skip", "no route leads to a model"),
        ({}, "no route leads to a model"),
        ({"tRNA": "tiny", "*": "nothing"}, "no model named 'nothing'; known: .*tiny"),
        ({"tRNA": "nowhere/spec.yaml"}, "nowhere/spec.yaml: no such file"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(table: dict[str, str] | str, says: str) -> None:
    with pytest.raises((InputError, UnknownModelError), match=says) as error:
        load_routes(table)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("earlier", "later"), [("?RNA", "*RNA"), ("lnc*", "*"), ("tRNA", "*RNA")])
def test_a_wider_pattern_may_follow(earlier: str, later: str) -> None:
    assert len(load_routes({earlier: "tiny", later: "skip"}).routes) == 2


def test_two_specs_of_one_name_are_refused(tmp_path: Path, write_spec: Callable[..., Path]) -> None:
    other = write_spec(tmp_path, "tiny", max_length=99)
    with pytest.raises(InputError, match="two model specs are named tiny"):
        load_routes({"tRNA": "tiny", "*": str(other)})


def test_prompt_and_question_hold_for_every_model(
    tmp_path: Path, write_spec: Callable[..., Path]
) -> None:
    variants = {
        "plain": {"id": "plain-1", "template": "{sequence}"},
        "asked": {"id": "asked-1", "template": "{sequence} {question}"},
    }
    prompt = {"variant": "plain", "variants": variants}
    table = {
        name: str(write_spec(tmp_path, name, prompt=prompt, question="What?"))
        for name in ("one", "two")
    }
    routes = load_routes(table, prompt="asked", question="Where?")
    assert [(spec.prompt.template, spec.question) for spec in routes.specs] == [
        ("{sequence} {question}", "Where?")
    ] * 2
    assert {spec.prompt_id for spec in routes.specs}.isdisjoint({"plain-1", "asked-1"})
    assert [spec.prompt_id for spec in load_routes(table).specs] == ["plain-1"] * 2
    with pytest.raises(InputError, match="no prompt 'asked'"):
        load_routes(table | {"three": "tiny"}, prompt="asked")
    with pytest.raises(InputError, match="takes no question"):
        load_routes(table, question="Where?")


def test_settings_replace_those_of_every_spec(second: str) -> None:
    settings = {"min_score": 0.7, "max_new_tokens": 3, "num_beams": 2}
    for spec in load_routes({"tRNA": second, "*": "tiny"}, settings=settings).specs:
        assert (spec.min_score, spec.min_lift) == (0.7, TINY.min_lift)
        assert spec.generation == {**TINY.generation, "max_new_tokens": 3, "num_beams": 2}
        assert spec.identity.endswith(TINY.identity.partition("@")[2]), "the weights are the same"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"min_score": 2}, "setting min_score: 2 should be less than or equal to 1"),
        ({"num_beams": 1.5}, "setting num_beams: 1.5 should be a valid integer"),
        ({"max_length": 9}, r"setting: unknown key 'max_length'; allowed: .*, min_score"),
    ],
)
def test_settings_that_no_spec_could_have(settings: dict[str, float], says: str) -> None:
    with pytest.raises(InputError, match=says):
        load_routes("tiny", settings=settings)


def test_routing_imports_neither_torch_nor_transformers(root: Path) -> None:
    code = "import genescribe.specs.routing, sys; print({'torch', 'transformers'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(root / "scripts")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "set()"
