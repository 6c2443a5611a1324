"""Sizes of the published models, and what they and a gene take of a device's memory."""

from __future__ import annotations

import copy
from dataclasses import astuple, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import LlamaConfig

from genescribe.errors import CheckpointError, InputError
from genescribe.models import footprint
from genescribe.models.assembly import configuration_of, empty_model
from genescribe.models.footprint import DTYPES, Needs, Parameters, check_fit, free_memory, needs_of
from genescribe.specs.parts import Weights
from genescribe.specs.spec import ModelSpec, load_spec


@pytest.mark.parametrize(
    ("model", "part", "published"),
    [
        ("genechat-13b", "encoder", 117_074_176),  # DNABERT-2: 117.07 M
        ("genechat-13b", "projector", 768 * 5120 + 5120),
        ("genechat-13b", "language_model", 13_015_864_320),  # Vicuna-13B: 13.016 B
        ("rnagpt-8b", "encoder", 99_521_305),  # RNA-FM: 99.5 M
        ("rnagpt-8b", "projector", 640 * 4096 + 4096),
        ("rnagpt-8b", "language_model", 8_030_261_248),  # Llama-3-8B: 8.03 B
        ("genomicllm-92m", "language_model", 92_424_960),  # 92.4 M with a vocabulary of 512
        ("template", "language_model", 4_022_468_096),  # Qwen3-4B: 4.02 B
    ],
)
def test_published_counts(model: str, part: str, published: int) -> None:
    assert getattr(needs_of(load_spec(model)).published, part) == published


def test_what_is_loaded_leaves_out_the_head_of_the_encoders_training() -> None:
    needs = needs_of(load_spec("genechat-13b"))
    # a square layer with bias, a layer norm, and a bias for each of the 4,096 tokens
    assert needs.published.encoder - needs.loaded.encoder == 768 * 768 + 3 * 768 + 4096
    assert needs.loaded.total == 116_477_952 + 3_937_280 + 13_015_864_320
    tiny = needs_of(load_spec("tiny"))
    assert tiny.published == tiny.loaded


def test_counting_takes_no_memory() -> None:
    model = empty_model(configuration_of(load_spec("genechat-13b")))
    assert all(parameter.is_meta for parameter in model.parameters())


def toy_needs(**changes: Any) -> Needs:
    text = LlamaConfig(
        vocab_size=100, hidden_size=64, intermediate_size=96, num_hidden_layers=3,
        num_attention_heads=8, num_key_value_heads=2,
    )  # fmt: skip
    loaded = Parameters(0, 0, 1000)
    needs = Needs(loaded, loaded, 600, text, prompt_tokens=30, new_tokens=20, beams=1)
    return replace(needs, **changes)


def test_bytes_of_weights() -> None:
    needs = toy_needs()
    assert {dtype: needs.weights(dtype) for dtype in DTYPES} == {
        "float32": 4000,
        "bfloat16": 2000,
        "8bit": 600 + 2 * 400,
        "4bit": 600 * 4.5 / 8 // 1 + 2 * 400,
    }
    genechat = needs_of(load_spec("genechat-13b"))
    assert genechat.weights("bfloat16") == 2 * genechat.loaded.total
    # all of Vicuna's linear layers but its last: 40 layers of 4 H^2 + 3 H I
    assert genechat.quantised == 40 * (4 * 5120**2 + 3 * 5120 * 13824)


def test_bytes_of_a_gene_follow_the_stated_formulas() -> None:
    tokens, head = 50, 64 // 8
    keys_and_values = 2 * 3 * (2 * head) * tokens * 2
    activations = (4 * 64 + 3 * 96) * tokens * 2 + tokens**2 * 2
    read_again = 20 * 100 * (2 + 8)
    assert toy_needs().gene("bfloat16") == keys_and_values + activations + read_again
    assert toy_needs(beams=4).gene("bfloat16") == (4 * (keys_and_values + activations) + read_again)
    assert toy_needs().gene("4bit") == toy_needs().gene("bfloat16") < toy_needs().gene("float32")


def test_tokens_at_the_limits_of_the_spec() -> None:
    genechat = needs_of(load_spec("genechat-13b"))
    assert genechat.beams == 4
    assert genechat.new_tokens == 512
    assert 313 < genechat.prompt_tokens < 313 + 100  # 160 kb are 313 chunks, the rest is prompt
    rnagpt = needs_of(load_spec("rnagpt-8b"))
    assert 1022 < rnagpt.prompt_tokens < 1022 + 50
    genomicllm = needs_of(load_spec("genomicllm-92m"))
    assert genomicllm.prompt_tokens + genomicllm.new_tokens == 512


def test_genes_per_batch() -> None:
    needs = toy_needs()
    weights, gene = needs.weights("float32"), needs.gene("float32")
    assert needs.genes(int((weights + 7 * gene) / 0.9) + 2, "float32") == 7
    assert needs.genes(weights, "float32") == 0
    genechat = needs_of(load_spec("genechat-13b"))
    assert genechat.genes(24 * 10**9, "bfloat16") == 0
    assert genechat.genes(80 * 10**9, "bfloat16") >= 8
    assert genechat.genes(24 * 10**9, "4bit") > 0


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_refusal_tells_the_numbers(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setattr(footprint, "free_memory", lambda _: 24 * 10**9)
    spec = load_spec("genechat-13b")
    with pytest.raises(InputError) as error:
        check_fit(spec, torch.device(device), torch.bfloat16)
    assert str(error.value) == (
        "model genechat-13b takes 26.3 GB for its weights in bfloat16 and 4.0 GB for a gene, but "
        f"{device} has 24.0 GB free; use a device with more memory, or set dtype or quantisation "
        "in the spec (8bit 13.6 GB, 4bit 8.0 GB)"
    )
    check_fit(
        spec.model_copy(update={"quantisation": "4bit"}), torch.device(device), torch.bfloat16
    )
    check_fit(load_spec("tiny"), torch.device(device), torch.float32)


def test_free_memory_heeds_the_control_group(monkeypatch: pytest.MonkeyPatch) -> None:
    free = free_memory("cpu")
    assert 10**8 < free < 10**14
    monkeypatch.setattr(footprint, "_group_limits", lambda: [12345])
    assert free_memory("cpu") == 12345
    info = (3 * 10**9, 80 * 10**9)
    monkeypatch.setattr(torch, "cuda", SimpleNamespace(mem_get_info=lambda: info))
    assert free_memory("cuda") == 3 * 10**9


def with_config(spec: ModelSpec, part: str, **changes: Any) -> ModelSpec:
    config = copy.deepcopy(dict(spec.config or {}))
    config[part].update(changes)
    return spec.model_copy(update={"config": config})


def with_weights(spec: ModelSpec, folder: Path) -> ModelSpec:
    return spec.model_copy(update={"weights": Weights(folder=folder)})


def test_configurations_that_cannot_be_meant(tmp_path: Path) -> None:
    spec = load_spec("genechat-13b")
    with pytest.raises(InputError, match=r"text_config.hiden_size is unknown to a llama model"):
        configuration_of(with_config(spec, "text_config", hiden_size=4))
    with pytest.raises(InputError, match=r"encoder_config.model_type 'dnabert3' is unknown"):
        configuration_of(with_config(spec, "encoder_config", model_type="dnabert3"))
    with pytest.raises(InputError, match=r"text_config is not usable: .* not a multiple of"):
        configuration_of(with_config(spec, "text_config", num_attention_heads=7))
    config: Any = configuration_of(with_config(spec, "text_config", rope_theta=5e5))
    assert config.text_config.rope_parameters["rope_theta"] == 5e5
    config.projector_settings = {"hidden": 3}
    with pytest.raises(InputError, match="no model can be built from this configuration: proj"):
        empty_model(config)
    with pytest.raises(CheckpointError, match=r"config.json: missing, and model tiny does not"):
        configuration_of(with_weights(load_spec("tiny"), tmp_path))
    (tmp_path / "config.json").write_text(
        '{"model_type": "mystery", "auto_map": {"AutoConfig": "x.Y"}}'
    )
    with pytest.raises(CheckpointError, match=r"config.json: not usable"):
        configuration_of(with_weights(load_spec("tiny"), tmp_path))


@pytest.mark.parametrize("model", ["genechat-13b", "rnagpt-8b", "genomicllm-92m"])
def test_the_page_on_models_has_these_numbers(root: Path, model: str) -> None:
    page = (root / "docs" / "which-model.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{model}` | "))
    needs = needs_of(load_spec(model))
    counts = [n for n in astuple(needs.published) if n]
    said = [f"{n / 1e9:.3f} B" if n >= 1e9 else f"{n / 1e6:.2f} M" for n in counts]
    said.append(f"{needs.weights('bfloat16') / 1e9:.1f} GB")
    said.append(f"{needs.gene('bfloat16') / 1e9:.2g} GB")
    assert [number for number in said if f" {number} " not in row] == []
