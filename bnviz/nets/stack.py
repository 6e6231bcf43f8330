"""What every stack has in common: T networks of one arm as one set of tensors that share nothing but their shape."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from bnviz.config.models import ArmConfig
from bnviz.nets.initialization import DROPOUT, Streams
from bnviz.nets.norms import NORM_LAYERS, Mode, Norm
from bnviz.nets.norms.batch import BatchNorm
from bnviz.nets.parameters import FlatParameters
from bnviz.registry.activations import ACTIVATIONS

INPUT_NORM = "input"  # the norm of the input features has the parameters gamma_input and beta_input


@dataclass(slots=True)
class Activations:
    """The tensors of the hidden layers in one forward pass, each (trials, batch, units), first layer first.

    pre_norm is y = Wx + b; pre_activation is what the activation function is given (normalized when the
    norm comes before it); post_activation is what the activation function returns; layer_output is what the
    layer hands on: normalized when the norm comes after the activation, with what a shortcut adds.

    In a convolution the units are the positions of all channels: view them as (trials, batch, channels, side, side).
    In a recurrent network the "layers" are the time steps.
    """

    pre_norm: list[Tensor] = field(default_factory=list)
    pre_activation: list[Tensor] = field(default_factory=list)
    post_activation: list[Tensor] = field(default_factory=list)
    layer_output: list[Tensor] = field(default_factory=list)


class Stack(ABC):
    """T networks of one arm. A kind of network says which weights it has and how a batch passes its hidden layers.

    Args:
        arm: the arm's settings.
        inputs, classes: features of a sample and number of classes.
        trials: stacked networks.
        seed: of the run.
        trial_seeds: which random numbers each trial draws; empty for every trial its own.
        dtype: float32 to train, float64 to compare with a reference.
    """

    weight_names: list[str]  # of the hidden layers, as `parameters` names them

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
        self.arm, self.trials, self.inputs, self.dtype = arm, trials, inputs, dtype
        self.trial_seeds = tuple(trial_seeds) or tuple(range(trials))
        self.activation: Callable[[Tensor], Tensor] = ACTIVATIONS[arm.activation].load()
        self.norms: list[Norm] = self._norms()
        for layer, norm in enumerate(self.norms):
            norm.draw_from(seed, self.trial_seeds, layer)
        self.input_norm = BatchNorm(arm, trials, inputs, dtype) if arm.norm_on_input else None
        self.parameters = FlatParameters([*self._named(classes, seed), *self._input_parameters()])
        self.initial = self.parameters.flat.clone()
        self._dropout = Streams(seed, self.trial_seeds, DROPOUT) if arm.dropout else None

    @abstractmethod
    def _norms(self) -> list[Norm]:
        """The norms of the hidden layers; none for an arm without."""

    @abstractmethod
    def _named(self, classes: int, seed: int) -> Iterator[tuple[str, Tensor]]:
        """All parameters with their initial values, in order."""

    @property
    @abstractmethod
    def linear_weights(self) -> list[Tensor]:
        """Weights of all linear maps, the read-out last, each (trials, inputs, outputs)."""

    @abstractmethod
    def forward(self, inputs: Tensor, mode: Mode, keep: Activations | None = None) -> Tensor:
        """Logits (trials, batch, classes) for inputs (trials, batch, features).

        Args:
            inputs: one batch per trial; expand a shared batch over the trials.
            mode: train also updates running statistics and drops out; probe uses batch statistics and changes
                nothing; eval uses running statistics.
            keep: where to note the tensors of the hidden layers.
        """

    @abstractmethod
    def hidden(self, inputs: Tensor, mode: Mode, keep: Activations | None = None) -> Tensor:
        """What the last hidden layer hands to the read-out, (trials, batch, units); arguments as of `forward`."""

    def _norm_of(self, width: int, positions: int = 1) -> list[Norm]:
        """One norm of the arm's kind for `width` units (channels, when there are more positions); none without."""
        kind = NORM_LAYERS.get(self.arm.norm)
        return [kind(self.arm, self.trials, width, self.dtype, positions)] if kind else []

    def _input_parameters(self) -> Iterator[tuple[str, Tensor]]:
        if self.input_norm:
            shape = (self.trials, 1, self.inputs)
            yield f"gamma_{INPUT_NORM}", torch.ones(shape, dtype=self.dtype)
            yield f"beta_{INPUT_NORM}", torch.zeros(shape, dtype=self.dtype)

    def _first_values(self, inputs: Tensor, mode: Mode) -> Tensor:
        """The input features, normalized where the arm asks for it."""
        if self.input_norm is None:
            return inputs
        views = self.parameters.views
        return self.input_norm(inputs, [views[f"{name}_{INPUT_NORM}"] for name in self.input_norm.affine], mode)

    def _linear(self, i: int, values: Tensor) -> Tensor:
        views = self.parameters.views
        return torch.baddbmm(views[f"bias{i}"], values, views[f"weight{i}"])

    def _norm(self, i: int, values: Tensor, mode: Mode) -> Tensor:
        if not self.norms:
            return values
        norm = self.norms[i]
        return norm(values, [self.parameters.views[f"{name}{i}"] for name in norm.affine], mode)

    def _dropping_norm(self, i: int, values: Tensor, mode: Mode) -> Tensor:
        """The norm, with dropout before or after it where the arm asks for that."""
        place = self.arm.dropout_placement if mode == "train" else "layer_end"
        normalized = self._norm(i, self._drop(values) if place == "before_norm" else values, mode)
        return self._drop(normalized) if place == "after_norm" else normalized

    def _drop(self, values: Tensor) -> Tensor:
        """Set a random share of the entries of (trials, ...) to 0 and scale the others up."""
        if self._dropout is None:
            return values
        keep = 1 - self.arm.dropout
        return values * ((self._dropout.uniform(values.shape[1:]) < keep).to(values.dtype) / keep)

    def _all_norms(self) -> list[Norm]:
        return [*self.norms, self.input_norm] if self.input_norm else self.norms

    def statistics(self) -> list[Tensor]:
        """A copy of all running statistics, each (trials, units)."""
        return [values.clone() for norm in self._all_norms() for values in norm.statistics()]

    def restore_statistics(self, statistics: list[Tensor]) -> None:
        """Put back what `statistics` returned, of the same shapes."""
        current = [values for norm in self._all_norms() for values in norm.statistics()]
        for values, saved in zip(current, statistics, strict=True):
            values.copy_(saved)

    def first(self, trials: int) -> Self:
        """The first networks of the stack as a stack of their own, sharing memory: to look at, not to train."""
        part = copy(self)
        part.trials = trials
        part.norms = [norm.first(trials) for norm in self.norms]
        part.input_norm = self.input_norm.first(trials) if self.input_norm else None
        part.parameters = copy(self.parameters)
        part.parameters.views = {name: view.detach()[:trials] for name, view in self.parameters.views.items()}
        return part

    def reset(self, trials: Tensor) -> None:
        """Put the given trials (bool, shape (trials,)) back to their initial, finite values."""
        mask = self.parameters.spread(trials)
        self.parameters.flat[mask] = self.initial[mask]
        for norm in self._all_norms():
            norm.reset(trials)
