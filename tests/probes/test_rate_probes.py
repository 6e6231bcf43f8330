"""The probes of the learning-rate experiment against naive loops, autograd and closed forms."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.datasets import load
from bnviz.nets import DenseStack
from bnviz.probes import least_squares, scale_invariance, weight_decay
from bnviz.training.batches import Batches


def last(steps) -> dict[str, Any]:
    *_, (share, values) = steps
    assert share == 1
    return values


def quadratic(dimension: int, condition: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Covariance, optimum and start of one seed's problem, as the probe draws them."""
    problem, start = least_squares.problem(dimension, condition, seed + 1)
    return np.diag(problem.eigenvalues), problem.optimum[seed], start[seed]


def normalized_loss(w: torch.Tensor, g: torch.Tensor, s: torch.Tensor, optimum: torch.Tensor) -> torch.Tensor:
    difference = g * w / torch.sqrt(w @ s @ w) - optimum
    return difference @ s @ difference / 2


@pytest.mark.parametrize("length", ["best", "same_rate"])
def test_normalized_descent_equals_autograd(length):
    rate, steps, seed = 0.7, 15, 1
    s, optimum, w = (torch.from_numpy(array).requires_grad_() for array in quadratic(6, 20.0, seed))
    g = (w @ s @ optimum / torch.sqrt(w @ s @ w)).detach().requires_grad_()
    for _ in range(steps):
        by_w, by_g = torch.autograd.grad(normalized_loss(w, g, s, optimum), [w, g])
        w = (w - rate * by_w).detach().requires_grad_()
        best = w @ s @ optimum / torch.sqrt(w @ s @ w)
        g = (best if length == "best" else g - rate * by_g).detach().requires_grad_()
    expected = float((normalized_loss(w, g, s, optimum) / (optimum @ s @ optimum / 2)).detach())
    found = last(least_squares.probe((0.1, rate), seeds=2, dimension=6, condition=20.0, steps=steps, length=length))
    assert found["errors"][1, -1, 1, seed] == pytest.approx(expected, rel=1e-9)


def test_plain_descent_equals_a_loop_from_the_same_function():
    s, optimum, w = quadratic(6, 20.0, 0)
    v = w * (w @ s @ optimum) / (w @ s @ w)
    for _ in range(15):
        v = v - 0.7 * s @ (v - optimum)
    expected = (v - optimum) @ s @ (v - optimum) / (optimum @ s @ optimum)
    found = last(least_squares.probe((0.7,), seeds=1, dimension=6, condition=20.0, steps=15))
    assert found["errors"][0, -1, 0, 0] == pytest.approx(expected, rel=1e-9)
    assert found["errors"][0, 0] == pytest.approx(found["errors"][1, 0], rel=1e-12), "both start from the same function"


def test_plain_descent_turns_at_two_over_the_largest_curvature_and_normalized_descent_does_not():
    errors = last(least_squares.probe((1.96, 2.04, 50.0), seeds=3, dimension=10, condition=10.0, steps=2000))["errors"][:, -1]
    assert (errors[0, 0] < 1e-6).all()
    assert np.isinf(errors[0, 1:]).all()
    assert (errors[1] < 1e-6).all()


def test_a_length_with_too_large_a_rate_diverges_for_good():
    errors = last(least_squares.probe((1.0, 2.5, 1000.0), seeds=3, length="same_rate", steps=300))["errors"][1, -1]
    assert (errors[0] < 0.1).all()
    assert np.isinf(errors[1:]).all()


def naive_losses(scale: float, lr: float, steps: int) -> list[float]:
    """Losses of one seed, batch norm written out, of which the hidden weights alone are trained."""
    run = RunConfig(trials=1, trial_seeds=(0,), batch_size=16, steps=steps)
    net = DenseStack(ArmConfig(depth=2, width=8), inputs=64, classes=10, trials=1, seed=0, dtype=torch.float64)
    *hidden, read_out = [weight[0].detach().clone() for weight in net.linear_weights]
    hidden = [(scale * weight).requires_grad_() for weight in hidden]
    data = load(DatasetConfig(), 0)
    inputs, labels = torch.from_numpy(data.train_inputs).double(), torch.from_numpy(data.train_labels)
    losses = []
    for _, (chosen,) in zip(range(steps + 1), Batches(run), strict=False):
        values = inputs[chosen]
        for weight in hidden:
            pre = values @ weight
            values = torch.relu((pre - pre.mean(0)) / pre.std(0, correction=0))
        loss = cross_entropy(values @ read_out, labels[chosen])
        losses.append(loss.item())
        for weight, gradient in zip(hidden, torch.autograd.grad(loss, hidden), strict=True):
            weight.data -= lr * gradient
    return losses


def test_rescaled_twins_equal_a_naive_net_and_each_other():
    found = last(scale_invariance.probe((1.0, 5.0), seeds=1, depth=2, width=8, batch_size=16, lr=0.5, steps=12))
    losses = found["losses"][1]  # batch norm: (rates, frames, scales, seeds)
    shown = found["steps"].astype(int)
    for j, rate in enumerate((0.5 * 25, 0.5)):
        np.testing.assert_allclose(losses[j, :, 1, 0], np.array(naive_losses(5.0, rate, 12))[shown], rtol=1e-9)
    np.testing.assert_allclose(losses[0, :, 1], losses[0, :, 0], rtol=1e-10)
    assert np.abs(losses[1, -1, 1] - losses[1, -1, 0]).min() > 0.01, "at equal rates size matters"


def test_gradients_are_at_right_angles_to_weights_that_feed_batch_norm_and_to_no_others():
    found = last(scale_invariance.probe((1.0,), seeds=3, depth=2, width=8, batch_size=16, lr=0.5, steps=20))
    assert found["radial"][1].max() < 1e-12
    assert found["radial"][0].min() > 0.01
    measured, predicted = found["growth"][1]
    np.testing.assert_allclose(measured, predicted, rtol=1e-12)
    assert (np.diff(measured, axis=0) > 0).all()
    assert np.abs(found["growth"][0, 0, -1] / found["growth"][0, 1, -1] - 1).min() > 1e-3, "without a norm the rule fails"


@pytest.mark.slow
def test_decayed_weights_settle_at_the_norm_and_the_angle_of_the_closed_forms():
    """Within 2 %: |w|^4 = lr / (2 lambda) E|g_unit|^2 and angle = sqrt(2 lr lambda), whatever the gradients and the start."""
    lr, decays = 0.2, np.array((0.03, 0.06))
    found = last(weight_decay.probe(decays.tolist(), lr=lr, seeds=3, width=16, steps=1500))
    settled = slice(-16, None)
    fourth, gradient = (found[name][:, settled].mean(axis=(1, 3)) for name in ("fourth", "gradient"))
    angle = np.sqrt((found["angle"][:, settled] ** 2).mean(axis=(1, 3)))
    assert angle.shape == (3, 2)
    np.testing.assert_allclose(fourth, lr / (2 * decays) * gradient, rtol=0.02)
    np.testing.assert_allclose(angle, np.broadcast_to(np.sqrt(2 * lr * decays), (3, 2)), rtol=0.02)
    first = np.sqrt((found["angle"][:, 0] ** 2).mean(axis=-1))
    assert (np.abs(first / np.sqrt(2 * lr * decays) - 1).max(axis=1) > 0.1).all(), "none began at the settled angle"
    size = fourth**0.25
    assert (size[2] > 2.5 * size[0]).all(), "ten times the gradients: sqrt(10) times the length"
