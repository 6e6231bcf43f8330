"""All measurements of one step: a `TrainingState` becomes one `ArmMeasured` an arm."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.config import RunConfig
from bnviz.datasets import Dataset
from bnviz.measure.boundary import decision_boundary, plane_grid
from bnviz.measure.curves import accuracy, held_out_curves
from bnviz.measure.distributions import drift, histogram, percentiles
from bnviz.measure.units import dead_relu_count, mean_and_std, saturated_fraction, zero_fraction
from bnviz.nets import Activations
from bnviz.nets.activations import ACTIVATIONS
from bnviz.records import TENSORS, ArmMeasured
from bnviz.training import ArmState, TrainingState


class Measurer:
    """Measures states of one run; holds what all measurements share, and the last percentiles for the drift.

    The probe batch is the first `probe_size` training samples. It passes with batch statistics and
    without dropout, and changes nothing in the network.
    """

    def __init__(self, config: RunConfig, dataset: Dataset) -> None:
        inputs = torch.from_numpy(dataset.train_inputs[: config.probe_size])
        self.probe = inputs.expand(config.trials, -1, -1)
        self.test_inputs = torch.from_numpy(dataset.test_inputs).expand(config.trials, -1, -1)
        self.test_labels = torch.from_numpy(dataset.test_labels)
        self.grid = plane_grid(dataset.extent) if "decision_boundary" in config.extras and dataset.extent is not None else None
        self.trials = config.trials
        self._last: dict[int, dict[str, NDArray]] = {}  # percentiles at the last measurement, by arm
        self.shown = config.trials if "all_trial_distributions" in config.extras else 1

    @torch.inference_mode()
    def measure(self, state: TrainingState) -> tuple[ArmMeasured, ...]:
        """Everything about one step; changes nothing."""
        with np.errstate(over="ignore"):  # what a diverging net puts out may be too large to scale
            return tuple(self._arm(i, arm, state.labels) for i, arm in enumerate(state.arms))

    def _arm(self, index: int, arm: ArmState, labels: Tensor) -> ArmMeasured:
        kept = Activations()
        arm.net.hidden(self.probe, "probe", kept)
        probed = Probed.of(kept)
        curves = self._curves(arm, labels)
        lost = None if arm.frozen is None else arm.diverged
        measures = gradient_measures(arm) | unit_measures(arm, probed)
        layers = {name: as_array(value, lost) for name, value in measures.items()}
        spread, counts = self._distributions(probed)
        return ArmMeasured(
            curves={name: as_array(value, lost) for name, value in curves.items()},
            layers=layers | {f"{name}_drift": _blank(values, lost) for name, values in self._drifts(index, spread).items()},
            percentiles={name: _blank(values, lost) for name, values in spread.items()},
            histograms={name: _empty(values, lost) for name, values in counts.items()},
            diverged_at=arm.diverged_at.numpy().copy(),
            extras=self._extras(arm),
        )

    def _distributions(self, probed: "Probed") -> tuple[dict[str, NDArray], dict[str, NDArray]]:
        """Percentiles and histograms of the shown trials, (shown, layers, ...) for each tensor."""
        shown = probed.values[:, : self.shown].transpose(0, 1).flatten(2).numpy()
        spread, counts = summarize(shown)
        places = probed.places.items()
        return {name: spread[:, place] for name, place in places}, {name: counts[:, place] for name, place in places}

    def _drifts(self, index: int, now: dict[str, NDArray]) -> dict[str, NDArray]:
        """Drift of each tensor since the last measurement of this arm, (trials, layers); NaN for the trials not shown."""
        before = self._last.get(index) or {name: np.full_like(values, np.nan) for name, values in now.items()}
        self._last[index] = now
        layers = next(iter(now.values())).shape[1]
        drifts = {name: np.full((self.trials, layers), np.nan, np.float32) for name in now}
        for name, moved in zip(now, drift(np.stack([*before.values()]), np.stack([*now.values()])), strict=True):
            drifts[name][: self.shown] = moved
        return drifts

    def _curves(self, arm: ArmState, labels: Tensor) -> dict[str, Tensor]:
        logits = arm.net.forward(self.test_inputs, "eval")
        test_loss, test_accuracy = held_out_curves(logits, self.test_labels)
        return {
            "train_loss": arm.loss,
            "train_accuracy": accuracy(arm.logits, labels),
            "test_loss": test_loss,
            "test_accuracy": test_accuracy,
        }

    def _extras(self, arm: ArmState) -> dict[str, NDArray[np.float32]]:
        if self.grid is None or bool(arm.diverged[0]):
            return {}
        return {"decision_boundary": decision_boundary(arm.net, self.grid)}


@dataclass(frozen=True, slots=True)
class Probed:
    """What the hidden layers did with the probe batch: all tensors in one, so that a statistic of all is one call."""

    values: Tensor  # (rows, trials, batch, units)
    places: dict[str, slice]  # which rows are which of TENSORS, one row a layer; what is one tensor in the net is here once

    @classmethod
    def of(cls, kept: Activations) -> "Probed":
        """Stack the tensors of a forward pass."""
        rows: list[Tensor] = []
        places: dict[str, slice] = {}
        first: dict[int, slice] = {}
        for name in TENSORS:
            tensors: list[Tensor] = getattr(kept, name)
            if id(tensors[0]) not in first:
                first[id(tensors[0])] = slice(len(rows), len(rows) + len(tensors))
                rows += tensors
            places[name] = first[id(tensors[0])]
        return cls(torch.stack(rows), places)


def summarize(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    """Percentiles and histogram of the last axis; NaN and nothing for a row that is not finite.

    A net can overflow before its loss does.
    """
    broken = np.logical_not(np.isfinite(values).all(-1))
    if broken.any():
        values = np.where(np.expand_dims(broken, -1), np.float32(0), values)
    spread, counts = percentiles(values), histogram(values)
    spread[broken] = np.nan
    counts[broken] = 0
    return spread, counts


def gradient_measures(arm: ArmState) -> dict[str, Tensor]:
    """Norms of the hidden layers' weights, their gradients and their updates, each (trials, layers).

    The gradients are of the step's own mini-batch loss, after the backward pass and before the update:
    weight_grad_norm = |dL/dW|, pre_norm_grad_norm = |dL/dy| over the batch (y = Wx + b), weight_norm = |W|,
    update_ratio = |dW| / |W|, all L2.
    """
    parameters, names = arm.net.parameters, arm.net.weight_names
    weight_norm = parameters.norms(parameters.flat, names)
    update = parameters.norms(arm.direction * arm.optimizer.lr, names)
    return {
        "weight_grad_norm": parameters.norms(arm.gradient, names),
        "pre_norm_grad_norm": torch.linalg.vector_norm(torch.stack(arm.pre_norm_gradients, 1).flatten(2), dim=2),
        "weight_norm": weight_norm,
        "update_ratio": update / weight_norm,
    }


def unit_measures(arm: ArmState, probed: Probed) -> dict[str, Tensor]:
    """What the units put out on the probe batch, each (trials, layers); NaN where the activation has no such thing."""
    post = probed.values[probed.places["post_activation"]]
    linear_range = ACTIVATIONS[arm.arm.activation].linear_range
    nothing = torch.full(post.shape[:2], torch.nan)
    measures = {
        "dead_relu_count": _dead(post) if arm.arm.activation == "relu" else nothing,
        "zero_fraction": zero_fraction(post),
        "saturated_fraction": saturated_fraction(post, linear_range) if linear_range else nothing,
    }
    mean, std = mean_and_std(probed.values)
    for name, place in probed.places.items():
        measures |= {f"{name}_mean": mean[place], f"{name}_std": std[place]}
    return {name: value.transpose(0, 1) for name, value in measures.items()}


def _dead(post: Tensor) -> Tensor:
    """Dead units, (layers, trials); NaN where a net overflowed before its loss did."""
    if not bool(post.sum().isnan()):
        return dead_relu_count(post)
    return dead_relu_count(post.nan_to_num()).float().masked_fill(post.isnan().flatten(-2).any(-1), torch.nan)


def as_array(values: Tensor, lost: Tensor | None) -> NDArray[np.float32]:
    """float32 values with trials first; NaN for the trials that were lost (bool, or None for none)."""
    return _blank(np.ascontiguousarray(values.detach().numpy(), np.float32), lost)


def _blank(array: NDArray[np.float32], lost: Tensor | None) -> NDArray[np.float32]:
    if lost is not None:
        array[lost[: len(array)].numpy()] = np.nan
    return array


def _empty(counts: NDArray[np.uint32], lost: Tensor | None) -> NDArray[np.uint32]:
    if lost is not None:
        counts[lost[: len(counts)].numpy()] = 0
    return counts
