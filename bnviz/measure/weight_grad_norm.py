"""How large the gradient of a layer's weights is."""

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="weight_grad_norm",
    place=11,
    always=True,
    wants=("step",),
    caveat="without the weight-decay term; not comparable between widths",
    results={
        "weight_grad_norm": {
            "definition": "L2 norm of dL/dW, all weights of the layer together",
            "unit": "nats per weight",
            "axes": ("trial", "layer"),
        },
    },
)
def measure_weight_grad_norm(moment: Moment) -> Results:
    """Of the step's own mini-batch loss, after the backward pass and before the update."""
    return {"weight_grad_norm": moment.arm.net.parameters.norms(moment.arm.gradient, moment.arm.net.weight_names)}
