"""The closed forms against published figures, simulations and a quadrature of another kind.

Simulations are compared within five standard errors, which are measured from the simulation itself.
"""

import itertools
import math

import numpy as np
import pytest

from bnviz.closed_forms.batch_noise import batch_mean_variance, batch_std_variance, running_start_error
from bnviz.closed_forms.born_dead import born_dead_probability
from bnviz.closed_forms.dropout import dropout_variance_shift
from bnviz.closed_forms.gradient_growth import gradient_growth
from bnviz.closed_forms.plain_nets import plain_gradient_growth, relu_correlation_map
from bnviz.closed_forms.saturation import mean_tanh_slope
from bnviz.closed_forms.weight_decay import equilibrium_angle, equilibrium_norm

FIVE = 5.0


def _assert_mean(samples: np.ndarray, expected: float) -> None:
    """The mean of independent samples is within five standard errors of `expected`."""
    error = samples.std(ddof=1) / np.sqrt(len(samples))
    assert abs(samples.mean() - expected) < FIVE * error, f"{samples.mean():.6g} +- {error:.2g}, expected {expected:.6g}"
    assert error < 0.02 * abs(expected), "too few samples for a test that could fail"


@pytest.mark.parametrize(("activation", "published"), [("relu", 1.467), ("tanh", 1.178), ("sigmoid", 1.034), ("linear", 1.0)])
def test_infinite_batch_growth_is_the_published_one(activation, published):
    assert gradient_growth(activation) == pytest.approx(published, abs=5e-4)


def test_relu_growth_is_pi_over_pi_minus_one():
    assert gradient_growth("relu") == pytest.approx(math.pi / (math.pi - 1), rel=1e-14)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "sigmoid", "gelu", "linear"])
def test_infinite_batch_growth_against_torch_autograd_and_gauss_legendre(activation):
    torch = pytest.importorskip("torch")
    function = {
        **{name: getattr(torch, name) for name in ("tanh", "sigmoid")},
        **{name: getattr(torch.nn.functional, name) for name in ("relu", "leaky_relu", "gelu")},
        "linear": lambda z: z,
    }[activation]
    nodes, weights = np.polynomial.legendre.leggauss(200)  # on each side of 0, where some activations have their kink
    nodes = np.concatenate([6 * (nodes - 1), 6 * (nodes + 1)])
    weights = np.tile(weights, 2) * np.exp(-(nodes**2) / 2)
    z = torch.tensor(nodes, requires_grad=True)
    value = function(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    mean = lambda values: float(weights @ values.detach().numpy() / weights.sum())  # noqa: E731
    growth = mean(slope**2) / (mean(value**2) - mean(value) ** 2)
    assert gradient_growth(activation) == pytest.approx(growth, rel=1e-9)


def _simulated_growth(slope_below_zero: float, batch: int, draws: int) -> np.ndarray:
    """Backpropagate Gaussian gradients through one batch-norm unit, `draws` times; the mean of |dL/dy|^2 / E|g|^2 is R.

    At infinite width a unit's pre-norm is Gaussian over the batch, independent of the gradient that comes from
    above; both are symmetric among the samples, hence proportional to the centred identity.
    """
    rng = np.random.default_rng(batch)
    centred = [sample - sample.mean(axis=1, keepdims=True) for sample in rng.standard_normal((2, draws, batch))]
    pre_norm, above = centred
    normed = pre_norm / pre_norm.std(axis=1, keepdims=True)
    post = np.where(normed > 0, normed, slope_below_zero * normed)
    product = (post**2).mean() - (post.sum(axis=1) ** 2 - (post**2).sum(axis=1)).mean() / (batch * (batch - 1))
    std = pre_norm.std(axis=1, keepdims=True) * np.sqrt(product)  # the variance that such activations hand to the next pre-norm
    grad = np.where(normed > 0, 1.0, slope_below_zero) * above
    grad -= grad.mean(axis=1, keepdims=True)
    grad -= normed * (grad * normed).mean(axis=1, keepdims=True)
    return ((grad / std) ** 2).sum(axis=1) / (batch - 1)


@pytest.mark.parametrize("batch", [10, 16, 64])
@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("linear", 1.0)])
def test_finite_batch_growth_against_a_simulated_unit(activation, slope, batch):
    _assert_mean(_simulated_growth(slope, batch, 40_000), gradient_growth(activation, batch))


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_finite_batches_tend_to_the_infinite_one(activation):
    limit = gradient_growth(activation)
    gaps = [gradient_growth(activation, batch) - limit for batch in (8, 80, 800, 8000)]
    assert all(0 < later < 0.2 * earlier for earlier, later in itertools.pairwise(gaps))


def test_growth_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="batch_size: received 3, allowed: 4 or more"):
        gradient_growth("relu", 3)
    with pytest.raises(ValueError, match="gamma: received 0"):
        gradient_growth("tanh", 64, gamma=0.0)
    with pytest.raises(ValueError, match=r"correlation: received 1\.1"):
        relu_correlation_map(1.1)
    with pytest.raises(ValueError, match="keep: received 0"):
        dropout_variance_shift(0)
    with pytest.raises(ValueError, match="width, depth"):
        born_dead_probability(0, 3)
    with pytest.raises(ValueError, match="activation: received tanh"):
        plain_gradient_growth("tanh", 1.0, 8)


@pytest.mark.parametrize("correlation", [-1.0, -0.5, 0.0, 0.3, 1.0])
def test_relu_correlation_map_against_a_simulation(correlation):
    x, noise = np.random.default_rng(0).standard_normal((2, 200_000))
    y = correlation * x + np.sqrt(1 - correlation**2) * noise
    samples = np.maximum(x, 0) * np.maximum(y, 0) / 0.5  # E[relu(x)^2] is 1/2
    if correlation == -1:
        assert relu_correlation_map(-1.0) == pytest.approx(samples.mean(), abs=1e-15) == 0
    else:
        _assert_mean(samples, relu_correlation_map(correlation))


@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("linear", 1.0), ("leaky_relu", 0.01)])
def test_plain_growth_against_a_random_layer(activation, slope):
    rng, width, variance = np.random.default_rng(1), 20, 0.15
    above = rng.standard_normal((200, 100, width))
    slopes = np.where(rng.standard_normal((200, 100, width)) > 0, 1, slope)
    weights = rng.normal(0, np.sqrt(variance), (200, width, width))
    grads = np.einsum("tbi,tij->tbj", above, weights) * slopes
    _assert_mean((grads**2).sum(axis=2).mean(axis=1) / width, plain_gradient_growth(activation, variance, width))


@pytest.mark.parametrize(("width", "depth"), [(2, 3), (4, 10), (5, 40)])
def test_born_dead_against_random_nets(width, depth):
    rng, nets = np.random.default_rng(width), 20_000
    state = np.abs(rng.standard_normal((nets, width)))
    for _ in range(depth):
        state = np.maximum(np.einsum("tij,tj->ti", rng.standard_normal((nets, width, width)), state), 0)
        state /= np.maximum(
            state.max(axis=1, keepdims=True), 1e-300
        )  # the scale does not matter, so keep it from under- or overflow
    _assert_mean((state == 0).all(axis=1).astype(float), born_dead_probability(width, depth))


def test_born_dead_keeps_small_probabilities():
    assert born_dead_probability(60, 10) == pytest.approx(10 * 2.0**-60, rel=1e-12)


@pytest.mark.parametrize("excess", [0.0, -1.2])  # Gaussian, uniform
def test_variance_of_batch_statistics(excess):
    size, variance = 100, 1.0 if excess == 0 else 1 / 3
    rng, shape = np.random.default_rng(0), (40_000, size)
    batches = rng.standard_normal(shape) if excess == 0 else rng.uniform(-1, 1, shape)
    means, stds = batches.mean(axis=1), batches.std(axis=1)
    _assert_mean((means - means.mean()) ** 2, batch_mean_variance(variance, size))
    expected = batch_std_variance(variance, size, excess)
    spread = (stds - stds.mean()) ** 2
    first_order = 3 / size  # what the first order leaves out, relative: of the order of 1/size
    assert abs(spread.mean() / expected - 1) < first_order + FIVE * spread.std() / spread.mean() / np.sqrt(len(spread))


def test_running_start_error_against_the_recursion():
    running = 5.0
    for _ in range(17):
        running = (1 - 0.1) * running + 0.1 * 2.0
    assert (running - 2.0) / (5.0 - 2.0) == pytest.approx(running_start_error(0.1, 17), rel=1e-12)


@pytest.mark.parametrize(("std", "published"), [(0.1, 0.990), (0.5, 0.826), (1.0, 0.606)])
def test_mean_tanh_slope(std, published):
    assert mean_tanh_slope(std) == pytest.approx(published, abs=5e-4)
    samples = np.cosh(std * np.random.default_rng(0).standard_normal(100_000)) ** -2.0
    _assert_mean(samples, mean_tanh_slope(std))


@pytest.mark.parametrize(("keep", "mean"), [(0.5, 0.0), (0.8, 0.0), (0.5, 1.5)])
def test_dropout_variance_shift(keep, mean):
    rng = np.random.default_rng(0)
    inputs = rng.normal(mean, 2.0, 400_000)
    trained = inputs * (rng.random(400_000) < keep) / keep
    expected = dropout_variance_shift(keep, 4.0, mean)
    _assert_mean((trained - mean) ** 2, 4.0 / expected)
    if mean == 0:
        assert expected == pytest.approx(keep, rel=1e-14)


def test_equilibrium_of_scale_invariant_weights():
    """SGD with weight decay on random gradients orthogonal to w and of size 1/|w|: norm and angle settle as foretold."""
    rng, lr, decay, size = np.random.default_rng(0), 0.05, 0.02, 400
    w = np.ones(size)
    norms, angles = [], []
    for step in range(6000):
        grad = rng.standard_normal(size) / np.sqrt(size)
        grad -= w * (grad @ w) / (w @ w)
        new = (1 - lr * decay) * w - lr * grad / np.linalg.norm(w)
        if step > 4000:
            norms.append(np.linalg.norm(new))
            angles.append(np.arccos(new @ w / np.linalg.norm(new) / np.linalg.norm(w)))
        w = new
    # first order in lr * decay = 0.001, and |g|^2 = (size - 1)/size
    assert np.mean(norms) == pytest.approx(equilibrium_norm(lr, decay, (size - 1) / size), rel=0.005)
    assert np.mean(angles) == pytest.approx(equilibrium_angle(lr, decay), rel=0.005)
