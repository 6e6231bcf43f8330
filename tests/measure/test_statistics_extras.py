"""Inference modes, batch noise, input condition, channel maps: against torch.nn, NumPy and known cases."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from bnviz.config.models import ArmConfig
from bnviz.measure.batch_noise import batch_noise_extra, batch_statistics_variance
from bnviz.measure.channel_maps import channel_maps_extra
from bnviz.measure.inference_modes import batches_of, inference_modes_extra
from bnviz.measure.input_condition import condition_number, input_condition_extra, normalized
from tests.measure.moments import BATCH, PLAIN, layers_of, loss_of, moments, passed


def _modes(moment, trial) -> dict[str, float]:
    train, test = (torch.from_numpy(x) for x in (moment.dataset.train_inputs, moment.dataset.test_inputs))
    labels = torch.from_numpy(moment.dataset.test_labels)
    running = layers_of(moment, trial).eval()
    batch = layers_of(moment, trial)
    recomputed = layers_of(moment, trial)
    for module in recomputed.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()
            module.momentum = None  # a plain average
    for start in range(0, 112, 16):  # 120 samples in batches of 16: seven, of which the last has 24
        passed(recomputed, train[start : start + 16 if start < 96 else 120])
    parts = [slice(0, 16), slice(16, 40)]
    losses = {"batch": sum(loss_of(batch, test[p], labels[p]).item() * len(labels[p]) for p in parts) / 40}
    return losses | {
        name: loss_of(net.eval(), test, labels).item() for name, net in (("running", running), ("recomputed", recomputed))
    }


def test_inference_modes_against_torch_nn():
    for moment in moments():
        before = copy.deepcopy(moment.arm.net.statistics())
        got = inference_modes_extra(moment)
        for trial in range(2):
            for name, expected in _modes(moment, trial).items():
                assert got[f"inference_{name}_loss"][trial] == pytest.approx(expected, rel=1e-5), name
        assert all(torch.equal(a, b) for a, b in zip(before, moment.arm.net.statistics(), strict=True))
        assert ((got["inference_batch_accuracy"] >= 0) & (got["inference_batch_accuracy"] <= 1)).all()


def test_recomputing_undoes_spoilt_statistics():
    moment = moments((BATCH,))[0]
    fine = inference_modes_extra(moment)
    moment.arm.net.restore_statistics([torch.full_like(values, 1e6) for values in moment.arm.net.statistics()])
    spoilt = inference_modes_extra(moment)
    np.testing.assert_array_equal(spoilt["inference_recomputed_loss"], fine["inference_recomputed_loss"])
    assert (spoilt["inference_running_loss"] != fine["inference_running_loss"]).all()
    with pytest.raises(RuntimeError, match="stop"):
        _fail_inside(moment)
    assert all(bool((values == 1e6).all()) for values in moment.arm.net.statistics())


def _fail_inside(moment):
    from bnviz.measure.inference_modes import recomputed_statistics

    with recomputed_statistics(moment.arm.net, moment.probe, 8):
        raise RuntimeError("stop")


def test_batches():
    assert [b.shape[1] for b in batches_of(torch.zeros(2, 40, 3), 16)] == [16, 24]
    assert [b.shape[1] for b in batches_of(torch.zeros(2, 10, 3), 16)] == [10]


@pytest.mark.parametrize(("kind", "kurtosis"), [("normal", 0.0), ("uniform", -1.2)])
def test_batch_noise_of_known_distributions(kind, kurtosis):
    """Against sigma^2 / M and (kurtosis + 2) sigma^2 / (4 M), with 20,000 batches: one percent of sampling error."""
    rng = np.random.default_rng(1)
    values = rng.normal(2, 3, (50_000, 2)) if kind == "normal" else rng.uniform(-3, 3, (50_000, 2)) * 3**0.5
    got = batch_statistics_variance(torch.from_numpy(values), 64, draws=20_000)
    variance = 9.0
    for name, expected in (("mean", variance / 64), ("std", (kurtosis + 2) * variance / 256)):
        np.testing.assert_allclose(got[name], expected, rtol=0.04)
        np.testing.assert_allclose(got[f"{name}_theory"], expected, rtol=0.03)


def test_batch_noise_of_a_layer():
    moment = moments((BATCH,))[0]
    got = batch_noise_extra(moment)
    pre_norm = layers_of(moment, 1)[0][0](torch.from_numpy(moment.dataset.train_inputs)).detach().numpy()
    assert got["batch_noise_mean_theory"][1, 0] == pytest.approx(pre_norm.var(0).mean() / 16, rel=1e-5)
    np.testing.assert_allclose(got["batch_noise_mean"], got["batch_noise_mean_theory"], rtol=0.2)  # 256 batches, 8 units


def test_batch_noise_of_a_constant():
    got = batch_statistics_variance(torch.ones(30, 2), 8)
    assert all(bool((value == 0).all()) for value in got.values())
    with pytest.raises(ValueError, match="at least 2"):
        batch_statistics_variance(torch.ones(30, 2), 8, draws=1)


def test_condition_number():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(500, 4)) * [1, 10, 0.1, 3] + [0, 0, 0, 5]
    values = np.linalg.eigvalsh(sum(np.outer(x, x) for x in inputs) / 500)
    assert condition_number(inputs) == pytest.approx(values[-1] / values[0], rel=1e-6)
    assert condition_number(np.diag([1.0, 2.0, 0.0])) == pytest.approx(4)
    assert condition_number(normalized(inputs, 0.0)) < 1.5
    assert condition_number(np.repeat(inputs[:, :1], 2, axis=1)) == np.inf  # batch norm does not remove correlation
    assert condition_number(normalized(np.repeat(inputs[:, :1], 2, axis=1), 0.0)) == np.inf
    assert np.isnan(condition_number(np.zeros((4, 2))))
    for bad in (np.full((2, 2), np.nan), np.zeros((0, 2))):
        with pytest.raises(ValueError, match="finite"):
            condition_number(bad)


def test_input_condition_of_a_run():
    got = input_condition_extra(moments((PLAIN,), step=0)[0])
    assert got["input_condition_before"].shape == (2,)
    assert (got["input_condition_after"] >= 1).all()


@pytest.mark.parametrize("placement", ["before_activation", "after_activation"])
def test_channel_maps_against_torch_nn(placement):
    arm = ArmConfig(norm="batch", architecture="conv", norm_placement=placement, activation="tanh")
    moment = moments((arm,), depth=2, width=5, step=1)[0]
    got = channel_maps_extra(moment)
    assert got["channel_maps_before"].shape == (2, 2, 4, 8, 8)
    views = moment.arm.net.parameters.views
    values = moment.probe[1].reshape(-1, 1, 8, 8)
    for i in range(2):
        conv = nn.Conv2d(values.shape[1], 5, 3, padding=1).double()
        conv.weight.data = views[f"weight{i}"].detach()[1].T.reshape(conv.weight.shape).clone()
        conv.bias.data = views[f"bias{i}"].detach()[1, 0].clone()
        norm = nn.BatchNorm2d(5).double()
        norm.weight.data, norm.bias.data = (views[f"{name}{i}"].detach()[1, 0].clone() for name in ("gamma", "beta"))
        before = conv(values) if placement == "before_activation" else torch.tanh(conv(values))
        after = norm(before)
        values = torch.tanh(after) if placement == "before_activation" else after
        np.testing.assert_allclose(got["channel_maps_before"][1, i], before[0, :4].detach(), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(got["channel_maps_after"][1, i], after[0, :4].detach(), rtol=1e-4, atol=1e-6)


def test_channel_maps_of_a_dense_net():
    assert channel_maps_extra(moments((BATCH,), step=0)[0]) == {}
