"""How far a step moves a layer's weights."""

from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="update_ratio",
    place=14,
    always=True,
    wants=("step",),
    caveat="the update has momentum, Adam's scaling and weight decay in it; biases, gamma and beta are not counted",
    results={
        "update_ratio": {"definition": "L2 norm of the update of W over that of W", "unit": "share", "axes": ("trial", "layer")},
    },
)
def measure_update_ratio(moment: Moment) -> Results:
    """|dW| / |W| of the update that the step is about to make."""
    arm = moment.arm
    parameters, names = arm.net.parameters, arm.net.weight_names
    return {"update_ratio": parameters.norms(arm.direction * arm.lr, names) / parameters.norms(parameters.flat, names)}
