"""The closed forms for depth against simulations of a single layer: independent draws, no sphere and no quadrature.

Simulations are compared within five standard errors, which are measured from the simulation itself.
"""

import math

import numpy as np
import pytest

from bnviz.closed_forms import gradient_growth as growth
from bnviz.closed_forms.plain_nets import plain_gradient_correlation, plain_line_autocorrelation, relu_correlation_map

FIVE = 5.0
FUNCTIONS = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1, 0.01)),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: 1 / (2 + np.exp(z) + np.exp(-z))),
}


def _assert_mean(samples: np.ndarray, expected: float) -> None:
    error = samples.std(ddof=1) / np.sqrt(len(samples))
    assert abs(samples.mean() - expected) < FIVE * error, f"{samples.mean():.6g} +- {error:.2g}, expected {expected:.6g}"
    assert error < 0.02 * abs(expected), "too few samples for a test that could fail"


def _unit(activation: str, batch: int, gamma: float, beta: float, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """A batch-norm unit drawn again and again: what it adds to the variance, and |dL/dy|^2 for a gradient of size 1.

    Pre-norms are Gaussian among the samples and the gradient from above is another, both centred over the batch.
    """
    value, slope = FUNCTIONS[activation]
    pre_norm, above = np.random.default_rng(batch).standard_normal((2, draws, batch))
    pre_norm -= pre_norm.mean(axis=1, keepdims=True)
    above -= above.mean(axis=1, keepdims=True)
    std = pre_norm.std(axis=1, keepdims=True)
    normed = pre_norm / std
    grad = gamma * slope(gamma * normed + beta) * above
    grad -= grad.mean(axis=1, keepdims=True)
    grad -= normed * (grad * normed).mean(axis=1, keepdims=True)
    return value(gamma * normed + beta).var(axis=1), ((grad / std) ** 2).sum(axis=1) / (batch - 1)


@pytest.mark.parametrize(
    ("activation", "batch", "gamma", "beta"),
    [
        ("tanh", 10, 1, 0),
        ("tanh", 64, 1, 0),
        ("tanh", 16, 2.5, -0.5),
        ("sigmoid", 16, 1, 0),
        ("leaky_relu", 16, 1, 0),
        ("relu", 16, 3, 0),
        ("relu", 16, 1, 1),
        ("relu", 64, 1, 2),
        ("relu", 64, 0.5, 1.5),
        ("relu", 16, -1, 1),
    ],
)
def test_growth_and_branch_variance_against_a_simulated_unit(activation, batch, gamma, beta):
    variance, grads = _unit(activation, batch, gamma, beta, 60_000)
    _assert_mean(variance, growth.branch_variance(activation, batch, gamma=gamma, beta=beta))
    # the next pre-norm has batch / (batch - 1) times the biased variance that the unit hands on
    next_variance = growth.branch_variance(activation, batch, gamma=gamma, beta=beta) * batch / (batch - 1)
    _assert_mean(grads / next_variance, growth.gradient_growth(activation, batch, gamma=gamma, beta=beta))


@pytest.mark.parametrize("batch", [6, 8, 16, 256])
def test_the_quadrature_gives_the_closed_forms(batch):
    """beta = 1e-300 goes the long way round."""
    for activation in ("relu", "linear"):
        closed = growth.gradient_growth(activation, batch)
        assert growth.gradient_growth(activation, batch, beta=1e-300) == pytest.approx(closed, rel=1e-6)
    correlation = relu_correlation_map(-1 / (batch - 1))
    assert growth.branch_variance("relu", batch) == pytest.approx((batch - 1) / batch * (1 - correlation) / 2, rel=1e-6)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "sigmoid", "gelu", "linear"])
@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_large_batches_tend_to_the_infinite_one(activation, beta):
    limit = growth.gradient_growth(activation, beta=beta)
    near, far = (growth.gradient_growth(activation, batch, beta=beta) - limit for batch in (100_000, 1000))
    assert 0 < near < 0.02 * far


def test_beta_lowers_the_growth_of_a_relu():
    """E[1(z > -b)] / Var[relu(z + b)] in closed form."""
    for beta in (0.0, 1.0, 2.0, 3.0):
        share, density = (1 + math.erf(beta / math.sqrt(2))) / 2, math.exp(-(beta**2) / 2) / math.sqrt(2 * math.pi)
        mean, square = beta * share + density, (1 + beta**2) * share + beta * density
        assert growth.gradient_growth("relu", beta=beta) == pytest.approx(share / (square - mean**2), rel=1e-12)


def test_residual_growth_is_the_recursion_and_a_power_of_depth():
    exponent, depth = growth.residual_exponent("relu"), 4000
    grown = growth.residual_growth(depth, exponent)
    square = 1.0
    for layer in range(depth - 1, 0, -1):
        square *= 1 + exponent / layer
        assert grown[layer - 1] == pytest.approx(square, rel=1e-9)
    assert math.log(grown[99] / grown[1999]) / math.log(2000 / 100) == pytest.approx(exponent, abs=0.01)


@pytest.mark.parametrize("angle", [0.3, 1.5])
def test_plain_gradient_correlation_against_random_nets(angle):
    rng, width, nets, depth = np.random.default_rng(0), 64, 3000, 3
    pair = np.zeros((nets, 2, width))
    pair[:, :, 0], pair[:, :, 1] = [1, math.cos(angle)], [0, math.sin(angle)]
    weights, masks = [], []
    for _ in range(depth):
        weights.append(rng.normal(0, math.sqrt(2 / width), (nets, width, width)))
        pair = np.einsum("nsi,nij->nsj", pair, weights[-1])
        masks.append(pair > 0)
        pair = np.maximum(pair, 0)
    grads = np.repeat(rng.standard_normal((nets, 1, width)), 2, axis=1)  # the same linear read-out for both inputs
    for weight, mask in zip(reversed(weights), reversed(masks), strict=True):
        grads = np.einsum("nsj,nij->nsi", grads * mask, weight)
    products = (grads[:, 0] * grads[:, 1]).mean(axis=1) / (grads**2).mean()
    # the nets are 64 wide and the formula holds for wide ones
    expected = plain_gradient_correlation(angle, depth)
    assert products.mean() == pytest.approx(expected, abs=FIVE * products.std() / math.sqrt(nets) + 1 / width)


def test_plain_gradient_correlation_at_the_ends():
    assert plain_gradient_correlation(0.0, 30) == pytest.approx(1.0, abs=1e-6)
    assert plain_gradient_correlation(math.pi, 1) == pytest.approx(0.0, abs=1e-12)
    assert plain_gradient_correlation(math.pi / 2, 1) == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize(("activation", "gamma", "beta"), [("relu", 1, 0), ("tanh", 2, 0.5), ("sigmoid", 1, 0), ("linear", 1, 0)])
def test_batch_cosine_against_simulated_batches(activation, gamma, beta):
    batch, value = 8, FUNCTIONS[activation][0] if activation in FUNCTIONS else (lambda z: z)
    units = np.random.default_rng(0).standard_normal((200_000, batch))
    units -= units.mean(axis=1, keepdims=True)
    outputs = value(gamma * units / units.std(axis=1, keepdims=True) + beta)
    products = outputs[:, 0] * outputs[:, 1] / (outputs[:, 0] ** 2).mean()
    expected = growth.batch_cosine(activation, batch, gamma=gamma, beta=beta)
    assert abs(products.mean() - expected) < FIVE * products.std() / math.sqrt(len(products))


def test_plain_line_autocorrelation_is_the_ratio_of_naive_sums():
    line, depth = np.linspace(-2, 2, 9), 3
    kernel = np.array([[float(plain_gradient_correlation(abs(np.arctan(a) - np.arctan(b)), depth)) for b in line] for a in line])
    factor = np.linalg.cholesky(kernel + 1e-12 * np.eye(9))  # draws with this covariance have the kernel as their mean product
    draws = np.random.default_rng(0).standard_normal((200_000, 9)) @ factor.T
    draws -= draws.mean(axis=1, keepdims=True)
    expected = plain_line_autocorrelation(line, depth)
    power = (draws**2).sum(axis=1).mean()
    for lag in (1, 4):
        sums = (draws[:, : 9 - lag] * draws[:, lag:]).sum(axis=1) / power
        assert abs(sums.mean() - expected[lag]) < FIVE * sums.std() / math.sqrt(len(sums))
    assert expected[0] == 1
