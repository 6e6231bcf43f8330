"""What a layer hands on, against the modules' own outputs."""

import numpy as np
import torch

from bnviz.config.models import ArmConfig
from bnviz.records.records import PERCENTILES
from tests.measure.moments import measured, moments

SETTING = {
    "arms": tuple(
        ArmConfig(norm="batch", norm_placement=placement, activation="tanh", lr=0.2)
        for placement in ("before_activation", "after_activation")
    )
}


def REFERENCE(moment, trial):
    """What the next layer is given."""
    views, arm, values = moment.arm.net.parameters.views, moment.arm.arm, moment.probe[trial]
    expected = {"layer_output_percentiles": [], "layer_output_mean": [], "layer_output_std": []}
    for i in range(arm.depth):
        out = values @ views[f"weight{i}"][trial] + views[f"bias{i}"][trial]
        out = torch.tanh(out) if arm.norm_placement == "after_activation" else out
        out = (out - out.mean(0)) / (out.var(0, correction=0) + arm.norm_eps).sqrt()
        out = out * views[f"gamma{i}"][trial] + views[f"beta{i}"][trial]
        values = out if arm.norm_placement == "after_activation" else torch.tanh(out)
        entries = values.detach().numpy().ravel()
        expected["layer_output_percentiles"].append(np.percentile(entries, PERCENTILES))
        expected["layer_output_mean"].append(entries.mean())
        expected["layer_output_std"].append(entries.std())
    return expected


def test_a_net_that_overflowed_has_no_distribution():
    (moment,) = moments((ArmConfig(norm="none", lr=0.2),), step=0)
    moment.arm.net.parameters.views["weight1"].data[0] = torch.inf
    got = measured("layer_output", moment)["layer_output_percentiles"]
    assert np.isnan(got[0, 1:]).all()
    assert np.isfinite(got[1]).all()
