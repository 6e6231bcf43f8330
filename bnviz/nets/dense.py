"""A stack of dense networks: T trials of one arm as one set of tensors.

inputs (T, B, F) -> [linear -> norm -> activation -> dropout (+ skip)] * depth -> linear -> logits (T, B, C)
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from bnviz.config import ArmConfig
from bnviz.nets.activations import ACTIVATIONS
from bnviz.nets.initialization import DROPOUT, generators, initial_weights, layer_sizes
from bnviz.nets.norms import NORMS, Mode, Norm
from bnviz.nets.parameters import FlatParameters


@dataclass(slots=True)
class Activations:
    """The tensors of the hidden layers in one forward pass, each (trials, batch, units), first layer first.

    pre_norm is y = Wx + b; pre_activation is what the activation function is given (normalized when the
    norm comes before it); post_activation is what the activation function returns.
    """

    pre_norm: list[Tensor] = field(default_factory=list)
    pre_activation: list[Tensor] = field(default_factory=list)
    post_activation: list[Tensor] = field(default_factory=list)


class DenseStack:
    """T dense networks of one arm that share nothing but their shape.

    Args:
        arm: the arm's settings.
        inputs, classes: features of a sample and number of classes.
        trials: stacked networks.
        seed: of the run; trial t starts from the same linear weights in every arm of this shape.
        trial_seeds: which random numbers each trial draws; empty: every trial its own.
        dtype: float32 to train, float64 to compare with a reference.
    """

    def __init__(
        self,
        arm: ArmConfig,
        *,
        inputs: int,
        classes: int,
        trials: int,
        seed: int,
        trial_seeds: Sequence[int] = (),
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.arm, self.trials = arm, trials
        self.activation = ACTIVATIONS[arm.activation].function
        norm = NORMS.get(arm.norm)
        self.norms: list[Norm] = [norm(arm, trials, arm.width, dtype) for _ in range(arm.depth)] if norm else []
        sizes = layer_sizes(arm, inputs, classes)
        weights = initial_weights(arm, sizes, trials, seed, dtype, trial_seeds)
        self.parameters = FlatParameters(list(self._named(weights)))
        self.initial = self.parameters.flat.clone()
        self.weight_names = [f"weight{i}" for i in range(arm.depth)]
        self._dropout = generators(seed, trials, DROPOUT, trial_seeds) if arm.dropout else []

    def _named(self, weights: list[Tensor]) -> Iterator[tuple[str, Tensor]]:
        """Each layer's parameters with their initial values: weight, bias, then gamma and beta where there is a norm."""
        for i, weight in enumerate(weights):
            yield f"weight{i}", weight
            yield f"bias{i}", weight.new_zeros(self.trials, 1, weight.shape[2])
            if i < len(self.norms):
                for name, value in self.norms[i].initial_parameters().items():
                    yield f"{name}{i}", value

    @property
    def linear_weights(self) -> list[Tensor]:
        """Weights of all linear layers, the read-out last, each (trials, inputs, outputs)."""
        return [self.parameters.views[f"weight{i}"] for i in range(self.arm.depth + 1)]

    def forward(self, inputs: Tensor, mode: Mode, keep: Activations | None = None) -> Tensor:
        """Logits (trials, batch, classes) for inputs (trials, batch, features).

        Args:
            inputs: one batch a trial; expand a shared batch over the trials.
            mode: train also updates running statistics and drops out; probe uses batch statistics and changes
                nothing; eval uses running statistics.
            keep: where to note the tensors of the hidden layers.
        """
        return self._linear(self.arm.depth, self.hidden(inputs, mode, keep))

    def hidden(self, inputs: Tensor, mode: Mode, keep: Activations | None = None) -> Tensor:
        """What the last hidden layer hands to the read-out, (trials, batch, units); arguments as of `forward`."""
        values = inputs
        for i in range(self.arm.depth):
            folded = self._folded(i) if mode == "eval" and keep is None else None
            out = self.activation(torch.baddbmm(folded[1], values, folded[0])) if folded else self._hidden(i, values, mode, keep)
            values = values + out if self.arm.residual and i else out
        return values

    def _linear(self, i: int, values: Tensor) -> Tensor:
        views = self.parameters.views
        return torch.baddbmm(views[f"bias{i}"], values, views[f"weight{i}"])

    def _folded(self, i: int) -> tuple[Tensor, Tensor] | None:
        """Weight and bias of a layer that does its norm's work too: what a trained batch norm comes to at inference."""
        if not self.norms or self.arm.norm_placement != "before_activation":
            return None
        views, norm = self.parameters.views, self.norms[i]
        affine = norm.folded([views[f"{name}{i}"] for name in norm.affine])
        if affine is None:
            return None
        scale, shift = affine
        return views[f"weight{i}"] * scale, torch.addcmul(shift, views[f"bias{i}"], scale)

    def _hidden(self, i: int, values: Tensor, mode: Mode, keep: Activations | None) -> Tensor:
        pre_norm = self._linear(i, values)
        before = self.arm.norm_placement == "before_activation"
        pre_activation = self._norm(i, pre_norm, mode) if before else pre_norm
        post_activation = self.activation(pre_activation)
        if keep is not None:
            keep.pre_norm.append(pre_norm)
            keep.pre_activation.append(pre_activation)
            keep.post_activation.append(post_activation)
        out = post_activation if before else self._norm(i, post_activation, mode)
        return self._drop(out) if self._dropout and mode == "train" else out

    def _norm(self, i: int, values: Tensor, mode: Mode) -> Tensor:
        if not self.norms:
            return values
        norm = self.norms[i]
        return norm(values, [self.parameters.views[f"{name}{i}"] for name in norm.affine], mode)

    def _drop(self, values: Tensor) -> Tensor:
        keep = 1 - self.arm.dropout
        masks = [torch.rand(values.shape[1:], generator=stream) < keep for stream in self._dropout]
        return values * (torch.stack(masks).to(values.dtype) / keep)

    def statistics(self) -> list[Tensor]:
        """A copy of all running statistics."""
        return [values.clone() for norm in self.norms for values in norm.statistics()]

    def restore_statistics(self, statistics: list[Tensor]) -> None:
        """Put back what `statistics` returned."""
        current = [values for norm in self.norms for values in norm.statistics()]
        for values, saved in zip(current, statistics, strict=True):
            values.copy_(saved)

    def first(self, trials: int) -> Self:
        """The first networks of the stack as a stack of their own, sharing memory: to look at, not to train."""
        part = copy(self)
        part.trials = trials
        part.norms = [norm.first(trials) for norm in self.norms]
        part.parameters = copy(self.parameters)
        part.parameters.views = {name: view.detach()[:trials] for name, view in self.parameters.views.items()}
        return part

    def reset(self, trials: Tensor) -> None:
        """Put the given trials (bool, shape (trials,)) back to their initial, finite values."""
        mask = self.parameters.spread(trials)
        self.parameters.flat[mask] = self.initial[mask]
        for norm in self.norms:
            norm.reset(trials)
