"""What a model spec may contain: JSON Schema, and the rules that a schema cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genescribe.specs.prompts import check_template, check_turn, template_fields


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def _table(values: dict[str, Any], **rules: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values, **rules}


_TEXT = {"type": "string", "minLength": 1}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer", "minimum": 1}
_MAYBE_COUNT = {"type": ["integer", "null"], "minimum": 1}
_NATURAL = {"type": "integer", "minimum": 0}
_VIEW = {"enum": ["cds", "transcript", "gene"]}
_DTYPE = {"enum": ["float32", "bfloat16", "float16"]}
_MODEL_CONFIG = {
    "type": "object",
    "required": ["model_type"],
    "properties": {"model_type": _TEXT},
}

COMPONENTS = ("encoder", "projector", "language_model", "adapter")
"""Parts of a model whose weights a spec may name one by one."""

_VARIANT = {
    "turn": {"type": "string"},
    "bos": {"enum": ["one", "segments", "none"]},
    "system": _TEXT,
    "chat_template": {"type": "boolean"},
}
_TASK = {
    "template": _TEXT,
    "question": _TEXT,
    "max_length": _COUNT,
    "max_new_tokens": _COUNT,
}
_PROMPT = {"id": _TEXT, "template": _TEXT, **_VARIANT}

_SEQUENCE_CHAT_CONFIG = {
    "encoder_config": _MODEL_CONFIG,
    "sequence_tokenizer": {"enum": ["bpe", "nucleotide", "six-mer", None]},
    "chunk_length": _MAYBE_COUNT,
    "chunk_overlap": _NATURAL,
    "pooling": {"enum": ["none", "chunk-mean", "attention", None]},
    "pool_special_tokens": {"type": "boolean"},
    "projector_type": {"enum": ["identity", "linear", "mlp", "resampler"]},
    "projector_settings": {"type": "object"},
    "sequence_token_id": {"type": "integer"},
    "null_slots": _NATURAL,
}

_GENERATION = {
    "max_new_tokens": _COUNT,
    "num_beams": _COUNT,
    "repetition_penalty": {"type": "number", "exclusiveMinimum": 0},
    "no_repeat_ngram_size": _NATURAL,
    "length_penalty": _NUMBER,
}
_THRESHOLDS = {"min_lift": _NUMBER, "min_score": {"type": "number", "minimum": 0, "maximum": 1}}

SETTINGS_SCHEMA = _object({}, _GENERATION | _THRESHOLDS)
"""What a run may set otherwise than the spec (``ModelSpec.with_settings``)."""

SPEC_SCHEMA = _object(
    {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]*$"},
        "summary": _TEXT,
        "architecture": {"enum": ["sequence_chat", "causal_lm"]},
        "license": _TEXT,
        "trained_on": _TEXT,
        "weights": _object(
            {},
            {
                "folder": _TEXT,
                **dict.fromkeys(COMPONENTS, _TEXT),
                "install": _TEXT,
                "sha256": _table({"type": "string", "pattern": "^[0-9a-f]{64}$"}, minProperties=1),
            },
        ),
        "prompt": _object(
            {},
            {
                **_PROMPT,
                "variant": _TEXT,
                "variants": _table(
                    _object({"id": _TEXT, "template": _TEXT}, _VARIANT), minProperties=1
                ),
            },
        ),
        "views": _table(_VIEW, required=["default"]),
        "max_length": _COUNT,
        "generation": _object(
            {"max_new_tokens": _COUNT},
            {**_GENERATION, "stop": {"type": "array", "items": _TEXT}},
        ),
        "calibration": {
            **_object({"intercept": _NUMBER, "log_prob": _NUMBER, "lift": _NUMBER}),
            "type": ["object", "null"],
        },
        **_THRESHOLDS,
    },
    {
        "source": _TEXT,
        "citation": _TEXT,
        "config": _object({}, {**_SEQUENCE_CHAT_CONFIG, "text_config": _MODEL_CONFIG}),
        "question": _TEXT,
        "tasks": _table(_object({"id": _TEXT}, _TASK)),
        "window": _TEXT,
        "no_sequence": {"enum": ["learned", "shuffled"]},
        "dtype": _object({"cpu": _DTYPE, "cuda": _DTYPE}),
        "quantisation": {"enum": ["none", "8bit", "4bit"]},
    },
)


def problems(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong and what is allowed) of a spec that the schema accepts."""
    yield from _weights_problems(content)
    yield from _prompt_problems(content)
    config, is_learned = content.get("config", {}), content.get("no_sequence") != "shuffled"
    if content["architecture"] == "causal_lm":
        foreign = [key for key in _SEQUENCE_CHAT_CONFIG if key in config]
        if foreign:
            yield "config", f"{foreign[0]} is for sequence_chat; causal_lm takes text_config only"
        if is_learned:
            yield "no_sequence", "a causal_lm learned no such condition; give shuffled"
    elif is_learned and config.get("null_slots") == 0:
        yield "no_sequence", "null_slots is 0, nothing was learned; give shuffled"


def _weights_problems(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    weights = content["weights"]
    is_chat = content["architecture"] == "sequence_chat"
    needed = ["encoder", "projector", "language_model"] if is_chat else ["language_model"]
    named = [part for part in COMPONENTS if part in weights]
    missing = [part for part in needed if part not in weights]
    foreign = [part for part in named if part not in [*needed, "adapter"]]
    if "folder" in weights and named:
        yield "weights", f"both folder and {named[0]}; give the folder or the parts, not both"
    elif "folder" not in weights and missing:
        yield "weights", f"neither folder nor {missing[0]}; give folder, or {', '.join(needed)}"
    elif foreign:
        yield f"weights.{foreign[0]}", f"an architecture {content['architecture']} has none"
    elif is_chat and named and "config" not in content:
        yield "config", "missing; with weights in parts it says how the parts are put together"


def _prompt_problems(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    prompt = content["prompt"]
    if "variants" in prompt:
        variants = {f"prompt.variants.{k}": value for k, value in prompt["variants"].items()}
        alone = sorted(set(prompt) - {"variant", "variants"})
        if alone:
            yield f"prompt.{alone[0]}", "with variants, give it inside each variant"
        if prompt.get("variant") not in prompt["variants"]:
            known = ", ".join(prompt["variants"])
            yield "prompt.variant", f"{prompt.get('variant')!r} is none of the variants: {known}"
    elif {"id", "template"} <= set(prompt):
        variants = {"prompt": prompt}
    else:
        yield "prompt", "give id and template, or variant and variants"
        return
    templates = {**variants, **{f"tasks.{k}": v for k, v in content.get("tasks", {}).items()}}
    for where, value in templates.items():
        yield from _template_problems(where, value, "question" in content)


def _template_problems(
    where: str, value: Mapping[str, Any], has_question: bool
) -> Iterator[tuple[str, str]]:
    is_task = where.startswith("tasks.")
    if is_task and ("template" in value) == ("question" in value):
        yield where, "give either template or question"
        return
    for key, check in (("template", check_template), ("turn", check_turn)):
        if key in value:
            try:
                check(value[key])
            except ValueError as error:
                yield f"{where}.{key}", f"{value[key]!r}: {error}"
                return
    # a task's question may also come from who calls for the task
    if not is_task and "question" in template_fields(value["template"]) and not has_question:
        yield "question", f"missing, but {where}.template asks {{question}}"
    if "system" in value and not value.get("chat_template"):
        yield f"{where}.system", "only with chat_template: true; else write it into the template"
    if "turn" in value and value.get("chat_template"):
        yield f"{where}.turn", "the tokenizer's chat template makes further turns; leave it out"
