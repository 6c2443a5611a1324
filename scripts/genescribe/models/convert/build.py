"""Making our tensors out of those of a checkpoint, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedConfig

from genescribe.errors import ConversionError, Remedy
from genescribe.models.convert.plan import Plan

PUBLISHED_RANK, PUBLISHED_ALPHA = 8, 16
"""LoRA's r and alpha in GeneChat's code, which does not save alpha with the weights."""


@dataclass(frozen=True)
class Builder:
    """Builds the tensors of a model, whose shapes ``expected`` gives, by a complete plan.

    ``config`` is the model's; ``lora_alpha`` None means the published one; ``dtype`` is the type
    of the result, None to keep that of each tensor.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    plan: Plan
    expected: Mapping[str, Tensor]
    config: PreTrainedConfig
    lora_alpha: float | None
    dtype: torch.dtype | None

    def check(self) -> None:
        """Raise ConversionError for the first tensor that cannot be built as it should be.

        A shape that does not fit is named with the shape that would; LoRA's alpha must be known.
        """
        for name, parts in self.plan.parts.items():
            wanted = tuple(self.expected[name].shape)
            self._check_shape(parts["weight"].name, wanted, f"{name} needs")
            if "lora_A" in parts:
                rank = len(self.tensors[parts["lora_A"].name])
                self._check_shape(parts["lora_A"].name, (rank, wanted[1]), f"{name} needs")
                self._check_shape(
                    parts["lora_B"].name, (wanted[0], rank), f"{name} and its lora_A need"
                )
                self._check_rank(rank)

    def _check_shape(self, source: str, wanted: tuple[int, ...], who: str) -> None:
        shape = tuple(self.tensors[source].shape)
        if shape != wanted:
            raise self._refused(
                f"{source} has shape {shape}, but {who} {wanted} by the configuration; give the "
                "folder of the config.json that belongs to it"
            )

    def _check_rank(self, rank: int) -> None:
        if self.lora_alpha is None and rank != PUBLISHED_RANK:
            raise self._refused(
                f"LoRA has rank {rank}, the published one {PUBLISHED_RANK}", Remedy.GIVE_LORA_ALPHA
            )

    def _refused(self, message: str, *remedies: Remedy) -> ConversionError:
        report = self.plan.report()
        return ConversionError(f"{self.path}: {message}", *remedies, report=report)

    def shapes(self) -> dict[str, Tensor]:
        """Return tensors on the meta device of the shapes and types that will be built."""
        return {name: tensor.to(self._dtype(name)) for name, tensor in self.expected.items()}

    def _dtype(self, name: str) -> torch.dtype:
        if name not in self.plan.parts:
            return self.dtype or self.expected[name].dtype
        own = self.tensors[self.plan.parts[name]["weight"].name].dtype
        return self.dtype if self.dtype is not None and own.is_floating_point else own

    def build(self, name: str) -> Tensor:
        """Return the tensor of that name: transformed, and with its low-rank update merged."""
        if name not in self.plan.parts:  # without elements, or the plan would not be complete
            return torch.empty(self.expected[name].shape, dtype=self._dtype(name))
        parts = self.plan.parts[name]
        tensor = self.tensors[parts["weight"].name]
        transform = parts["weight"].rule.transform
        if transform is not None:
            tensor = transform(tensor, self.config)
        if "lora_A" in parts:
            a, b = (self.tensors[parts[part].name].float() for part in ("lora_A", "lora_B"))
            alpha = PUBLISHED_ALPHA if self.lora_alpha is None else self.lora_alpha
            # W + alpha / r * B A (Hu et al. 2022, section 4.1), rounded once
            tensor = torch.addmm(tensor.float(), b, a, alpha=alpha / len(a))
        return tensor.to(self._dtype(name)).contiguous()
