"""Gradients through depth at initialization: Yang et al. 2019 for batch norm; Lu 2019 and Daneshmand 2020 on collapse.

Width 512, 30 layers, iid Gaussian inputs, a random linear read-out. The growth per layer is fitted by least squares on
the interior layers: the first ones have not come to the fixed point and the last ones see the read-out.
"""

from functools import lru_cache

import numpy as np
import pytest
import torch

from bnviz.closed_forms.born_dead import born_dead_probability
from bnviz.closed_forms.gradient_growth import gradient_growth
from bnviz.closed_forms.plain_nets import plain_gradient_growth, relu_correlation_map
from bnviz.config.models import ActivationName, ArmConfig, DatasetConfig, NormName, RunConfig
from bnviz.nets import Activations, DenseStack
from bnviz.records.records import StepMeasured
from bnviz.training.run import run

DEPTH, WIDTH, TRIALS = 30, 512, 4
INTERIOR = slice(5, DEPTH - 5)


@lru_cache
def _log_squares(norm: NormName, activation: ActivationName, batch: int, gain: float = 1.0, width: int = WIDTH) -> np.ndarray:
    """log |dL/dy|^2, shape (trials, layers), before the first step."""
    arm = ArmConfig(norm=norm, activation=activation, depth=DEPTH, width=width, init_gain=gain)
    data = DatasetConfig(name="gaussian", features=width, train_size=4 * batch, test_size=1)
    config = RunConfig(dataset=data, arms=(arm,), trials=TRIALS, batch_size=batch, probe_size=2, steps=0)
    (measured,) = (record for record in run(config) if isinstance(record, StepMeasured))
    return 2 * np.log(measured.arms[0].layers["pre_norm_grad_norm"].astype(np.float64))


def _growth(norm: NormName, activation: ActivationName = "relu", batch: int = 64) -> float:
    """Mean over trials of the factor of |dL/dy|^2 per layer, downwards."""
    layers = np.arange(DEPTH)[INTERIOR]
    slopes = [np.polyfit(layers, row[INTERIOR], 1)[0] for row in _log_squares(norm, activation, batch)]
    return float(np.exp(-np.mean(slopes)))


@pytest.mark.parametrize("batch", [16, 64])
def test_batch_norm_relu_grows_as_the_finite_batch_formula_says(batch):
    assert _growth("batch", "relu", batch) == pytest.approx(gradient_growth("relu", batch), rel=0.03)


def test_a_small_batch_grows_faster_than_the_infinite_one():
    """At 16 samples the two formulas are 8 % apart, so that the 3 % above tell which one holds."""
    assert _growth("batch", "relu", 16) > 1.03 * gradient_growth("relu")


def test_batch_norm_linear_grows_as_the_finite_batch_formula_says():
    assert _growth("batch", "linear", 16) == pytest.approx(gradient_growth("linear", 16), rel=0.03)


@pytest.mark.parametrize("norm", ["none", "layer"])
def test_without_batch_statistics_the_gradient_keeps_its_norm(norm):
    assert _growth(norm) == pytest.approx(1.0, rel=0.03)


def test_gain_explodes_the_plain_net_and_leaves_batch_norm_alone():
    """Plain: each layer multiplies |dL/dy|^2 by gain^2. BN: the gain only divides every dL/dy by itself."""
    width, layers = 128, np.arange(DEPTH)[INTERIOR]
    for norm, expected in (("none", plain_gradient_growth("relu", 1.2**2 * 2 / width, width)), ("batch", 1.0)):
        ratio = _log_squares(norm, "relu", 16, 1.2, width) - _log_squares(norm, "relu", 16, 1.0, width)
        slope = np.polyfit(layers, ratio.mean(axis=0)[INTERIOR], 1)[0]
        assert np.exp(-slope) == pytest.approx(expected, rel=0.01)


def _stack(arm: ArmConfig, trials: int, inputs: int) -> DenseStack:
    return DenseStack(arm, inputs=inputs, classes=10, trials=trials, seed=0)


def _cosines(norm: NormName, batch: int) -> np.ndarray:
    """Mean cosine of two samples' post-activations, shape (layers,)."""
    net, kept = _stack(ArmConfig(norm=norm, depth=DEPTH, width=WIDTH), 2, WIDTH), Activations()
    inputs = torch.randn(2, batch, WIDTH, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        net.forward(inputs, "probe", kept)
    unit = [post / post.norm(dim=2, keepdim=True) for post in kept.post_activation]
    return np.array([float(((u.sum(1) ** 2).sum(1) - batch).mean() / (batch * (batch - 1))) for u in unit])


@pytest.mark.parametrize("batch", [8, 64])
def test_batch_norm_keeps_samples_apart_and_the_plain_net_aligns_them(batch):
    """With BN any two samples stay at J(-1/(B - 1)); without, the map J has its fixed point at 1."""
    expected = relu_correlation_map(-1 / (batch - 1))
    assert _cosines("batch", batch)[INTERIOR].mean() == pytest.approx(expected, rel=0.03)
    plain = _cosines("none", batch)
    cosine = 0.0
    for measured in plain[:10]:  # the infinite-width recursion, layer by layer; later the fluctuations of width 512 add up
        cosine = relu_correlation_map(cosine)
        assert measured == pytest.approx(cosine, rel=0.03)
    assert plain[-1] > 0.95


@pytest.mark.parametrize(("width", "depth"), [(2, 3), (3, 10)])
def test_born_dead_share_of_nets(width, depth):
    trials = 1500
    net, kept = _stack(ArmConfig(norm="none", depth=depth, width=width), trials, 4), Activations()
    with torch.no_grad():
        net.forward(torch.ones(trials, 1, 4), "probe", kept)
    dead = float((kept.post_activation[-1] == 0).all(2).double().mean())
    expected = born_dead_probability(width, depth)
    assert abs(dead - expected) < 5 * np.sqrt(expected * (1 - expected) / trials)
