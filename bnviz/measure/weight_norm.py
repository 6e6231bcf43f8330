"""How large a layer's weights are."""

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="weight_norm",
    place=13,
    always=True,
    wants=("step",),
    source="van Laarhoven 2017, L2 Regularization versus Batch and Weight Normalization, arXiv:1706.05350",
    caveat="with batch norm after it, W's scale does not change the layer's output: a growing norm is a falling effective "
    "learning rate",
    results={
        "weight_norm": {"definition": "L2 norm of W", "unit": "weight", "axes": ("trial", "layer")},
    },
)
def measure_weight_norm(moment: Moment) -> Results:
    """Of all weights of a layer together."""
    parameters = moment.arm.net.parameters
    return {"weight_norm": parameters.norms(parameters.flat, moment.arm.net.weight_names)}
