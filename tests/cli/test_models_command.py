"""``genescribe models``: list, show and verify, for people and as JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from genescribe.cli import main
from genescribe.specs import spec as spec_module
from genescribe.specs.places import specs_folder
from genescribe.specs.spec import load_spec

NAMES = ["genechat-13b", "genomicllm-92m", "rnagpt-8b", "template", "tiny"]
COUNT = {"type": "integer", "minimum": 0}
PARAMETERS = {
    "type": "object",
    "required": ["encoder", "projector", "language_model"],
    "additionalProperties": COUNT,
}
SUMMARY = {
    "name": {"type": "string"},
    "summary": {"type": "string"},
    "architecture": {"enum": ["sequence_chat", "causal_lm"]},
    "license": {"type": "string"},
    "installed": {"type": "boolean"},
    "parameters": PARAMETERS,
}
MEMORY = {"weights": COUNT, "encoder": COUNT, "gene": COUNT, "genes_per_batch": COUNT}
SHOWN = SUMMARY | {
    "parameters_loaded": PARAMETERS,
    "stored": {
        "type": "object",
        "properties": {"genes": COUNT, "bytes": COUNT},
        "required": ["genes", "bytes"],
        "additionalProperties": False,
    },
    "identity": {"type": ["string", "null"]},
    "source": {"type": "string"},
    "citation": {"type": "string"},
    "trained_on": {"type": "string"},
    "weights": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    "install": {"type": "string"},
    "views": {"type": "object", "required": ["default"]},
    "max_length": COUNT,
    "window": {"type": "string"},
    "prompt": {"type": "string"},
    "prompts": {"type": "object", "minProperties": 1},
    "question": {"type": ["string", "null"]},
    "tasks": {"type": "object"},
    "generation": {"type": "object", "required": ["max_new_tokens"]},
    "no_sequence": {"enum": ["learned", "shuffled"]},
    "calibrated": {"type": "boolean"},
    "min_lift": {"type": "number"},
    "min_score": {"type": "number"},
    "dtype": {"type": "object", "required": ["cpu", "cuda"]},
    "quantisation": {"enum": ["none", "8bit", "4bit"]},
    "tokens": {"type": "object", "required": ["prompt", "text", "beams"]},
    "memory": {
        "type": "object",
        "required": ["float32", "bfloat16", "8bit", "4bit"],
        "additionalProperties": {"type": "object", "required": list(MEMORY), "properties": MEMORY},
    },
    "device": {"type": "object", "required": ["name", "memory"]},
}


def strict(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@pytest.fixture(autouse=True)
def no_models_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESCRIBE_MODELS", str(tmp_path / "models"))


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[: len(NAMES)]] == NAMES
    states = {line.split()[0]: "installed" in line.split()[1] for line in lines[: len(NAMES)]}
    assert states == {name: name == "tiny" for name in NAMES}


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)
    jsonschema.validate(models, {"type": "array", "items": strict(SUMMARY)})
    assert [model["name"] for model in models] == NAMES
    genechat = models[0]["parameters"]
    assert genechat == {
        "encoder": 117_074_176, "projector": 3_937_280, "language_model": 13_015_864_320,
    }  # fmt: skip


def test_list_is_light(tmp_path: Path) -> None:
    code = (
        "import sys; from genescribe.cli import main; main(['models', 'list']);"
        "assert not {'torch', 'transformers', 'jsonschema', 'peft'} & set(sys.modules)"
    )
    environment = {"PYTHONPATH": str(Path(spec_module.__file__).parents[2]), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.parametrize("name", NAMES)
def test_show_as_json(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["models", "show", name, "--json", "--memory", "80"]) == 0
    facts = json.loads(capsys.readouterr().out)
    jsonschema.validate(facts, strict(SHOWN))
    assert facts["device"] == {"name": "as given", "memory": 80 * 10**9}
    assert facts["installed"] == (facts["identity"] is not None) == (name == "tiny")
    assert facts["memory"]["bfloat16"]["genes_per_batch"] > 0
    assert facts["prompt"] in {prompt["id"] for prompt in facts["prompts"].values()}


def test_show_for_a_person(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["models", "show", "genechat-13b", "--memory", "24"]) == 0
    shown = capsys.readouterr().out
    words = " ".join(shown.split())
    for said in (
        "117.07 M parameters (116.48 M loaded",
        "13.016 B parameters",
        "memory, bfloat16 weights 26.27 GB, a gene 3.51 GB; on 24.0 GB (as given): does not fit",
        "inference (default), id genechat-inference: Give the following gene",
        "not installed download checkpoint, Vicuna and DNABERT-2 (docs/which-model.md says where),"
        f" and run: genescribe models convert --from genechat checkpoint_N.pth "
        f"{tmp_path}/models/genechat-13b",
        "not calibrated",
        "bioRxiv 2025.06.05.658031",
        "BSD-3-Clause",
    ):
        assert said in words, said
    assert max(map(len, shown.splitlines())) <= 100 + len(str(tmp_path))


def test_show_takes_the_memory_of_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "show", "tiny", "--device", "cpu"]) == 0
    assert "GB (cpu): " in capsys.readouterr().out


def test_verify(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["models", "verify", "tiny"]) == 0
    assert capsys.readouterr().out == (
        f"{load_spec('tiny').identity}: 4 files are as pinned, and every tensor has its place\n"
    )
    folder = tmp_path / "models" / "mine"
    shutil.copytree(load_spec("tiny").weights.folder, folder)
    content = yaml.safe_load((specs_folder() / "tiny.yaml").read_text())
    content["weights"]["folder"] = "mine"
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    assert main(["models", "verify", str(path)]) == 0
    with (folder / "config.json").open("a") as handle:
        handle.write("\n")
    capsys.readouterr()
    assert main(["models", "verify", str(path)]) == 2
    assert f"{folder / 'config.json'}: sha256 is " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["verify", "genechat-13b"], "missing, but model genechat-13b needs it; download"),
        (["show", "huge"], "no model named 'huge'; known: genechat-13b, "),
        (["show", "tiny", "--memory", "much"], "'much' is not a number of gigabytes"),
        (["show", "tiny", "--memory", "0"], "'0' is not a number of gigabytes"),
        (
            ["show", "tiny", "--memory", "8", "--device", "cpu"],
            "--memory: not allowed with --device",
        ),
        (["verify"], "Missing argument 'NAME'"),
    ],
)
def test_bad_requests(capsys: pytest.CaptureFixture[str], arguments: list[str], named: str) -> None:
    assert main(["models", *arguments]) == 2
    said = capsys.readouterr().err
    assert named in said
    assert said.count("\n") == 1
