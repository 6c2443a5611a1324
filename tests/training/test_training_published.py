"""The stages of GeneChat and RNA-GPT, on small random models in their published layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

from genescribe.inference.describer import Describer
from genescribe.models.checkpoint import load
from genescribe.models.convert import Companions, convert
from genescribe.models.convert.folder import write_sums
from genescribe.specs.spec import load_spec
from genescribe.training.train import train
from support import published_layouts as layouts
from support.toy_training import toy_inputs, toy_records

SMALL = {"epochs": 0.5, "warmup": 0, "gradient_accumulation": 2}
SHORT = {"evaluate_every": 2, "checkpoint_every": 2, "workers": 0, "validation_answers": 4,
         "precision": "no"}  # fmt: skip


def language_model(folder: Path, layout: Any) -> Path:
    """Write a random language model with the tokenizer of a published one."""
    layout(folder)
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(str(folder))
    AutoModelForCausalLM.from_config(config).save_pretrained(str(folder))
    write_sums(folder)
    return folder


def shipped(root: Path, name: str) -> dict[str, Any]:
    """Read a training configuration that comes with genescribe, with short stages."""
    content = yaml.safe_load((root / "config" / "train" / f"{name}.yaml").read_text("utf-8"))
    content["stages"] = [{**stage, **SMALL} for stage in content["stages"]]
    for stage in content["stages"]:
        if "batch_tokens" in stage:
            stage["batch_tokens"] = 200
    return {**content, **SHORT}


def small_spec(root: Path, folder: Path, name: str, weights: dict[str, str]) -> str:
    """Write a spec that comes with genescribe without its sizes, for small weights."""
    spec = yaml.safe_load((root / "config" / "models" / f"{name}.yaml").read_text("utf-8"))
    del spec["config"]["encoder_config"], spec["config"]["text_config"]
    spec |= {"weights": weights, "generation": {"max_new_tokens": 8}, "max_length": 400}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    return str(folder / f"{name}.yaml")


def describes(model: Path) -> bool:
    records = [record.sequence_record() for record in toy_records(2, seed=9)[::2]]
    describer = Describer(load_spec(str(model)), device="cpu")
    return all(one.lift is not None for one in describer.describe(records))


def test_genechat(root: Path, tmp_path: Path) -> None:
    published = layouts.dnabert2(tmp_path / "published")
    convert("dnabert2", published.path, tmp_path / "dnabert2", Companions())
    text = language_model(tmp_path / "vicuna", layouts.vicuna)
    config = shipped(root, "genechat")
    weights = {"encoder": f"{tmp_path}/dnabert2", "language_model": str(text)}
    config["from"] = small_spec(root, tmp_path, "genechat-13b", {"folder": "./none"})
    config["spec"] |= {"weights": weights, "config": {"null_slots": 3, "chunk_length": 64}}
    inputs = toy_inputs(tmp_path / "toy", {**config, "weights_dtype": "float32"}, genes=20)
    out = tmp_path / "model"
    train(inputs, tmp_path / "work", out, device="cpu")

    first = load_file(tmp_path / "work" / "best-encoder-projector.safetensors")
    both = load_file(tmp_path / "work" / "best-adapter.safetensors")
    assert {name.split(".")[0] for name in first} == {"encoder", "projector", "null_sequence"}
    for name, tensor in first.items():  # the second stage moves the adapter only
        assert torch.equal(both[name], tensor), name
    adapters = both.keys() - first.keys()
    assert adapters
    assert all(".lora_" in name for name in adapters)
    assert any(both[name].any() for name in adapters if ".lora_B." in name)
    before = load_file(tmp_path / "dnabert2" / "model.safetensors")
    moved = [not torch.equal(first[f"encoder.{name}"], tensor) for name, tensor in before.items()]
    assert any(moved)

    spec = load_spec(str(out))
    assert spec.weights.parts["language_model"] == text  # stays where it was
    assert spec.weights.parts["adapter"] == out / "adapter"
    model, _ = load(spec, "cpu", torch.float32)
    untouched = load_file(text / "model.safetensors")["model.layers.0.self_attn.k_proj.weight"]
    attention = model.language_model.model.layers[0].self_attn
    assert torch.equal(attention.k_proj.weight, untouched)
    assert describes(out)


@pytest.mark.parametrize("save", ["parts", "whole"])
def test_rnagpt(root: Path, tmp_path: Path, save: str) -> None:
    published = layouts.rnafm(tmp_path / "published")
    convert("rnafm", published.path, tmp_path / "rnafm", Companions())
    text = language_model(tmp_path / "llama3", layouts.llama3)
    config = shipped(root, "rnagpt")
    parts = {"encoder": "./rnafm", "language_model": "./llama3", "projector": "./none"}
    config["from"] = small_spec(root, tmp_path, "rnagpt-8b", parts)
    inputs = toy_inputs(tmp_path / "toy", {**config, "save": save}, genes=20)
    out = tmp_path / "model"
    train(inputs, tmp_path / "work", out, device="cpu")

    aligned = load_file(tmp_path / "work" / "best-alignment.safetensors")
    tuned = load_file(tmp_path / "work" / "best-instructions.safetensors")
    assert aligned.keys() == tuned.keys() == {"projector.weight", "projector.bias"}
    assert not torch.equal(aligned["projector.weight"], tuned["projector.weight"])
    spec = load_spec(str(out))
    assert spec.prompt_id == "rnagpt-stage-2"
    model, _ = load(spec, "cpu", torch.float32)
    assert torch.equal(model.projector.weight, tuned["projector.weight"])
    untouched = load_file(text / "model.safetensors")["model.norm.weight"]
    assert torch.equal(model.language_model.model.norm.weight, untouched)
    assert describes(out)
