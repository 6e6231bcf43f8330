"""All parameters of an arm in one flat tensor, so that an optimizer step is a few operations at any depth."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

import torch
from torch import Tensor


class FlatParameters:
    """Named parameters of shape (trials, ...) as leaf views of `flat`, shape (P,), one block after the other.

    Each block is contiguous with its trial axis first. Writing to `flat` in place changes the views: that is
    how an optimizer updates them.

    Args:
        named: name and initial value, shape (trials, ...), of each parameter, in order.
    """

    def __init__(self, named: Sequence[tuple[str, Tensor]]) -> None:
        self.trials = named[0][1].shape[0]
        self.flat = torch.cat([value.flatten() for _, value in named])
        ends = list(accumulate(value.numel() for _, value in named))
        self.spans = {name: slice(end - value.numel(), end) for (name, value), end in zip(named, ends, strict=True)}
        self.views = {name: self.flat[self.spans[name]].view(value.shape).detach().requires_grad_() for name, value in named}

    def flatten(self, gradients: Sequence[Tensor]) -> Tensor:
        """Gradients of `views`, in their order, as one tensor of the shape of `flat`."""
        return torch.cat([gradient.reshape(-1) for gradient in gradients])

    def spread(self, per_trial: Tensor) -> Tensor:
        """One value per trial, shape (trials,), as one value per parameter, of the shape of `flat`."""
        sizes = [(span.stop - span.start) // self.trials for span in self.spans.values()]
        return torch.cat([per_trial.repeat_interleave(size) for size in sizes])

    def norms(self, values: Tensor, names: Sequence[str]) -> Tensor:
        """L2 norm of each named part of `values` (of the shape of `flat`), shape (trials, names)."""
        blocks = [torch.linalg.vector_norm(block, dim=2) for block in self._blocks(values, names)]
        return torch.cat(blocks).transpose(0, 1)

    def _blocks(self, values: Tensor, names: Sequence[str]) -> Iterator[Tensor]:
        """The named parts as (parts, trials, size) views; those at equal distances, as in a deep net, are one view."""
        starts = [self.spans[name].start for name in names]
        sizes = [self.spans[name].stop - self.spans[name].start for name in names]
        i = 0
        while i < len(names):
            j, distance = i + 1, starts[i + 1] - starts[i] if i + 1 < len(names) else 0
            while j < len(names) and sizes[j] == sizes[i] and starts[j] - starts[j - 1] == distance:
                j += 1
            size = sizes[i] // self.trials
            yield values.as_strided((j - i, self.trials, size), (distance, size, 1), starts[i])
            i = j
