"""Noisy batch norm is batch norm with noise after it in training: what the noise is, and that nothing else is moved by it."""

import pytest
import torch
from torch import Tensor, nn

from bnviz.config.models import ArmConfig
from bnviz.nets.norms.batch import BatchNorm
from bnviz.nets.norms.batch_noisy import NoisyBatchNorm

TRIALS, BATCH, WIDTH = 2, 9, 5
EXCEPT = {
    "test_outputs_and_gradients_equal_those_of_the_reference": "noise is added in training; "
    "below it is compared with batch norm and the same noise",
    "test_permuting_the_batch_permutes_the_outputs": "every sample has noise of its own",
}


def REFERENCE(arm: ArmConfig, width: int, positions: int) -> nn.Module:
    return nn.BatchNorm1d(width, eps=arm.norm_eps, momentum=arm.norm_momentum)


def made(kind: type[BatchNorm] = NoisyBatchNorm, positions: int = 1) -> BatchNorm:
    norm = kind(ArmConfig(norm="batch_noisy"), TRIALS, WIDTH, torch.float64, positions)
    norm.draw_from(5, range(TRIALS), 0)
    return norm


def noise_of(norm: BatchNorm, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    assert isinstance(norm, NoisyBatchNorm)
    return norm.noise(torch.empty(shape, dtype=torch.float64))


def affine() -> list[Tensor]:
    return [torch.full((TRIALS, 1, WIDTH), value, dtype=torch.float64) for value in (1.5, -0.25)]


@pytest.fixture(params=[1, 4], ids=["dense", "conv"])
def values(request) -> Tensor:
    shape = (TRIALS, BATCH, WIDTH, request.param) if request.param > 1 else (TRIALS, BATCH, WIDTH)
    stream = torch.Generator().manual_seed(2)
    return (3 * torch.randn(shape, generator=stream, dtype=torch.float64) + 1).requires_grad_()


def test_noise_is_added_after_batch_norm(values):
    positions = values.shape[3] if values.ndim == 4 else 1
    noisy, twin, plain = made(positions=positions), made(positions=positions), made(BatchNorm, positions)
    scale, shift = noise_of(twin, tuple(values.shape))
    ours, theirs = noisy(values, affine(), "train"), scale * plain(values, affine(), "train") + shift
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    for mine, expected in zip(*(torch.autograd.grad(out.pow(2).sum(), values) for out in (ours, theirs)), strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-11, atol=1e-11)
    assert float((noisy(values, affine(), "train") - noisy(values, affine(), "train")).abs().max().detach()) > 0.01


def test_the_noise_has_the_moments_of_its_definition():
    """Over 400 steps: mu ~ U(-0.5, 0.5) and sigma ~ U(1, 1.25) a step, U(-0.1, 0.1) and N(0, 0.1) an element."""
    norm = made()
    draws = [noise_of(norm, (TRIALS, 100, 30)) for _ in range(400)]
    scale, shift = (torch.stack(part).flatten(2) for part in zip(*draws, strict=True))  # (steps, trials, elements)
    for part, low, high, spread in ((shift, -0.5, 0.5, 0.1 / 3**0.5), (scale, 1.0, 1.25, 0.1)):
        common, width = part.mean(2), high - low
        assert float((part - common.unsqueeze(2)).std()) == pytest.approx(spread, rel=0.01)
        standard_error = width / 12**0.5 / common.numel() ** 0.5
        assert float(common.mean()) == pytest.approx((low + high) / 2, abs=4 * standard_error)
        assert float(common.std()) == pytest.approx(width / 12**0.5, rel=0.05)
        assert low - 0.01 < float(common.min()) < float(common.max()) < high + 0.01
    assert float((shift - shift.mean(2, keepdim=True)).abs().max()) < 0.1 + 0.005


def test_trials_of_equal_seeds_draw_equal_noise():
    norm = made()
    norm.draw_from(5, (3, 3), 0)
    scale, shift = noise_of(norm, (TRIALS, BATCH, WIDTH))
    assert torch.equal(scale[0], scale[1])
    assert torch.equal(shift[0], shift[1])
