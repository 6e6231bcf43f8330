"""Which units are alive, one by one: for the map of units over time."""

import numpy as np
import torch
from numpy.typing import NDArray

from bnviz.measure.copies import by_trial
from bnviz.measure.moment import Moment
from bnviz.nets import Activations


def unit_states_extra(moment: Moment) -> dict[str, NDArray[np.float32]]:
    """1 for a unit that puts out something else than 0 for some sample of the probe batch, 0 for a dead one.

    Returns:
        unit_states: (trials, layers, units); a channel of a convolution is one unit. NaN where a net overflowed.
    """
    kept = Activations()
    with torch.inference_mode():
        moment.arm.net.hidden(moment.probe, "probe", kept)
        post = torch.stack(kept.post_activation, 1).unflatten(3, (moment.arm.arm.width, -1))
        largest = post.abs().amax((2, 4))  # over samples, and a channel's positions
        states = (largest > 0).float().masked_fill(largest.isnan(), torch.nan)
    return {"unit_states": by_trial(states, moment)}
