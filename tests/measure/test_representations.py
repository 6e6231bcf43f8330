"""Rank and alignment, gradients along a line, states of units: against NumPy and on cases known beforehand."""

import numpy as np
import pytest
import torch

from bnviz.measure.autocorrelation import autocorrelation, autocorrelation_extra, input_gradients, input_line
from bnviz.measure.rank import rank_extra, representation_rank
from bnviz.measure.unit_states import unit_states_extra
from tests.measure.moments import PLAIN, layers_of, moments, passed


def _rank(hidden: np.ndarray) -> dict[str, float]:
    values = np.sqrt(np.clip(np.linalg.eigvalsh(hidden @ hidden.T), 0, None))
    values = values[values > 1e-12]
    share = values / values.sum()
    cosines = []
    for i, a in enumerate(hidden):
        for j, b in enumerate(hidden):
            if i != j:
                size = np.sqrt((a @ a) * (b @ b))
                cosines.append(a @ b / size if size else 0.0)
    return {
        "effective_rank": float(np.exp(-(share * np.log(share)).sum())),
        "stable_rank": float((values**2).sum() / (values**2).max()),
        "mean_cosine": float(np.mean(cosines)),
    }


def test_rank_against_numpy():
    for moment in moments():
        got = rank_extra(moment)
        for trial in range(2):
            values = moment.probe[trial]
            for i, layer in enumerate(list(layers_of(moment, trial))[:-1]):
                values = layer(values)
                for name, expected in _rank(values.detach().numpy()).items():
                    assert got[name][trial, i] == pytest.approx(expected, rel=1e-4), name


@pytest.mark.parametrize(
    ("hidden", "expected"),
    [
        (torch.eye(4), (4, 4, 0)),
        (torch.ones(3, 5), (1, 1, 1)),
        (torch.tensor([[1.0, 0], [-1, 0]]), (1, 1, -1)),
        (torch.tensor([[1.0, 2.0], [0.0, 0.0]]), (1, 1, 0)),
    ],
)
def test_known_ranks(hidden, expected):
    got = representation_rank(hidden)
    assert [float(value) for value in got.values()] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("entry", [0.0, torch.nan, torch.inf])
def test_a_layer_without_representations(entry):
    hidden = torch.zeros(3, 4)
    hidden[0, 0] = entry
    assert all(bool(value.isnan()) for value in representation_rank(hidden).values())


def test_autocorrelation_against_loops():
    series = np.random.default_rng(0).normal(size=(2, 12, 3)).cumsum(1)
    got = autocorrelation(torch.from_numpy(series), 5)
    for trial in range(2):
        centred = series[trial] - series[trial].mean(0)
        power = sum(v @ v for v in centred)
        for lag in range(5):
            expected = sum(centred[j] @ centred[j + lag] for j in range(12 - lag)) / power
            assert float(got[trial, lag]) == pytest.approx(expected)


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
        assert autocorrelation_extra(moment)["autocorrelation"].shape == (2, 32)


def test_unit_states_sample_by_sample():
    moment = moments((PLAIN,))[0]
    moment.arm.net.parameters.views["bias1"].data[1, 0, 2] = -1e3  # kills a unit
    got = unit_states_extra(moment)["unit_states"]
    assert got.shape == (2, 3, 8)
    for trial in range(2):
        values = moment.probe[trial]
        for i, layer in enumerate(list(layers_of(moment, trial))[:-1]):
            values = layer(values)
            for unit in range(8):
                assert got[trial, i, unit] == any(value.item() != 0 for value in values[:, unit])
    assert got[1, 1, 2] == 0


def test_unit_states_of_an_overflow():
    moment = moments((PLAIN,))[0]
    moment.arm.net.parameters.views["weight0"].data[0] = torch.nan
    assert np.isnan(unit_states_extra(moment)["unit_states"][0]).all()
