"""Converting checkpoints: what is written, how it is reported, and in how little memory."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoTokenizer

from genescribe.errors import ConversionError
from genescribe.models.convert import Companions, Conversion, convert
from genescribe.models.convert.layouts import LAYOUTS
from genescribe.models.convert.source import Source, read_source
from genescribe.models.convert.vocabulary import load_tokenizer
from genescribe.specs.spec import load_spec
from support import published_layouts as layouts


def converted(published: layouts.Published, target: Path, **options: Any) -> Conversion:
    """Convert a GeneChat checkpoint."""
    companions = Companions(published.tokenizer, published.encoder_tokenizer)
    return convert("genechat", published.path, target, companions, **options)


def weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a converted folder."""
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            found |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return found


def contents(folder: Path) -> dict[str, str]:
    """The hash of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


# ---- what is written


def test_folder_is_complete_and_its_sums_hold(tmp_path: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    converted(layouts.genechat(tmp_path / "published"), tmp_path / "ours")
    assert set(contents(tmp_path / "ours")) == {
        "SHA256SUMS", "config.json", "model.safetensors", "sequence_tokenizer/tokenizer.json",
        "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=tmp_path / "ours",
        check=True,
        capture_output=True,
    )
    assert str(tmp_path) not in (tmp_path / "ours" / "config.json").read_text()
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "ours").glob("*.*")}
    assert modes == {0o666 & ~umask}
    assert not list(tmp_path.glob(".*"))  # nothing temporary is left


def test_same_bytes_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genescribe.models.convert.folder.SHARD_BYTES", 60_000)
    published = layouts.genechat(tmp_path / "published")
    for name in ("first", "second"):
        converted(published, tmp_path / name)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_shards_hold_what_one_file_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = layouts.genechat(tmp_path / "published")
    done = converted(published, tmp_path / "one")
    monkeypatch.setattr("genescribe.models.convert.folder.SHARD_BYTES", 60_000)
    converted(published, tmp_path / "many")
    shards = sorted((tmp_path / "many").glob("*.safetensors"))
    assert len(shards) > 2
    assert all(path.stat().st_size < 70_000 for path in shards)
    index = json.loads((tmp_path / "many" / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == done.weight_bytes
    one, many = weights(tmp_path / "one"), weights(tmp_path / "many")
    assert set(index["weight_map"]) == set(one) == set(many)
    assert all(torch.equal(one[name], many[name]) for name in one)


def test_force_replaces_only_what_was_converted(tmp_path: Path) -> None:
    published = layouts.genechat(tmp_path / "published")
    converted(published, tmp_path / "ours")
    before = contents(tmp_path / "ours")
    with pytest.raises(ValueError, match="already exists; overwrite"):
        converted(published, tmp_path / "ours")
    converted(published, tmp_path / "ours", force=True, dtype=torch.bfloat16)
    assert contents(tmp_path / "ours") != before
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.txt").write_text("years of work")
    with pytest.raises(ValueError, match="not a converted model; choose another folder"):
        converted(published, thesis, force=True)
    assert (thesis / "chapter.txt").read_text() == "years of work"


# ---- types and adapters


def test_types_are_kept_or_all_changed(tmp_path: Path) -> None:
    published = layouts.genechat(tmp_path / "published", dtype=torch.float16)
    converted(published, tmp_path / "kept")
    kept = weights(tmp_path / "kept")
    for name, tensor in kept.items():
        if tensor.numel():
            is_text = name.startswith("language_model.")
            assert tensor.dtype == (torch.float16 if is_text else torch.float32), name
    name = "self_attn.q_proj"
    layer = f"llama_model.model.layers.1.{name}"
    factors = (published.tensors[f"{layer}.lora_{x}.default.weight"] for x in "BA")
    update = torch.linalg.multi_dot(list(factors)) * (16 / 8)
    expected = (published.tensors[f"{layer}.base_layer.weight"].float() + update).half()
    found = kept[f"language_model.model.layers.1.{name}.weight"]
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)  # one rounding of float16
    assert not torch.equal(found, published.tensors[f"{layer}.base_layer.weight"])
    converted(published, tmp_path / "changed", dtype=torch.bfloat16)
    assert {tensor.dtype for tensor in weights(tmp_path / "changed").values()} == {torch.bfloat16}


def test_alpha_of_another_rank_must_be_said(tmp_path: Path) -> None:
    published = layouts.genechat(tmp_path / "published", rank=4)
    with pytest.raises(ConversionError, match=r"LoRA has rank 4, .*; say what LoRA"):
        converted(published, tmp_path / "ours")
    converted(published, tmp_path / "ours", lora_alpha=12)
    layer = "model.layers.0.self_attn.v_proj"
    b, a = (published.tensors[f"llama_model.{layer}.lora_{x}.default.weight"] for x in "BA")
    expected = published.tensors[f"llama_model.{layer}.base_layer.weight"] + 3 * b @ a
    found = weights(tmp_path / "ours")[f"language_model.{layer}.weight"]
    torch.testing.assert_close(found, expected)


def test_language_model_from_a_folder_of_its_own(tmp_path: Path) -> None:
    published = layouts.genechat(tmp_path / "published", lora="plain")
    converted(published, tmp_path / "whole")
    base = tmp_path / "base"
    shutil.copytree(published.tokenizer, base)
    checkpoint = torch.load(published.path, weights_only=True)
    theirs, trained = {}, {}
    for name, tensor in checkpoint["model"].items():
        if name.startswith("llama_model.") and "lora" not in name:
            theirs[name.removeprefix("llama_model.")] = tensor.clone()
        else:
            trained[name] = tensor
    save_file(theirs, base / "model.safetensors")
    torch.save({**checkpoint, "model": trained}, tmp_path / "trained.pth")
    convert(
        "genechat",
        tmp_path / "trained.pth",
        tmp_path / "joined",
        Companions(encoder_tokenizer=published.encoder_tokenizer, base=base),
    )
    assert contents(tmp_path / "joined") == contents(tmp_path / "whole")


# ---- configurations


def disagreements(said: Mapping[str, Any], config: Any) -> Iterator[str]:
    """What a spec says of a configuration that is not so."""
    for key, value in said.items():
        found = getattr(config, key)
        if isinstance(value, dict) and not isinstance(found, dict):
            yield from disagreements(value, found)
        elif found != value:
            yield f"{key}: {value} {found}"


PUBLISHED_ARGS = {
    "dim": 768, "n_layers": 12, "n_heads": 12, "n_kv_heads": 12, "vocab_size": 512,
    "multiple_of": 768, "max_seq_len": 512, "dropout": 0.1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "key", "layout", "facts"),
    [
        ("genechat-13b", None, "genechat", {}),
        ("rnagpt-8b", "encoder_config", "rnafm", {}),
        ("genomicllm-92m", "text_config", "genomicllm", {"model_args": PUBLISHED_ARGS}),
    ],
)
def test_published_sizes_are_those_of_the_specs(
    spec: str, key: str | None, layout: str, facts: dict[str, Any]
) -> None:
    config = LAYOUTS[layout].config(Source(Path("absent"), {}, facts), Companions())
    said = load_spec(spec).config
    assert said
    assert list(disagreements(said[key] if key else said, config)) == []


# ---- the report


def test_every_tensor_is_accounted_for(tmp_path: Path) -> None:
    published = layouts.genechat(tmp_path / "published")
    report = converted(published, tmp_path / "ours").report
    assert (
        "used    llama_model.model.layers.*.self_attn.q_proj.lora_A.default.weight [2] -> "
        "language_model.model.layers.*.self_attn.q_proj.weight, merged" in report
    )
    assert "used    hyena_llama_proj.bias -> projector.bias" in report
    assert "unused  optimizer (state of training)" in report
    counts = [re.search(r" \[(\d+)\]", line) for line in report]
    counted = sum(int(count[1]) if count else 1 for count in counts)
    assert counted == len(published.tensors) + len(("optimizer", "config", "scaler", "iters"))
    report = convert(
        "genomicllm",
        layouts.genomicllm(tmp_path / "llm").path,
        tmp_path / "our-llm",
        Companions(),
    ).report
    assert "used    model_args -> config.json" in report
    assert "unused  output.weight (the token embedding again (tied))" in report


# ---- tokenizers


TEXTS = (
    "", " ", "a", "  two  spaces ", "###Human: <gene>", "</gene> Tell me? ###Assistant:",
    "naïve café ﬁt ½ 東京 \U0001f9ec", "tab\tand\nnewline", "ACGTNNNNNNRYacgt",
    "0.523, GC content = ",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["vicuna", "bpe", "unigram"])
def test_sentencepiece_ids_are_kept(tmp_path: Path, kind: Any) -> None:
    if kind == "vicuna":
        folder = layouts.vicuna(tmp_path / "theirs")
    else:
        folder = layouts.genomicllm_tokenizer(tmp_path / "theirs", kind).parent
    original = sentencepiece.SentencePieceProcessor(str(next(folder.glob("*.model"))))
    load_tokenizer(folder).save_pretrained(tmp_path / "ours")
    ours = AutoTokenizer.from_pretrained(tmp_path / "ours")
    assert len(ours) == original.vocab_size()
    rng = random.Random(0)
    words = [*layouts.WORDS, *"ACGTUN=,.?<> #", *layouts.RESIDUES]
    texts = [*TEXTS, *("".join(rng.choices(words, k=k)) for k in range(1, 60))]
    texts += [layouts.nucleotides(k, k, "ACGTN") for k in range(1, 500, 10)]
    for text in texts:
        ids = original.encode(text)
        assert ours.encode(text, add_special_tokens=False) == ids, text
        if original.unk_id() not in ids:  # which each of the two shows in its own way
            assert ours.decode(ids) == original.decode(ids), text
    assert ours.bos_token_id == original.bos_id()
    assert ours.eos_token_id == original.eos_id()
    assert ours.pad_token == ("<unk>" if kind == "vicuna" else "<pad>")
    begins = [original.bos_id()] if kind == "vicuna" else []
    assert ours.encode("gene") == [*begins, *original.encode("gene")]


def test_tokenizers_of_tokenizers_are_kept(tmp_path: Path) -> None:
    folder = layouts.llama3(tmp_path / "theirs")
    theirs = AutoTokenizer.from_pretrained(folder)
    load_tokenizer(folder).save_pretrained(tmp_path / "ours")
    ours = AutoTokenizer.from_pretrained(tmp_path / "ours")
    for text in TEXTS:
        assert ours.encode(text) == theirs.encode(text)
    messages = [{"role": "user", "content": "Tell me."}]
    assert ours.apply_chat_template(messages) == theirs.apply_chat_template(messages)


# ---- memory


on_linux = pytest.mark.skipif(
    not Path("/proc/self/maps").exists(), reason="looks at memory as Linux shows it"
)


@on_linux
@pytest.mark.parametrize("name", ["checkpoint.pth", "checkpoint.safetensors"])
def test_checkpoints_are_mapped_for_reading_only(tmp_path: Path, name: str) -> None:
    """A mapping that may be written to is refused where the file is larger than the memory."""
    path = tmp_path / name
    tensors = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4, dtype=torch.bfloat16)}
    tensors["c"] = tensors["a"].T if name.endswith(".pth") else torch.tensor(5)
    torch.save(tensors, path) if name.endswith(".pth") else save_file(tensors, path)
    read = read_source(path).tensors
    maps = Path("/proc/self/maps").read_text().splitlines()
    assert {line.split()[1] for line in maps if line.endswith(str(path))} == {"r--s"}
    assert all(torch.equal(read[key], tensors[key]) for key in tensors)
    assert {key: t.dtype for key, t in read.items()} == {key: t.dtype for key, t in tensors.items()}


MEASURED = """
import sys, threading, time
from pathlib import Path
import torch
from genescribe.models.convert import Companions, convert, folder

folder.SHARD_BYTES = 32_000_000

def anonymous():  # bytes that the kernel cannot drop and read again from a file
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("RssAnon:")[1].split()[0])

peak, running = 0, True
def watch():
    global peak
    while running:
        peak = max(peak, anonymous())
        time.sleep(0.002)

source, target = Path(sys.argv[1]), Path(sys.argv[2])
before = anonymous()
watcher = threading.Thread(target=watch)
watcher.start()
done = convert("language-model", source, target, Companions())
running = False
watcher.join()
print(done.weight_bytes, peak - before)
"""


@on_linux
def test_memory_stays_far_below_the_size_of_the_checkpoint(tmp_path: Path) -> None:
    folder = layouts.vicuna(tmp_path / "large")
    size, inner, layers = 1024, 2816, 8
    content = json.loads((folder / "config.json").read_text())
    content |= {"hidden_size": size, "intermediate_size": inner, "num_hidden_layers": layers}
    layouts.write_json(folder / "config.json", content)
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (400, size), "model.norm.weight": (size,),
        "lm_head.weight": (400, size),
    }  # fmt: skip
    for i in range(layers):
        for name in "qkvo":
            shapes[f"model.layers.{i}.self_attn.{name}_proj.weight"] = (size, size)
        for name in ("gate", "up"):
            shapes[f"model.layers.{i}.mlp.{name}_proj.weight"] = (inner, size)
        shapes[f"model.layers.{i}.mlp.down_proj.weight"] = (size, inner)
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"model.layers.{i}.{name}.weight"] = (size,)
        for part, shape in (("A", (8, size)), ("B", (size, 8))):
            shapes[f"model.layers.{i}.self_attn.q_proj.lora_{part}.weight"] = shape
    tensors = {name: torch.ones(shape, dtype=torch.float16) for name, shape in shapes.items()}
    torch.save(tensors, folder / "pytorch_model.bin")
    del tensors
    environment = {"PYTHONPATH": ":".join(sys.path), "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(folder), str(tmp_path / "ours")],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    written, anonymous = map(int, done.stdout.split())
    assert written > 200_000_000
    assert anonymous < written / 4
