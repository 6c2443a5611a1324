"""A published layout, converted and loaded, gives what its weights give by the papers' equations.

The expected values come from forwards in NumPy (tests/references) that are fed the checkpoint's
own tensors, the SentencePiece model or tokenizer.json, and nothing of genescribe.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import torch
import yaml
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModel, AutoModelForCausalLM, EsmConfig, EsmForMaskedLM

from genescribe.models.checkpoint import load
from genescribe.models.convert import Companions, convert
from genescribe.models.encoders import NucleotideTransformerModel
from genescribe.models.encoders.nucleotide_transformer import NucleotideTransformerConfig
from genescribe.records import SequenceRecord, View, sequence_sha256
from genescribe.specs.places import specs_folder
from genescribe.specs.spec import load_spec
from support import published_layouts as layouts
from support.random_weights import randomise
from support.references import Array, dnabert2, esm, linear, llama, relative_error

TOLERANCE = 1e-5
QUESTION = "Tell me about this gene."
BEFORE = (
    "Give the following gene: <gene>geneContent</gene>. Please answer my questions.###Human: <gene>"
)
"""What GeneChat's inference code writes before the gene (genechat/common/conversation.py)."""


def arrays(tensors: Mapping[str, Tensor], prefix: str = "") -> dict[str, Array]:
    """The tensors below ``prefix`` in float64."""
    return {
        name.removeprefix(prefix): tensor.double().numpy()
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def record(sequence: str) -> SequenceRecord:
    return SequenceRecord("g", View.GENE, "protein_coding", sequence, sequence_sha256(sequence))


def spec_for(folder: Path, name: str) -> Path:
    """Write the spec of a published system for small weights in ``folder``."""
    content = yaml.safe_load((specs_folder() / f"{name}.yaml").read_text())
    content["weights"] = {"folder": str(folder)}
    content.pop("config")
    path = folder.parent / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


# ---- encoders


def test_dnabert2(tmp_path: Path) -> None:
    published = layouts.dnabert2(tmp_path / "published")
    convert("dnabert2", published.path, tmp_path / "ours", Companions())
    model = AutoModel.from_pretrained(tmp_path / "ours", dtype=torch.float32).eval()
    ids = Tokenizer.from_file(str(published.path / "tokenizer.json")).encode(
        layouts.nucleotides(200)
    ).ids  # fmt: skip
    with torch.no_grad():
        found = model(torch.tensor([ids])).last_hidden_state[0]
    expected = dnabert2.encode(arrays(published.tensors, "bert."), ids, num_heads=3)
    assert relative_error(found.double().numpy(), expected) < TOLERANCE


def test_rna_fm(tmp_path: Path) -> None:
    published = layouts.rnafm(tmp_path / "published")
    convert("rnafm", published.path, tmp_path / "ours", Companions())
    model = AutoModel.from_pretrained(tmp_path / "ours", dtype=torch.float32).eval()
    ids = [0, *random.Random(0).choices(range(4, 20), k=60), 2]
    with torch.no_grad():
        found = model(torch.tensor([ids])).last_hidden_state[0]
    weights = esm.from_rna_fm(arrays(published.tensors))
    expected = esm.rna_fm(weights, ids, num_heads=3)
    assert relative_error(found.double().numpy(), expected) < TOLERANCE


def test_nucleotide_transformer_v2(tmp_path: Path) -> None:
    config = NucleotideTransformerConfig(
        vocab_size=30, hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
        intermediate_size=40, pad_token_id=1, mask_token_id=2, position_embedding_type="rotary",
        max_position_embeddings=100, layer_norm_eps=1e-12, emb_layer_norm_before=False,
    )  # fmt: skip
    shapes = {
        name: tuple(tensor.shape)
        for name, tensor in NucleotideTransformerModel(config).state_dict().items()
    }
    frequencies = NucleotideTransformerModel(config).state_dict()["rotary_embeddings.inv_freq"]
    del shapes["rotary_embeddings.inv_freq"]
    tensors = layouts.draw(shapes, seed=0)
    published = {f"esm.{name}": tensor for name, tensor in tensors.items()}
    for layer in range(2):  # where the published code keeps them
        name = f"esm.encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"
        published[name] = frequencies
    published["lm_head.bias"] = torch.zeros(30)
    folder = tmp_path / "published"
    folder.mkdir()
    torch.save(published, folder / "pytorch_model.bin")
    content = config.to_dict() | {"model_type": "esm", "auto_map": {"AutoModel": "evil.Model"}}
    layouts.write_json(folder / "config.json", content)
    write_six_mers(folder)
    convert("nucleotide-transformer", folder, tmp_path / "ours", Companions())
    model, info = AutoModel.from_pretrained(
        tmp_path / "ours", dtype=torch.float32, output_loading_info=True
    )
    assert not info["missing_keys"]
    ids = [3, *random.Random(0).choices(range(4, 30), k=40)]
    with torch.no_grad():
        found = model.eval()(torch.tensor([ids])).last_hidden_state[0]
    expected = esm.nucleotide_transformer(arrays(tensors), ids, num_heads=3)
    assert relative_error(found.double().numpy(), expected) < TOLERANCE


def test_nucleotide_transformer_v1(tmp_path: Path) -> None:
    """Version 1 is published in the names of transformers' ESM."""
    config = EsmConfig(
        vocab_size=30, hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
        intermediate_size=40, pad_token_id=1, mask_token_id=2, max_position_embeddings=100,
        position_embedding_type="absolute", emb_layer_norm_before=False, token_dropout=False,
        layer_norm_eps=1e-12,
    )  # fmt: skip
    theirs = EsmForMaskedLM(config)
    randomise(theirs)
    config.save_pretrained(tmp_path / "published")
    torch.save(theirs.state_dict(), tmp_path / "published" / "pytorch_model.bin")
    write_six_mers(tmp_path / "published")
    report = convert(
        "nucleotide-transformer", tmp_path / "published", tmp_path / "ours", Companions()
    ).report
    assert any(line.startswith("unused  lm_head.dense.weight") for line in report)
    ours = AutoModel.from_pretrained(tmp_path / "ours", dtype=torch.float32).eval()
    ids = torch.tensor([[3, *random.Random(0).choices(range(4, 30), k=40)]])
    with torch.no_grad():
        torch.testing.assert_close(
            ours(ids).last_hidden_state, theirs.esm(ids).last_hidden_state, rtol=0, atol=0
        )


def write_six_mers(folder: Path) -> None:
    """The beginning of Nucleotide Transformer's vocabulary."""
    words = ["<unk>", "<pad>", "<mask>", "<cls>", *"ATCGN", "ACGTAC"]
    (folder / "vocab.txt").write_text("\n".join(words))


# ---- GenomicLLM


@pytest.mark.parametrize("kv_heads", [4, 2])
@pytest.mark.parametrize("compiled", [False, True])
def test_genomicllm(tmp_path: Path, compiled: bool, kv_heads: int) -> None:
    published = layouts.genomicllm(tmp_path / "published", compiled=compiled, n_kv_heads=kv_heads)
    convert("genomicllm", published.path, tmp_path / "ours", Companions())
    spec = load_spec(spec_for(tmp_path / "ours", "genomicllm-92m"))
    model, processor = load(spec, "cpu", torch.float32)
    gene = record(layouts.nucleotides(90))
    inputs = processor([gene])
    text = f"{gene.sequence}, annotation:description="
    ids = sentencepiece.SentencePieceProcessor(str(published.tokenizer)).encode(text)
    assert inputs["input_ids"].tolist() == [ids]  # no token in front of the text
    weights = arrays(published.tensors)
    with torch.no_grad():
        found = model.language_model(inputs["input_ids"]).logits[0]
    rows = llama.embed(weights, ids, llama.GENOMICLLM)
    expected = llama.logits(weights, rows, 4, llama.GENOMICLLM)
    assert relative_error(found.double().numpy(), expected) < TOLERANCE

    written = model.generate(**inputs, max_new_tokens=12, eos_token_id=None)[0].tolist()
    assert written == llama.greedy(weights, ids, 12, 4, llama.GENOMICLLM)  # without a cache


# ---- language models


def test_language_model_in_pickles(tmp_path: Path) -> None:
    folder = layouts.vicuna(tmp_path / "vicuna")
    tensors = layouts.draw(layouts.llama_shapes(400), seed=3)
    names = sorted(tensors)
    shards = {
        "pytorch_model-00001-of-00002.bin": names[:9],
        "pytorch_model-00002-of-00002.bin": names[9:],
    }
    for shard, inside in shards.items():
        torch.save({name: tensors[name] for name in inside}, folder / shard)
    places = {name: shard for shard, inside in shards.items() for name in inside}
    layouts.write_json(folder / "pytorch_model.bin.index.json", {"weight_map": places})
    convert("language-model", folder, tmp_path / "ours", Companions())
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "ours", dtype=torch.float32).eval()
    ids = random.Random(0).choices(range(400), k=30)
    with torch.no_grad():
        found = model(torch.tensor([ids])).logits[0]
    weights = arrays(tensors)
    expected = llama.logits(weights, llama.embed(weights, ids), 4)
    assert relative_error(found.double().numpy(), expected) < TOLERANCE


# ---- GeneChat


def merged(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    """GeneChat's language model with its adapters: W + 16 / 8 B A (Hu et al. 2022)."""
    weights: dict[str, Array] = {}
    raw = arrays(tensors, "llama_model.")
    for name, array in raw.items():
        if "lora_" in name:
            continue
        module, _, last = name.replace(".base_layer", "").rpartition(".")
        factors = [
            value
            for part in ("lora_B", "lora_A")
            for other, value in raw.items()
            if other.startswith(f"{module}.{part}")
        ]
        weights[f"{module}.{last}"] = array + 2 * factors[0] @ factors[1] if factors else array
    return weights


def genechat_rows(published: layouts.Published, sequence: str) -> Array:
    """The prompt as GeneChat embeds it: text, one vector per 512 nt, text."""
    encoder = arrays(published.tensors, "gene_encoder.")
    nucleotides = Tokenizer.from_file(str(published.encoder_tokenizer / "tokenizer.json"))
    means = []
    for start in range(0, len(sequence), 512):
        chunk = sequence[max(0, start - 10) : start + 512]
        vectors = dnabert2.encode(encoder, nucleotides.encode(chunk).ids, num_heads=3)
        means.append(vectors.sum(0) / len(vectors))
    gene = linear(arrays(published.tensors), "hyena_llama_proj", np.stack(means))
    pieces = sentencepiece.SentencePieceProcessor(str(published.tokenizer / "tokenizer.model"))
    before = [pieces.bos_id(), *pieces.encode(BEFORE)]
    after = pieces.encode(f"</gene> {QUESTION}###Assistant:")
    weights = merged(published.tensors)
    return np.concatenate([llama.embed(weights, before), gene, llama.embed(weights, after)])


@pytest.mark.parametrize("lora", ["base_layer", "plain", None])
def test_genechat_from_gene_to_logits(tmp_path: Path, lora: Any) -> None:
    published = layouts.genechat(tmp_path / "published", lora=lora)
    convert(
        "genechat",
        published.path,
        tmp_path / "ours",
        Companions(published.tokenizer, published.encoder_tokenizer),
    )
    spec = load_spec(spec_for(tmp_path / "ours", "genechat-13b"))
    model, processor = load(spec, "cpu", torch.float32)  # compares with SHA256SUMS as well
    gene = record(layouts.nucleotides(1200))
    inputs = processor([gene], question=QUESTION)
    with torch.no_grad():
        found = model(**inputs).logits[0]
    rows = genechat_rows(published, gene.sequence)
    weights = merged(published.tensors)
    expected = llama.logits(weights, rows, 4)
    assert found.shape == expected.shape
    assert relative_error(found.double().numpy(), expected) < TOLERANCE

    written = model.generate(**inputs, max_new_tokens=8, eos_token_id=None)[0].tolist()
    for token in written:  # with a cache there, from the whole prefix here
        assert token == int(llama.logits(weights, rows, 4)[-1].argmax())
        rows = np.concatenate([rows, llama.embed(weights, [token])])
