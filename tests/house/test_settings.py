"""Each setting is told once: every door says of it what its model says."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import click
import pytest
import yaml
from pydantic import Field

from config_schema import SCHEMA, STAGES, Stage, as_yaml, property_of, with_settings
from genescribe import settings
from genescribe.cli.grammar import Arguments, Call, command
from genescribe.cli.settings import options_of
from genescribe.corpus.settings import SplitSettings
from genescribe.errors import InputError
from genescribe.evaluation.settings import CalibrationSettings, EvaluationSettings, ModelOnCorpus
from genescribe.genome.settings import DecorateSettings, ExtractSettings
from genescribe.inference.settings import DescribeSettings
from genescribe.keys import Natural
from genescribe.settings import Automatic, Settings
from support.command_line import all_commands

ROOT = Path(__file__).resolve().parents[2]


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class MadeUpSettings(Settings):
    """Settings of a stage that is not there."""

    depth: Annotated[int, Field(ge=2, le=9)] = Field(default=3, description="how deep to look")
    colour: Annotated[Colour | None, Automatic] = Field(default=None, description="of the page")
    speed: Literal["fast", "slow"] = Field(default="slow", description="how fast to go")
    names: tuple[str, ...] = Field(default=(), description="names to look for")
    limit: Natural | None = Field(default=None, description="at most so many")
    careful: bool = Field(default=True, description="look twice")
    dry: bool = Field(default=False, description="write nothing")


def made_up(*words: str) -> MadeUpSettings:
    """Return what a command with these settings is handed for ``words``."""

    @command(*options_of(MadeUpSettings, "Made up", depth={"flags": ("-d", "--depth")}))
    def look(args: Arguments) -> None:
        """Do nothing."""

    called = look.main(list(words), "look", standalone_mode=False)
    assert isinstance(called, Call)
    return called.args.of(MadeUpSettings)


def test_a_setting_is_an_option_at_once() -> None:
    assert made_up() == MadeUpSettings()
    assert made_up(
        *("-d", "9", "--colour", "red", "--speed", "fast", "--names", "a", "--names", "b"),
        *("--limit", "0", "--no-careful", "--dry"),
    ) == MadeUpSettings(
        depth=9,
        colour=Colour.RED,
        speed="fast",
        names=("a", "b"),
        limit=0,
        careful=False,
        dry=True,
    )
    assert made_up("--colour", "auto").colour is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--depth", "1"), "'1' should be greater than or equal to 2"),
        (("--depth", "x"), "'x' should be a valid integer"),
        (("--colour", "green"), "'green' is not one of 'auto', 'red', 'blue'"),
        (("--limit", "-1"), "'-1' should be greater than or equal to 0"),
    ],
)
def test_an_option_takes_what_the_setting_takes(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(click.UsageError) as error:
        made_up(*words)
    assert says in error.value.format_message()


def test_a_setting_is_a_key_of_the_schema_at_once() -> None:
    section = {"properties": {"mem_mb": {"type": "integer"}}}
    stage = Stage(MadeUpSettings, frozenset({"limit"}), {"dry": "dry_run"}, {"depth": 4})
    made = with_settings({"properties": {"look": section}}, {"look": stage})["properties"]["look"]
    assert list(made["properties"]) == [
        *("depth", "colour", "speed", "names", "careful", "dry_run", "mem_mb")
    ]
    assert made["properties"]["depth"] == {
        "type": "integer",
        "minimum": 2,
        "maximum": 9,
        "default": 4,
        "description": "how deep to look",
    }
    assert made["properties"]["colour"] == {
        "enum": ["auto", "red", "blue"],
        "default": "auto",
        "description": "of the page",
    }
    assert property_of(MadeUpSettings, "limit")["minimum"] == 0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"depth": 10}, "depth: 10 should be less than or equal to 9"),
        ({"deep": 3}, "unknown key 'deep'; allowed: "),
        ({"speed": "medium"}, "speed: 'medium' should be 'fast' or 'slow'"),
    ],
)
def test_settings_in_python_are_checked_as_well(values: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        MadeUpSettings(**values)


OFFERED = {
    "run": [ExtractSettings, DescribeSettings, DecorateSettings],
    "extract": [ExtractSettings],
    "describe": [DescribeSettings],
    "decorate": [DecorateSettings],
    "splits": [SplitSettings],
    "evaluate": [ModelOnCorpus, EvaluationSettings],
    "calibrate": [ModelOnCorpus, CalibrationSettings],
}
NOT_OFFERED = {("run", "shard"), ("run", "sorted_copy")} | {
    (name, "watch") for name in ("evaluate", "calibrate")
}


@pytest.mark.parametrize("name", OFFERED)
def test_every_setting_of_a_stage_is_an_option_of_its_command(name: str) -> None:
    params = {param.name: param for param in all_commands()[(name,)].params}
    for model in OFFERED[name]:
        for setting, field in model.model_fields.items():
            if (name, setting) not in NOT_OFFERED:
                assert setting in params
                if setting not in ("model", "sides", "shard"):
                    assert field.description in params[setting].help


def test_the_schema_of_the_workflow_is_current() -> None:
    text = SCHEMA.read_text("utf-8")
    assert as_yaml(with_settings(yaml.safe_load(text), STAGES)) == text, "make schema"


def test_the_workflow_hands_on_every_setting() -> None:
    rules = "".join(path.read_text("utf-8") for path in (ROOT / "workflow/rules").glob("*.smk"))
    for title, stage in STAGES.items():
        for name in stage.model.model_fields.keys() - stage.left_out:
            assert f'config["{title}"]["{stage.renamed.get(name, name)}"]' in rules, name


@pytest.fixture(scope="module")
def form() -> dict[str, ET.Element]:
    """The fields of the Galaxy form by the name of the setting."""
    tree = ET.parse(ROOT / "galaxy_tool" / "genescribe.xml")
    fields = {}
    for param in tree.iterfind("./inputs//param"):
        name = param.get("name") or param.get("argument", "").lstrip("-").replace("-", "_")
        fields[name] = param
    return fields


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (model, name)
        for model in (ExtractSettings, DecorateSettings)
        for name in model.model_fields
        if name != "sorted_copy"  # the form asks which files to hand out
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_galaxy_form_is_held_to_the_models(
    form: dict[str, ET.Element], model: type[Settings], name: str
) -> None:
    param, field = form[name], model.model_fields[name]
    said, default = property_of(model, name), settings.default(field)
    if words := settings.choices(field):
        options = {option.get("value"): option for option in param.iterfind("option")}
        assert param.get("type") == "select"
        assert set(options) == set(words)
        (chosen,) = (word for word, option in options.items() if option.get("selected"))
        assert chosen == default
    elif settings.type_of(field) is bool:
        assert param.get("type") == "boolean"
        assert not default
        assert param.get("truevalue") == param.get("argument")
        assert param.get("checked", "false") == "false"
    elif settings.type_of(field) is int:
        assert param.get("type") == "integer"
        assert (param.get("value"), param.get("min")) == (str(default), str(said["minimum"]))
        assert param.get("max") is None
        assert "maximum" not in said
    else:
        assert param.get("type") == "text"
        joined = ",".join(default) if isinstance(default, tuple) else default
        assert param.get("value") == joined
        if "pattern" in said:
            assert param.findtext("validator[@type='regex']") == said["pattern"]
