"""How sparse a layer's output is."""

from torch import Tensor

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="zero_fraction",
    place=22,
    always=True,
    wants=("probed",),
    caveat="sparsity: 0.5 for ReLU on inputs that are symmetric around 0, and nothing is wrong then",
    results={
        "zero_fraction": {
            "definition": "share of a layer's post-activations that are exactly 0",
            "unit": "share",
            "axes": ("trial", "layer"),
        },
    },
)
def measure_zero_fraction(moment: Moment) -> Results:
    """`zero_fraction` of each layer."""
    return {"zero_fraction": zero_fraction(moment.probed["post_activation"]).T}


def zero_fraction(post_activation: Tensor) -> Tensor:
    """Share of the entries that are exactly 0 (sparsity), shape (..., trials), of (..., trials, batch, units)."""
    nonzero = post_activation.sign().abs_()  # five times as fast as count_nonzero along an axis
    return 1 - nonzero.flatten(-2).mean(-1)
