"""What the page says about the numbers of one batch, for any batch."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bnviz.closed_forms.arithmetic import backward, forward, inference, layout, updated_running

NUMBERS = st.floats(-100, 100, allow_nan=False, width=32)


def batches(samples: int | None = None) -> st.SearchStrategy[np.ndarray]:
    """Batches of (2 to 8) x (1 to 3) numbers whose features have some spread."""
    rows = st.just(samples) if samples else st.integers(2, 8)
    shapes = st.tuples(rows, st.integers(1, 3))
    return shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=NUMBERS)).filter(lambda x: x.std(0).min() > 1e-2)


def a_gradient(x: np.ndarray, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=x.shape)


@given(batches())
def test_the_gradient_of_the_inputs_adds_up_to_zero(x: np.ndarray) -> None:
    """So a bias before the norm, which is added to every sample alike, gets no gradient."""
    back = backward(forward(x, 1.7, 0.4), a_gradient(x))
    size = np.abs(back.dx_hat / forward(x).std).sum(0)
    assert (np.abs(back.dx.sum(0)) <= 1e-12 * size).all()


@given(batches(), NUMBERS)
def test_a_bias_before_the_norm_changes_nothing(x: np.ndarray, bias: float) -> None:
    np.testing.assert_allclose(forward(x + bias).y, forward(x).y, rtol=1e-7, atol=1e-9)


@given(batches())
def test_the_gradient_is_at_right_angles_to_the_batch_when_eps_is_zero(x: np.ndarray) -> None:
    """Scaling x changes nothing, so the loss has no slope in that direction."""
    done = forward(x, eps=0.0)
    back = backward(done, a_gradient(x))
    assert (np.abs((back.dx * done.x_hat).sum(0)) <= 1e-12 * np.abs(back.dx_hat / done.std).sum(0)).all()


@given(st.lists(NUMBERS, min_size=1, max_size=3), st.floats(-5, 5), st.floats(-5, 5))
def test_a_batch_of_one_gives_beta_whatever_it_is(row: list[float], gamma: float, beta: float) -> None:
    done = forward([row], gamma, beta)
    assert (done.y == beta).all()
    assert not backward(done, np.ones((1, len(row)))).dx.any()


@given(batches(samples=2))
def test_a_batch_of_two_gives_plus_and_minus_one(x: np.ndarray) -> None:
    done = forward(x, eps=0.0)
    np.testing.assert_allclose(np.sort(done.x_hat, axis=0), np.array([[-1.0], [1.0]]) * np.ones(x.shape[1]), rtol=1e-12)
    size = np.abs(done.std) ** -1
    assert (np.abs(backward(done, a_gradient(x)).dx) <= 1e-11 * size).all()  # x_hat cannot change, so neither can the loss


@given(batches())
def test_gamma_std_and_beta_mean_give_the_batch_back(x: np.ndarray) -> None:
    before = forward(x)
    after = forward(x, before.std, before.mean)
    np.testing.assert_allclose(after.y, x, rtol=1e-12, atol=1e-12)


@settings(max_examples=20)
@given(batches())
def test_the_gradient_is_the_slope_of_the_loss(x: np.ndarray) -> None:
    """Central differences of sum(w y), entry by entry."""
    assume(x.std(0).min() > 1)
    weights, step = a_gradient(x, 1), 1e-4
    slopes = np.empty_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        slopes[index] = ((forward(up, 1.3, 0.2).y - forward(down, 1.3, 0.2).y) * weights).sum() / (2 * step)
    np.testing.assert_allclose(backward(forward(x, 1.3, 0.2), weights).dx, slopes, rtol=1e-5, atol=1e-6)


def test_detached_statistics_give_the_bias_a_gradient() -> None:
    """gamma / std times the sum of dy, which is dbeta: the bias is pushed on and on although the output cannot move."""
    x, dy = np.array([[1.0], [3.0], [5.0]]), np.ones((3, 1))
    done = forward(x, 2.0, eps=0.0)
    np.testing.assert_allclose(backward(done, dy, detached=True).dx.sum(), 2 * 3 / np.sqrt(8 / 3))
    np.testing.assert_allclose(backward(done, dy).dx, 0, atol=1e-15)


def test_a_batch_worked_by_hand() -> None:
    done = forward([[1.0], [3.0], [5.0], [7.0]], 2.0, 10.0, eps=0.0)
    assert (done.mean.item(), done.var.item(), done.count) == (4.0, 5.0, 4)
    np.testing.assert_allclose(done.x_hat[:, 0], np.array([-3, -1, 1, 3]) / np.sqrt(5))
    back = backward(done, [[1.0], [0.0], [0.0], [0.0]])
    assert back.dbeta.item() == 1
    np.testing.assert_allclose(back.dgamma.item(), -3 / np.sqrt(5))
    # 2/sqrt(5) (dy - 1/4 - x_hat mean(dy x_hat)), mean(dy x_hat) = -3/(4 sqrt(5))
    np.testing.assert_allclose(
        back.dx[:, 0], 2 / np.sqrt(5) * (np.array([0.75, -0.25, -0.25, -0.25]) - [0.45, 0.15, -0.15, -0.45])
    )


def test_one_sample_leaves_the_running_variance_alone() -> None:
    mean, var = updated_running([[2.0]], [[3.0]], forward([[4.0]]), momentum=0.5)
    assert (mean.item(), var.item()) == (3.0, 3.0)


@pytest.mark.parametrize(
    ("norm", "axes", "statistics", "count"), [("batch", (0,), 3, 4), ("layer", (1,), 4, 3), ("rms", (1,), 4, 3)]
)
def test_axes_of_a_dense_layer(norm: Any, axes: tuple[int, ...], statistics: int, count: int) -> None:
    how = layout(norm, (4, 3))
    assert (how.axes, how.statistics, how.count) == (axes, statistics, count)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: forward([[1.0], [np.nan]]), "x: wanted finite numbers"),
        (lambda: forward(np.empty((0, 2))), "at least one"),
        (lambda: forward([[1.0]], eps=-1.0), "eps -1.0"),
        (lambda: forward([[2.0], [2.0]], eps=0.0), "0/0"),
        (lambda: backward(forward([[1.0], [2.0]]), [[1.0]]), r"dy has shape \(1, 1\)"),
        (lambda: inference([[1.0]], 0.0, -1.0, 1.0, 0.0, 1e-5), "above 0"),
        (lambda: layout("group", (2, 6), groups=4), "no layout for group norm"),
        (lambda: layout("instance", (2, 6)), "no layout for instance norm"),
        (lambda: layout("batch", (6,)), "wanted"),
    ],
)
def test_what_has_no_answer_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
