"""Figure 1 of Ioffe & Szegedy 2015: three sigmoid layers of 100 units, small Gaussian weights, batches of 60."""

import numpy as np
import pytest

from bnviz.config.presets import PRESETS
from bnviz.records.records import PERCENTILES, StepMeasured
from bnviz.training.run import run


@pytest.fixture(scope="module")
def records() -> list[StepMeasured]:
    config = PRESETS["sigmoid_2015"].config
    assert [arm.norm for arm in config.arms] == ["none", "batch"]
    assert {(arm.depth, arm.width, arm.activation, arm.init) for arm in config.arms} == {(3, 100, "sigmoid", "normal")}
    assert config.batch_size == 60
    assert config.trials >= 3
    short = config.model_copy(update={"steps": 100, "measure_every": 25})
    return [record for record in run(short) if isinstance(record, StepMeasured)]


def test_batch_norm_reads_nine_in_ten_while_the_plain_net_guesses(records):
    plain, batch = (arm.curves["test_accuracy"] for arm in records[-1].arms)
    assert records[-1].step == 100
    assert np.median(plain) < 0.2
    assert (batch > 0.9).all()


def test_the_input_of_the_last_sigmoid_drifts_without_and_holds_with_batch_norm(records):
    """Movement of the median between steps 0 and 100, in units of half the initial span of the 15th to 85th percentile."""
    low, middle, high = (PERCENTILES.index(q) for q in (15, 50, 85))
    start, end = (np.stack([arm.percentiles["pre_activation"][0, -1] for arm in r.arms]) for r in (records[0], records[-1]))
    plain, batch = np.abs(end[:, middle] - start[:, middle]) / ((start[:, high] - start[:, low]) / 2)
    assert plain > 1
    assert plain > 10 * batch
