"""Internal covariate shift as the change of a layer's gradient that the step of the layers below it causes."""

import re

import torch
from torch import Tensor

from bnviz.measure.copies import Copies, next_parameters
from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="shift",
    wants=("step", "copies"),
    source="Santurkar et al. 2018, How Does Batch Normalization Help Optimization?, arXiv:1805.11604, definition 2.1",
    caveat="the first layer gives exactly 0, 0 and 1; the last two are NaN where G or G' is 0",
    copies="layer",
    results={
        "shift": {
            "definition": "|G - G'|, G being the gradient of the layer's weights on the step's batch and G' the same after the "
            "layers below took their step",
            "unit": "nats per weight",
            "axes": ("trial", "layer"),
        },
        "shift_relative": {"definition": "the same over |G|", "unit": "share", "axes": ("trial", "layer")},
        "shift_cosine": {"definition": "cosine of G and G'", "unit": "cosine", "axes": ("trial", "layer")},
    },
)
def measure_shift(moment: Moment) -> Results:
    """How much the gradient of each layer's weights changes when the layers below it take their step first.

    G is the gradient of W_i at the parameters of this step; G' the gradient of W_i, of the same batch, after all
    parameters of the layers below i (weights, biases, gamma, beta) took the step that they are about to take, while layer
    i and those above stayed.
    With batch statistics of the batch and without dropout. Half-updated networks are extra trials of one stack.
    """
    arm = moment.arm
    names = arm.net.weight_names
    copies = Copies(arm.net, _half_updated(moment))
    gradients = copies.gradients(copies.losses(moment.inputs, moment.labels), names)
    measured = [compare(of_layer[0], of_layer[i]) for i, of_layer in enumerate(gradients)]
    results = zip(("shift", "shift_relative", "shift_cosine"), zip(*measured, strict=True), strict=True)
    return {name: torch.stack(values, 1) for name, values in results}


def _half_updated(moment: Moment) -> Tensor:
    """Row i: the flat parameters with the layers below i updated, shape (layers, P)."""
    parameters = moment.arm.net.parameters
    layer_of = torch.empty(len(parameters.flat), dtype=torch.int64)
    for name, span in parameters.spans.items():
        layer_of[span] = layer_index(name)
    below = layer_of < torch.arange(len(moment.arm.net.weight_names)).unsqueeze(1)
    return torch.where(below, next_parameters(moment), parameters.flat)


def layer_index(name: str) -> int:
    """The layer that a parameter belongs to, from the number at the end of its name; the first for one without a number."""
    number = re.search(r"\d+$", name)
    return int(number[0]) if number else 0


def compare(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(distance, distance over the length of `before`, cosine) along the last axis.

    The cosine is 1 - |u - v|^2 / 2 for the unit vectors u and v: exactly 1 for equal vectors, and precise close to 1.
    """
    length = torch.linalg.vector_norm(before, dim=-1, keepdim=True)
    other = torch.linalg.vector_norm(after, dim=-1, keepdim=True)
    distance = torch.linalg.vector_norm(after - before, dim=-1)
    gap = before / length - after / other
    return distance, distance / length.squeeze(-1), 1 - gap.square().sum(-1) / 2
