"""The decision boundary against one point at a time through a torch.nn network."""

import numpy as np
import torch

from bnviz.config.models import ArmConfig, DatasetConfig, PerTrial, RunConfig
from bnviz.datasets import load
from bnviz.measure import Measurer
from bnviz.measure.decision_boundary import GRID
from bnviz.training.loop import Trainer
from tests.measure.moments import layers_of, passed


def _config(*arms: ArmConfig, **settings) -> RunConfig:
    data = DatasetConfig(name="blobs", train_size=100, test_size=20)
    options = {"trials": 2, "batch_size": 20, "probe_size": 10, "steps": 30, "measure_every": 30} | settings
    return RunConfig(dataset=data, arms=arms, extras=("decision_boundary",), **options)


SETTING = {"dataset": DatasetConfig(name="blobs", train_size=100, test_size=20), "step": 30, "depth": 2}


def REFERENCE(moment, trial):
    """One point of the plane at a time."""
    net = layers_of(moment, 0).eval()
    x0, x1, y0, y1 = moment.dataset.extent
    classes = np.zeros((GRID, GRID))
    for row, column in np.ndindex(classes.shape):
        point = torch.tensor([[x0 + (x1 - x0) * column / (GRID - 1), y0 + (y1 - y0) * row / (GRID - 1)]], dtype=torch.float64)
        classes[row, column] = max(range(3), key=passed(net, point)[0].tolist().__getitem__)
    assert {*classes.flat} == {0, 1, 2}
    return {"decision_boundary": classes}


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
