"""What a convolution's norm does to a few of its maps."""

from math import isqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.measure.copies import by_trial
from bnviz.measure.moment import Moment
from bnviz.nets import Activations

CHANNELS = 4


def channel_maps_extra(moment: Moment) -> dict[str, NDArray[np.float32]]:
    """The first channels of every convolution for the first probe sample, before and after the norm.

    before: what the norm is given; after: what it returns (with a shortcut's part, where the norm stands at the end of a
    residual layer). The probe batch passes with batch statistics. Without a norm both are the same.

    Returns:
        channel_maps_before, channel_maps_after: (trials, layers, channels, side, side), at most CHANNELS of them; nothing
        for an architecture that is not convolutional.
    """
    arm = moment.arm.arm
    if arm.architecture != "conv":
        return {}
    kept = Activations()
    with torch.inference_mode():
        moment.arm.net.hidden(moment.probe, "probe", kept)
    norm_first = arm.norm_placement == "before_activation"
    before, after = (kept.pre_norm, kept.pre_activation) if norm_first else (kept.post_activation, kept.layer_output)
    return {
        "channel_maps_before": by_trial(_maps(before, arm.width), moment),
        "channel_maps_after": by_trial(_maps(after if arm.norm != "none" else before, arm.width), moment),
    }


def _maps(tensors: list[Tensor], channels: int) -> Tensor:
    """The first sample's maps of each layer, (trials, layers, channels, side, side)."""
    first = torch.stack([tensor[:, 0] for tensor in tensors], 1)
    side = isqrt(first.shape[2] // channels)
    return first.view(*first.shape[:2], channels, side, side)[:, :, :CHANNELS]
