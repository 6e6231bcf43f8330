"""One net, three ways to normalize the test data: against torch.nn."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from bnviz.measure.inference_modes import batches_of, recomputed_statistics
from tests.measure.moments import BATCH, layers_of, loss_of, measured, moments, passed


def _accuracy(net, inputs, labels) -> torch.Tensor:
    return (passed(net, inputs).argmax(1) == labels).double().mean()


def REFERENCE(moment, trial):
    train, test = (torch.from_numpy(x) for x in (moment.dataset.train_inputs, moment.dataset.test_inputs))
    labels = torch.from_numpy(moment.dataset.test_labels)
    running, batch, recomputed = layers_of(moment, trial).eval(), layers_of(moment, trial), layers_of(moment, trial)
    for module in recomputed.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()
            module.momentum = None  # a plain average
    for start in range(0, 112, 16):  # 120 samples in batches of 16: seven, of which the last has 24
        passed(recomputed, train[start : start + 16 if start < 96 else 120])
    whole = [(slice(0, 40), 1.0)]
    parts = {"running": whole, "batch": [(slice(0, 16), 0.4), (slice(16, 40), 0.6)], "recomputed": whole}
    expected = {}
    for name, net in (("running", running), ("batch", batch), ("recomputed", recomputed.eval())):
        for kind, of in (("loss", loss_of), ("accuracy", _accuracy)):
            expected[f"inference_{name}_{kind}"] = sum(of(net, test[p], labels[p]).item() * share for p, share in parts[name])
    return expected


def test_the_running_statistics_stay():
    for moment in moments():
        before = copy.deepcopy(moment.arm.net.statistics())
        measured("inference_modes", moment)
        assert all(torch.equal(a, b) for a, b in zip(before, moment.arm.net.statistics(), strict=True))


def test_recomputing_undoes_spoilt_statistics():
    moment = moments((BATCH,))[0]
    fine = measured("inference_modes", moment)
    moment.arm.net.restore_statistics([torch.full_like(values, 1e6) for values in moment.arm.net.statistics()])
    moment.drop(["test_logits"])
    spoilt = measured("inference_modes", moment)
    np.testing.assert_array_equal(spoilt["inference_recomputed_loss"], fine["inference_recomputed_loss"])
    assert (spoilt["inference_running_loss"] != fine["inference_running_loss"]).all()
    with pytest.raises(RuntimeError, match="stop"):
        _fail_inside(moment)
    assert all(bool((values == 1e6).all()) for values in moment.arm.net.statistics())


def _fail_inside(moment):
    with recomputed_statistics(moment.arm.net, moment.probe, 8):
        raise RuntimeError("stop")


def test_batches():
    assert [b.shape[1] for b in batches_of(torch.zeros(2, 40, 3), 16)] == [16, 24]
    assert [b.shape[1] for b in batches_of(torch.zeros(2, 10, 3), 16)] == [10]
