"""What probes measured, by name, and what is not measured yet."""

import numpy as np
import pytest

from bnviz.config.stages import Stage
from bnviz.experiments.kit.labelled import Labelled, laid_on, unknown
from bnviz.experiments.kit.results import Results
from bnviz.records.records import StageMeasured

RAW = np.arange(6.0).reshape(2, 3)


def probed(**values: np.ndarray) -> Results:
    results = Results([Stage("fresh", "fresh nets", probe="gradient_growth")])
    results.add(StageMeasured(0, 0, 0, 0.5, False, (), values))
    return results


def test_a_value_of_a_probe_has_the_names_that_it_is_given():
    found = probed(output=RAW).probed("output", seed=(0, 1), layer=(1, 2, 3))
    assert found.at(seed=1, layer=3).values == 5


def test_a_value_that_is_not_there_or_of_another_shape_is_refused():
    with pytest.raises(LookupError, match="norm: the probe measures output"):
        probed(output=RAW).probed("norm", seed=(0, 1))
    with pytest.raises(ValueError, match=r"received shape \(2, 3\), wanted \(2, 2\)"):
        probed(output=RAW).probed("output", seed=(0, 1), layer=(1, 2))


def test_before_the_first_measurement_every_value_is_unknown():
    found = Results([Stage("fresh", "fresh nets", probe="gradient_growth")]).probed("output", seed=(0, 1))
    assert found.axes == {"seed": (0, 1)}
    assert np.isnan(found.values).all()


def test_a_run_that_is_not_over_is_laid_on_all_its_steps():
    found = laid_on(Labelled(RAW, {"seed": (0, 1), "step": (0, 5, 10)}), "step", (0, 5, 10, 15))
    assert found.axes == {"step": (0, 5, 10, 15), "seed": (0, 1)}
    assert found.at(seed=1).values[:3].tolist() == [3, 4, 5]
    assert np.isnan(found.at(step=15).values).all()
    with pytest.raises(LookupError, match="step: received 10"):
        laid_on(Labelled(RAW, {"seed": (0, 1), "step": (0, 5, 10)}), "step", (0, 5))


def test_what_is_unknown_is_nan_everywhere():
    found = unknown(arm=("none", "batch"), seed=(0, 1, 2))
    assert found.values.shape == (2, 3)
    assert np.isnan(found.values).all()
