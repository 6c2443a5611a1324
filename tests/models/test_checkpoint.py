"""Loading weights: any combination of parts, and one line for whatever is wrong with them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen3Config

from genescribe.errors import CheckpointError, InputError
from genescribe.models import footprint
from genescribe.models.checkpoint import load
from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.convert.folder import write_sums
from genescribe.models.encoders.dnabert2 import Dnabert2Config
from genescribe.models.generation import SequenceTextModel
from genescribe.models.modeling import SequenceChatModel
from genescribe.records import SequenceRecord, View, sequence_sha256
from genescribe.specs.spec import ModelSpec, load_spec
from support import published_layouts as layouts
from support.random_weights import randomise

TEXT = {k: v for k, v in layouts.TEXT.items() if k != "rms_norm_eps"}
TEXT_CONFIGS = {
    "llama": LlamaConfig(vocab_size=400, bos_token_id=1, eos_token_id=2, **TEXT),
    "qwen3": Qwen3Config(vocab_size=400, head_dim=8, tie_word_embeddings=True, **TEXT),
}
BETWEEN: dict[str, dict[str, Any]] = {
    "linear": {"pooling": "chunk-mean", "projector_type": "linear", "null_slots": 0},
    "mlp": {"pooling": "attention", "projector_type": "mlp", "null_slots": 3},
    "resampler": {
        "pooling": "none", "projector_type": "resampler", "null_slots": 4,
        "projector_settings": {"num_latents": 4, "num_layers": 1, "num_heads": 2, "head_size": 8},
    },
}  # fmt: skip
PARTS = ("encoder", "projector", "language_model")
GENE = layouts.nucleotides(700)
RECORD = SequenceRecord("g", View.GENE, "protein_coding", GENE, sequence_sha256(GENE))


def make_parts(folder: Path, text: str, between: str) -> tuple[SequenceChatModel, Path]:
    """Write encoder, projector and language model, and the spec that joins them."""
    config = SequenceChatConfig(
        encoder_config=Dnabert2Config(
            vocab_size=120, hidden_size=24, num_hidden_layers=1, num_attention_heads=3,
            intermediate_size=40,
        ),
        text_config=TEXT_CONFIGS[text],
        sequence_tokenizer="bpe", chunk_length=512, chunk_overlap=10, sequence_token_id=-200,
        **BETWEEN[between],
    )  # fmt: skip
    whole: Any = SequenceChatModel(config)
    randomise(whole)
    layouts.dnabert2_tokenizer(folder / "encoder")
    whole.encoder.save_pretrained(folder / "encoder")
    layouts.vicuna(folder / "language_model")
    whole.language_model.save_pretrained(folder / "language_model", max_shard_size="20KB")
    (folder / "projector").mkdir()
    small = {
        name: tensor.contiguous()
        for name, tensor in whole.state_dict().items()
        if not name.startswith(("encoder.", "language_model.")) and tensor.numel()
    }
    save_file(small, folder / "projector" / "projector.safetensors")
    for part in PARTS:
        write_sums(folder / part)
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(spec_content(between)), encoding="utf-8")
    return whole.eval(), path


def spec_content(between: str) -> dict[str, Any]:
    return {
        "name": "mine",
        "summary": "random weights",
        "architecture": "sequence_chat",
        "license": "none",
        "trained_on": "nothing",
        "weights": {part: f"./{part}" for part in PARTS},
        "config": {
            "sequence_tokenizer": "bpe",
            "chunk_length": 512,
            "chunk_overlap": 10,
            "sequence_token_id": -200,
            **BETWEEN[between],
        },
        "prompt": {"id": "p", "template": "Human: <gene>{sequence}</gene> Assistant:"},
        "views": {"default": "gene"},
        "max_length": 160000,
        "generation": {"max_new_tokens": 8},
        "no_sequence": "learned" if BETWEEN[between]["null_slots"] else "shuffled",
        "calibration": None,
        "min_lift": 0.1,
        "min_score": 0,
    }


def change_spec(path: Path, **changes: Any) -> ModelSpec:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**content, **changes}), encoding="utf-8")
    return load_spec(path)


@pytest.mark.parametrize("text", TEXT_CONFIGS)
@pytest.mark.parametrize("between", BETWEEN)
def test_parts_give_the_model_they_were_taken_from(tmp_path: Path, text: str, between: str) -> None:
    whole, path = make_parts(tmp_path, text, between)
    shards = list((tmp_path / "language_model").glob("model-*.safetensors"))
    assert len(shards) > 1
    model, processor = load(load_spec(path), "cpu", torch.float32)
    assert isinstance(model, SequenceChatModel)
    assert not model.training
    found, expected = model.state_dict(), whole.state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name
    inputs = processor([RECORD])
    assert torch.equal(
        model.generate(**inputs, max_new_tokens=8), whole.generate(**inputs, max_new_tokens=8)
    )


def test_one_folder_gives_the_same_as_its_parts(tmp_path: Path) -> None:
    whole, path = make_parts(tmp_path, "llama", "linear")
    folder = tmp_path / "folder"
    whole.save_pretrained(folder, max_shard_size="20KB")
    layouts.vicuna(tmp_path / "tokenizer")
    for file in (tmp_path / "tokenizer").glob("tokenizer*"):
        file.rename(folder / file.name)
    layouts.dnabert2_tokenizer(folder / "sequence_tokenizer")
    write_sums(folder)
    parts = load_spec(path)
    spec = change_spec(path, weights={"folder": "./folder"})
    model, processor = load(spec, "cpu", torch.bfloat16)
    assert model.dtype == torch.bfloat16
    for name, tensor in whole.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor.bfloat16()), name
    from_parts = load(parts, "cpu", torch.bfloat16)[0]
    inputs = processor([RECORD])
    settings = {"max_new_tokens": 8}
    assert torch.equal(
        model.generate(**inputs, **settings), from_parts.generate(**inputs, **settings)
    )
    assert spec.identity == f"mine@{spec.sha256[:12]}" != parts.identity


def test_an_adapter_is_merged(tmp_path: Path) -> None:
    whole, path = make_parts(tmp_path, "llama", "linear")
    adapter = tmp_path / "adapter"
    settings = LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj"])
    adapted = get_peft_model(whole.language_model, settings)
    factors = {name: p for name, p in adapted.named_parameters() if "lora_" in name}
    with torch.no_grad():
        for parameter in factors.values():
            parameter.normal_()
    adapted.save_pretrained(adapter)
    write_sums(adapter)
    weights = {part: f"./{part}" for part in PARTS} | {"adapter": "./adapter"}
    model, _ = load(change_spec(path, weights=weights), "cpu", torch.float32)
    layer = "language_model.model.layers.1.self_attn.v_proj"
    base = load_file_of(tmp_path / "language_model", "model.layers.1.self_attn.v_proj.weight")
    low, high = (
        next(p for name, p in factors.items() if f"layers.1.self_attn.v_proj.{kind}" in name)
        for kind in ("lora_A", "lora_B")
    )
    expected = base + 16 / 4 * (high @ low)
    torch.testing.assert_close(model.state_dict()[f"{layer}.weight"], expected)
    assert not any("lora" in name for name in model.state_dict())
    (adapter / "adapter_model.safetensors").unlink()
    write_sums(adapter)
    with pytest.raises(CheckpointError, match=r"adapter_model.safetensors: missing"):
        load(load_spec(path), "cpu", torch.float32)


def load_file_of(folder: Path, name: str) -> torch.Tensor:
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    return load_file(folder / index["weight_map"][name])[name]


def test_a_language_model_alone(tmp_path: Path) -> None:
    folder = layouts.vicuna(tmp_path / "lm")
    expected: Any = AutoModelForCausalLM.from_config(TEXT_CONFIGS["llama"])
    expected.save_pretrained(folder)
    write_sums(folder)
    path = tmp_path / "mine.yaml"
    content = spec_content("linear") | {"architecture": "causal_lm"}
    del content["config"]
    path.write_text(yaml.safe_dump(content | {"weights": {"folder": "./lm"}}), encoding="utf-8")
    model, _ = load(load_spec(path), "cpu", torch.float32)
    assert isinstance(model, SequenceTextModel)
    assert torch.equal(model.language_model.lm_head.weight, expected.lm_head.weight)
    other = {"text_config": {"model_type": "llama", "hidden_size": 4096}}
    for device in ("cpu", "meta"):
        with pytest.raises(CheckpointError, match=r"text_config.hidden_size is 32, but the spec"):
            load(change_spec(path, config=other), device, torch.float32)
    with pytest.raises(InputError, match="causal_lm learned no such condition; give shuffled"):
        change_spec(path, no_sequence="learned")


def change_tensor(path: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    """Write a safetensors file again, with other tensors and the pin that belongs to them."""
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})
    write_sums(path.parent)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])
    write_sums(path.parent)


class Danger:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def only_a_pickle(folder: Path) -> None:
    for file in folder.glob("*.safetensors*"):
        file.unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Danger(folder / "it-ran")))


EMBEDDING = "embeddings.word_embeddings.weight"
QKV = "encoder.layer.0.attention.self.Wqkv.weight"
ENCODER_FILE, PROJECTOR_FILE = "encoder/model.safetensors", "projector/projector.safetensors"


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (
            lambda at: change_tensor(at / ENCODER_FILE, lambda t: t.pop(QKV)),
            rf"encoder: missing tensors: {QKV}; the weights are of another model",
        ),
        (
            lambda at: change_tensor(
                at / ENCODER_FILE, lambda t: t.update({EMBEDDING: torch.zeros(9, 24)})
            ),
            rf"other shapes: {EMBEDDING} is \(9, 24\), the model's is \(120, 24\)",
        ),
        (
            lambda at: change_tensor(
                at / ENCODER_FILE, lambda t: t.update({"pooler": torch.zeros(1)})
            ),
            "unknown tensors: pooler",
        ),
        (
            lambda at: change_tensor(
                at / PROJECTOR_FILE, lambda t: t.update({"projector.bias": torch.zeros(7)})
            ),
            r"projector.safetensors: other shapes: projector.bias is \(7,\), the model's is \(32",
        ),
        (
            lambda at: change_tensor(at / PROJECTOR_FILE, lambda t: t.pop("projector.bias")),
            "missing tensors: projector.bias",
        ),
        (
            lambda at: change_tensor(last_shard(at), lambda t: t.pop("model.norm.weight")),
            "language_model: missing tensors: model.norm.weight",
        ),
        (
            lambda at: change_tensor(
                last_shard(at), lambda t: t.update({"model.norm.weight": torch.zeros(3)})
            ),
            r"other shapes: model.norm.weight is \(3,\), the model's is \(32,\)",
        ),
        (lambda at: truncate(at / ENCODER_FILE), "model.safetensors: damaged or truncated"),
        (lambda at: truncate(last_shard(at)), r"of-\d+.safetensors: damaged or truncated"),
        (lambda at: last_shard(at).unlink(), r"of-\d+.safetensors: missing, but model mine needs"),
        (lambda at: only_a_pickle(at / "encoder"), "pytorch_model.bin: a pickle, which is not"),
        (lambda at: (at / ENCODER_FILE).write_bytes(b"{}"), "model.safetensors: sha256 is"),
        (lambda at: (at / "encoder/SHA256SUMS").unlink(), "SHA256SUMS: missing, so nothing"),
        (lambda at: (at / "encoder/SHA256SUMS").write_text("abc\n"), "SHA256SUMS:1: not a line"),
        (lambda at: save_file({}, at / "encoder/more.safetensors"), "more.safetensors: not pinned"),
    ],
)
def test_damaged_weights(tmp_path: Path, damage: Callable[[Path], Any], named: str) -> None:
    _, path = make_parts(tmp_path, "llama", "linear")
    damage(tmp_path)
    for device in ("cpu", "meta"):
        with pytest.raises(InputError, match=named) as error:
            load(load_spec(path), device, torch.float32)
        assert "\n" not in str(error.value)
    assert not list(tmp_path.rglob("it-ran"))


def last_shard(folder: Path) -> Path:
    files = json.loads((folder / "language_model/model.safetensors.index.json").read_text())
    return folder / "language_model" / files["weight_map"]["model.norm.weight"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"no_sequence": "learned"}, "no_sequence: null_slots is 0"),
        ({"quantisation": "8bit"}, "quantisation 8bit works on CUDA only, not on cpu"),
        (
            {"config": {"text_config": {"model_type": "llama", "hidden_size": 5120}}},
            "text_config.hidden_size is 32, but the spec says 5120",
        ),
        (
            {"config": {"text_config": {"model_type": "llama", "rope_theta": 5e5}}},
            "text_config.rope_theta is 10000.0, but the spec says 500000.0",
        ),
        (
            {"config": {"projector_type": "linear", "projector_settings": {"hidden": 3}}},
            "projector_settings hidden: unknown",
        ),
    ],
)
def test_specs_that_do_not_suit_the_weights(tmp_path: Path, changes: Any, named: str) -> None:
    _, path = make_parts(tmp_path, "llama", "linear")
    config = yaml.safe_load(path.read_text())["config"] | changes.get("config", {})
    # a quantisation is of no account where nothing is computed
    for device in ("cpu",) if "quantisation" in changes else ("cpu", "meta"):
        with pytest.raises(InputError, match=named):
            load(change_spec(path, **{**changes, "config": config}), device, torch.float32)


def test_what_cannot_fit_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = make_parts(tmp_path, "llama", "linear")
    (tmp_path / ENCODER_FILE).write_bytes(b"never read")
    monkeypatch.setattr(footprint, "free_memory", lambda device: 10**5)
    with pytest.raises(InputError, match=r"0.0 GB for its weights in float32 and .* cpu has 0.0"):
        load(load_spec(path), "cpu", torch.float32)
