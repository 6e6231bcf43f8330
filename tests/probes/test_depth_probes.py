"""The probes at initialization against naive networks of torch.nn and NumPy loops."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from bnviz.probes import gain_and_depth, gradient_growth, representation_rank, shattered
from bnviz.probes._shared.initial_nets import INPUTS, READ_OUT, gaussian, network

SMALL = {"depth": 4, "width": 12}


def _last(probe):
    *_, (share, values) = probe
    assert share == 1
    return values


def _naive(arm: dict, features: int, trial: int) -> tuple[list[nn.Linear], nn.BatchNorm1d]:
    """The same network as torch modules: its linear layers, and a batch norm (all of them have gamma 1 and beta 0)."""
    net = network(arm, features, 0, [trial])
    layers = []
    for weight in net.linear_weights[:-1]:
        layer = nn.Linear(weight.shape[1], weight.shape[2])
        layer.weight.data, layer.bias.data = weight[0].detach().T.clone(), torch.zeros(weight.shape[2])
        layers.append(layer)
    return layers, nn.BatchNorm1d(arm["width"], affine=False, track_running_stats=False)


def _pass(layers, norm, inputs, residual) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    pre_norms, outputs, values = [], [], inputs
    for index, layer in enumerate(layers):
        pre_norms.append(layer(values))
        branch = torch.relu(norm(pre_norms[-1]) if norm else pre_norms[-1])
        values = values + branch if residual and index else branch
        outputs.append(values)
    return pre_norms, outputs


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("residual", [False, True])
def test_gradient_growth_against_torch_modules(norm, residual):
    arm = {**SMALL, "norm": norm, "residual": residual}
    values = _last(gradient_growth.probe(arm=arm, batch_size=10, trials=2, features=7))
    for trial in range(2):
        layers, batch_norm = _naive(arm, 7, trial)
        inputs = gaussian(0, [trial], INPUTS, 10, 7)[0]
        pre_norms, outputs = _pass(layers, batch_norm if norm == "batch" else None, inputs, residual)
        for tensor in [*pre_norms, *outputs]:
            tensor.retain_grad()
        (outputs[-1] * gaussian(0, [trial], READ_OUT, 10, 12)[0]).sum().backward()
        np.testing.assert_allclose(values["pre_norm"][trial], [float((y.grad**2).sum()) for y in pre_norms], rtol=1e-4)
        np.testing.assert_allclose(values["output"][trial], [float((h.grad**2).sum()) for h in outputs], rtol=1e-4)
        skips = [h.detach().numpy().var(axis=0).mean() for h in outputs]
        np.testing.assert_allclose(values["skip_variance"][trial], skips, rtol=1e-4)
        branches = [outputs[0], *(b - a if residual else b for a, b in pairwise(outputs))]
        np.testing.assert_allclose(
            values["branch_variance"][trial], [h.detach().numpy().var(axis=0).mean() for h in branches], rtol=1e-3
        )


def test_gradient_growth_yields_after_each_network_and_keeps_what_it_yielded():
    yielded = list(gradient_growth.probe(arm={**SMALL, "norm": "batch"}, batch_size=6, trials=3, features=5))
    assert [share for share, _ in yielded] == pytest.approx([1 / 3, 2 / 3, 1])
    for known, (_, values) in enumerate(yielded, start=1):
        assert np.isfinite(values["pre_norm"]).all(axis=1).tolist() == [True] * known + [False] * (3 - known)


def test_gradient_growth_of_a_gradient_that_cannot_pass():
    """gamma = 0: every unit is its beta, nothing comes through, and nothing breaks."""
    values = _last(gradient_growth.probe(arm={**SMALL, "norm": "batch", "gamma_init": 0.0}, batch_size=6, trials=1))
    assert (values["pre_norm"] == 0).all()
    assert (values["branch_variance"] == 0).all()


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_gain_and_depth_against_torch_modules(norm):
    gains, shape = [0.5, 2.0], (4, 2, 2)
    values = _last(
        gain_and_depth.probe(norm=norm, activation="relu", gains=gains, depth=4, width=12, batch_size=10, seeds=2, seed=0)
    )
    assert values["gradient"].shape == values["signal"].shape == shape
    for place, gain in enumerate(gains):
        for trial in range(2):
            layers, batch_norm = _naive({**SMALL, "norm": norm, "init_gain": gain}, 12, trial)
            inputs = gaussian(0, [trial], INPUTS, 10, 12)[0]
            _, outputs = _pass(layers, batch_norm if norm == "batch" else None, inputs, False)
            read_out = gaussian(0, [trial], READ_OUT, 10, 12)[0]
            gradients = torch.autograd.grad((outputs[-1] * read_out).sum(), outputs)
            sizes = [float(gradient.norm() / gradients[-1].norm()) for gradient in gradients]
            np.testing.assert_allclose(values["gradient"][:, place, trial], np.log10(sizes), atol=1e-4)
            signals = [float(output.detach().norm() / inputs.norm()) for output in outputs]
            np.testing.assert_allclose(values["signal"][:, place, trial], np.log10(signals), atol=1e-4)


def test_gain_and_depth_marks_a_signal_that_overflows():
    values = _last(gain_and_depth.probe(norm="none", activation="linear", gains=[1e4], depth=20, width=8, batch_size=4, seeds=1))
    assert np.isfinite(values["signal"][0]).all()
    assert np.isposinf(values["signal"][-1]).all()


def test_representation_rank_against_numpy():
    arm = {**SMALL, "norm": "none"}
    values = _last(representation_rank.probe(arm=arm, batch_size=5, trials=1, features=6))
    layers, _ = _naive(arm, 6, 0)
    _, outputs = _pass(layers, None, gaussian(0, [0], INPUTS, 5, 6)[0], False)
    for layer, output in enumerate(outputs):
        rows = output.detach().double().numpy()
        cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for i, a in enumerate(rows) for b in rows[:i]]
        assert values["mean_cosine"][0, layer] == pytest.approx(np.mean(cosines), rel=1e-5)


def test_representation_rank_starts_from_the_similarity_that_is_asked_for():
    arm = {"depth": 1, "width": 256, "norm": "none", "activation": "linear"}
    for similarity in (0.0, 0.8):
        values = _last(representation_rank.probe(arm=arm, batch_size=12, trials=4, similarity=similarity, features=256))
        assert values["mean_cosine"].mean() == pytest.approx(similarity, abs=0.03)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_shattered_against_torch_modules_and_a_naive_autocorrelation(norm):
    arm = {**SMALL, "norm": norm}
    values = _last(shattered.probe(arm=arm, depths=[1, 3, 4], points=20, lags=5, trials=2))
    assert values["autocorrelation"].shape == (3, 2, 5)
    for trial in range(2):
        layers, batch_norm = _naive(arm, 2, trial)
        line = torch.stack([torch.ones(20), torch.linspace(-2, 2, 20)], 1).requires_grad_()
        _, outputs = _pass(layers, batch_norm if norm == "batch" else None, line, False)
        for index, depth in enumerate([1, 3, 4]):
            read_out = gaussian(0, [trial], READ_OUT, 1, 12)[0]
            (gradient,) = torch.autograd.grad((outputs[depth - 1] * read_out).sum(), line, retain_graph=True)
            slopes = gradient[:, 1].double().numpy()
            if trial == 0:
                np.testing.assert_allclose(values["gradient"][index], slopes / np.sqrt(np.mean(slopes**2)), atol=1e-3)
            centred = slopes - slopes.mean()
            expected = [(centred[: 20 - lag] * centred[lag:]).sum() / (centred**2).sum() for lag in range(5)]
            np.testing.assert_allclose(values["autocorrelation"][index, trial], expected, atol=2e-3)
