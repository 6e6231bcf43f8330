"""Every number of the arithmetic equals what torch works out by itself, in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bnviz.closed_forms.arithmetic import AxesName, backward, forward, inference, layout, updated_running

EXACT: dict[str, Any] = {"rtol": 1e-11, "atol": 1e-12}  # rounding of float64, summed in another order
SHAPE = (4, 6, 2, 3)  # samples, channels, height, width
GROUPS = 3


def numbers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.7, 1.9, shape)


def leaf(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("shape", [(2, 1), (5, 3), (8, 2)])
@pytest.mark.parametrize("eps", [0.0, 1e-5, 0.3])
def test_batch_norm_forward_and_backward(shape: tuple[int, int], eps: float) -> None:
    x, gamma, beta, dy = numbers(0, *shape), numbers(1, shape[1]), numbers(2, shape[1]), numbers(3, *shape)
    tx, tgamma, tbeta = leaf(x), leaf(gamma), leaf(beta)
    ty = torch.batch_norm(tx, tgamma, tbeta, None, None, True, 0.0, eps, False)  # `functional` refuses eps = 0
    ty.backward(torch.tensor(dy))
    done = forward(x, gamma, beta, eps)
    back = backward(done, dy)
    np.testing.assert_allclose(done.y, ty.detach(), **EXACT)
    for mine, theirs in ((back.dx, tx), (back.dgamma[0], tgamma), (back.dbeta[0], tbeta)):
        np.testing.assert_allclose(mine, theirs.grad, **EXACT)


def test_every_intermediate_equals_autograd_on_the_written_out_formula() -> None:
    """mean, var, std and x_hat of a graph that torch differentiates; dx_hat is read off the graph too."""
    x, gamma, beta, dy = numbers(4, 6, 2), numbers(5, 2), numbers(6, 2), numbers(7, 6, 2)
    tx = leaf(x)
    mean = tx.mean(0, keepdim=True)
    var = ((tx - mean) ** 2).mean(0, keepdim=True)
    x_hat = (tx - mean) / torch.sqrt(var + 1e-3)
    x_hat.retain_grad()
    (torch.tensor(gamma) * x_hat + torch.tensor(beta)).backward(torch.tensor(dy))
    done = forward(x, gamma, beta, 1e-3)
    back = backward(done, dy)
    for mine, theirs in ((done.mean, mean), (done.var, var), (done.x_hat, x_hat)):
        np.testing.assert_allclose(mine, theirs.detach(), **EXACT)
    np.testing.assert_allclose(back.dx_hat, x_hat.grad, **EXACT)
    np.testing.assert_allclose(back.dx, tx.grad, **EXACT)


def test_detached_statistics_equal_autograd_that_stops_at_them() -> None:
    x, gamma, dy = numbers(8, 5, 3), numbers(9, 3), numbers(10, 5, 3)
    tx = leaf(x)
    mean, var = tx.detach().mean(0), tx.detach().var(0, correction=0)
    (torch.tensor(gamma) * (tx - mean) / torch.sqrt(var + 1e-5)).backward(torch.tensor(dy))
    back = backward(forward(x, gamma), dy, detached=True)
    np.testing.assert_allclose(back.dx, tx.grad, **EXACT)
    assert not back.mean_term.any()
    assert not back.var_term.any()


def _batch(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return functional.batch_norm(x, None, None, gamma.flatten(), beta.flatten(), training=True, eps=1e-5)


def _layer(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[1:], gamma[0], beta[0], eps=1e-5)


def _instance(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return functional.instance_norm(x, weight=gamma.flatten(), bias=beta.flatten(), eps=1e-5)


def _group(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return functional.group_norm(x, GROUPS, gamma.flatten(), beta.flatten(), eps=1e-5)


def _rms(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    return functional.rms_norm(x, x.shape[1:], gamma[0], eps=1e-5) + beta


NORMS: dict[AxesName, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "batch": _batch,
    "layer": _layer,
    "instance": _instance,
    "group": _group,
    "rms": _rms,
}


@pytest.mark.parametrize("norm", NORMS)
def test_the_axes_of_every_norm(norm: AxesName) -> None:
    """Forward and backward over the axes that `layout` names equal torch's own norm of that name, on images."""
    how = layout(norm, SHAPE, GROUPS)
    x, dy, gamma, beta = numbers(11, *SHAPE), numbers(12, *SHAPE), numbers(13, *how.affine), numbers(14, *how.affine)
    tx, tgamma, tbeta = leaf(x), leaf(gamma), leaf(beta)
    ty = NORMS[norm](tx, tgamma, tbeta)
    ty.backward(torch.tensor(dy))
    done = forward(x.reshape(how.view), gamma, beta, 1e-5, axes=how.axes, centered=how.centered)
    back = backward(done, dy.reshape(how.view))
    np.testing.assert_allclose(done.y.reshape(SHAPE), ty.detach(), **EXACT)
    assert tx.grad is not None
    np.testing.assert_allclose(back.dx.reshape(SHAPE), tx.grad, **EXACT)
    np.testing.assert_allclose(back.dgamma, tgamma.grad, **EXACT)
    np.testing.assert_allclose(back.dbeta, tbeta.grad, **EXACT)
    assert (done.mean.size, done.count) == (how.statistics, how.count)


def test_running_statistics_and_inference_equal_torch() -> None:
    norm = torch.nn.BatchNorm1d(3, momentum=0.2, eps=1e-3, dtype=torch.float64)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.5, -2.0, 1.0]))
        norm.bias.copy_(torch.tensor([0.1, 0.0, 3.0]))
    mean, var = np.zeros((1, 3)), np.ones((1, 3))
    for seed in range(4):
        x = numbers(20 + seed, 6, 3)
        norm(torch.tensor(x))
        mean, var = updated_running(mean, var, forward(x), momentum=0.2)
    np.testing.assert_allclose(mean[0], norm.running_mean, **EXACT)
    np.testing.assert_allclose(var[0], norm.running_var, **EXACT)
    scale, shift, y = inference(x, mean, var, norm.weight.detach().numpy(), norm.bias.detach().numpy(), 1e-3)
    np.testing.assert_allclose(y, norm.eval()(torch.tensor(x)).detach(), **EXACT)
    np.testing.assert_allclose(y, scale * x + shift, **EXACT)
