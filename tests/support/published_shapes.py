"""Models of the published systems' shapes with random weights, small enough for tests.

Tokenizers and encoders are of the published kinds; sizes and weights are not.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import AutoConfig, AutoModelForCausalLM, EsmConfig

from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.convert.vocabulary import load_tokenizer
from genescribe.models.encoders.dnabert2 import Dnabert2Config
from genescribe.models.modeling import SequenceChatModel
from genescribe.records import SequenceRecord, View, sequence_sha256
from support import published_layouts as layouts
from support.random_weights import randomise

ENCODER = {
    "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40,
}  # fmt: skip
BYTE_PAIRS = Dnabert2Config(vocab_size=120, **ENCODER)
RNA_FM = EsmConfig(
    vocab_size=25, pad_token_id=1, mask_token_id=24, max_position_embeddings=1026,
    position_embedding_type="absolute", emb_layer_norm_before=True, token_dropout=False,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **ENCODER,
)  # fmt: skip
CHUNKS = {"chunk_length": 512, "chunk_overlap": 10, "sequence_tokenizer": "bpe"}
CONFIGS: dict[str, dict[str, Any]] = {
    "genechat": {
        "encoder_config": BYTE_PAIRS, **CHUNKS, "pooling": "chunk-mean",
        "pool_special_tokens": True, "projector_type": "linear",
    },
    "rnagpt": {
        "encoder_config": RNA_FM, "sequence_tokenizer": "nucleotide", "pooling": "none",
        "projector_type": "linear",
    },
    "resampler": {
        "encoder_config": BYTE_PAIRS, **CHUNKS, "pooling": "attention",
        "projector_type": "resampler",
        "projector_settings": {"num_latents": 5, "num_layers": 2, "num_heads": 2, "head_size": 8},
    },
}  # fmt: skip
PROMPTS: dict[str, dict[str, Any]] = {
    "genechat": {
        "id": "chat-1",
        "template": "###Human: <gene>{sequence}</gene> {question} ###Assistant:",
        "turn": " {answer} ###Human: {question} ###Assistant:",
    },
    "rnagpt": {
        "id": "chat-template-1",
        "template": "<RNA>{sequence}</RNA> {question}",
        "chat_template": True,
        "system": "Answer about the RNA.",
    },
    "resampler": {"id": "organism-1", "template": "{organism}: {sequence} {question}"},
    "genomicllm": {
        "id": "letters-1", "template": "{sequence}, annotation:description=", "bos": "none",
    },
}  # fmt: skip
MAX_LENGTH = {"genechat": 160000, "rnagpt": 1022, "resampler": 20000, "genomicllm": 300}


def genes(lengths: list[int], seed: int = 0) -> list[SequenceRecord]:
    """Genes of random letters, named by their place."""
    rng = random.Random(seed)
    letters = ["".join(rng.choices("ACGT", k=length)) for length in lengths]
    return [
        SequenceRecord(f"g{i}", View.GENE, "protein_coding", text, sequence_sha256(text))
        for i, text in enumerate(letters)
    ]


def write_model(folder: Path, shape: str) -> None:
    """Write weights, configuration and tokenizers of a shape as a converter does."""
    if shape == "genomicllm":
        model_file = layouts.genomicllm_tokenizer(folder / "vocabulary")
        load_tokenizer(model_file).save_pretrained(str(folder))
        text = layouts.TEXT | {"max_position_embeddings": 512}
        config = AutoConfig.for_model(
            "llama", vocab_size=512, bos_token_id=1, eos_token_id=2, pad_token_id=3, **text
        )
        model: Any = AutoModelForCausalLM.from_config(config)
    else:
        make_text = layouts.llama3 if shape == "rnagpt" else layouts.vicuna
        load_tokenizer(make_text(folder)).save_pretrained(str(folder))
        config = SequenceChatConfig(
            text_config=AutoConfig.from_pretrained(folder),
            sequence_token_id=-200,
            null_slots=0,
            **CONFIGS[shape],
        )
        if CONFIGS[shape]["sequence_tokenizer"] == "bpe":
            layouts.dnabert2_tokenizer(folder / "sequence_tokenizer")
        model = SequenceChatModel(config)
    randomise(model)
    if isinstance(model, SequenceChatModel):
        with torch.no_grad():  # random genes are alike; their texts should not be
            for parameter in model.projector.parameters():
                parameter.mul_(5)
    model.save_pretrained(str(folder))
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.is_file()
    ]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def write_spec(path: Path, shape: str, **changes: Any) -> Path:
    """Write the spec of a shape whose weights lie beside it in a folder of the shape's name."""
    spec: Mapping[str, Any] = {
        "name": shape,
        "summary": "random weights",
        "architecture": "causal_lm" if shape == "genomicllm" else "sequence_chat",
        "license": "none",
        "trained_on": "nothing",
        "weights": {"folder": f"./{shape}"},
        "prompt": PROMPTS[shape],
        "views": {"default": "gene"},
        "max_length": MAX_LENGTH[shape],
        "generation": {"max_new_tokens": 12},
        "no_sequence": "shuffled",
        "calibration": None,
        "min_lift": 0.1,
        "min_score": 0,
    }
    if shape != "genomicllm":
        spec = {**spec, "question": "Tell me about this gene."}
    path.write_text(yaml.safe_dump({**spec, **changes}), encoding="utf-8")
    return path
