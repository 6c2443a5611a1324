"""The encoders against forwards written from the papers' equations, on random weights."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModel, EsmConfig, PreTrainedModel

from genescribe.models.configuration import SequenceChatConfig
from genescribe.models.encoders import build_encoder
from genescribe.models.encoders.dnabert2 import Dnabert2Config, Layer, alibi_slopes
from genescribe.models.encoders.nucleotide_transformer import NucleotideTransformerConfig
from genescribe.models.encoders.tokens import TokenReader, max_tokens
from support.random_weights import randomise
from support.references import dnabert2, esm, relative_error

TOLERANCE = 1e-5
"""Of the largest absolute difference over the largest absolute value, in float32."""

RNA_FM = {
    "vocab_size": 25, "pad_token_id": 1, "mask_token_id": 24, "max_position_embeddings": 1026,
    "position_embedding_type": "absolute", "emb_layer_norm_before": True, "layer_norm_eps": 1e-5,
    "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}  # fmt: skip
NT_V2 = {
    "vocab_size": 4107, "pad_token_id": 1, "mask_token_id": 2, "max_position_embeddings": 2050,
    "position_embedding_type": "rotary", "emb_layer_norm_before": False, "layer_norm_eps": 1e-12,
    "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}  # fmt: skip
SMALL = {"hidden_size": 48, "num_hidden_layers": 2, "intermediate_size": 72}


def rna_fm_config(**sizes: int) -> EsmConfig:
    return EsmConfig(**RNA_FM, **sizes)


def small_dnabert2(num_heads: int, **changes: int) -> PreTrainedModel:
    return build_encoder(Dnabert2Config(num_attention_heads=num_heads, **{**SMALL, **changes}))


def small_nucleotide_transformer() -> PreTrainedModel:
    config = NucleotideTransformerConfig(num_attention_heads=6, **NT_V2, **SMALL)
    return build_encoder(config)


def random_ids(lengths: list[int], vocabulary: int, seed: int = 0) -> list[list[int]]:
    rng = random.Random(seed)
    return [rng.choices(range(4, vocabulary), k=length) for length in lengths]


def encode(model: PreTrainedModel, chunks: list[list[int]]) -> list[np.ndarray]:
    """Encode chunks in one padded batch; the vectors of each, padding cut off."""
    padded = pad_sequence(
        [torch.tensor(ids) for ids in chunks], batch_first=True,
        padding_value=model.config.pad_token_id,
    )  # fmt: skip
    lengths = torch.tensor([len(ids) for ids in chunks])
    mask = (torch.arange(padded.shape[1]) < lengths[:, None]).long()
    with torch.inference_mode():
        hidden = model(padded, mask).last_hidden_state
    assert hidden.shape == (*padded.shape, model.config.hidden_size)
    return [row[: len(ids)].double().numpy() for row, ids in zip(hidden, chunks, strict=True)]


@pytest.mark.parametrize("num_heads", [12, 8])
@pytest.mark.parametrize("lengths", [[1], [2, 1], [120, 7, 1, 64], [513, 300], [2100]], ids=str)
def test_dnabert2(num_heads: int, lengths: list[int]) -> None:
    model = small_dnabert2(num_heads)
    weights = randomise(model)
    chunks = random_ids(lengths, 4096)
    for found, ids in zip(encode(model, chunks), chunks, strict=True):
        expected = dnabert2.encode(weights, ids, num_heads)
        assert relative_error(found, expected) < TOLERANCE


@pytest.mark.parametrize("num_heads", [12, 8])
def test_dnabert2_block_of_full_width(num_heads: int) -> None:
    model = build_encoder(
        Dnabert2Config(vocab_size=8, num_hidden_layers=1, num_attention_heads=num_heads)
    )
    weights = randomise(model)
    layer = model.encoder.layer[0]
    assert isinstance(layer, Layer)
    hidden = torch.randn(1, 100, 768, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        found = layer(hidden, model.encoder.bias(hidden, None))[0]
    expected = dnabert2.block(weights, "encoder.layer.0.", hidden[0].double().numpy(), num_heads)
    assert relative_error(found.double().numpy(), expected) < TOLERANCE


def test_dnabert2_of_published_depth() -> None:
    model = small_dnabert2(12, num_hidden_layers=12)
    weights = randomise(model)
    chunks = random_ids([110, 90, 3], 4096)
    for found, ids in zip(encode(model, chunks), chunks, strict=True):
        assert relative_error(found, dnabert2.encode(weights, ids, 12)) < TOLERANCE


@pytest.mark.parametrize("num_heads", range(1, 34))
def test_alibi_slopes(num_heads: int) -> None:
    assert alibi_slopes(num_heads) == pytest.approx(dnabert2.slopes(num_heads), rel=1e-12)


def test_alibi_slopes_of_twelve_heads() -> None:
    assert alibi_slopes(12) == pytest.approx(
        [2.0**-i for i in range(1, 9)] + [2.0**-0.5, 2.0**-1.5, 2.0**-2.5, 2.0**-3.5]
    )


def test_dnabert2_without_mask_is_the_same() -> None:
    model = small_dnabert2(12)
    randomise(model)
    ids = torch.tensor(random_ids([40, 40], 4096))
    with torch.inference_mode():
        torch.testing.assert_close(
            model(ids).last_hidden_state, model(ids, torch.ones_like(ids)).last_hidden_state
        )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_dnabert2_in_half_precision(dtype: torch.dtype) -> None:
    model = small_dnabert2(12)
    randomise(model)
    chunks = random_ids([300, 5], 4096)
    exact = encode(model, chunks)
    for found, expected in zip(encode(model.to(dtype), chunks), exact, strict=True):
        assert relative_error(found, expected) < 0.05


def test_rna_fm() -> None:
    model = build_encoder(rna_fm_config(**{**SMALL, "hidden_size": 60}, num_attention_heads=20))
    weights = randomise(model)
    chunks = random_ids([1024, 1, 76, 300], 20)
    for found, ids in zip(encode(model, chunks), chunks, strict=True):
        assert relative_error(found, esm.rna_fm(weights, ids, 20)) < TOLERANCE


def test_nucleotide_transformer_v1() -> None:
    changes = {
        "vocab_size": 4105, "mask_token_id": 2, "max_position_embeddings": 1002,
        "emb_layer_norm_before": False, "token_dropout": True, "layer_norm_eps": 1e-12,
    }  # fmt: skip
    model = build_encoder(EsmConfig(**{**RNA_FM, **changes, **SMALL}, num_attention_heads=6))
    assert max_tokens(model.config) == 1000
    weights = randomise(model)
    chunks = random_ids([1000, 1, 90], 4105)
    for found, ids in zip(encode(model, chunks), chunks, strict=True):
        expected = esm.nucleotide_transformer_v1(weights, ids, 6)
        assert relative_error(found, expected) < TOLERANCE


def test_nucleotide_transformer_v2() -> None:
    model = small_nucleotide_transformer()
    weights = randomise(model)
    biases = {"encoder.layer.0.intermediate.dense.bias", "encoder.layer.0.output.dense.bias"}
    assert biases.isdisjoint(weights)
    chunks = random_ids([200, 1, 33], 4107)
    for found, ids in zip(encode(model, chunks), chunks, strict=True):
        assert relative_error(found, esm.nucleotide_transformer(weights, ids, 6)) < TOLERANCE


def test_heads_are_no_part_of_the_encoder() -> None:
    model = build_encoder(rna_fm_config(**SMALL, num_attention_heads=4))
    names = set(model.state_dict()) | set(small_nucleotide_transformer().state_dict())
    assert not [name for name in names if name.startswith(("pooler", "contact_head", "lm_head"))]


@pytest.mark.parametrize(
    ("config", "encoder", "published"),
    [
        (Dnabert2Config(), 116_477_952, 117.07),
        (
            rna_fm_config(
                hidden_size=640, num_hidden_layers=12, num_attention_heads=20,
                intermediate_size=5120,
            ),
            99_109_760,
            99.52,
        ),
    ],
    ids=["DNABERT-2", "RNA-FM"],
)  # fmt: skip
def test_parameters_are_those_published(config, encoder: int, published: float) -> None:
    """The published counts are those of the pretrained networks, with their masked-LM head."""
    with torch.device("meta"):
        model = build_encoder(config)
    assert model.num_parameters() == encoder
    chat = SequenceChatConfig(
        encoder_config=config, pooling="none", sequence_tokenizer="nucleotide"
    )
    total = encoder + TokenReader(chat).head_parameters
    assert round(total / 1e6, 2) == published


def test_positions() -> None:
    sizes = {**SMALL, "num_attention_heads": 4}
    assert max_tokens(rna_fm_config(**sizes)) == 1024
    assert max_tokens(NucleotideTransformerConfig(**NT_V2, **sizes)) is None
    assert max_tokens(Dnabert2Config()) is None


@pytest.mark.parametrize("make", [lambda: small_dnabert2(12), small_nucleotide_transformer])
def test_saved_and_loaded(make, tmp_path: Path) -> None:
    """What is no parameter (slopes, rotary frequencies) must survive loading on the meta device."""
    model = make()
    randomise(model)
    model.save_pretrained(tmp_path)
    loaded, info = AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert (tmp_path / "model.safetensors").is_file()
    assert not [names for names in info.values() if names]
    assert type(loaded) is type(model)
    chunks = random_ids([30, 12], 4096)
    for found, expected in zip(encode(loaded, chunks), encode(model, chunks), strict=True):
        assert np.array_equal(found, expected)
