"""The text tokenizer of a converted model, in the one format that loading it knows.

SentencePiece models become a ``tokenizer.json`` that gives the same ids: checked each time.
"""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    processors,
)
from transformers import PreTrainedTokenizerFast
from transformers.tokenization_utils_base import generate_merges

from genescribe.errors import CheckpointError, InputError

SPACE = "\u2581"  # how SentencePiece writes a space
UNIGRAM, BPE = 1, 2  # TrainerSpec.ModelType
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # ModelProto.SentencePiece.Type


def load_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    """Return the tokenizer of a folder (tokenizer.json or a SentencePiece .model) or .model file.

    It always has a padding token; where the published one has none, the unknown token serves, or
    else the end of text: padding is masked and never seen by the model.
    Raises InputError if there is none, CheckpointError if it cannot be converted exactly.
    """
    tokenizer: PreTrainedTokenizerFast
    if path.is_dir() and (path / "tokenizer.json").is_file():
        tokenizer = PreTrainedTokenizerFast.from_pretrained(str(path), local_files_only=True)
    else:
        tokenizer = _from_sentencepiece(_model_file(path))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.unk_token or tokenizer.eos_token
    return tokenizer


def _model_file(path: Path) -> Path:
    files = sorted(path.glob("*.model")) if path.is_dir() else [path] if path.is_file() else []
    if len(files) != 1:
        what = f"{len(files)} SentencePiece models (.model)" if files else "no tokenizer"
        raise InputError(f"{path}: {what}; give the tokenizer's folder or .model file")
    return files[0]


def _from_sentencepiece(path: Path) -> PreTrainedTokenizerFast:
    proto: Any = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]  # generated
    try:
        proto.ParseFromString(path.read_bytes())
        original = SentencePieceProcessor(model_file=str(path))
    except Exception as error:
        raise CheckpointError(f"{path}: not a SentencePiece model; fetch it again") from error
    tokenizer = convert_sentencepiece(proto)
    spec, beside = proto.trainer_spec, path.parent / "tokenizer_config.json"
    config = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
    special = {
        f"{name}_token": proto.pieces[number].piece
        for name, number in (
            ("unk", spec.unk_id), ("bos", spec.bos_id), ("eos", spec.eos_id), ("pad", spec.pad_id)
        )
        if number >= 0
    }  # fmt: skip
    if config.get("add_bos_token") and "bos_token" in special:
        bos = special["bos_token"]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, spec.bos_id)]
        )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **special
    )
    _check_same(path, fast, original)
    return fast


def convert_sentencepiece(proto: Any) -> Tokenizer:
    """Return a SentencePiece model (BPE or unigram) as a tokenizer with the same ids.

    Normalisation and the handling of spaces follow the model's own normalizer_spec.
    """
    spec, rules = proto.trainer_spec, proto.normalizer_spec
    pieces = list(proto.pieces)
    if spec.model_type == UNIGRAM:
        scored = [(piece.piece, piece.score) for piece in pieces]
        model: Any = models.Unigram(scored, unk_id=spec.unk_id, byte_fallback=spec.byte_fallback)
    elif spec.model_type == BPE and not spec.treat_whitespace_as_suffix:
        vocabulary = {piece.piece: number for number, piece in enumerate(pieces)}
        model = models.BPE(
            vocabulary,
            # ranks are ids: SentencePiece numbers its pieces in the order they were merged
            generate_merges(vocabulary, skip_tokens={p.piece for p in pieces if p.type != NORMAL}),
            unk_token=pieces[spec.unk_id].piece,
            fuse_unk=True,
            byte_fallback=spec.byte_fallback,
        )
    else:
        raise CheckpointError("SentencePiece model is neither BPE nor unigram; it is unsupported")
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = _normalizer(rules)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace(SPACE, " "),
            *([decoders.ByteFallback()] if spec.byte_fallback else []),
            decoders.Fuse(),
            *([decoders.Strip(" ", 1, 0)] if rules.add_dummy_prefix else []),
        ]
    )
    tokenizer.add_tokens(
        [
            AddedToken(piece.piece, normalized=False, special=piece.type == CONTROL)
            for piece in pieces
            if piece.type in (CONTROL, USER_DEFINED)
        ]
    )
    return tokenizer


def _normalizer(rules: Any) -> Any:
    steps: list[Any] = []
    if rules.precompiled_charsmap:
        steps.append(normalizers.Precompiled(rules.precompiled_charsmap))
    if rules.remove_extra_whitespaces:
        steps += [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    if rules.escape_whitespaces:
        steps.append(normalizers.Replace(" ", SPACE))
    if rules.add_dummy_prefix:
        steps.append(normalizers.Prepend(SPACE))
    return normalizers.Sequence(steps)


def _check_same(
    path: Path, tokenizer: PreTrainedTokenizerFast, original: SentencePieceProcessor
) -> None:
    """Raise CheckpointError unless both give the same ids for a sample of text and nucleotides."""
    rng = random.Random(0)
    words = string.ascii_letters + string.digits + string.punctuation.replace("<", "") + " " * 20
    for letters in ("ACGT", "ACGUN", words):
        for length in (1, 10, 100, 1000):
            text = "".join(rng.choices(letters, k=length))
            if tokenizer.encode(text, add_special_tokens=False) != original.encode(text):
                raise CheckpointError(
                    f"{path}: this SentencePiece model cannot be converted with the same ids (its "
                    f"normalisation is unusual); they differ for {text[:30]!r}"
                )
