"""Initial weights: their distribution, and which random numbers a trial draws."""

import math

import pytest
import torch

from bnviz.config.models import ArmConfig, PerTrial
from bnviz.nets import DenseStack
from bnviz.nets.initialization import WEIGHTS, Streams, initial_weights


@pytest.mark.parametrize("size", [(6, 6), (4, 9), (9, 4)])
def test_orthogonal_weights_have_orthonormal_rows_or_columns(size):
    arm = ArmConfig(init="orthogonal", init_gain=3)
    (weights,) = initial_weights(arm, [size], range(3), 0, torch.float64)
    for weight in weights / 3:
        gram = weight @ weight.T if size[0] <= size[1] else weight.T @ weight
        torch.testing.assert_close(gram, torch.eye(min(size), dtype=torch.float64))
    assert not torch.equal(weights[0], weights[1])


def test_orthogonal_weights_are_uniform_over_rotations():
    """The trace of a Haar-distributed orthogonal matrix has mean 0 and variance 1; QR without its signs has neither."""
    (weights,) = initial_weights(ArmConfig(init="orthogonal"), [(5, 5)], range(2000), 0, torch.float64)
    traces = weights.diagonal(dim1=1, dim2=2).sum(1)
    assert abs(float(traces.mean())) < 4 / math.sqrt(2000)
    assert float(traces.var()) == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize(("init", "std"), [("he", math.sqrt(2 / 300)), ("xavier", math.sqrt(2 / 500)), ("normal", 1.0)])
def test_gaussian_weights_have_the_standard_deviation_of_their_name(init, std):
    (weights,) = initial_weights(ArmConfig(init=init), [(300, 200)], range(2), 0, torch.float32)
    assert float(weights.std()) == pytest.approx(std, rel=0.02)


def test_trials_of_equal_seeds_start_from_the_same_weights_times_their_gain():
    arm = ArmConfig(depth=2, width=4, per_trial=PerTrial(init_gain=(1.0, 1.0, 2.0, 2.0)))
    net = DenseStack(arm, inputs=3, classes=2, trials=4, seed=0, trial_seeds=(0, 5, 0, 5))
    first = net.linear_weights[0]
    assert torch.equal(2 * first[0], first[2])
    assert torch.equal(2 * first[1], first[3])
    assert not torch.equal(first[0], first[1])


def test_streams_are_one_a_seed_and_can_be_put_back():
    streams = Streams(3, (2, 0, 2), WEIGHTS)
    state = streams.state()
    drawn = streams.normal((4,))
    assert torch.equal(drawn[0], drawn[2])
    streams.restore(state)
    assert torch.equal(streams.normal((4,)), drawn)
    streams.restore(state)
    assert torch.equal(streams.first(2).normal((4,)), drawn[:2])
    assert torch.equal(Streams(3, (0, 1, 2), WEIGHTS).normal((4,))[2], drawn[0])
