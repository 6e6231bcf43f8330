"""What a convolution's norm does to a few of its maps."""

from math import isqrt

import torch
from torch import Tensor

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry

CHANNELS = 4


@MeasureEntry(
    name="channel_maps",
    wants=("activations",),
    caveat="convolutions only; at most four channels; without a norm both are the same",
    own_axes={"channel": 0, "row": 0, "column": 0},
    results={
        "channel_maps_before": {
            "definition": "the first channels of each layer for the first probe sample, as the norm is given them",
            "unit": "value",
            "axes": ("trial", "layer", "channel", "row", "column"),
        },
        "channel_maps_after": {
            "definition": "as the norm returns them, with a shortcut's part where the norm stands at the end of a residual layer",
            "unit": "value",
            "axes": ("trial", "layer", "channel", "row", "column"),
        },
    },
)
def measure_channel_maps(moment: Moment) -> Results:
    """The first channels of every convolution for the first probe sample, before and after the norm.

    Nothing for an architecture that is not convolutional.
    """
    arm = moment.arm.arm
    if arm.architecture != "conv":
        return {}
    kept = moment.activations
    norm_first = arm.norm_placement == "before_activation"
    before, after = (kept.pre_norm, kept.pre_activation) if norm_first else (kept.post_activation, kept.layer_output)
    return {
        "channel_maps_before": _maps(before, arm.width),
        "channel_maps_after": _maps(after if arm.norm != "none" else before, arm.width),
    }


def _maps(tensors: list[Tensor], channels: int) -> Tensor:
    """The first sample's maps of each layer, (trials, layers, channels, side, side)."""
    first = torch.stack([tensor[:, 0] for tensor in tensors], 1)
    side = isqrt(first.shape[2] // channels)
    return first.view(*first.shape[:2], channels, side, side)[:, :, :CHANNELS]
