"""Seeded initial weights: trial t draws the same linear weights in every arm of the same shape."""

import hashlib
import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from bnviz.config import ArmConfig

WEIGHTS, BATCHES, DROPOUT = 1, 2, 3  # what a stream of random numbers is for; each has its own seed


def generator(seed: int, trial: int, purpose: int) -> torch.Generator:
    """An independent stream of random numbers for one trial and purpose."""
    state = np.random.SeedSequence([seed, trial, purpose]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed((int(state[0]) << 31) ^ int(state[1]))


def generators(seed: int, trials: int, purpose: int, trial_seeds: Sequence[int] = ()) -> list[torch.Generator]:
    """A stream for every trial; trials of equal `trial_seeds` draw the same numbers (empty: every trial its own)."""
    return [generator(seed, trial, purpose) for trial in trial_seeds or range(trials)]


def layer_sizes(arm: ArmConfig, inputs: int, classes: int) -> list[tuple[int, int]]:
    """(inputs, outputs) of every linear layer, the read-out last."""
    sizes = [inputs, *[arm.width] * arm.depth, classes]
    return list(pairwise(sizes))


def unit_std(arm: ArmConfig, fan_in: int, fan_out: int) -> float:
    """Standard deviation of the initial weights of a linear layer at gain 1.

    References:
        He et al. 2015, arXiv:1502.01852; Glorot & Bengio 2010.
    """
    return {"he": math.sqrt(2 / fan_in), "xavier": math.sqrt(2 / (fan_in + fan_out)), "normal": 1.0}[arm.init]


def initial_weights(
    arm: ArmConfig,
    sizes: Sequence[tuple[int, int]],
    trials: int,
    seed: int,
    dtype: torch.dtype,
    trial_seeds: Sequence[int] = (),
) -> list[Tensor]:
    """Gaussian weights of every linear layer, each (trials, inputs, outputs).

    The standard normal draws depend on the seed, the trial (or its entry in `trial_seeds`) and the shapes alone, never
    on the arm's norm or activation: arms of one shape, init and gain start from the same bits.
    """
    streams = generators(seed, trials, WEIGHTS, trial_seeds)
    draws = [torch.stack([torch.randn(size, generator=stream) for stream in streams]) for size in sizes]
    gains = torch.tensor(arm.per_trial.init_gain or (arm.init_gain,), dtype=dtype).view(-1, 1, 1)
    return [draw.to(dtype) * (gains * unit_std(arm, *size)) for draw, size in zip(draws, sizes, strict=True)]


def weights_hash(weights: Sequence[Tensor], trial: int) -> str:
    """12 hex digits of the bits of one trial's linear weights."""
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(weight[trial].detach().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
