"""What cannot be converted is refused in one line, and leaves nothing behind."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from genescribe.cli import main
from genescribe.errors import CheckpointError, ConversionError, InputError
from genescribe.models.convert import Companions, convert
from support import published_layouts as layouts


def refused(
    layout: str, path: Path, target: Path, companions: Companions, kind: type[InputError]
) -> InputError:
    """Convert, expect one line that begins with the path of a file, and no output."""
    with pytest.raises(kind) as error:
        convert(layout, path, target, companions)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2
    assert not target.exists()
    assert not list(target.parent.glob(f".{target.name}*"))
    return error.value


def genechat(folder: Path, change: Callable[[dict[str, Any]], object]) -> layouts.Published:
    """Write GeneChat's checkpoint with a change to its weights."""
    published = layouts.genechat(folder)
    checkpoint = torch.load(published.path, weights_only=True)
    change(checkpoint["model"])
    torch.save(checkpoint, published.path)
    return published


QUERY = "llama_model.model.layers.1.self_attn.q_proj"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda model: model.pop("hyena_llama_proj.bias"),
            r"partial match is refused: 1 missing \(projector.bias\), 0 unknown",
        ),
        (
            lambda model: model.pop("gene_encoder.encoder.layer.1.mlp.wo.weight"),
            r"1 missing \(encoder.encoder.layer.1.mlp.wo.weight\)",
        ),
        (
            lambda model: model.pop(f"{QUERY}.base_layer.weight"),
            r"1 missing \(language_model.model.layers.1.self_attn.q_proj.weight\)",
        ),
        (
            lambda model: model.pop(f"{QUERY}.lora_B.default.weight"),
            r"1 missing \(language_model.model.layers.1.self_attn.q_proj.weight\)",
        ),
        (
            lambda model: model.update({"gene_encoder.extra.weight": torch.ones(2)}),
            r"0 missing, 1 unknown \(gene_encoder.extra.weight\)",
        ),
        (
            lambda model: model.update(
                {"llama_model.model.layers.2.mlp.up_proj.weight": torch.ones(48, 32)}
            ),
            r"1 unknown \(llama_model.model.layers.2.mlp.up_proj.weight\)",
        ),
        (
            lambda model: model.update({f"{QUERY}.lora_A.second.weight": torch.ones(8, 32)}),
            r"0 missing, 1 unknown \(.*q_proj.lora_A.second.weight\)",
        ),
        (
            lambda model: model.update({"hyena_llama_proj.weight": torch.ones(32, 16)}),
            r"hyena_llama_proj.weight has shape \(32, 16\), but projector.weight needs \(32, 24\)",
        ),
        (
            lambda model: model.update({f"{QUERY}.lora_A.default.weight": torch.ones(8, 30)}),
            r"lora_A.default.weight has shape \(8, 30\), but .* needs \(8, 32\)",
        ),
        (
            lambda model: model.update({f"{QUERY}.lora_A.default.weight": torch.ones(4, 32)}),
            r"lora_B.default.weight has shape \(32, 8\), but .* its lora_A need \(32, 4\)",
        ),
    ],
)
def test_tensors_that_do_not_fit(tmp_path: Path, change: Any, message: str) -> None:
    published = genechat(tmp_path / "published", change)
    companions = Companions(published.tokenizer, published.encoder_tokenizer)
    error = refused("genechat", published.path, tmp_path / "ours", companions, ConversionError)
    assert isinstance(error, ConversionError)
    assert error.report
    with pytest.raises(ConversionError, match=message):
        raise error


MAKERS: dict[str, Callable[[Path], layouts.Published]] = {
    "genechat": layouts.genechat,
    "dnabert2": layouts.dnabert2,
    "rnafm": layouts.rnafm,
    "genomicllm": layouts.genomicllm,
}


@pytest.mark.parametrize("asked", MAKERS)
@pytest.mark.parametrize("given", MAKERS)
def test_another_layout_is_recognised(tmp_path: Path, asked: str, given: str) -> None:
    if asked == given:
        return
    published = MAKERS[given](tmp_path / "published")
    error = refused(asked, published.path, tmp_path / "ours", Companions(), ConversionError)
    assert f"not of layout {asked}" in str(error)
    assert f"; convert it as {given}" in str(error)


def test_unknown_layouts(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    save_file({"wte.weight": torch.ones(2, 2)}, path)
    error = refused("rnafm", path, tmp_path / "ours", Companions(), ConversionError)
    assert "names like wte.weight look like no layout that is known" in str(error)
    error = refused("rnagpt", path, tmp_path / "ours", Companions(), InputError)
    assert "no layout 'rnagpt'; known: genechat, dnabert2, rnafm, genomicllm" in str(error)
    assert "RNA-GPT's authors publish no checkpoint" in str(error)


# ---- files


class Code:
    """An object that makes a file when it is unpickled without care."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("is_zip", [True, False])
def test_code_in_a_pickle_does_not_run(tmp_path: Path, is_zip: bool) -> None:
    published = layouts.rnafm(tmp_path / "published")
    marker, path = tmp_path / "marker", tmp_path / "evil.pth"
    evil = {"model": dict(published.tensors), "args": Code(marker)}
    torch.save(evil, path, _use_new_zipfile_serialization=is_zip)
    error = refused("rnafm", path, tmp_path / "ours", Companions(), CheckpointError)
    assert str(path) in str(error)
    assert "posix.system, which is code and not weights; it was not run" in str(error)
    assert not marker.exists()
    torch.load(path, weights_only=False)  # as the published code does
    assert marker.exists()


@pytest.mark.parametrize("kept", [0, 10, 1000, -1, -200])
@pytest.mark.parametrize("ending", [".pth", ".safetensors", ".old.pth"])
def test_truncated_files(tmp_path: Path, ending: str, kept: int) -> None:
    published = layouts.rnafm(tmp_path / "published")
    tensors = {name: tensor.clone() for name, tensor in published.tensors.items()}
    path = tmp_path / f"checkpoint{ending}"
    if ending == ".safetensors":
        save_file(tensors, path)
    else:
        args = argparse.Namespace(arch="roberta_large")
        torch.save(
            {"args": args, "model": tensors},
            path,
            _use_new_zipfile_serialization=ending == ".pth",
        )
    path.write_bytes(path.read_bytes()[:kept])
    error = refused("rnafm", path, tmp_path / "ours", Companions(), InputError)
    assert str(path) in str(error)
    assert "empty" in str(error) if kept == 0 else "truncated, damaged or not" in str(error)


def test_sources_that_are_not_there(tmp_path: Path) -> None:
    cases = {
        tmp_path / "absent.pth": "no such file",
        tmp_path: "no checkpoint in this folder",
    }
    for path, message in cases.items():
        error = refused("rnafm", path, tmp_path / "ours", Companions(), InputError)
        assert f"{path}: {message}" in str(error)
    (tmp_path / "text.pth").write_text("not a checkpoint")
    error = refused("rnafm", tmp_path / "text.pth", tmp_path / "ours", Companions(), InputError)
    assert "not a checkpoint" in str(error)
    for name in ("a.pt", "b.pt"):
        torch.save({"model": {"a": torch.ones(1)}}, tmp_path / name)
    (tmp_path / "text.pth").unlink()
    error = refused("rnafm", tmp_path, tmp_path / "ours", Companions(), InputError)
    assert "several checkpoints (a.pt, b.pt)" in str(error)
    torch.save({"iters": 3, "names": ["a"]}, tmp_path / "a.pt")
    error = refused("rnafm", tmp_path / "a.pt", tmp_path / "ours", Companions(), InputError)
    assert "no weights inside" in str(error)


def test_missing_shard(tmp_path: Path) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}}))
    error = refused("dnabert2", tmp_path, tmp_path / "ours", Companions(), InputError)
    assert f"{tmp_path}/model-00001-of-00002.safetensors: no such file" in str(error)
    index.write_text("{")
    error = refused("dnabert2", tmp_path, tmp_path / "ours", Companions(), InputError)
    assert f"{index}: not an index of shards" in str(error)


# ---- companions


def test_tokenizers_that_are_missing_or_of_another_model(tmp_path: Path) -> None:
    published = layouts.genechat(tmp_path / "published")
    config = published.tokenizer / "config.json"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "config.json").write_text(config.read_text())
    vicuna, encoder = published.tokenizer, published.encoder_tokenizer
    cases = [
        (Companions(elsewhere, encoder), f"{elsewhere}: no tokenizer"),
        (Companions(vicuna, vicuna), "has shape (120, 24), but"),
        (Companions(None, encoder), "; or give language model and tokenizers"),
    ]
    for companions, message in cases:
        error = refused("genechat", published.path, tmp_path / "ours", companions, InputError)
        assert message in str(error)
    (encoder / "tokenizer.json").unlink()
    companions = Companions(vicuna, encoder)
    error = refused("genechat", published.path, tmp_path / "ours", companions, InputError)
    assert "tokenizer.json: missing; give the folder of the encoder" in str(error)
    large = layouts.genomicllm_tokenizer(elsewhere)
    companions = Companions(large, encoder, base=vicuna)
    error = refused("genechat", published.path, tmp_path / "ours", companions, InputError)
    assert "512 tokens, but the language model knows 400" in str(error)


def test_genomicllm_without_its_sizes_or_with_an_output_of_its_own(tmp_path: Path) -> None:
    published = layouts.genomicllm(tmp_path / "published")
    checkpoint = torch.load(published.path, weights_only=True)
    checkpoint["model"]["output.weight"] = torch.zeros(512, 32)
    torch.save(checkpoint, published.path)
    error = refused("genomicllm", published.path, tmp_path / "ours", Companions(), InputError)
    assert "output.weight is not tok_embeddings.weight" in str(error)
    del checkpoint["model_args"]["n_heads"]
    torch.save(checkpoint, published.path)
    error = refused("genomicllm", published.path, tmp_path / "ours", Companions(), InputError)
    assert "no model_args with n_heads" in str(error)


def test_damaged_companions(tmp_path: Path) -> None:
    published = layouts.genechat(tmp_path / "published")
    companions = Companions(published.tokenizer, published.encoder_tokenizer)
    (published.tokenizer / "tokenizer.model").write_bytes(b"\x08\x96 nonsense")
    error = refused("genechat", published.path, tmp_path / "ours", companions, InputError)
    assert "tokenizer.model: not a SentencePiece model" in str(error)
    (published.tokenizer / "config.json").write_text("{")
    error = refused("genechat", published.path, tmp_path / "ours", companions, InputError)
    assert "config.json: not JSON" in str(error)


# ---- the command


def test_command_reports_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published = layouts.genomicllm(tmp_path / "published")
    command = ["models", "convert", "--dtype", "bfloat16", "--from"]
    assert main([*command, "genomicllm", str(published.path), str(tmp_path / "ours")]) == 0
    printed = capsys.readouterr()
    assert "used    layers.*.attention.wq.weight [2] -> model.layers.*.self_attn" in printed.out
    assert f"written {tmp_path}/ours: 20 tensors, 0.00 GB" in printed.out
    assert main([*command, "rnafm", str(published.path), str(tmp_path / "other")]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "use --from genomicllm" in printed.err
    assert "unknown tok_embeddings.weight" in printed.out
