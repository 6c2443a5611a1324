"""Write the settings of the stages into the schema of the workflow's configuration: `make schema`.

The typed models of the stages tell type, bounds, choices, default and meaning. The schema's other
keys (memory, time limits, shards, ...) are the workflow's own, and stay as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from genescribe import settings
from genescribe.corpus.settings import SplitSettings
from genescribe.evaluation.settings import EvaluationSettings
from genescribe.genome.settings import DecorateSettings, ExtractSettings
from genescribe.inference.settings import DescribeSettings
from genescribe.settings import Settings

SCHEMA = Path(__file__).resolve().parents[1] / "workflow" / "schemas" / "config.schema.yaml"


class Stage(NamedTuple):
    """The settings that a section of the configuration has.

    ``left_out`` are those that the workflow does not offer there, ``renamed`` those that it calls
    otherwise, and ``defaults`` the values that it chooses.
    """

    model: type[Settings]
    left_out: frozenset[str] = frozenset()
    renamed: dict[str, str] = {}  # noqa: RUF012 - of an immutable tuple
    defaults: dict[str, Any] = {}  # noqa: RUF012


STAGES = {
    "extract": Stage(ExtractSettings),
    # the others are told for the whole run, or in the sheet of the assemblies, or are resources
    "describe": Stage(DescribeSettings, frozenset(DescribeSettings.model_fields) - {"device"}),
    "decorate": Stage(DecorateSettings, frozenset({"sorted_copy"})),
    "evaluate": Stage(
        EvaluationSettings,
        frozenset({"seed", "encoder", "protocols", "tokenizer"}),
        renamed={"correct": "right"},
    ),
    "corpus": Stage(
        SplitSettings, frozenset({"seed", "threads"}), defaults={"by": "family", "test": 0.05}
    ),
}


def property_of(model: type[Settings], name: str) -> dict[str, Any]:
    """Return the JSON Schema of a setting as the configuration has it: auto in place of null."""
    field = model.model_fields[name]
    said = model.model_json_schema()["properties"][name]
    if words := settings.choices(field):
        taken: dict[str, Any] = {"enum": list(words)}
    else:
        (taken,) = (one for one in said.get("anyOf", [said]) if one.get("type") != "null")
    facts = {key: value for key, value in taken.items() if key not in ("title", "description")}
    if not field.is_required():
        value = settings.default(field)
        facts["default"] = list(value) if isinstance(value, tuple) else value
    return facts | {"description": field.description}


def with_settings(schema: dict[str, Any], stages: dict[str, Stage]) -> dict[str, Any]:
    """Return the schema with the properties that the models of ``stages`` tell, before its own."""
    sections = dict(schema["properties"])
    for title, stage in stages.items():
        told = {}
        for name in stage.model.model_fields:
            if name not in stage.left_out:
                value = property_of(stage.model, name)
                if name in stage.defaults:
                    value["default"] = stage.defaults[name]
                told[stage.renamed.get(name, name)] = value
        properties = sections[title]["properties"]
        own = {key: value for key, value in properties.items() if key not in told}
        sections[title] = sections[title] | {"properties": told | own}
    return schema | {"properties": sections}


def as_yaml(schema: dict[str, Any]) -> str:
    """Return the text of the schema's file."""
    return yaml.safe_dump(
        schema, sort_keys=False, default_flow_style=False, width=98, allow_unicode=True
    )


if __name__ == "__main__":
    SCHEMA.write_text(as_yaml(with_settings(yaml.safe_load(SCHEMA.read_text("utf-8")), STAGES)))
