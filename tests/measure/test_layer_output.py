"""What a layer hands on, against the modules' own outputs."""

import numpy as np
import pytest
import torch

from bnviz.config.models import ArmConfig
from bnviz.measure.layer_output import layer_output_extra
from bnviz.records.records import PERCENTILES
from tests.measure.moments import moments


@pytest.mark.parametrize("placement", ["before_activation", "after_activation"])
def test_it_is_what_the_next_layer_is_given(placement):
    arm = ArmConfig(norm="batch", norm_placement=placement, activation="tanh", lr=0.2)
    (moment,) = moments((arm,))
    got = layer_output_extra(moment)
    views = moment.arm.net.parameters.views
    for trial in range(2):
        values = moment.probe[trial]
        for i in range(arm.depth if arm.depth < 3 else 3):
            out = values @ views[f"weight{i}"][trial] + views[f"bias{i}"][trial]
            out = torch.tanh(out) if placement == "after_activation" else out
            out = (out - out.mean(0)) / (out.var(0, correction=0) + arm.norm_eps).sqrt()
            out = out * views[f"gamma{i}"][trial] + views[f"beta{i}"][trial]
            values = out if placement == "after_activation" else torch.tanh(out)
            entries = values.detach().numpy().ravel()
            np.testing.assert_allclose(
                got["layer_output_percentiles"][trial, i], np.percentile(entries, PERCENTILES), rtol=1e-5, atol=1e-6
            )
            np.testing.assert_allclose(got["layer_output_mean"][trial, i], entries.mean(), rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(got["layer_output_std"][trial, i], entries.std(), rtol=1e-5)


def test_a_net_that_overflowed_has_no_distribution():
    (moment,) = moments((ArmConfig(norm="none", lr=0.2),), step=0)
    moment.arm.net.parameters.views["weight1"].data[0] = torch.inf
    got = layer_output_extra(moment)["layer_output_percentiles"]
    assert np.isnan(got[0, 1:]).all()
    assert np.isfinite(got[1]).all()
