"""The condition number of the inputs, against eigenvalues and known cases."""

import numpy as np
import pytest

from bnviz.config.models import DatasetConfig
from bnviz.measure.input_condition import condition_number, normalized


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


def REFERENCE(moment, trial):
    inputs = moment.dataset.train_inputs
    varying = inputs[:, [len(set(column)) > 1 for column in inputs.T]]
    after = (varying - varying.mean(0)) / np.sqrt(varying.var(0) + moment.arm.arm.norm_eps)
    conditions = []
    for rows in (inputs, after):
        used = rows[:, (rows != 0).any(0)]
        values = np.linalg.eigvalsh(used.T @ used)
        conditions.append(values[-1] / values[0])
    return dict(zip(("input_condition_before", "input_condition_after"), conditions, strict=True))


SETTING = {"dataset": DatasetConfig(name="gaussian", features=5, train_size=60, test_size=10)}
