"""The loss along the gradient: how far it and its gradient move within a few steps."""

import torch
from torch import Tensor

from bnviz.measure.copies import Copies
from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry

LINE = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)  # distances along the gradient, in learning rates


@MeasureEntry(
    name="landscape",
    wants=("step", "copies"),
    source="Santurkar et al. 2018, How Does Batch Normalization Help Optimization?, arXiv:1805.11604, section 3.2 and figure 4",
    caveat="meaningful on a net that is learning: on the plateau where a plain net starts, its gradient hardly moves",
    own_axes={"distance": 8},
    copies=9,
    results={
        "landscape_losses": {
            "definition": "the loss at 0.5, 1, ... 4 learning rates along the gradient",
            "unit": "nats",
            "axes": ("trial", "distance"),
        },
        "landscape_range": {"definition": "largest minus smallest of these", "unit": "nats", "axes": ("trial",)},
        "landscape_changes": {
            "definition": "how much the gradient of all parameters differs there: the length of the difference",
            "unit": "nats per parameter",
            "axes": ("trial", "distance"),
        },
        "landscape_predictiveness": {
            "definition": "the largest of these: the smaller, the better the gradient predicts what comes",
            "unit": "nats per parameter",
            "axes": ("trial",),
        },
        "landscape_smoothness": {
            "definition": "the largest of them over the length of the way there; NaN where the gradient is 0",
            "unit": "nats per squared parameter",
            "axes": ("trial",),
        },
    },
)
def measure_landscape(moment: Moment) -> Results:
    """The loss L and its gradient g at theta - s g, for s from 0.5 to 4 learning rates, on the step's own batch.

    g is the gradient of all parameters. With batch statistics of the batch and without dropout; the points on the line
    are extra trials of one stack.
    """
    parameters = moment.arm.net.parameters
    lr, names = moment.arm.lr, list(parameters.spans)
    here = Copies(moment.arm.net, parameters.flat.unsqueeze(0))
    gradients = here.gradients(here.losses(moment.inputs, moment.labels), names)
    move = lr * parameters.flatten([gradient[0] for gradient in gradients])
    line = torch.tensor(LINE, dtype=move.dtype).unsqueeze(1)
    copies = Copies(moment.arm.net, parameters.flat - line * move)
    losses = copies.losses(moment.inputs, moment.labels)
    changes = _length([there - g for there, g in zip(copies.gradients(losses, names), gradients, strict=True)])
    steps = line * length_by_trial(moment, move)
    return {
        "landscape_losses": losses.T,
        "landscape_range": losses.amax(0) - losses.amin(0),
        "landscape_changes": changes.T,
        "landscape_predictiveness": changes.amax(0),
        "landscape_smoothness": (changes / steps).amax(0),
    }


def _length(parts: list[Tensor]) -> Tensor:
    """L2 norm over the entries of all parts, each (copies, trials, entries): (copies, trials)."""
    return torch.stack([torch.linalg.vector_norm(part, dim=2) for part in parts]).square().sum(0).sqrt()


def length_by_trial(moment: Moment, values: Tensor) -> Tensor:
    """L2 norm of the part of `values`, of the shape of the flat parameters, that belongs to each trial, (trials,)."""
    spans, trials = moment.arm.net.parameters.spans.values(), moment.config.trials
    return _length([values[span].view(1, trials, -1) for span in spans])[0]
