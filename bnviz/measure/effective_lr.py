"""The learning rate that a scale-invariant unit feels, and how far it turns in a step."""

import torch
from torch import Tensor

from bnviz.measure.copies import next_parameters
from bnviz.measure.moment import Moment, Results
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="effective_lr",
    wants=("step",),
    source="van Laarhoven 2017, arXiv:1706.05350; Arora et al. 2018, arXiv:1812.03981; Wan et al. 2020, arXiv:2006.08419",
    caveat="it holds for units that feed a batch norm, not for gamma, beta and the read-out; without a norm the numbers have"
    " no such meaning",
    results={
        "effective_lr": {
            "definition": "mean over the units of lr / |w|^2, w being a unit's incoming weights",
            "unit": "1 / squared weight",
            "axes": ("trial", "layer"),
        },
        "unit_angle": {
            "definition": "root mean square over the units of the angle that the coming step turns w by",
            "unit": "radians",
            "axes": ("trial", "layer"),
        },
        "unit_radial": {
            "definition": "largest cosine, without its sign, between w and its gradient; 0 where the gradient is",
            "unit": "cosine",
            "axes": ("trial", "layer"),
        },
    },
)
def measure_effective_lr(moment: Moment) -> Results:
    """Lr / |w|^2 of the hidden units' incoming weights w, and the angle by which the coming step turns them.

    Weights that feed a batch norm have only a direction: the loss does not depend on |w|, so <w, g> = 0,
    g(a w) = g(w) / a, and a step with rate lr turns w as a step with rate lr / |w|^2 turns w / |w|. It holds per unit,
    not for gamma, beta and the read-out. Without a norm the numbers have no such meaning.
    """
    arm, parameters = moment.arm, moment.arm.net.parameters
    after = next_parameters(moment)
    columns = []
    for name in arm.net.weight_names:
        weight, stepped, gradient = (_units(moment, flat, name) for flat in (parameters.flat, after, arm.gradient))
        lr = arm.lr
        rate = _units(moment, lr, name)[:, 0] if isinstance(lr, Tensor) else lr
        square = weight.square().sum(1)
        columns.append(((rate / square).mean(1), _angle(weight, stepped).square().mean(1).sqrt(), _radial(weight, gradient)))
    names = ("effective_lr", "unit_angle", "unit_radial")
    results = zip(names, zip(*columns, strict=True), strict=True)
    return {name: torch.stack(values, 1) for name, values in results}


def _units(moment: Moment, flat: Tensor, name: str) -> Tensor:
    """A part of a flat tensor as (trials, inputs, units), in float64: small angles."""
    parameters = moment.arm.net.parameters
    shape = parameters.views[name].shape
    return flat[parameters.spans[name]].view(shape[0], -1, shape[-1]).double()


def _angle(before: Tensor, after: Tensor) -> Tensor:
    """Angle between the columns, (trials, units); precise for small ones, unlike the arc cosine."""
    u, v = (values / torch.linalg.vector_norm(values, dim=1, keepdim=True) for values in (before, after))
    return 2 * torch.atan2(torch.linalg.vector_norm(u - v, dim=1), torch.linalg.vector_norm(u + v, dim=1))


def _radial(weight: Tensor, gradient: Tensor) -> Tensor:
    """Largest cosine, without its sign, between the units' weights and their gradients, (trials,)."""
    lengths = torch.linalg.vector_norm(weight, dim=1) * torch.linalg.vector_norm(gradient, dim=1)
    return ((weight * gradient).sum(1).abs() / lengths).nan_to_num(0).amax(1)
