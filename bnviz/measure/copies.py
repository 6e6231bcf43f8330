"""Copies of a stack with other parameters, run as extra trials: how the costly measurements stay cheap.

E copies of T trials are one stack of E * T trials, copy by copy: a forward and a backward pass for all.
"""

from collections.abc import Sequence
from copy import copy
from typing import TypeVar

import torch
from torch import Tensor

from bnviz.measure.curves import mean_loss
from bnviz.measure.moment import Moment
from bnviz.nets import Stack
from bnviz.nets.norms import Norm

AnyNorm = TypeVar("AnyNorm", bound=Norm)


class Copies:
    """A stack whose trials are copies of another's with parameters of their own; it passes in mode "probe" only.

    Args:
        net: the stack that is copied; nothing of it is changed.
        flat: parameters of each copy, shape (copies, P), each row laid out as `net.parameters.flat`.
    """

    def __init__(self, net: Stack, flat: Tensor) -> None:
        self.count = len(flat)
        spans, views = net.parameters.spans, net.parameters.views
        self.views = {
            name: flat[:, span].reshape(-1, *views[name].shape[1:]).detach().requires_grad_() for name, span in spans.items()
        }
        self.net = copy(net)
        self.net.trials = self.count * net.trials
        self.net.norms = [_wider(norm, self.count) for norm in net.norms]
        self.net.input_norm = _wider(net.input_norm, self.count) if net.input_norm else None
        self.net.parameters = copy(net.parameters)
        self.net.parameters.views = self.views

    def losses(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Mean cross-entropy of the same batch, (trials, batch, ...), for each copy: shape (copies, trials)."""
        logits = self.net.forward(inputs.repeat(self.count, *[1] * (inputs.ndim - 1)), "probe")
        return mean_loss(logits, labels.repeat(self.count, 1)).view(self.count, -1)

    def gradients(self, losses: Tensor, names: Sequence[str]) -> list[Tensor]:
        """Gradients of each copy's loss with respect to its own parameters, each (copies, trials, entries)."""
        gradients = torch.autograd.grad(losses.sum(), [self.views[name] for name in names])
        return [gradient.reshape(*losses.shape, -1) for gradient in gradients]


def _wider(norm: AnyNorm, copies: int) -> AnyNorm:
    wide = copy(norm)
    wide.trials = copies * norm.trials
    return wide


def next_parameters(moment: Moment) -> Tensor:
    """The arm's flat parameters after the step that it is about to take."""
    return moment.arm.net.parameters.flat - moment.arm.lr * moment.arm.direction
