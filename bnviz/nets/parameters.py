"""All parameters of an arm in one flat tensor, so that an optimizer step is a few operations at any depth."""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor


class FlatParameters:
    """Named parameters of shape (trials, ...) as leaf views of `flat`, shape (trials, P).

    Writing to `flat` in place changes the views: that is how an optimizer updates them.

    Args:
        named: name and initial value, shape (trials, ...), of each parameter, in order.
    """

    def __init__(self, named: Sequence[tuple[str, Tensor]]) -> None:
        self.flat = torch.cat([value.flatten(1) for _, value in named], dim=1)
        ends = list(accumulate(value[0].numel() for _, value in named))
        self.spans = {name: slice(end - value[0].numel(), end) for (name, value), end in zip(named, ends, strict=True)}
        self.views = {
            name: self.flat[:, self.spans[name]].view(value.shape).detach().requires_grad_() for name, value in named
        }

    def flatten(self, gradients: Sequence[Tensor]) -> Tensor:
        """Gradients of `views`, in their order, as one tensor of the shape of `flat`."""
        return torch.cat([gradient.flatten(1) for gradient in gradients], dim=1)

    def norms(self, values: Tensor, names: Sequence[str]) -> Tensor:
        """L2 norm of each named part of `values` (trials, P), shape (trials, names)."""
        return torch.stack([torch.linalg.vector_norm(values[:, self.spans[name]], dim=1) for name in names], dim=1)
