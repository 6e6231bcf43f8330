"""First-order fidelity: what a step changes against what its gradient promised."""

import torch

from bnviz.measure.copies import Copies
from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry

SCALES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # of the step that is about to be taken


@MeasureEntry(
    name="fidelity",
    wants=("step", "copies"),
    source="Goodfellow et al. 2016, Deep Learning, section 8.7.1",
    caveat="1: the loss is a plane as far as the step reaches; below 0: the step makes the loss larger; NaN where no change is "
    "predicted",
    own_axes={"scale": 7},
    copies=8,
    results={
        "fidelity": {
            "definition": "actual over predicted change of the batch's loss for the coming step",
            "unit": "ratio",
            "axes": ("trial",),
        },
        "fidelity_profile": {
            "definition": "the same for the step times 1/8, 1/4, ... 8",
            "unit": "ratio",
            "axes": ("trial", "scale"),
        },
        "fidelity_predicted": {
            "definition": "the change that the gradient predicts for the coming step",
            "unit": "nats",
            "axes": ("trial",),
        },
        "fidelity_actual": {"definition": "the change that it makes", "unit": "nats", "axes": ("trial",)},
    },
)
def measure_fidelity(moment: Moment) -> Results:
    """Actual over predicted change of the loss for the step that is about to be taken, on its own batch.

    The step is theta -> theta - lr d; the first-order prediction of the change is -lr <g, d>. The
    difference from 1 is what the higher orders do.
    The steps of other lengths are extra trials of one stack.

    Each step of a deep net updates all layers at once, and batch normalization is said to remove the high-order
    effects of this.
    """
    arm = moment.arm
    parameters, move = arm.net.parameters, arm.lr * arm.direction
    scales = torch.tensor((0.0, *SCALES), dtype=move.dtype).unsqueeze(1)
    copies = Copies(arm.net, parameters.flat - scales * move)
    losses = copies.losses(moment.inputs, moment.labels)
    names = list(parameters.spans)
    gradients = [gradient[0] for gradient in copies.gradients(losses, names)]
    slope = torch.zeros(moment.config.trials, dtype=move.dtype)
    for name, gradient in zip(names, gradients, strict=True):
        slope -= (gradient * move[parameters.spans[name]].view(gradient.shape)).sum(1)
    predicted = (scales[1:] * slope).T
    actual = (losses[1:] - losses[0]).T
    now = SCALES.index(1.0)
    results = {
        "fidelity": actual[:, now] / predicted[:, now],
        "fidelity_profile": actual / predicted,
        "fidelity_predicted": predicted[:, now],
        "fidelity_actual": actual[:, now],
    }
    return {name: values.masked_fill(values.isinf(), torch.nan) for name, values in results.items()}
