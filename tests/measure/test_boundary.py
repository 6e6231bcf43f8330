"""The decision boundary against one point at a time through a network written out in NumPy."""

from itertools import product

import numpy as np
import pytest

from bnviz.config.models import ArmConfig, DatasetConfig, PerTrial, RunConfig
from bnviz.datasets import load
from bnviz.measure import Measurer
from bnviz.measure.boundary import GRID
from bnviz.nets import DenseStack
from bnviz.training.loop import Trainer


def _config(*arms: ArmConfig, **settings) -> RunConfig:
    data = DatasetConfig(name="blobs", train_size=100, test_size=20)
    options = {"trials": 2, "batch_size": 20, "probe_size": 10, "steps": 30, "measure_every": 30} | settings
    return RunConfig(dataset=data, arms=arms, extras=("decision_boundary",), **options)


def _classify(net: DenseStack, point: np.ndarray) -> np.ndarray:
    """Logits of the first trial's net (depth 2, tanh) for one point, with running statistics where there is a norm."""
    views = {name: view.detach().numpy()[0].astype(np.float64) for name, view in net.parameters.views.items()}
    values = point
    for i in range(2):
        values = values @ views[f"weight{i}"] + views[f"bias{i}"][0]
        if net.norms:
            mean, variance = (values_.numpy()[0].astype(np.float64) for values_ in net.norms[i].statistics())
            values = (values - mean) / np.sqrt(variance + 1e-5) * views[f"gamma{i}"][0] + views[f"beta{i}"][0]
        values = np.tanh(values)
    return values @ views["weight2"] + views["bias2"][0]


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_boundary_is_what_the_first_net_answers_at_each_point(norm):
    config = _config(ArmConfig(norm=norm, activation="tanh", depth=2, width=6))
    dataset = load(config.dataset, config.seed)
    state = next(Trainer(config, dataset).states((30,)))
    grid = Measurer(config, dataset).measure(state)[0].extras["decision_boundary"]
    assert grid.shape == (GRID, GRID)
    assert grid.dtype == np.float32
    assert set(np.unique(grid)) == {0, 1, 2}
    assert dataset.extent is not None
    x0, x1, y0, y1 = dataset.extent
    checked = 0
    for row, column in product(range(0, GRID, 5), repeat=2):
        point = np.array([x0 + (x1 - x0) * column / (GRID - 1), y0 + (y1 - y0) * row / (GRID - 1)])
        logits = np.sort(_classify(state.arms[0].net, point))
        if logits[-1] - logits[-2] > 1e-4:  # else rounding decides
            assert grid[row, column] == _classify(state.arms[0].net, point).argmax()
            checked += 1
    assert checked > 90


def test_no_boundary_once_the_first_net_has_diverged():
    arm = ArmConfig(norm="none", activation="linear", depth=6, width=16, per_trial=PerTrial(lr=(100.0, 1e-3)))
    config = _config(arm, ArmConfig(norm="batch", depth=2, width=6))
    dataset = load(config.dataset, config.seed)
    measurer = Measurer(config, dataset)
    lost, fine = measurer.measure(next(Trainer(config, dataset).states((30,))))
    assert lost.diverged_at[0] > 0
    assert lost.diverged_at[1] == -1
    assert "decision_boundary" not in lost.extras
    assert "decision_boundary" in fine.extras


def test_no_boundary_unless_asked_for():
    config = _config(ArmConfig(depth=2, width=6)).model_copy(update={"extras": ()})
    dataset = load(config.dataset, config.seed)
    assert Measurer(config, dataset).measure(next(Trainer(config, dataset).states((0,))))[0].extras == {}
