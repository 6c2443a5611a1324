"""The model that training begins with: one that there is, parts of it, or all from scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from genescribe.corpus.records import PRODUCT_NAME, CorpusRecord
from genescribe.corpus.splits import SplitRow
from genescribe.errors import InputError
from genescribe.models.checkpoint import (
    assemble,
    load,
    load_processor,
    quiet_transformers,
)
from genescribe.models.modeling import SequenceChatModel
from genescribe.models.processing import SEQUENCE_TOKEN, PromptProcessor, SequenceChatProcessor
from genescribe.specs.places import spec_path
from genescribe.specs.spec import ModelSpec, make_spec, read_yaml
from genescribe.training.config import PARTS, TrainConfig
from genescribe.training.stored_genes import StoredGenes, store

LOW_PRECISION = {"bf16": torch.bfloat16, "fp16": torch.float16, "no": torch.float32}
WHOLE = ("weights", "prompt")
"""Parts of a spec that are given anew as a whole: their keys depend on each other."""

NOWHERE = "./new"
"""Stands in a spec for the weights of a part that has none yet."""

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"


@dataclass(frozen=True, slots=True)
class Start:
    """What training begins with; ``content`` is the new model's spec as YAML will have it."""

    spec: ModelSpec
    content: Mapping[str, Any]
    model: SequenceChatModel
    processor: SequenceChatProcessor
    stored: StoredGenes | None


def starting_spec(config: TrainConfig, path: Path) -> tuple[ModelSpec, dict[str, Any]]:
    """Return the spec that training begins from, and its content.

    ``path`` is the configuration's file, to which paths in its ``spec`` are relative. Calibration
    and its threshold do not hold for other weights, and are left out.
    """
    content: dict[str, Any] = {}
    where = path
    if config.base is not None:
        base = spec_path(config.base)
        content = {**read_yaml(base), "calibration": None, "min_score": 0}
        where = path if "weights" in config.spec else base
    content = _merged(content, config.spec)
    if config.new and "folder" not in content.get("weights", {}):
        given = content.get("weights", {})
        content["weights"] = {part: NOWHERE for part in PARTS if part in config.new} | given
    spec = make_spec(where, content)
    if spec.architecture != "sequence_chat":
        raise InputError(
            f"model {spec.name}: a {spec.architecture} has no encoder and projector to train; "
            "begin from a sequence_chat model"
        )
    if config.new and not spec.weights.parts:
        raise InputError(
            f"{path}: in new: the weights of model {spec.name} are one folder; name its parts one "
            "by one, or begin none anew"
        )
    return spec, content


def build(
    config: TrainConfig,
    path: Path,
    records: Sequence[CorpusRecord],
    splits: Mapping[str, SplitRow],
) -> Start:
    """Build the model that a configuration begins with; the same for the same arguments.

    Only ``records``, those of the training side, decide the vocabulary and the gene memory.
    """
    spec, content = starting_spec(config, path)
    torch.manual_seed(config.seed)
    learns_language = any("language_model" in stage.train for stage in config.stages)
    dtype = torch.float32 if learns_language else LOW_PRECISION[config.precision]
    model: Any
    processor: Any
    if not config.new:
        model, processor = load(spec, "cpu", dtype)
    else:
        tokenizer = None
        if config.vocabulary is not None:
            tokenizer = learn_tokenizer(records, spec, config.vocabulary)
            content["config"] = sized(content.get("config", {}), tokenizer)
            spec = make_spec(path, content)
        with quiet_transformers():
            model = assemble(spec, torch.device("cpu"), dtype, config.new)
        processor = load_processor(spec, model, tokenizer)
    stored = store(model.encoder, processor, records, splits, spec.question or PRODUCT_NAME)
    if stored is not None and "language_model" in config.new:
        opening = _last_prompt_token(processor, records)
        model.encoder.start_copying(model.language_model, opening)
    return Start(spec, content, model, processor, stored)


def _last_prompt_token(processor: SequenceChatProcessor, records: Sequence[CorpusRecord]) -> int:
    around = processor.segments(records[0].biotype, None, records[0].question)
    return int(processor.prompt_ids(*around, 1)[-1])


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec's content with changes, key by key within mappings but those of WHOLE."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        merged[key] = _merged(base[key], value) if both and key not in WHOLE else value
    return merged


def train_tokenizer(texts: Sequence[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Learn a byte-level BPE vocabulary; ids 0 to 3 are <pad>, <bos>, <eos>, <sequence>."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, BOS, EOS, SEQUENCE_TOKEN],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BOS, eos_token=EOS
    )


def learn_tokenizer(
    records: Sequence[CorpusRecord], spec: ModelSpec, vocabulary: int
) -> PreTrainedTokenizerFast:
    """Learn the vocabulary of the training answers and of the words around them in prompts."""
    bare = PromptProcessor(train_tokenizer([], 0), spec.prompt)
    asked = ((r.biotype, r.organism, r.question) for r in records)
    segments = {about: " ".join(bare.segments(*about)) for about in dict.fromkeys(asked)}
    texts = [record.answer for record in records]
    return train_tokenizer([*texts, *segments.values()], vocabulary)


def sized(config: Mapping[str, Any], tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Return a spec's ``config`` with what the learned vocabulary decides."""
    text = {
        **config.get("text_config", {}),
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    token = tokenizer.get_vocab()[SEQUENCE_TOKEN]
    return {**config, "text_config": text, "sequence_token_id": token}
