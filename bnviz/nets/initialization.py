"""Seeded random numbers: trial t draws the same linear weights in every arm of the same shape."""

import hashlib
import math
from collections.abc import Sequence
from copy import copy
from itertools import pairwise
from typing import Self

import numpy as np
import torch
from torch import Tensor

from bnviz.config.models import ArmConfig

WEIGHTS, BATCHES, DROPOUT, NOISE = 1, 2, 3, 4  # what a stream of random numbers is for; each has its own seed


def generator(seed: int, trial: int, *purpose: int) -> torch.Generator:
    """An independent stream of random numbers for one trial and purpose (and, where there are several, which of them)."""
    state = np.random.SeedSequence([seed, trial, *purpose]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed((int(state[0]) << 31) ^ int(state[1]))


def generators(seed: int, trials: int, purpose: int, trial_seeds: Sequence[int] = ()) -> list[torch.Generator]:
    """A stream for every trial; trials of equal `trial_seeds` draw the same numbers (empty: every trial its own)."""
    return [generator(seed, trial, purpose) for trial in trial_seeds or range(trials)]


class Streams:
    """Random numbers for all trials of a stack: trials of equal entries in `trial_seeds` draw the same.

    Args:
        seed: of the run.
        trial_seeds: which stream each trial draws from; every stream is drawn once, however many trials share it.
        purpose: WEIGHTS, DROPOUT or NOISE, and numbers that tell several of these apart.
    """

    def __init__(self, seed: int, trial_seeds: Sequence[int], *purpose: int) -> None:
        distinct = sorted(set(trial_seeds))
        self._streams = [generator(seed, trial, *purpose) for trial in distinct]
        own = len(distinct) == len(trial_seeds) and list(trial_seeds) == distinct
        self._places = None if own else torch.tensor([distinct.index(trial) for trial in trial_seeds])

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Standard normal float32 numbers, (trials, *shape)."""
        return self._spread([torch.randn(tuple(shape), generator=stream) for stream in self._streams])

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Numbers between 0 and 1, float32, (trials, *shape)."""
        return self._spread([torch.rand(tuple(shape), generator=stream) for stream in self._streams])

    def _spread(self, draws: list[Tensor]) -> Tensor:
        stacked = torch.stack(draws)
        return stacked if self._places is None else stacked[self._places]

    def first(self, trials: int) -> Self:
        """The streams of the first trials, sharing their state."""
        part = copy(self)
        count = len(self._streams)
        part._places = (torch.arange(count) if self._places is None else self._places)[:trials]
        return part

    def state(self) -> list[Tensor]:
        """Where every stream stands: a tensor of bytes each, shape (state,)."""
        return [stream.get_state() for stream in self._streams]

    def restore(self, state: Sequence[Tensor]) -> None:
        """Put the streams back to where `state`, of its shapes, saw them."""
        for stream, saved in zip(self._streams, state, strict=True):
            stream.set_state(saved)


def layer_sizes(arm: ArmConfig, inputs: int, classes: int) -> list[tuple[int, int]]:
    """(inputs, outputs) of every linear layer of a dense network, the read-out last."""
    sizes = [inputs, *[arm.width] * arm.depth, classes]
    return list(pairwise(sizes))


def unit_std(arm: ArmConfig, fan_in: int, fan_out: int) -> float:
    """Standard deviation of the initial weights of a linear layer at gain 1; for orthogonal ones, their root mean square.

    References:
        He et al. 2015, arXiv:1502.01852; Glorot & Bengio 2010.
    """
    return {
        "he": math.sqrt(2 / fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "normal": 1.0,
        "orthogonal": math.sqrt(1 / max(fan_in, fan_out)),
    }[arm.init]


def orthonormal(draw: Tensor) -> Tensor:
    """Orthonormal rows or columns, whichever are fewer, from standard normal numbers (trials, inputs, outputs).

    Uniformly distributed (Haar): the signs of the QR decomposition are made unique.

    References:
        Saxe et al. 2014, Exact solutions to the nonlinear dynamics of learning, arXiv:1312.6120.
    """
    wide = draw.shape[1] < draw.shape[2]
    q, r = torch.linalg.qr((draw.transpose(1, 2) if wide else draw).double())
    q = q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)
    return q.transpose(1, 2) if wide else q


def initial_weights(
    arm: ArmConfig, sizes: Sequence[tuple[int, int]], trial_seeds: Sequence[int], seed: int, dtype: torch.dtype
) -> list[Tensor]:
    """Random weights of every linear layer, each (trials, inputs, outputs): Gaussian, or orthogonal.

    The standard normal draws depend on the seed, the trial's entry in `trial_seeds` and the shapes alone, never on
    the arm's norm or activation: arms of one shape, init and gain start from the same bits.
    """
    streams = Streams(seed, trial_seeds, WEIGHTS)
    gains = torch.tensor(arm.per_trial.init_gain or (arm.init_gain,), dtype=dtype).view(-1, 1, 1)
    weights = []
    for size in sizes:
        draw = streams.normal(size)
        if arm.init == "orthogonal":
            weights.append((orthonormal(draw).to(dtype) * gains).contiguous())
        else:
            weights.append(draw.to(dtype) * (gains * unit_std(arm, *size)))
    return weights


def weights_hash(weights: Sequence[Tensor], trial: int) -> str:
    """12 hex digits of the bits of one trial's linear weights, each (trials, inputs, outputs)."""
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(weight[trial].detach().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
