"""What a model spec may contain, as JSON Schema."""

from __future__ import annotations

from typing import Any


def _strict(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT = {"type": "string", "minLength": 1}
_NUMBER = {"type": "number"}
_TEMPLATE = {"type": "string", "pattern": r"\{sequence\}"}
_VIEW = {"enum": ["cds", "transcript", "gene"]}

SPEC_SCHEMA = _strict(
    {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]*$"},
        "summary": _TEXT,
        "architecture": {"enum": ["sequence_chat"]},
        "license": _TEXT,
        "trained_on": _TEXT,
        "weights": _strict(
            {
                "folder": _TEXT,
                "sha256": {
                    "type": "object",
                    "required": ["config.json", "model.safetensors", "tokenizer.json"],
                    "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                },
            }
        ),
        "prompt": _strict(
            {"id": _TEXT, "template": {"type": "string", "pattern": r"\{sequence\}"}}
        ),
        "views": {
            "type": "object",
            "required": ["default"],
            "additionalProperties": _VIEW,
        },
        "max_length": {"type": "integer", "minimum": 1},
        "generation": _strict({"max_new_tokens": {"type": "integer", "minimum": 1}}),
        "calibration": _strict({"intercept": _NUMBER, "log_prob": _NUMBER, "lift": _NUMBER}),
        "min_lift": _NUMBER,
        "min_score": {"type": "number", "minimum": 0, "maximum": 1},
    }
)
