"""Units that no longer respond."""

import torch
from torch import Tensor

from bnviz.measure.moment import Moment, Results
from bnviz.registry.activations import ACTIVATIONS
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="dead_relu_count",
    place=21,
    always=True,
    wants=("probed",),
    source="Lu et al. 2019, Dying ReLU and Initialization, arXiv:1903.06733",
    caveat="ReLU only, else NaN. An upper bound for the units that are dead on all data: a larger probe finds fewer. Not "
    "sparsity",
    results={
        "dead_relu_count": {
            "definition": "units whose output is exactly 0 for every probe sample",
            "unit": "units",
            "axes": ("trial", "layer"),
        },
    },
)
def measure_dead_relu_count(moment: Moment) -> Results:
    """`dead_relu_count` of each layer; NaN where a net overflowed before its loss did."""
    post = moment.probed["post_activation"]
    if not ACTIVATIONS[moment.arm.arm.activation].dies:
        counts = torch.full(post.shape[:2], torch.nan)
    elif bool(post.sum().isnan()):
        counts = dead_relu_count(post.nan_to_num()).float().masked_fill(post.isnan().flatten(-2).any(-1), torch.nan)
    else:
        counts = dead_relu_count(post)
    return {"dead_relu_count": counts.T}


def dead_relu_count(post_activation: Tensor) -> Tensor:
    """Count the ReLU units that output exactly 0 for every sample of the batch.

    Not sparsity: for N(0, 1) pre-activations half the entries are 0 and no unit is dead.
    A count on one batch bounds the number dead on all inputs from above.

    Args:
        post_activation: ReLU output, shape (..., trials, batch, units).

    Returns:
        Dead units per trial, int64, shape (..., trials), between 0 and units.

    Raises:
        ValueError: fewer than three axes, an empty batch, a negative or a NaN entry.
    """
    if post_activation.ndim < 3 or not post_activation.shape[-2]:
        raise ValueError(f"post_activation: got shape {tuple(post_activation.shape)}, wanted (..., trials, batch >= 1, units)")
    if post_activation.numel() and not bool(post_activation.min() >= 0):
        raise ValueError("post_activation: got a negative or NaN entry, which no ReLU of a sane net puts out")
    return (post_activation.amax(-2) == 0).sum(-1)
