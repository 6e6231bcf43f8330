"""Which units are alive, one by one: for the map of units over time."""

import torch

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="unit_states",
    wants=("activations",),
    caveat="NaN where a net overflowed",
    results={
        "unit_states": {
            "definition": "1 when the unit outputs something other than 0 for some probe sample, else 0",
            "unit": "0 or 1",
            "axes": ("trial", "layer", "unit"),
        },
    },
)
def measure_unit_states(moment: Moment) -> Results:
    """1 for a unit that outputs something other than 0 for some sample of the probe batch, 0 for a dead one."""
    post = torch.stack(moment.activations.post_activation, 1).unflatten(3, (moment.arm.arm.width, -1))
    largest = post.abs().amax((2, 4))  # over samples, and a channel's positions
    return {"unit_states": (largest > 0).float().masked_fill(largest.isnan(), torch.nan)}
