"""Model specs: what is accepted, and the one line that says what is wrong."""

from __future__ import annotations

import copy
import hashlib
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from genescribe.errors import (
    CheckpointError,
    FormatError,
    GenescribeError,
    InputError,
    UnknownModelError,
)
from genescribe.files import sha256_of
from genescribe.keys import Keys
from genescribe.specs import pins as pins_module
from genescribe.specs.parts import Calibration, ChatConfig, Dtypes, Generation, Task, Weights
from genescribe.specs.pins import read_pins
from genescribe.specs.places import specs_folder, weights_folder
from genescribe.specs.prompts import Prompts, PromptVariant
from genescribe.specs.spec import MANUAL, ModelSpec, list_specs, load_spec, verify

PARTS = ("projector", "language_model")
VARIANT = {"id": "a", "template": "{sequence}"}


@pytest.fixture
def content(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "config" / "models" / "tiny.yaml").read_text())


def write(path: Path, content: object) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


def test_tiny_is_known_and_pins_its_files(root: Path) -> None:
    spec = load_spec("tiny")
    assert spec in list_specs()
    assert spec.weights.folder == root / "models" / "tiny"
    assert {path.parent for path in spec.files} == {spec.weights.folder}
    for path, expected in spec.files.items():
        assert sha256_of(path) == expected
    assert spec.identity == f"tiny@{spec.sha256[:12]}"


def test_shipped_checkpoint_is_small(root: Path) -> None:
    files = [path for path in (root / "models" / "tiny").iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 64e6


def test_specs_load_without_torch() -> None:
    code = (
        "import sys; from genescribe.specs.spec import load_spec; load_spec('tiny');"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": sys.path[0]})


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(UnknownModelError, match="'huge'; known: genechat-13b"):
        load_spec("huge")
    with pytest.raises(UnknownModelError):
        load_spec("../models/tiny")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda spec: spec.update(temprature=1),
            "in the file: unknown key 'temprature'; allowed: archit",
        ),
        (lambda spec: spec["generation"].update(top_p=1), "generation: .*'top_p'; allowed: len"),
        (
            lambda spec: spec.update(architecture="gpt"),
            "architecture: 'gpt' should be 'sequence_chat' or 'c",
        ),
        (lambda spec: spec.update(dtype={"cpu": "int8", "cuda": "float32"}), "dtype.cpu: 'int8'"),
        (
            lambda spec: spec.update(quantisation="2bit"),
            "quantisation: '2bit' should be 'none', '8bit' or",
        ),
        (
            lambda spec: spec.update(no_sequence="random"),
            "no_sequence: 'random' should be 'learned' or",
        ),
        (lambda spec: spec.update(config={"poling": "none"}), "config: .*'poling'; allowed: chu"),
        (
            lambda spec: spec.update(config={"pooling": "max"}),
            "config.pooling: 'max' should be 'none',",
        ),
        (
            lambda spec: spec["weights"].update(encoder="dnabert-2"),
            "weights: both folder and encoder; give the folder or the parts, not both",
        ),
        (
            lambda spec: spec.update(weights={"encoder": "dnabert-2"}),
            "weights: neither folder nor projector; give folder, or encoder, projector, language",
        ),
        (
            lambda spec: spec.update(weights=dict.fromkeys(("encoder", *PARTS), "x")),
            "config: missing; with weights in parts it says how the parts are put together",
        ),
        (
            lambda spec: spec.update(architecture="causal_lm", weights=dict.fromkeys(PARTS, "x")),
            "weights.projector: an architecture causal_lm has none",
        ),
        (
            lambda spec: spec.update(architecture="causal_lm", config={"pooling": "none"}),
            "config: pooling is for sequence_chat; causal_lm takes text_config only",
        ),
        (lambda spec: spec.update(architecture="causal_lm"), "no_sequence: a causal_lm learned no"),
        (lambda spec: spec.update(config={"null_slots": 0}), "no_sequence: null_slots is 0"),
        (lambda spec: spec.update(prompt={"id": "p"}), "prompt: give id and template, or variant"),
        (
            lambda spec: spec["prompt"].update(variants={"a": VARIANT}),
            "prompt.id: with variants, give it inside each variant",
        ),
        (
            lambda spec: spec.update(prompt={"variant": "b", "variants": {"a": VARIANT}}),
            "prompt.variant: 'b' is none of the variants: a",
        ),
        (
            lambda spec: spec.update(
                prompt={"variant": "a", "variants": {"a": VARIANT | {"template": "no gene"}}}
            ),
            "prompt.variants.a.template: 'no gene': needs {sequence} exactly once",
        ),
        (
            lambda spec: spec["prompt"].update(template="{sequence} {colour}"),
            "prompt.template: .*unknown field {colour}; allowed are {biotype}",
        ),
        (
            lambda spec: spec.pop("question"),
            "question: missing, but the template of prompt tiny-2 asks {question}",
        ),
        (lambda spec: spec["prompt"].update(turn="{question}"), "prompt.turn: .*{answer} and"),
        (lambda spec: spec["prompt"].update(system="Hi"), "prompt.system: only with chat_template"),
        (
            lambda spec: spec["prompt"].update(chat_template=True, turn="{answer} {question}"),
            "prompt.turn: the tokenizer's chat template makes further turns",
        ),
        (lambda spec: spec["prompt"].update(bos="two"), "prompt.bos: 'two' should be 'one', 'seg"),
        (
            lambda spec: spec.update(tasks={"gc": {"id": "gc"}}),
            "tasks.gc: give either template or question",
        ),
        (
            lambda spec: spec.update(tasks={"gc": {"id": "gc", "template": "GC"}}),
            "tasks.gc.template: 'GC': needs {sequence} exactly once",
        ),
        (lambda spec: spec.pop("prompt"), "in prompt: missing"),
        (
            lambda spec: spec["prompt"].update(template="no gene"),
            "prompt.template: 'no gene': needs {sequence} exactly once",
        ),
        (lambda spec: spec["views"].pop("default"), "in views.default: missing"),
        (lambda spec: spec["views"].update(tRNA="exon"), "views.tRNA: 'exon'"),
        (lambda spec: spec.update(max_length=0), "max_length: 0"),
        (lambda spec: spec.update(source=""), "source: '' should have at least 1 character"),
        (lambda spec: spec.update(views=["cds"]), r"views: .'cds'. should be a table of keys"),
        (lambda spec: spec["views"].update({3: "cds"}), "views.3: 3 should be a valid string"),
        (lambda spec: spec.update(prompt=None), "prompt: None should be a table of keys"),
        (lambda spec: spec.update(generation={}), "generation.max_new_tokens: missing"),
        (lambda spec: spec.update(dtype={"cpu": "float32"}), "dtype.cuda: missing"),
        (lambda spec: spec.update(no_sequence=None), "no_sequence: None should be 'learned' or"),
        (
            lambda spec: spec["prompt"].update(colour="red"),
            "prompt: unknown key 'colour'; allowed: bos, chat_template, id, system, template, turn",
        ),
        (
            lambda spec: spec.update(config={"encoder_config": {"hidden_size": 3}}),
            "config.encoder_config.model_type: missing",
        ),
        (lambda spec: spec.update(min_score="high"), "min_score: 'high'"),
        (lambda spec: spec["weights"]["sha256"].update({"config.json": "abc"}), "'abc'"),
    ],
)
def test_wrong_specs_are_refused_by_key(
    tmp_path: Path, content: dict[str, Any], change: Any, named: str
) -> None:
    changed = copy.deepcopy(content)
    change(changed)
    path = write(tmp_path / "mine.yaml", changed)
    with pytest.raises(InputError, match=named) as error:
        load_spec(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_are_no_specs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_spec(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: [tiny\n")
    with pytest.raises(FormatError, match=r"broken.yaml:2: not YAML"):
        load_spec(broken)
    with pytest.raises(InputError, match=r"in the file: \['tiny'\] should be a table of keys"):
        load_spec(write(tmp_path / "list.yaml", ["tiny"]))


def test_own_weights_are_relative_to_the_spec(tmp_path: Path, content: dict[str, Any]) -> None:
    content["weights"]["folder"] = "./weights"
    assert load_spec(write(tmp_path / "a.yaml", content)).weights.folder == tmp_path / "weights"


def test_names_are_looked_up_in_the_users_models(
    tmp_path: Path, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESCRIBE_MODELS", str(tmp_path / "models"))
    content["weights"] = {"folder": "mine", "install": "write them to {path}"}
    spec = load_spec(write(tmp_path / "a.yaml", content))
    assert spec.weights.folder == tmp_path / "models" / "mine"
    assert not spec.is_installed
    with pytest.raises(CheckpointError, match=f"needs it; write them to {spec.weights.folder}$"):
        _ = spec.identity
    content["weights"] = {"folder": "tiny"}  # comes with genescribe, and the user has none
    assert (
        load_spec(write(tmp_path / "a.yaml", content)).weights.folder == weights_folder() / "tiny"
    )
    monkeypatch.delenv("GENESCRIBE_MODELS")
    content["weights"] = {"folder": "mine"}
    home = Path.home() / ".local/share/genescribe/models"
    assert load_spec(write(tmp_path / "a.yaml", content)).weights.folder == home / "mine"


def test_identity_of_weights_in_several_files(tmp_path: Path, content: dict[str, Any]) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("a.safetensors", "b.safetensors", "config.json"):
        (folder / name).write_text(name)
    pins = {path.name: sha256_of(path) for path in folder.iterdir()}
    sums = "".join(f"{pin} *{name}\n" for name, pin in pins.items())
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  SHA256SUMS\n{sums}")
    content["weights"] = {"folder": "./weights"}
    spec = load_spec(write(tmp_path / "a.yaml", content))
    verify(spec)
    assert {path.name: pin for path, pin in spec.files.items()} == pins
    joined = "\n".join(sorted(pins.values())).encode()
    assert spec.sha256 == hashlib.sha256(joined).hexdigest()
    content["weights"]["sha256"] = pins
    assert load_spec(write(tmp_path / "a.yaml", content)).identity == spec.identity
    (folder / "config.json").write_text("other")
    with pytest.raises(CheckpointError, match=r"config.json: sha256 is"):
        verify(spec)
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  other.json\n")
    with pytest.raises(CheckpointError, match=r"SHA256SUMS: says nothing of a.safetensors; add"):
        read_pins(folder / "a.safetensors")


def test_a_file_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    verify(load_spec("tiny"))
    monkeypatch.setattr(pins_module, "sha256_of", lambda path: pytest.fail(f"{path} again"))
    verify(load_spec("tiny"))


def test_damaged_missing_and_swapped_weights(tmp_path: Path, content: dict[str, Any]) -> None:
    import torch

    from genescribe.models.checkpoint import load

    shipped = load_spec("tiny").weights.folder
    content["weights"]["folder"] = "./weights"
    spec = load_spec(write(tmp_path / "a.yaml", content))
    spec.weights.folder.mkdir()
    with pytest.raises(CheckpointError, match="missing"):
        load(spec, "cpu", torch.float32)
    for path in spec.files:
        path.write_bytes((shipped / path.name).read_bytes())
    weights = spec.weights.folder / "model.safetensors"
    for damaged in (weights.read_bytes()[:-1], b"\0" + weights.read_bytes()[1:]):
        weights.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"model.safetensors: sha256 is .* pins"):
            load(spec, "cpu", torch.float32)


def test_calibration_is_a_logistic_curve() -> None:
    calibration = Calibration(intercept=1.0, log_prob=2.0, lift=0.5)
    assert calibration.probability(-1.0, 2.0) == pytest.approx(0.5)
    assert calibration.probability(0.0, 0.0) == pytest.approx(1 / (1 + math.exp(-1)))
    assert 0 <= calibration.probability(-1e9, 0.0) < calibration.probability(1e9, 0.0) <= 1


def test_no_score_follows_from_what_is_no_number() -> None:
    calibration = Calibration(intercept=1.0, log_prob=2.0, lift=0.5)
    for numbers in ((math.nan, 1.0), (1.0, math.nan), (math.inf, -math.inf)):
        with pytest.raises(GenescribeError, match="no score follows from log p"):
            calibration.probability(*numbers)


def test_the_specs_that_ship_are_specs() -> None:
    assert {spec.name for spec in list_specs()} == {path.stem for path in specs_folder().iterdir()}


@pytest.mark.parametrize("value", ["3", True, 3.0, math.nan, math.inf, 0, -1, None, [3], {}])
def test_counts_are_whole_numbers(tmp_path: Path, content: dict[str, Any], value: object) -> None:
    for changed, key in (
        (content | {"max_length": value}, "max_length"),
        (content | {"generation": {"max_new_tokens": value}}, "generation.max_new_tokens"),
    ):
        with pytest.raises(InputError, match=f"in {key}: .* should be"):
            load_spec(write(tmp_path / "mine.yaml", changed))


@pytest.mark.parametrize("value", ["1", True, math.nan, math.inf, -math.inf, 10**400, None, "_1"])
def test_numbers_are_finite_numbers(tmp_path: Path, content: dict[str, Any], value: object) -> None:
    numbers = {"intercept": 0, "log_prob": 1.5, "lift": value}
    for changed, key in (
        (content | {"min_lift": value}, "min_lift"),
        (content | {"min_score": value}, "min_score"),
        (content | {"calibration": numbers}, "calibration.lift"),
        (
            content | {"generation": {"max_new_tokens": 9, "length_penalty": value}},
            "generation.length_penalty",
        ),
    ):
        with pytest.raises(InputError, match=f"in {key}: .* should be a (finite )?number"):
            load_spec(write(tmp_path / "mine.yaml", changed))


def test_numbers_stay_as_they_are_written(tmp_path: Path, content: dict[str, Any]) -> None:
    content |= {"min_score": 0, "min_lift": -1.0}
    content["generation"] = {"length_penalty": 2.0, "max_new_tokens": 9, "repetition_penalty": 2}
    spec = load_spec(write(tmp_path / "mine.yaml", content))
    assert repr((spec.min_score, spec.min_lift)) == "(0, -1.0)"
    assert repr(spec.generation) == repr(content["generation"]), "what a cache and a run say"


# ---- the manual


TABLES = (
    ModelSpec, Weights, Prompts, PromptVariant, Task, ChatConfig, Generation, Calibration, Dtypes,
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_the_template_explains_every_key(root: Path, table: type[Keys]) -> None:
    manual = (root / MANUAL).read_text(encoding="utf-8")
    for key, meaning in table.keys().items():
        assert re.search(rf"(?<![\w-]){key}(?![\w-])", manual), f"{key} of {table.__name__}"
        assert meaning, f"{key} of {table.__name__} says nothing"
    load_spec(root / MANUAL)  # and none that there is not
