"""Pooling and projectors: the resampler against its equations, ragged genes, wrong settings."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from genescribe.models.encoders.tokens import AttentionPooling, build_pooling
from genescribe.models.projector import Resampler, build_projector, project
from support.random_weights import randomise
from support.references import relative_error, resampler

TOLERANCE = 1e-5
SETTINGS = {"num_latents": 5, "num_layers": 3, "num_heads": 4, "head_size": 6}


def ragged(counts: list[int], size: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(sum(counts), size, generator=generator), torch.tensor(counts)


@pytest.mark.parametrize("counts", [[1], [313], [2, 40, 1, 17]], ids=str)
def test_resampler(counts: list[int]) -> None:
    model = build_projector("resampler", 24, 32, {**SETTINGS, "intermediate_size": 50})
    weights = randomise(model)
    vectors, sizes = ragged(counts, 24)
    with torch.inference_mode():
        projected, found_counts = project(model, vectors, sizes)
    assert projected.shape == (5 * len(counts), 32)
    assert found_counts.tolist() == [5] * len(counts)
    for found, gene in zip(projected.split(5), vectors.split(counts), strict=True):
        expected = resampler.resample(weights, gene.double().numpy(), 4)
        assert relative_error(found.double().numpy(), expected) < TOLERANCE


def test_a_gene_does_not_see_its_neighbours() -> None:
    model = build_projector("resampler", 24, 32, SETTINGS)
    randomise(model)
    vectors, counts = ragged([3, 30], 24)
    with torch.inference_mode():
        together, _ = project(model, vectors, counts)
        alone, _ = project(model, vectors[:3], counts[:1])
    torch.testing.assert_close(together[:5], alone, atol=1e-5, rtol=1e-5)


def test_untrained_resampler_is_finite_and_sized_as_asked() -> None:
    model = build_projector("resampler", 24, 32)
    assert isinstance(model, Resampler)
    assert model.latents.shape == (64, 24)
    assert len(model.layers) == 3
    vectors, counts = ragged([4], 24)
    assert torch.isfinite(project(model, vectors, counts)[0]).all()


@pytest.mark.parametrize(
    ("kind", "settings", "sizes"),
    [
        ("linear", {}, [(32, 24)]),
        ("mlp", {}, [(32, 24), (32, 32)]),
        ("mlp", {"hidden_sizes": [48, 40]}, [(48, 24), (40, 48), (32, 40)]),
    ],
)
def test_projectors_of_single_vectors(
    kind: str, settings: dict[str, object], sizes: list[tuple[int, int]]
) -> None:
    model = build_projector(kind, 24, 32, settings)
    weights = randomise(model)
    matrices = [name for name in weights if name.endswith("weight")]
    assert [weights[name].shape for name in matrices] == sizes
    vectors, counts = ragged([3, 1], 24)
    with torch.inference_mode():
        projected, found_counts = project(model, vectors, counts)
    assert torch.equal(found_counts, counts)
    x = vectors.double().numpy()
    for i, name in enumerate(matrices):
        x = x @ weights[name].T + weights[name.replace("weight", "bias")]
        if i < len(matrices) - 1:
            x = x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    assert relative_error(projected.double().numpy(), x) < TOLERANCE


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("conv", {}, "'conv' is unknown; choose one of identity, linear, mlp, resampler"),
        ("linear", {"bias": False}, "projector_settings bias: unknown .* linear; known: none"),
        ("resampler", {"latents": 3}, "latents: unknown .* resampler; known: head_size, inter"),
    ],
)
def test_unknown_projectors_and_settings(kind: str, settings, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_projector(kind, 24, 32, settings)


def chunks() -> tuple[Tensor, Tensor]:
    """Three chunks of 1, 4 and 3 kept tokens, in a batch whose other vectors are huge."""
    mask = torch.tensor([[1, 0, 0, 0, 0], [1, 1, 1, 1, 0], [0, 1, 1, 1, 0]])
    hidden = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(2))
    return torch.where(mask.bool()[..., None], hidden, torch.tensor(1e9)), mask


def kept_of(hidden: Tensor, mask: Tensor) -> list[np.ndarray]:
    return [
        np.stack([row.double().numpy() for row, keep in zip(*pair, strict=True) if keep])
        for pair in zip(hidden, mask, strict=True)
    ]


def pool(pooling: nn.Module, hidden: Tensor, mask: Tensor) -> tuple[np.ndarray, list[int]]:
    with torch.inference_mode():
        vectors, counts = pooling(hidden, mask)
    return vectors.double().numpy(), counts.tolist()


def test_no_pooling_keeps_the_tokens_in_order() -> None:
    vectors, counts = pool(build_pooling("none", 8), *chunks())
    assert counts == [1, 4, 3]
    assert np.array_equal(vectors, np.concatenate(kept_of(*chunks())))


def test_mean_pooling() -> None:
    vectors, counts = pool(build_pooling("chunk-mean", 8), *chunks())
    assert counts == [1, 1, 1]
    expected = np.stack([rows.sum(0) / len(rows) for rows in kept_of(*chunks())])
    assert relative_error(vectors, expected) < TOLERANCE


def test_attention_pooling() -> None:
    pooling = build_pooling("attention", 8)
    assert isinstance(pooling, AttentionPooling)
    query = randomise(pooling)["query"]
    vectors, counts = pool(pooling, *chunks())
    assert counts == [1, 1, 1]
    for found, rows in zip(vectors, kept_of(*chunks()), strict=True):
        weights = [math.exp(row @ query / math.sqrt(8)) for row in rows]
        expected = sum(w * row for w, row in zip(weights, rows, strict=True)) / sum(weights)
        assert relative_error(found, expected) < TOLERANCE


def test_unknown_pooling() -> None:
    with pytest.raises(ValueError, match="'max' is unknown; choose none, chunk-mean or attention"):
        build_pooling("max", 8)
