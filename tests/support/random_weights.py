"""Random values for every parameter of a model, the ones and zeros of its layer norms included."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


def randomise(module: nn.Module, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Fill all parameters, return them by name in float64, and set evaluation mode.

    Gains lie around 1, matrices are scaled so that signals neither fade nor grow.
    """
    generator = torch.Generator().manual_seed(seed)
    arrays = {}
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            values = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                values = 0.3 * values + (1.0 if name.endswith("weight") else 0.0)
            elif "embeddings" not in name and "latents" not in name:
                values = values / math.sqrt(parameter.shape[1])
            parameter.copy_(values)
            arrays[name] = parameter.double().numpy()
    module.eval()
    return arrays
