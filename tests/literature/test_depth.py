"""Depth at initialization against its closed forms: Yang 2019, De & Smith 2020, Daneshmand 2020.

Small seeded cases first; those marked slow are at full size: width 512, 30 layers. Growth is fitted by the tests' own
least squares on the interior layers.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from bnviz.closed_forms import gradient_growth as growth
from bnviz.closed_forms.plain_nets import relu_correlation_map
from bnviz.probes import gradient_growth, representation_rank

DEPTH = 30
INTERIOR = slice(5, DEPTH - 5)


@lru_cache
def _probe(width: int, batch: int, trials: int, **arm: Any) -> dict[str, np.ndarray]:
    fields = {"norm": "batch", "depth": DEPTH, "width": width, **arm}
    *_, (_, values) = gradient_growth.probe(arm=fields, batch_size=batch, trials=trials, features=width)
    return values


def _slopes(x: np.ndarray, squares: np.ndarray) -> np.ndarray:
    return np.array([np.polyfit(x[INTERIOR], np.log(row)[INTERIOR], 1)[0] for row in squares])


def _growth(width: int, batch: int, trials: int = 4, **arm: Any) -> float:
    squares = _probe(width, batch, trials, **arm)["pre_norm"]
    return float(np.exp(-_slopes(np.arange(DEPTH), squares).mean()))


@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
@pytest.mark.parametrize("batch", [16, 64])
def test_growth_in_a_small_net(activation, batch):
    expected = growth.gradient_growth(activation, batch)
    assert _growth(256, batch, activation=activation) == pytest.approx(expected, rel=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
@pytest.mark.parametrize("batch", [8, 16, 64, 256])
def test_growth_at_full_size(activation, batch):
    trials = 2 if batch >= 64 else 4  # smaller batches scatter more and cost less
    expected = growth.gradient_growth(activation, batch)
    assert _growth(512, batch, trials, activation=activation) == pytest.approx(expected, rel=0.03)


def test_the_closed_forms_are_far_enough_apart_for_the_tests_above():
    """The activations differ by more than twice 3 % at every batch size; so do the smaller batches of one activation."""
    for batch in (8, 16, 64, 256):
        rates = [growth.gradient_growth(activation, batch) for activation in ("linear", "tanh", "relu")]
        assert min(np.diff(np.log(rates))) > np.log(1.06)
    for activation in ("linear", "tanh", "relu"):
        rates = [growth.gradient_growth(activation, batch) for batch in (8, 16, 64)]
        assert max(np.diff(np.log(rates))) < -np.log(1.04)


@pytest.mark.parametrize("norm", ["layer", "none"])
def test_layer_norm_and_no_norm_keep_the_gradient(norm):
    assert _growth(256, 64, norm=norm) == pytest.approx(1.0, rel=0.03)


@pytest.mark.parametrize("change", [{"gamma_init": 3.0}, {"gamma_init": 0.2}, {"init_gain": 10.0}, {"init_gain": 0.1}])
def test_gamma_and_the_weights_scale_change_nothing(change):
    """To a thousandth: what is left is eps and float32."""
    assert _growth(256, 64, **change) == pytest.approx(_growth(256, 64), rel=1e-3)


def test_batch_norm_after_the_activation_grows_alike():
    """Half of the gap to 1 would be 20 %."""
    rate = _growth(256, 128, norm_placement="after_activation")
    assert rate == pytest.approx(growth.gradient_growth("relu", 128), rel=0.03)


@pytest.mark.slow
def test_beta_lowers_the_growth_as_predicted():
    measured = {beta: _growth(512, 64, 2, beta_init=beta) for beta in (0.0, 1.0, 2.0, 3.0)}
    for beta, rate in measured.items():
        assert rate == pytest.approx(growth.gradient_growth("relu", 64, beta=beta), rel=0.03)
    assert measured[0.0] > 1.2 * measured[1.0] > 1.2 * measured[2.0] > 1.2 * measured[3.0] > 1.2


def _power(width: int, batch: int, activation: str) -> float:
    squares = _probe(width, batch, 3, residual=True, activation=activation)["output"]
    return float(-_slopes(np.log(np.arange(1, DEPTH + 1)), squares).mean())


def test_residual_gradients_grow_by_a_power_of_depth_in_a_small_net():
    assert _power(256, 64, "relu") == pytest.approx(growth.residual_exponent("relu", 64), abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_residual_exponent_at_full_size(activation):
    """The power of the layer's number by which |dL/dh|^2 falls: R, see `growth.residual_exponent`."""
    assert _power(512, 64, activation) == pytest.approx(growth.residual_exponent(activation, 64), abs=0.1)


def test_the_pre_norm_grows_by_one_power_more():
    squares = _probe(256, 64, 6, residual=True, activation="tanh")["pre_norm"]
    power = -_slopes(np.log(np.arange(1, DEPTH + 1)), squares).mean()
    assert power == pytest.approx(1 + growth.residual_exponent("tanh", 64), abs=0.1)


@pytest.mark.parametrize("activation", ["tanh", "linear", "relu"])
def test_variance_of_every_residual_block(activation):
    """Every branch adds the same variance v, so that block l + 1 finds l v on its skip: branch to skip 1 : sqrt(l).

    ReLU branches have a positive mean, the same for all units of a sample: in layers of 256 units samples that happen to be
    longer gain on the others with every block, which adds to the skip's variance from about the 20th block on. So ReLU's skip
    is compared over the first 15.
    """
    values = _probe(256, 64, 6, residual=True, activation=activation)
    branch, skip = values["branch_variance"].mean(axis=0), values["skip_variance"].mean(axis=0)
    one = growth.branch_variance(activation, 64)
    np.testing.assert_allclose(branch, one, rtol=0.05)
    blocks = slice(0, 15) if activation == "relu" else slice(None)
    before = np.arange(1, DEPTH)
    np.testing.assert_allclose((branch[1:] / skip[:-1])[blocks], (1 / before)[blocks], rtol=0.05 * 2)
    np.testing.assert_allclose(np.sqrt(branch[1:] / skip[:-1])[blocks], before[blocks] ** -0.5, rtol=0.05)


@lru_cache
def _cosines(norm: str, batch: int, width: int, similarity: float = 0.0, activation: str = "relu") -> np.ndarray:
    arm = {"norm": norm, "depth": DEPTH, "width": width, "activation": activation}
    *_, (_, values) = representation_rank.probe(arm=arm, batch_size=batch, trials=3, similarity=similarity, features=width)
    return values["mean_cosine"].mean(axis=0)


@pytest.mark.parametrize("batch", [8, 64])
def test_rank_plateau(batch):
    expected = relu_correlation_map(-1 / (batch - 1))
    assert _cosines("batch", batch, 256)[INTERIOR].mean() == pytest.approx(expected, abs=0.01)
    assert abs(expected - _cosines("none", batch, 256)[-1]) > 0.5


def test_rank_plateau_does_not_depend_on_how_similar_the_inputs_are():
    assert _cosines("batch", 16, 256, 0.9)[0] == pytest.approx(growth.batch_cosine("relu", 16), abs=0.01)
    assert _cosines("none", 16, 256, 0.9)[0] > 0.9


@pytest.mark.parametrize("activation", ["tanh", "linear"])
def test_rank_plateau_of_other_activations(activation):
    measured = _cosines("batch", 16, 256, activation=activation)[INTERIOR].mean()
    assert measured == pytest.approx(growth.batch_cosine(activation, 16), abs=0.01)
