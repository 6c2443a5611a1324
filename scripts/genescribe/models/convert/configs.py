"""Configurations of converted models: by the checkpoint, what lies beside it, or as published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import EsmConfig, LlamaConfig, PreTrainedConfig

from genescribe.errors import CheckpointError
from genescribe.models.assembly import CONFIG_FILE, read_config
from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.convert.source import Source
from genescribe.models.encoders.dnabert2 import Dnabert2Config
from genescribe.models.encoders.nucleotide_transformer import NucleotideTransformerConfig

PLACEHOLDER = -200
"""Stands for a sequence vector in the prompt; outside every vocabulary, as in LLaVA."""

VICUNA_13B: dict[str, Any] = {
    "vocab_size": 32000, "hidden_size": 5120, "intermediate_size": 13824,
    "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 40,
    "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "tie_word_embeddings": False,
    "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
"""lmsys/vicuna-13b-v1.5, config.json."""


@dataclass(frozen=True)
class Companions:
    """Folders beside a checkpoint: text ``tokenizer``, ``encoder_tokenizer``, ``base`` model."""

    tokenizer: Path | None = None
    encoder_tokenizer: Path | None = None
    base: Path | None = None


def genechat(source: Source, companions: Companions) -> SequenceChatConfig:
    """GeneChat: one vector per 512 nt, the mean over all its tokens, [CLS] and [SEP] included."""
    return SequenceChatConfig(
        encoder_config=_dnabert2(companions.encoder_tokenizer),
        text_config=_vicuna(companions),
        pooling="chunk-mean",
        pool_special_tokens=True,
        sequence_tokenizer="bpe",
        chunk_length=512,
        chunk_overlap=10,
        projector_type="linear",
        sequence_token_id=PLACEHOLDER,
        null_slots=0,
    )


def dnabert2(source: Source, companions: Companions) -> Dnabert2Config:
    """DNABERT-2, by the config.json beside the checkpoint or as published."""
    return _dnabert2(source.folder)


def rnafm(source: Source, companions: Companions) -> EsmConfig:
    """RNA-FM (Chen et al. 2022), an ESM-1b, by the arguments that its checkpoint carries.

    Positions count from the padding token's id + 1, hence two more than the longest sequence.
    """
    published = vars(source.facts["args"]) if "args" in source.facts else {}
    args = {name.removeprefix("encoder_"): value for name, value in published.items()}
    return EsmConfig(
        vocab_size=25,
        pad_token_id=1,
        mask_token_id=24,
        hidden_size=args.get("embed_dim", 640),
        num_hidden_layers=args.get("layers", 12),
        num_attention_heads=args.get("attention_heads", 20),
        intermediate_size=args.get("ffn_embed_dim", 5120),
        max_position_embeddings=args.get("max_positions", 1024) + 2,
        position_embedding_type="absolute",
        emb_layer_norm_before=True,
        token_dropout=False,
        layer_norm_eps=1e-5,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def genomicllm(source: Source, companions: Companions) -> LlamaConfig:
    """GenomicLLM by the ``model_args`` that its checkpoint carries.

    The feed-forward width is two thirds of four times the model's, rounded up to ``multiple_of``.
    """
    args: Mapping[str, Any] = source.facts.get("model_args", {})
    needed = {"dim", "n_layers", "n_heads", "vocab_size", "multiple_of", "max_seq_len"}
    if not needed <= args.keys():
        raise CheckpointError(
            f"{source.path}: no model_args with {', '.join(sorted(needed - args.keys()))}; give "
            "the checkpoint that GenomicLLM's train.py wrote"
        )
    embedding, output = (
        next((t for name, t in source.tensors.items() if name.endswith(end)), None)
        for end in ("tok_embeddings.weight", "output.weight")
    )
    if embedding is not None and output is not None and not torch.equal(embedding, output):
        raise CheckpointError(
            f"{source.path}: output.weight is not tok_embeddings.weight, which GenomicLLM ties; "
            "the checkpoint is of another model"
        )
    step = args["multiple_of"]
    return LlamaConfig(
        vocab_size=args["vocab_size"],
        hidden_size=args["dim"],
        intermediate_size=step * -(-int(8 * args["dim"] / 3) // step),
        num_hidden_layers=args["n_layers"],
        num_attention_heads=args["n_heads"],
        num_key_value_heads=args.get("n_kv_heads") or args["n_heads"],
        max_position_embeddings=args["max_seq_len"],
        rms_norm_eps=args.get("norm_eps", 1e-5),
        tie_word_embeddings=True,
        bos_token_id=None,  # the tokenizer knows
        eos_token_id=None,
    )


def nucleotide_transformer(source: Source, companions: Companions) -> EsmConfig:
    """Nucleotide Transformer by its config.json; version 2 shows by its gated layers."""
    content = _read_json(source.folder)
    if content is None:
        raise CheckpointError(f"{source.folder}: no {CONFIG_FILE}; give the whole folder")
    names = (
        "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
        "intermediate_size", "max_position_embeddings", "position_embedding_type",
        "emb_layer_norm_before", "token_dropout", "layer_norm_eps", "pad_token_id",
        "mask_token_id",
    )  # fmt: skip
    widths = {
        tensor.shape[0]
        for name, tensor in source.tensors.items()
        if name.endswith("intermediate.dense.weight")
    }
    is_gated = widths == {2 * content.get("intermediate_size", 0)}
    kind = NucleotideTransformerConfig if is_gated else EsmConfig
    return kind(
        **{name: content[name] for name in names if name in content},
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def language_model(source: Source, companions: Companions) -> PreTrainedConfig:
    """A language model by the config.json beside its weights."""
    config = _transformers_config(source.folder)
    if config is None:
        raise CheckpointError(f"{source.folder}: no {CONFIG_FILE}; give the whole folder")
    return config


def _dnabert2(folder: Path | None) -> Dnabert2Config:
    content = _read_json(folder) or {}
    names = (
        "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
        "intermediate_size", "layer_norm_eps",
    )  # fmt: skip
    return Dnabert2Config(**{name: content[name] for name in names if name in content})


def _vicuna(companions: Companions) -> PreTrainedConfig:
    """Read the language model's config.json where there is one; else it is Vicuna-13B."""
    configs = map(_transformers_config, (companions.base, companions.tokenizer))
    return next((config for config in configs if config is not None), LlamaConfig(**VICUNA_13B))


def _transformers_config(folder: Path | None) -> PreTrainedConfig | None:
    """Read a configuration of transformers; None without one."""
    if folder is None or _read_json(folder) is None:
        return None
    config = read_config(folder)
    config._name_or_path = ""  # the user's folders are nobody else's business
    config.architectures = config.dtype = None
    return config


def _read_json(folder: Path | None) -> dict[str, Any] | None:
    """Return what config.json in ``folder`` says; None without one."""
    if folder is None or not (folder / CONFIG_FILE).is_file():
        return None
    path = folder / CONFIG_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path}: not JSON ({error}); fetch it again") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: not the configuration of a model; fetch it again")
    return content
