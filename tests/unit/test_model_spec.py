"""Model specs: what is accepted, and the one line that says what is wrong."""

from __future__ import annotations

import copy
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from genescribe.errors import CheckpointError, FormatError, InputError, UnknownModelError
from genescribe.files import sha256_of
from genescribe.models.spec import Calibration, list_specs, load_spec, specs_folder


@pytest.fixture
def content(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "config" / "models" / "tiny.yaml").read_text())


def write(path: Path, content: object) -> Path:
    path.write_text(yaml.safe_dump(content))
    return path


def test_tiny_is_known_and_pins_its_files(root: Path) -> None:
    spec = load_spec("tiny")
    assert spec in list_specs()
    assert spec.weights == root / "models" / "tiny"
    assert {path.parent for path in spec.files} == {spec.weights}
    for path, expected in spec.files.items():
        assert sha256_of(path) == expected
    assert spec.identity == f"tiny@{spec.sha256[:12]}"


def test_shipped_checkpoint_is_small(root: Path) -> None:
    files = [path for path in (root / "models" / "tiny").iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 30e6


def test_specs_load_without_torch() -> None:
    code = (
        "import sys; from genescribe.models.spec import load_spec; load_spec('tiny');"
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
        (lambda spec: spec.update(temprature=1), "'temprature' was unexpected"),
        (lambda spec: spec.pop("prompt"), "'prompt' is a required property"),
        (lambda spec: spec["prompt"].update(template="no gene"), r"prompt.template: 'no gene'"),
        (lambda spec: spec["views"].pop("default"), "'default' is a required"),
        (lambda spec: spec["views"].update(tRNA="exon"), "views.tRNA: 'exon'"),
        (lambda spec: spec.update(max_length=0), "max_length: 0"),
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
    with pytest.raises(InputError, match="is not of type 'object'"):
        load_spec(write(tmp_path / "list.yaml", ["tiny"]))


def test_own_weights_are_relative_to_the_spec(tmp_path: Path, content: dict[str, Any]) -> None:
    content["weights"]["folder"] = "./weights"
    assert load_spec(write(tmp_path / "a.yaml", content)).weights == tmp_path / "weights"


def test_damaged_missing_and_swapped_weights(tmp_path: Path, content: dict[str, Any]) -> None:
    import torch

    from genescribe.models.checkpoint import load

    shipped = load_spec("tiny").weights
    content["weights"]["folder"] = "./weights"
    spec = load_spec(write(tmp_path / "a.yaml", content))
    spec.weights.mkdir()
    with pytest.raises(CheckpointError, match="missing"):
        load(spec, "cpu", torch.float32)
    for path in spec.files:
        path.write_bytes((shipped / path.name).read_bytes())
    weights = spec.weights / "model.safetensors"
    for damaged in (weights.read_bytes()[:-1], b"\0" + weights.read_bytes()[1:]):
        weights.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"model.safetensors: sha256 is .* pins"):
            load(spec, "cpu", torch.float32)


def test_calibration_is_a_logistic_curve() -> None:
    calibration = Calibration(intercept=1.0, log_prob=2.0, lift=0.5)
    assert calibration.probability(-1.0, 2.0) == pytest.approx(0.5)
    assert calibration.probability(0.0, 0.0) == pytest.approx(1 / (1 + math.exp(-1)))
    assert 0 <= calibration.probability(-1e9, 0.0) < calibration.probability(1e9, 0.0) <= 1


def test_the_specs_that_ship_pass_the_check_that_loading_them_by_name_spares() -> None:
    for path in sorted(specs_folder().glob("*.yaml")):
        assert load_spec(path).name == path.stem
