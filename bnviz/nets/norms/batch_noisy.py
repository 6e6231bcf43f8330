"""Batch norm with noise after it: its distributions jitter on purpose."""

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor
from typing_extensions import override

from bnviz.nets.initialization import NOISE, Streams
from bnviz.nets.norms.base import Mode
from bnviz.nets.norms.batch import BatchNorm
from bnviz.registry.norms import NormEntry

SHIFT, SCALE = (-0.5, 0.5), (1.0, 1.25)  # of a step and layer
SHIFT_SPREAD, SCALE_SPREAD = 0.1, 0.1  # of an element


@NormEntry(
    name="batch_noisy",
    label="noisy batch norm",
    color="#6A3D9A",
    dash="dot",
    symbol="triangle-up",
    formula="s a + m with the output a of batch norm; s and m change with every step and element",
    over_batch=True,
    keeps_statistics=True,
    in_compare=False,
    kept_tensors=6,
    place=6,
)
class NoisyBatchNorm(BatchNorm):
    """a <- s a + m after batch norm, where m and s change with every step and element.

    Per step, layer and trial mu ~ U(-0.5, 0.5) and sigma ~ U(1, 1.25); per element m ~ U(mu - 0.1, mu + 0.1) and
    s ~ N(sigma, 0.1). In train mode; probe mode draws what the next training step would, and leaves the streams where
    they stand. No noise in eval mode: it is then plain batch norm, so that the test measures the weights.

    References:
        Santurkar et al. 2018, How Does Batch Normalization Help Optimization?, arXiv:1805.11604, section 2.2.
    """

    streams: Streams

    @override
    def draw_from(self, seed: int, trial_seeds: Sequence[int], layer: int) -> None:
        self.streams = Streams(seed, trial_seeds, NOISE, layer)

    @override
    def random_streams(self) -> list[Streams]:
        return [self.streams]

    @override
    def first(self, trials: int) -> Self:
        part = super().first(trials)
        part.streams = self.streams.first(trials)
        return part

    @override
    def __call__(self, values: Tensor, affine: list[Tensor], mode: Mode) -> Tensor:
        normalized = super().__call__(values, affine, mode)
        if mode == "eval":
            return normalized
        before = self.streams.state() if mode == "probe" else None
        scale, shift = self.noise(normalized)
        if before is not None:
            self.streams.restore(before)
        return torch.addcmul(shift, normalized, scale)

    def noise(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """(s, m), each of the shape of `like`; takes the streams one step on. Copies of the trials share their noise."""
        common = self.streams.uniform((2, *[1] * (like.ndim - 1)))
        mu = SHIFT[0] + (SHIFT[1] - SHIFT[0]) * common[:, 0]
        sigma = SCALE[0] + (SCALE[1] - SCALE[0]) * common[:, 1]
        shift = mu + SHIFT_SPREAD * (2 * self.streams.uniform(like.shape[1:]) - 1)
        scale = sigma + SCALE_SPREAD * self.streams.normal(like.shape[1:])
        copies = (len(like) // len(shift), *[1] * (like.ndim - 1))
        return scale.repeat(copies).to(like.dtype), shift.repeat(copies).to(like.dtype)
