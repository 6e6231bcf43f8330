"""How much of a layer's output lies where its activation is flat."""

import torch
from torch import Tensor

from bnviz.measure.moment import Moment, Results
from bnviz.registry.activations import ACTIVATIONS
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="saturated_fraction",
    place=23,
    always=True,
    wants=("probed",),
    source="Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks",
    caveat="NaN for other activations",
    results={
        "saturated_fraction": {
            "definition": "sigmoid: share of outputs below 0.05 or above 0.95; tanh: share with absolute value above 0.95",
            "unit": "share",
            "axes": ("trial", "layer"),
        },
    },
)
def measure_saturated_fraction(moment: Moment) -> Results:
    """`saturated_fraction` of each layer."""
    post, linear_range = moment.probed["post_activation"], ACTIVATIONS[moment.arm.arm.activation].linear_range
    share = saturated_fraction(post, linear_range) if linear_range else torch.full(post.shape[:2], torch.nan)
    return {"saturated_fraction": share.T}


def saturated_fraction(post_activation: Tensor, linear_range: tuple[float, float]) -> Tensor:
    """Share of the entries outside `linear_range`, shape (..., trials), of (..., trials, batch, units).

    sigmoid: outside 0.05 to 0.95; tanh: |t| > 0.95 (`bnviz.registry.activations` holds the ranges).
    """
    low, high = linear_range
    outside = (post_activation < low) | (post_activation > high)
    return outside.flatten(-2).to(post_activation.dtype).mean(-1)
