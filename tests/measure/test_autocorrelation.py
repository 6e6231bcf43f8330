"""Gradients along a line, and their autocorrelation, against loops."""

import numpy as np
import pytest
import torch

from bnviz.measure.autocorrelation import LAGS, POINTS, autocorrelation, input_gradients, input_line
from tests.measure.moments import layers_of, moments, passed


def _loops(series: np.ndarray, lags: int) -> list[float]:
    centred = series - series.mean(0)
    power = sum(v @ v for v in centred)
    return [sum(centred[j] @ centred[j + lag] for j in range(len(series) - lag)) / power for lag in range(lags)]


def REFERENCE(moment, trial):
    first, last = moment.probe[trial, 0], moment.probe[trial, 1]
    points = torch.stack([first + (last - first) * i / (POINTS - 1) for i in range(POINTS)]).requires_grad_()
    passed(layers_of(moment, trial), points)[:, 0].sum().backward()
    assert points.grad is not None
    return {"autocorrelation": _loops(points.grad.numpy(), LAGS)}


def test_autocorrelation_against_loops():
    series = np.random.default_rng(0).normal(size=(2, 12, 3)).cumsum(1)
    got = autocorrelation(torch.from_numpy(series), 5)
    for trial in range(2):
        np.testing.assert_allclose(got[trial], _loops(series[trial], 5))


def test_autocorrelation_of_noise_of_a_constant_and_of_a_short_series():
    noise = autocorrelation(torch.randn(1, 4000, 4, generator=torch.Generator().manual_seed(0)))
    assert float(noise[0, 0]) == pytest.approx(1)
    assert float(noise[0, 1:].abs().max()) < 4 / (4000 * 4) ** 0.5  # four standard errors of white noise
    assert bool(autocorrelation(torch.ones(1, 40, 4)).isnan().all())
    with pytest.raises(ValueError, match="fewer than the 8 points"):
        autocorrelation(torch.ones(1, 8, 4), 8)


def test_gradients_along_a_line_against_torch_nn():
    for moment in moments(depth=2):
        line = input_line(moment.probe[:, 0], moment.probe[:, 1], 16)
        assert torch.equal(line[:, 0], moment.probe[:, 0])
        torch.testing.assert_close(line[:, -1], moment.probe[:, 1])
        got = input_gradients(moment.arm.net, line)
        for trial in range(2):
            inputs = line[trial].clone().requires_grad_()
            passed(layers_of(moment, trial), inputs)[:, 0].sum().backward()
            torch.testing.assert_close(got[trial], inputs.grad)
