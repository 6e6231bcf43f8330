"""Noisy, detached and l_p batch norm, the norm of the inputs, and where gamma, beta and dropout are put."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bnviz.config.models import ArmConfig
from bnviz.nets import NORMS, DenseStack
from bnviz.nets.norms.batch import BatchNorm
from bnviz.nets.norms.batch_noisy import NoisyBatchNorm
from bnviz.nets.stack import Activations

TRIALS, BATCH, WIDTH = 2, 9, 5


def made(name: str, **settings) -> BatchNorm:
    norm = NORMS[name](ArmConfig(norm=name, **settings), TRIALS, WIDTH, torch.float64)
    assert isinstance(norm, BatchNorm)
    norm.draw_from(5, range(TRIALS), 0)
    return norm


def affine(gamma: float = 1.5, beta: float = -0.25) -> list[Tensor]:
    shape = (TRIALS, 1, WIDTH)
    return [torch.full(shape, gamma, dtype=torch.float64), torch.full(shape, beta, dtype=torch.float64)]


@pytest.fixture
def values() -> Tensor:
    stream = torch.Generator().manual_seed(2)
    return (3 * torch.randn(TRIALS, BATCH, WIDTH, generator=stream, dtype=torch.float64) + 1).requires_grad_()


def close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-12) -> None:
    torch.testing.assert_close(ours.detach(), theirs.detach(), rtol=tolerance, atol=tolerance)


def test_detached_statistics_change_the_gradient_and_nothing_else(values):
    ours, plain = made("batch_detached"), made("batch")
    for mode in ("train", "train", "probe", "eval"):
        close(ours(values, affine(), mode), plain(values, affine(), mode))
    for theirs, mine in zip(plain.statistics(), ours.statistics(), strict=True):
        close(mine, theirs)
    weights = torch.randn(values.shape, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((ours(values, affine(), "train") * weights).sum(), values)
    close(gradient, 1.5 * weights / (values.var(1, correction=0, keepdim=True) + 1e-5).sqrt())
    (whole,) = torch.autograd.grad((plain(values, affine(), "train") * weights).sum(), values)
    close(whole.sum(1), torch.zeros(TRIALS, WIDTH, dtype=torch.float64))  # what detaching gives up
    assert float(gradient.sum(1).abs().min()) > 1e-3


@pytest.mark.parametrize(("name", "p"), [("batch_l1", 1), ("batch_l2", 2), ("batch_linf", np.inf)])
def test_lp_norms_divide_by_the_size_of_what_they_are_given(name, p, values):
    norm = made(name, norm_eps=0.01, norm_momentum=0.3)
    out = norm(values, affine(), "train").detach().numpy()
    x = values.detach().numpy()
    for trial in range(TRIALS):
        for unit in range(WIDTH):
            y = x[trial, :, unit]
            size = max(abs(y)) if p == np.inf else (sum(abs(y) ** p) / BATCH) ** (1 / p)
            np.testing.assert_allclose(out[trial, :, unit], 1.5 * (y - y.mean()) / (size + 0.01) - 0.25, rtol=1e-12)
            np.testing.assert_allclose(norm.running_mean[trial, unit], 0.3 * y.mean(), rtol=1e-12)
            np.testing.assert_allclose(norm.running_var[trial, unit], 0.7 + 0.3 * size, rtol=1e-12)
    expected = 1.5 * (x - norm.running_mean.numpy()[:, None]) / (norm.running_var.numpy()[:, None] + 0.01) - 0.25
    np.testing.assert_allclose(norm(values, affine(), "eval").detach().numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["batch_l1", "batch_l2", "batch_linf", "batch_detached", "batch_noisy"])
@pytest.mark.parametrize(
    "inputs", [torch.zeros(TRIALS, BATCH, WIDTH), torch.randn(TRIALS, 1, WIDTH)], ids=["constant", "one sample"]
)
def test_a_batch_without_spread_stays_finite(name, inputs):
    norm, x = made(name), inputs.double().requires_grad_()
    out = norm(x, affine(), "train")
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert bool(out.isfinite().all() and gradient.isfinite().all())
    assert all(bool(statistic.isfinite().all()) for statistic in norm.statistics())


def noise_of(norm: NoisyBatchNorm, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    return norm.noise(torch.empty(shape, dtype=torch.float64))


def test_the_noise_has_the_moments_of_its_definition():
    """Over 400 steps: mu ~ U(-0.5, 0.5) and sigma ~ U(1, 1.25) a step, U(-0.1, 0.1) and N(0, 0.1) an element."""
    norm = made("batch_noisy")
    assert isinstance(norm, NoisyBatchNorm)
    draws = [noise_of(norm, (TRIALS, 100, 30)) for _ in range(400)]
    scale, shift = (torch.stack(part).flatten(2) for part in zip(*draws, strict=True))  # (steps, trials, elements)
    for part, low, high, spread in ((shift, -0.5, 0.5, 0.1 / 3**0.5), (scale, 1.0, 1.25, 0.1)):
        common, width = part.mean(2), high - low
        assert float((part - common.unsqueeze(2)).std()) == pytest.approx(spread, rel=0.01)
        standard_error = width / 12**0.5 / common.numel() ** 0.5
        assert float(common.mean()) == pytest.approx((low + high) / 2, abs=4 * standard_error)
        assert float(common.std()) == pytest.approx(width / 12**0.5, rel=0.05)
        assert low - 0.01 < float(common.min()) < float(common.max()) < high + 0.01
    assert float((shift - shift.mean(2, keepdim=True)).abs().max()) < 0.1 + 0.005


def test_noise_is_added_after_batch_norm_and_not_in_eval(values):
    noisy, twin, plain = made("batch_noisy"), made("batch_noisy"), made("batch")
    assert isinstance(twin, NoisyBatchNorm)
    scale, shift = noise_of(twin, tuple(values.shape))
    close(noisy(values, affine(), "train"), scale * plain(values, affine(), "train") + shift)
    close(noisy(values, affine(), "eval"), plain(values, affine(), "eval"))
    assert float((noisy(values, affine(), "train") - noisy(values, affine(), "train")).abs().max().detach()) > 0.01


def test_probing_a_noisy_net_moves_no_stream(values):
    norm = made("batch_noisy")
    probes = [norm(values, affine(), "probe") for _ in range(2)]
    assert torch.equal(*probes)
    assert torch.equal(probes[0], norm(values, affine(), "train"))


def test_trials_of_equal_seeds_draw_equal_noise(values):
    norm = made("batch_noisy")
    norm.draw_from(5, (3, 3), 0)
    scale, shift = noise_of(norm, tuple(values.shape))  # pyright: ignore[reportArgumentType]
    assert torch.equal(scale[0], scale[1])
    assert torch.equal(shift[0], shift[1])


def test_the_norm_of_the_inputs_is_a_batch_norm_of_every_feature():
    arm = ArmConfig(norm="none", norm_on_input=True, depth=2, width=WIDTH)
    net = DenseStack(arm, inputs=3, classes=2, trials=TRIALS, seed=1, dtype=torch.float64)
    bare = DenseStack(
        arm.model_copy(update={"norm_on_input": False}), inputs=3, classes=2, trials=TRIALS, seed=1, dtype=torch.float64
    )
    inputs = torch.randn(TRIALS, BATCH, 3, dtype=torch.float64) * torch.tensor([1e-3, 1.0, 1e3], dtype=torch.float64)
    outputs = net.forward(inputs, "train")
    for trial in range(TRIALS):
        theirs = nn.BatchNorm1d(3).double()
        close(outputs[trial], bare.forward(theirs(inputs[trial]).expand(TRIALS, -1, -1), "eval")[trial], 1e-10)
        assert net.input_norm is not None
        close(net.input_norm.running_var[trial], theirs.running_var)
    before = net.statistics()
    net.forward(inputs, "train")
    assert not torch.equal(net.statistics()[0], before[0])
    net.restore_statistics(before)
    close(net.statistics()[0], before[0])
    assert {"gamma_input", "beta_input"} <= set(net.parameters.views)
    net.reset(torch.ones(TRIALS, dtype=torch.bool))
    assert bool((net.statistics()[0] == 0).all())


def test_gamma_and_beta_start_where_they_are_told():
    net = DenseStack(ArmConfig(norm="batch", gamma_init=0.5, beta_init=-2), inputs=3, classes=2, trials=2, seed=0)
    assert bool((net.parameters.views["gamma3"] == 0.5).all())
    assert bool((net.parameters.views["beta3"] == -2).all())


@pytest.mark.parametrize("placement", ["before_activation", "after_activation"])
@pytest.mark.parametrize("dropout_placement", ["before_norm", "after_norm", "layer_end"])
def test_dropout_stands_where_it_is_told(placement, dropout_placement):
    """With a norm that is replaced by one that notes what it is given and returns ones."""
    arm = ArmConfig(
        norm="batch",
        depth=1,
        width=200,
        activation="linear",
        dropout=0.5,
        dropout_placement=dropout_placement,
        norm_placement=placement,
    )
    net = DenseStack(arm, inputs=3, classes=2, trials=1, seed=0)
    given: list[Tensor] = []

    def ones(values: Tensor, affine: list[Tensor], mode: str) -> Tensor:
        given.append(values.detach())
        return torch.ones_like(values)

    ones.affine = ()  # type: ignore[attr-defined]
    net.norms = [ones]  # type: ignore[list-item]
    out = net.hidden(torch.randn(1, 20, 3), "train")
    dropped_before, dropped_after = float((given[0] == 0).float().mean()), float((out == 0).float().mean())
    expected = (0.5, 0.0) if dropout_placement == "before_norm" else (0.0, 0.5)
    assert (dropped_before, dropped_after) == pytest.approx(expected, abs=0.05)
    assert not bool((net.hidden(torch.randn(1, 20, 3), "probe") == 0).any())


def test_what_a_layer_hands_on_is_the_next_layers_input():
    arm = ArmConfig(norm="batch", norm_placement="after_activation", depth=3, width=WIDTH, residual=True)
    net = DenseStack(arm, inputs=4, classes=2, trials=TRIALS, seed=0, dtype=torch.float64)
    kept = Activations()
    last = net.hidden(torch.randn(TRIALS, BATCH, 4, dtype=torch.float64), "probe", kept)
    for i in (1, 2):
        views = net.parameters.views
        close(kept.pre_norm[i], torch.baddbmm(views[f"bias{i}"], kept.layer_output[i - 1], views[f"weight{i}"]))
    assert torch.equal(kept.layer_output[-1], last)
