"""Small random checkpoints and tokenizers in the layouts in which the published systems come.

Key names, order of the published files' parts and special tokens are those of the published
code; sizes and values are not. Every function writes into a folder that it makes, and draws the
same numbers for the same arguments. ``Published.tensors`` holds the weights under their published
names, for forwards that are written from the papers alone.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import sentencepiece
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor

TEXT = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 4, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5,
}  # fmt: skip
DNABERT2 = {
    "model_type": "bert", "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2,
    "num_attention_heads": 3, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
    "type_vocab_size": 2, "max_position_embeddings": 512, "alibi_starting_size": 512,
    "attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.1,
}  # fmt: skip
RNAFM = {"layers": 2, "embed_dim": 24, "ffn_embed_dim": 40, "attention_heads": 3}
RNAFM_LETTERS = 25
GENOMICLLM = {
    "dim": 32, "n_layers": 2, "n_heads": 4, "n_kv_heads": 4, "multiple_of": 32,
    "max_seq_len": 512, "dropout": 0.1,
}  # fmt: skip

WORDS = re.findall(
    r"\w+",
    "gene protein Human human Assistant assistant Tell me about this please provide a detailed "
    "description of the organism encodes kinase receptor binding splice site enhancer promoter "
    "sequence direction forward reverse GC content annotation biotype coding transcript RNA DNA "
    "membrane family member predicted to be active in nucleus complex and is located",
)
RESIDUES = re.findall("...", "AlaArgAsnAspCysGlnGluGlyHisIleLeuLysMetPheProSerThrTrpTyrVal")


@dataclass(frozen=True)
class Published:
    """A checkpoint: what to convert, its weights by published name, and what belongs to it."""

    path: Path
    tensors: Mapping[str, Tensor]
    tokenizer: Path | None = None
    encoder_tokenizer: Path | None = None


def nucleotides(length: int, seed: int = 0, letters: str = "ACGT") -> str:
    """Random nucleotides."""
    return "".join(random.Random(seed).choices(letters, k=length))


@cache
def corpus() -> tuple[str, ...]:
    """Lines of English, nucleotides, residues in three letters, and GenomicLLM's prompts."""
    rng = random.Random(1)
    lines = []
    for i in range(400):
        words = " ".join(rng.choices(WORDS, k=12))
        lines += [words, nucleotides(200, i), "".join(rng.choices(RESIDUES, k=30))]
        lines.append(f"{nucleotides(60, i)}, {rng.choice(WORDS)} = {rng.random():.3f}")
        lines.append(f"###Human: <gene></gene> {words}? ###Assistant: {i}")
    return tuple(lines)


# ---- tokenizers


@cache
def sentencepiece_model(kind: str, size: int, byte_fallback: bool, pad: bool) -> bytes:
    """Train a SentencePiece model, ``kind`` bpe or unigram; <unk> 0, <s> 1, </s> 2, (<pad> 3)."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()),
        model_writer=model,
        model_type=kind,
        vocab_size=size,
        byte_fallback=byte_fallback,
        normalization_rule_name="identity" if byte_fallback else "nmt_nfkc",
        remove_extra_whitespaces=not byte_fallback,
        split_digits=byte_fallback,
        pad_id=3 if pad else -1,
        max_sentencepiece_length=16,
        seed_sentencepiece_size=4000,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def vicuna(folder: Path) -> Path:
    """Write what Vicuna's folder has besides weights: a byte-fallback BPE model of 400 pieces."""
    folder.mkdir(parents=True)
    (folder / "tokenizer.model").write_bytes(sentencepiece_model("bpe", 400, True, False))
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False,
            "legacy": False, "model_max_length": 4096, "pad_token": None, "padding_side": "right",
            "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
        },
    )  # fmt: skip
    write_json(
        folder / "config.json",
        {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
            "vocab_size": 400, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
            "tie_word_embeddings": False, "torch_dtype": "float16", **TEXT,
        },
    )  # fmt: skip
    return folder


LLAMA3_SPECIAL = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
    "<|eot_id|>",
)  # fmt: skip
LLAMA3_TEMPLATE = (
    "{{ '<|begin_of_text|>' }}{% for message in messages %}{{ '<|start_header_id|>' + "
    "message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)


def llama3(folder: Path) -> Path:
    """Write a Llama-3-like tokenizer (byte-level BPE, chat template) and its config.json."""
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_special_tokens(list(LLAMA3_SPECIAL))  # after the vocabulary, as published
    start = LLAMA3_SPECIAL[0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A", special_tokens=[(start, tokenizer.token_to_id(start))]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": start,
            "eos_token": "<|eot_id|>", "chat_template": LLAMA3_TEMPLATE,
            "clean_up_tokenization_spaces": False,
        },
    )  # fmt: skip
    write_json(
        folder / "config.json",
        {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
            "vocab_size": tokenizer.get_vocab_size(), "rope_theta": 500000.0,
            "bos_token_id": tokenizer.token_to_id(start),
            "eos_token_id": tokenizer.token_to_id("<|eot_id|>"), "tie_word_embeddings": False,
            **TEXT, "num_key_value_heads": 2,
        },
    )  # fmt: skip
    return folder


def dnabert2_tokenizer(folder: Path) -> Path:
    """Write a tokenizer.json as DNABERT-2's, of 120 tokens; [UNK] 0 [CLS] 1 [SEP] 2 [PAD] 3."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=special, show_progress=False)
    genes = [nucleotides(300, seed) for seed in range(60)]
    tokenizer.train_from_iterator(genes, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]",
            "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]",
            "mask_token": "[MASK]",
        },
    )  # fmt: skip
    return folder


def genomicllm_tokenizer(folder: Path, kind: Literal["bpe", "unigram"] = "bpe") -> Path:
    """Write GenomicLLM's kind of vocabulary: 512 SentencePiece pieces, with a <pad>."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "SPMtokenizer_GenomicLlama_vocabsize512_20231117.model"
    path.write_bytes(sentencepiece_model(kind, 512, False, True))
    return path


# ---- weights


def draw(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    """Draw weights large enough that every part of a model changes its output."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=generator)
        if len(shape) == 1 and name.endswith("weight"):  # a normalisation
            tensors[name] = 1 + 0.2 * values
        elif len(shape) == 1:
            tensors[name] = 0.2 * values
        else:
            tensors[name] = values * (1.5 / shape[-1] ** 0.5)
    return tensors


def dnabert2_shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of DNABERT-2's encoder, without the prefix ``bert.``."""
    size, inner = DNABERT2["hidden_size"], DNABERT2["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (vocabulary, size),
        "embeddings.token_type_embeddings.weight": (2, size),
        "embeddings.LayerNorm.weight": (size,),
        "embeddings.LayerNorm.bias": (size,),
    }
    layer: dict[str, tuple[int, ...]] = {
        "attention.self.Wqkv.weight": (3 * size, size),
        "attention.self.Wqkv.bias": (3 * size,),
        "attention.output.dense.weight": (size, size),
        "attention.output.dense.bias": (size,),
        "attention.output.LayerNorm.weight": (size,),
        "attention.output.LayerNorm.bias": (size,),
        "mlp.gated_layers.weight": (2 * inner, size),
        "mlp.wo.weight": (size, inner),
        "mlp.wo.bias": (size,),
        "mlp.layernorm.weight": (size,),
        "mlp.layernorm.bias": (size,),
    }
    for i in range(DNABERT2["num_hidden_layers"]):
        shapes |= {f"encoder.layer.{i}.{name}": shape for name, shape in layer.items()}
    return shapes


def llama_shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a Llama as transformers writes them."""
    size, inner = TEXT["hidden_size"], TEXT["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocabulary, size)}
    for i in range(TEXT["num_hidden_layers"]):
        layer = f"model.layers.{i}"
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            shapes[f"{layer}.self_attn.{name}.weight"] = (size, size)
        for name in ("gate_proj", "up_proj"):
            shapes[f"{layer}.mlp.{name}.weight"] = (inner, size)
        shapes[f"{layer}.mlp.down_proj.weight"] = (size, inner)
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{layer}.{name}.weight"] = (size,)
    return shapes | {"model.norm.weight": (size,), "lm_head.weight": (vocabulary, size)}


def dnabert2(folder: Path, seed: int = 0) -> Published:
    """Write DNABERT-2's folder: pytorch_model.bin with its MLM head, config and tokenizer."""
    dnabert2_tokenizer(folder)
    vocabulary, size = 120, DNABERT2["hidden_size"]
    write_json(folder / "config.json", {**DNABERT2, "vocab_size": vocabulary})
    shapes = {f"bert.{name}": shape for name, shape in dnabert2_shapes(vocabulary).items()}
    shapes["bert.pooler.dense.weight"] = (size, size)
    shapes["bert.pooler.dense.bias"] = (size,)
    shapes["cls.predictions.transform.dense.weight"] = (size, size)
    shapes["cls.predictions.transform.dense.bias"] = (size,)
    shapes["cls.predictions.transform.LayerNorm.weight"] = (size,)
    shapes["cls.predictions.transform.LayerNorm.bias"] = (size,)
    shapes["cls.predictions.decoder.bias"] = (vocabulary,)
    tensors = draw(shapes, seed)
    tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"]
    torch.save(tensors, folder / "pytorch_model.bin")
    return Published(folder, tensors, encoder_tokenizer=folder)


def rnafm(folder: Path, seed: int = 0) -> Published:
    """Write RNA-FM_pretrained.pth: {args, model}, with the language-model head."""
    folder.mkdir(parents=True, exist_ok=True)
    size, inner = RNAFM["embed_dim"], RNAFM["ffn_embed_dim"]
    start = "encoder.sentence_encoder"
    shapes: dict[str, tuple[int, ...]] = {
        f"{start}.embed_tokens.weight": (RNAFM_LETTERS, size),
        f"{start}.embed_positions.weight": (1026, size),
    }
    square = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj")
    layers = [f"{start}.layers.{i}" for i in range(RNAFM["layers"])]
    for layer in layers:
        shapes |= {f"{layer}.{name}.weight": (size, size) for name in square}
        shapes |= {f"{layer}.{name}.bias": (size,) for name in square}
        shapes[f"{layer}.fc1.weight"], shapes[f"{layer}.fc1.bias"] = (inner, size), (inner,)
        shapes[f"{layer}.fc2.weight"], shapes[f"{layer}.fc2.bias"] = (size, inner), (size,)
    norms = [f"{start}.emb_layer_norm_before", f"{start}.emb_layer_norm_after"]
    norms += [f"{layer}.{n}_layer_norm" for layer in layers for n in ("self_attn", "final")]
    norms.append("encoder.lm_head.layer_norm")
    shapes |= {f"{norm}.{part}": (size,) for norm in norms for part in ("weight", "bias")}
    shapes["encoder.lm_head.dense.weight"] = (size, size)
    shapes["encoder.lm_head.dense.bias"] = (size,)
    shapes["encoder.lm_head.bias"] = (RNAFM_LETTERS,)
    tensors = draw(shapes, seed)
    tensors["encoder.lm_head.weight"] = tensors[f"{start}.embed_tokens.weight"]
    settings = {f"encoder_{name}": value for name, value in RNAFM.items()}
    args = argparse.Namespace(arch="roberta_large", max_positions=1024, **settings)
    path = folder / "RNA-FM_pretrained.pth"
    torch.save({"args": args, "model": tensors}, path)
    return Published(path, tensors)


def genomicllm(
    folder: Path,
    seed: int = 0,
    *,
    compiled: bool = False,
    kind: Literal["bpe", "unigram"] = "bpe",
    **changes: int,
) -> Published:
    """Write GenomicLLM's .pt; ``compiled``: names begin with _orig_mod. as torch.compile does.

    ``changes`` are to its ``model_args``, such as another ``n_kv_heads``.
    """
    tokenizer = genomicllm_tokenizer(folder, kind)
    args: dict[str, Any] = {**GENOMICLLM, "vocab_size": 512, **changes}
    size, step = args["dim"], args["multiple_of"]
    inner = step * -(-int(2 * 4 * size / 3) // step)
    narrow = size // args["n_heads"] * args["n_kv_heads"]
    shapes: dict[str, tuple[int, ...]] = {"tok_embeddings.weight": (512, size)}
    for i in range(args["n_layers"]):
        shapes |= {
            f"layers.{i}.attention.wq.weight": (size, size),
            f"layers.{i}.attention.wk.weight": (narrow, size),
            f"layers.{i}.attention.wv.weight": (narrow, size),
            f"layers.{i}.attention.wo.weight": (size, size),
            f"layers.{i}.feed_forward.w1.weight": (inner, size),
            f"layers.{i}.feed_forward.w2.weight": (size, inner),
            f"layers.{i}.feed_forward.w3.weight": (inner, size),
            f"layers.{i}.attention_norm.weight": (size,),
            f"layers.{i}.ffn_norm.weight": (size,),
        }
    shapes["norm.weight"] = (size,)
    tensors = draw(shapes, seed)
    tensors["output.weight"] = tensors["tok_embeddings.weight"]
    prefix = "_orig_mod." if compiled else ""
    path = folder / "ckpt_20240102_len512_Alldata_balance_best.pt"
    torch.save(
        {
            "model": {prefix + name: tensor for name, tensor in tensors.items()},
            "optimizer": adam_state(tensors, 2),
            "model_args": args,
            "iter_num": 10,
            "best_val_loss": torch.tensor(1.5),
            "config": {"dtype": "bfloat16", "compile": compiled, "learning_rate": 6e-4},
        },
        path,
    )
    return Published(path, tensors, tokenizer=tokenizer)


def genechat(
    folder: Path,
    seed: int = 0,
    *,
    lora: Literal["base_layer", "plain"] | None = "base_layer",
    rank: int = 8,
    dtype: torch.dtype = torch.float32,
) -> Published:
    """Write GeneChat's checkpoint_N.pth and the folders of Vicuna and DNABERT-2 beside it.

    ``lora`` is how PEFT spells the adapted projections: the weights below ``base_layer`` and
    adapters with a name (0.6 and later), or ``plain`` as older versions wrote them. ``dtype`` is
    the language model's; encoder and projection are float32 as published.
    """
    vicuna(folder / "vicuna")
    encoder = dnabert2(folder / "dnabert2", seed)
    size, text_size = DNABERT2["hidden_size"], TEXT["hidden_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "hyena_llama_proj.weight": (text_size, size),
        "hyena_llama_proj.bias": (text_size,),
    }
    for name, shape in llama_shapes(400).items():
        layer, _, last = name.rpartition(".")
        adapted = lora is not None and layer.endswith(("q_proj", "v_proj"))
        wrapped = ".base_layer" if adapted and lora == "base_layer" else ""
        shapes[f"llama_model.{layer}{wrapped}.{last}"] = shape
        if adapted:
            adapter = ".default" if lora == "base_layer" else ""
            shapes[f"llama_model.{layer}.lora_A{adapter}.weight"] = (rank, shape[1])
            shapes[f"llama_model.{layer}.lora_B{adapter}.weight"] = (shape[0], rank)
    tensors = draw(shapes, seed + 1)
    half = {n: t.to(dtype) for n, t in tensors.items() if n[0] == "l" and "lora" not in n}
    frequencies = 10000 ** -torch.arange(0, 1, 0.25)  # a buffer that older transformers saved
    buffers = {
        f"llama_model.model.layers.{i}.self_attn.rotary_emb.inv_freq": frequencies
        for i in range(TEXT["num_hidden_layers"])
    }
    encoded = {
        name.replace("bert.", "gene_encoder.", 1): tensor
        for name, tensor in encoder.tensors.items()
        if name.startswith("bert.")
    }
    tensors = {**encoded, **tensors, **half, **buffers}
    path = folder / "checkpoint_170001.pth"
    torch.save(
        {
            "model": tensors,
            "optimizer": adam_state(tensors, 2),
            "config": {"run": {"max_iters": 2000000, "amp": True}, "model": {"arch": "genechat"}},
            "scaler": {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 1},
            "iters": 170001,
        },
        path,
    )
    return Published(path, tensors, folder / "vicuna", folder / "dnabert2")


def adam_state(tensors: Mapping[str, Tensor], count: int) -> dict[str, Any]:
    """Return what AdamW keeps of the first ``count`` tensors."""
    state = {
        i: {"step": torch.tensor(10.0), "exp_avg": tensor, "exp_avg_sq": tensor**2}
        for i, tensor in enumerate(list(tensors.values())[:count])
    }
    return {"state": state, "param_groups": [{"lr": 1e-4, "params": list(state)}]}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a configuration file."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
