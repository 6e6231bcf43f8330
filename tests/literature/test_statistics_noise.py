"""Closed forms of what chance does, against live probes: batch noise, dropout, running statistics, nets born dead.

Small seeded cases here, full size marked slow; 3 %, or 0.01 for a probability, is what is asked of them.
"""

import numpy as np
import pytest
import torch

from bnviz.closed_forms.batch_noise import (
    EXCESS_KURTOSIS,
    batch_mean_variance,
    batch_std_variance,
    gaussian_batch_std_variance,
    running_noise_variance,
    running_start_error,
)
from bnviz.closed_forms.born_dead import born_dead_probability
from bnviz.closed_forms.dropout import dropout_variance_shift
from bnviz.closed_forms.saturation import mean_tanh_slope
from bnviz.config.models import ArmConfig
from bnviz.nets import DenseStack
from bnviz.nets.norms.batch import BatchNorm
from bnviz.probes import batch_noise, born_dead, dropout_shift, running_start

WITHIN = 0.03


def _last(values):
    *_, (share, last) = values
    assert share == 1
    return last


def _noise(distribution: str, size: int, batches: int, std: float = 1.0) -> tuple[float, float]:
    values = _last(batch_noise.probe(distribution, [size], std, batches, trials=4))
    return values["mean_variance"].mean(), values["std_variance"].mean()


@pytest.mark.parametrize("distribution", sorted(batch_noise.DRAWS))
def test_the_distributions_have_mean_0_variance_1_and_the_kurtosis_that_theory_says(distribution):
    x = batch_noise.DRAWS[distribution](np.random.default_rng(0), (4, 500, 500)).ravel()
    assert abs(x.mean()) < 5 / np.sqrt(x.size)
    kurtosis = (x**4).mean() - 3
    error = (x**4).std() / np.sqrt(x.size)
    assert x.var() == pytest.approx(1, rel=0.01)
    assert abs(kurtosis - EXCESS_KURTOSIS[distribution]) < 5 * error + 0.01


@pytest.mark.parametrize(("distribution", "size"), [("normal", 2), ("normal", 16), ("exponential", 4), ("two_values", 8)])
def test_variance_of_the_batch_mean(distribution, size):
    mean_variance, _ = _noise(distribution, size, 40_000, std=3.0)
    assert mean_variance == pytest.approx(batch_mean_variance(9.0, size), rel=WITHIN)


@pytest.mark.parametrize("size", [2, 3, 8, 32])
def test_variance_of_the_batch_std_of_normal_samples(size):
    _, std_variance = _noise("normal", size, 40_000, std=2.0)
    assert std_variance == pytest.approx(gaussian_batch_std_variance(4.0, size), rel=WITHIN)


@pytest.mark.slow
@pytest.mark.parametrize(("distribution", "size"), [("normal", 64), ("uniform", 64), ("rectified", 256), ("laplace", 400)])
def test_variance_of_the_batch_std_to_first_order(distribution, size):
    """Batches are large enough for what the first order leaves out, a few times 1/size, to be small beside 3 %."""
    _, std_variance = _noise(distribution, size, 32_000)
    expected = batch_std_variance(1.0, size, EXCESS_KURTOSIS[distribution])
    assert std_variance == pytest.approx(expected, rel=WITHIN)


def test_the_first_order_is_the_exact_form_for_large_batches():
    for size, tolerance in ((8, 0.05), (100, 0.005), (10_000, 5e-5)):
        assert gaussian_batch_std_variance(1.0, size) == pytest.approx(batch_std_variance(1.0, size), rel=tolerance)
    assert gaussian_batch_std_variance(1.0, 2) == pytest.approx((1 - 2 / np.pi) / 2, rel=1e-12)  # half a |difference|
    with pytest.raises(ValueError, match="batch_size: received 1, allowed: 2"):
        gaussian_batch_std_variance(1.0, 1)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1.0, 1.0), (-2.0, 0.5)])
def test_dropout_changes_the_variance_as_li_says(mean, std):
    keeps = [0.5, 0.8, 0.95]
    ratio = _last(dropout_shift.probe(keeps, mean, std, samples=30_000, trials=4))["ratio"].mean(axis=1)
    for keep, measured in zip(keeps, ratio, strict=True):
        assert measured == pytest.approx(dropout_variance_shift(keep, std**2, mean), rel=WITHIN)
    if mean == 0:
        assert ratio == pytest.approx(keeps, rel=WITHIN)  # the factor p


@pytest.mark.parametrize("keep", [0.5, 0.8])
def test_dropout_before_a_norm_shifts_the_variance_of_a_networks_own_pre_norm(keep):
    """The net's own dropout in front of its own norm: running variance (training) against what it meets when tested."""
    arm = ArmConfig(norm="batch", depth=1, width=64, dropout=1 - keep, dropout_placement="before_norm", norm_momentum=0.02)
    net = DenseStack(arm, inputs=20, classes=2, trials=3, seed=0)
    stream = torch.Generator().manual_seed(0)
    for _ in range(300):
        net.forward(torch.randn(3, 64, 20, generator=stream), "train")
    weights = net.linear_weights[0].detach()
    tested = (weights**2).sum(1)  # variance of each unit's sum of independent N(0, 1) inputs, bias 0
    ratio = float((tested / net.norms[0].statistics()[1]).mean())
    assert ratio == pytest.approx(dropout_variance_shift(keep), rel=WITHIN)


MOMENTA = (0.5, 0.1, 0.01)


def test_running_statistics_forget_their_start_as_foretold():
    values = _last(running_start.probe(MOMENTA, updates=60, batch_size=64, units=512, trials=4, mean=6.0, std=2.0))
    for row, momentum in enumerate(MOMENTA):
        for updates in (0, 1, 5, 20, 60):
            expected = running_start_error(momentum, updates)
            for name in ("mean_error", "var_error"):
                measured = values[name][row, updates].mean()
                assert measured == pytest.approx(expected, rel=WITHIN, abs=0.005), (name, momentum, updates)


@pytest.mark.parametrize("momentum", [0.5, 0.1])
def test_noise_of_the_running_mean(momentum):
    values = _last(running_start.probe([momentum], updates=30, batch_size=8, units=8000, trials=2))
    for updates in (1, 4, 30):
        expected = running_noise_variance(momentum, updates, 1.0)
        assert values["mean_noise"][0, updates].mean() == pytest.approx(expected, rel=WITHIN)


def test_running_start_against_the_recursion_by_hand():
    """The layer itself, not the probe: one unit, one batch again and again."""
    layer = BatchNorm(ArmConfig(norm="batch", norm_momentum=0.2), 1, 1, torch.float64)
    batch = torch.tensor([[[1.0], [3.0], [8.0]]], dtype=torch.float64)
    one, mean, var = torch.ones(1, 1, 1, dtype=torch.float64), 0.0, 1.0
    for _ in range(9):
        layer(batch, [one, one], "train")
        mean, var = 0.8 * mean + 0.2 * 4.0, 0.8 * var + 0.2 * 13.0  # unbiased variance of 1, 3, 8
    assert float(layer.running_mean) == pytest.approx(mean, rel=1e-12)
    assert float(layer.running_var) == pytest.approx(var, rel=1e-12)
    assert (mean - 4) / (0 - 4) == pytest.approx(running_start_error(0.2, 9), rel=1e-12)


def _assert_born_dead(widths: list[int], depth: int, nets: int) -> None:
    shares = _last(born_dead.probe(widths, depth, nets))["dead_share"].mean(axis=2)
    for row, width in enumerate(widths):
        expected = [born_dead_probability(width, layer + 1) for layer in range(depth)]
        assert shares[row] == pytest.approx(expected, abs=0.01), width


def test_share_of_nets_born_dead():
    _assert_born_dead([2, 4], 8, 30_000)


@pytest.mark.slow
def test_share_of_nets_born_dead_in_deep_nets():
    _assert_born_dead([3, 5, 7], 50, 20_000)


def test_batch_norm_nets_are_not_born_dead():
    shares = _last(born_dead.probe([2, 4], 20, 400, norm="batch", samples=8))["dead_share"]
    assert shares.max() == 0


@pytest.mark.parametrize(("std", "published"), [(0.1, 0.990), (0.5, 0.827), (1.0, 0.606)])
def test_mean_slope_of_tanh_units(std, published):
    """E[tanh'] by autograd on Gaussian pre-activations."""
    x = (std * torch.randn(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)).requires_grad_()
    (slope,) = torch.autograd.grad(torch.tanh(x).sum(), x)
    assert float(slope.mean()) == pytest.approx(mean_tanh_slope(std), abs=0.005)
    assert mean_tanh_slope(std) == pytest.approx(published, abs=0.005)
