"""Where a layer's values lie, and how widely."""

import torch
from torch import Tensor

from bnviz.measure.moment import Moment, Results
from bnviz.records.records import TENSORS
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="mean_and_std",
    place=24,
    always=True,
    wants=("probed",),
    caveat="batch norm sets mean and variance of every unit, not of the layer",
    results={
        "pre_norm_mean": {
            "definition": "mean of the pre-norm over samples and units together",
            "unit": "value",
            "axes": ("trial", "layer"),
        },
        "pre_norm_std": {
            "definition": "standard deviation of the pre-norm over samples and units together (biased, 1/n; two passes)",
            "unit": "value",
            "axes": ("trial", "layer"),
        },
        "pre_activation_mean": {"definition": "of the pre-activation, likewise", "unit": "value", "axes": ("trial", "layer")},
        "pre_activation_std": {"definition": "of the pre-activation, likewise", "unit": "value", "axes": ("trial", "layer")},
        "post_activation_mean": {"definition": "of the post-activation, likewise", "unit": "value", "axes": ("trial", "layer")},
        "post_activation_std": {"definition": "of the post-activation, likewise", "unit": "value", "axes": ("trial", "layer")},
    },
)
def measure_mean_and_std(moment: Moment) -> Results:
    """`mean_and_std` of each layer and tensor."""
    mean, std = mean_and_std(moment.probed.values)
    places = moment.probed.places
    return {f"{name}_{kind}": values[places[name]].T for name in TENSORS for kind, values in (("mean", mean), ("std", std))}


def mean_and_std(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and (biased) standard deviation over samples and units together, each (..., trials), of (..., trials, batch, units).

    Two passes: E[x^2] - E[x]^2 in float32 can go negative.
    """
    flat = values.flatten(-2)
    mean = flat.mean(-1, keepdim=True)
    spread = torch.linalg.vector_norm(flat - mean, dim=-1) / flat.shape[-1] ** 0.5
    return mean.squeeze(-1), spread
