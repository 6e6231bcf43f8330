"""Batch norm is PyTorch's, but for a batch of one value per unit, which PyTorch refuses."""

import torch
from torch import nn

from bnviz.config.models import ArmConfig
from bnviz.nets.norms.batch import BatchNorm


def REFERENCE(arm: ArmConfig, width: int, positions: int) -> nn.Module:
    return nn.BatchNorm1d(width, eps=arm.norm_eps, momentum=arm.norm_momentum)


def test_a_batch_of_one_sample_gives_beta():
    norm = BatchNorm(ArmConfig(norm="batch"), trials=2, width=4, dtype=torch.float64)
    gamma, beta = torch.full((2, 1, 4), 1.5, dtype=torch.float64), torch.arange(8, dtype=torch.float64).view(2, 1, 4)
    values = torch.randn(2, 1, 4, dtype=torch.float64) * 100
    torch.testing.assert_close(norm(values, [gamma, beta], "train"), beta)
    torch.testing.assert_close(norm.running_mean, 0.1 * values[:, 0])
    assert bool((norm.running_var == 1).all())


def test_one_image_has_the_statistics_of_its_positions():
    norm = BatchNorm(ArmConfig(norm="batch"), trials=2, width=4, dtype=torch.float64, positions=25)
    gamma, beta = torch.ones(2, 1, 4, dtype=torch.float64), torch.zeros(2, 1, 4, dtype=torch.float64)
    out = norm(torch.randn(2, 1, 4, 25, dtype=torch.float64), [gamma, beta], "train")[:, 0]
    torch.testing.assert_close(out.mean(2), beta[:, 0])
    torch.testing.assert_close(out.var(2, correction=0), gamma[:, 0], rtol=1e-3, atol=1e-3)
    assert not bool((norm.running_var == 1).any())
