"""How many ReLU nets are dead at birth: random nets of one input, layer by layer, against 1 - (1 - 2^-N)^L."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ROUNDS = 20  # groups of nets: a frame each, and what the uncertainty is worked out from


def probe(
    widths: Sequence[int], depth: int, nets: int = 4000, seed: int = 0, norm: str = "none", samples: int = 1
) -> Iterator[tuple[float, dict[str, NDArray[np.float64]]]]:
    """Draw nets without bias and count, after every layer, those that output 0 for every sample.

    The input is one feature; its samples are positive, so all lie on one ray, which is what the closed form is for:
    a layer then passes nothing exactly when every unit's weighted sum is negative, whatever the sample.

    Args:
        widths: N, units of every hidden layer, one family of nets each.
        depth: L, hidden layers.
        nets: drawn of each width; at least one per round.
        seed: of the weights.
        norm: "none", or "batch": every layer's sums by their mean and variance over the samples, before the ReLU.
        samples: inputs of a net; at least 2 with "batch".

    Yields:
        Share done, and `dead_share`, shape (widths, depth, ROUNDS): share of each round's nets that are dead after so
        many layers; NaN for rounds to come.

    Raises:
        ValueError: another norm, or one sample with "batch".

    References:
        Lu et al. 2019, Dying ReLU and Initialization, arXiv:1903.06733, theorem 3.3.
    """
    if norm not in ("none", "batch") or (norm == "batch" and samples < 2):
        raise ValueError(f"norm, samples: received {norm}, {samples}, allowed: none, or batch with 2 samples or more")
    stream = torch.Generator().manual_seed(seed)
    dead = np.full((len(widths), depth, ROUNDS), np.nan)
    for index in range(ROUNDS):
        for row, width in enumerate(widths):
            dead[row, :, index] = _dead_shares(width, depth, max(nets // ROUNDS, 1), norm, samples, stream)
        yield (index + 1) / ROUNDS, {"dead_share": dead.copy()}


def _dead_shares(width: int, depth: int, nets: int, norm: str, samples: int, stream: torch.Generator) -> list[float]:
    """Share of `nets` that output nothing, after each layer."""
    values = torch.linspace(0.5, 1.5, samples).view(1, samples, 1).expand(nets, samples, 1)
    shares = []
    for _ in range(depth):
        sums = torch.bmm(values, torch.randn(nets, values.shape[2], width, generator=stream))
        values = _scaled((_normalized(sums) if norm == "batch" else sums).clamp(min=0))
        shares.append(float((values == 0).all(dim=2).all(dim=1).double().mean()))
    return shares


def _normalized(sums: Tensor) -> Tensor:
    """Batch norm over the samples; a unit that is 0 for all of them stays 0."""
    variance, mean = torch.var_mean(sums, dim=1, keepdim=True, correction=0)
    return (sums - mean) / torch.sqrt(variance + 1e-12)


def _scaled(values: Tensor) -> Tensor:
    """Each net's values divided by their largest: only signs matter, and depth neither over- nor underflows."""
    return values / values.amax(dim=(1, 2), keepdim=True).clamp(min=1e-30)
