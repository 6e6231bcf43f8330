"""All measurements of one step: a `State` becomes one `ArmMeasured` an arm."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.config.models import RunConfig
from bnviz.datasets import Dataset
from bnviz.measure.curves import accuracy, held_out_curves
from bnviz.measure.distributions import drift, histogram, percentiles
from bnviz.measure.extras import EXTRAS, Moment
from bnviz.measure.moment import Arm, State
from bnviz.measure.units import dead_relu_count, mean_and_std, saturated_fraction, zero_fraction
from bnviz.nets import Activations
from bnviz.records.records import CURVE_MEASURES, LAYER_MEASURES, TENSORS, ArmMeasured
from bnviz.registry.activations import ACTIVATIONS

DRIFTS = tuple(f"{tensor}_drift" for tensor in TENSORS)


class Measurer:
    """Measures states of one run; holds what all measurements share, and the last percentiles for the drift.

    The probe batch is the first `probe_size` training samples. It passes with batch statistics and
    without dropout, and changes nothing in the network.

    Args:
        config: the run.
        dataset: that it trains on.
        keep: which curves, layer measures, "percentiles", "histograms" and extras to measure, by name; None for all,
            with the extras of the configuration. What is not named costs nothing.
    """

    def __init__(self, config: RunConfig, dataset: Dataset, keep: frozenset[str] | None = None) -> None:
        inputs = torch.from_numpy(dataset.train_inputs[: config.probe_size])
        self.config, self.dataset = config, dataset
        self.probe = inputs.expand(config.trials, -1, -1)
        self.test_inputs = torch.from_numpy(dataset.test_inputs).expand(config.trials, -1, -1)
        self.test_labels = torch.from_numpy(dataset.test_labels)
        self.trials = config.trials
        self._last: dict[int, dict[str, NDArray]] = {}  # percentiles at the last measurement, by arm
        everything = {*CURVE_MEASURES, *LAYER_MEASURES, "percentiles", "histograms", *config.extras}
        self.keep = frozenset(everything) if keep is None else keep
        self.shown = config.trials if "all_trial_distributions" in {*self.keep, *config.extras} else 1

    def measure(self, state: State) -> tuple[ArmMeasured, ...]:
        """Everything that is kept of one step; changes nothing."""
        with np.errstate(over="ignore"):  # what a diverging net puts out may be too large to scale
            return tuple(self._arm(i, arm, state) for i, arm in enumerate(state.arms))

    def _arm(self, index: int, arm: Arm, state: State) -> ArmMeasured:
        lost = None if arm.frozen is None else arm.diverged
        with torch.inference_mode():
            curves = {name: as_array(value, lost) for name, value in self._curves(arm, state.labels).items()}
            layers = {name: as_array(value, lost) for name, value in gradient_measures(arm, self.keep).items()}
            probed, spread, counts = self._probe(index, arm, lost)
        return ArmMeasured(
            curves=curves,
            layers=layers | probed,
            percentiles=spread,
            histograms=counts,
            diverged_at=arm.diverged_at.numpy().copy(),
            extras=self._extras(arm, state),
        )

    def _probe(
        self, index: int, arm: Arm, lost: Tensor | None
    ) -> tuple[dict[str, NDArray], dict[str, NDArray], dict[str, NDArray]]:
        """What the hidden layers do with the probe batch: layer measures, percentiles, histograms."""
        measures, spread, counts = {}, {}, {}
        if self.keep & PROBED:
            kept = Activations()
            arm.net.hidden(self.probe, "probe", kept)
            probed = Probed.of(kept)
            if self.keep & UNIT_MEASURES:
                units = unit_measures(arm, probed)
                measures = {name: as_array(value, lost) for name, value in units.items() if name in self.keep}
            if self.keep & DISTRIBUTIONS:
                spread, counts = self._distributions(probed)
                drifts = self._drifts(index, spread) if self.keep & {*DRIFTS} else {}
                measures |= {name: _blank(values, lost) for name, values in drifts.items() if name in self.keep}
        spread = {name: _blank(values, lost) for name, values in spread.items() if "percentiles" in self.keep}
        return measures, spread, {name: _empty(values, lost) for name, values in counts.items() if "histograms" in self.keep}

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
        drifts = {name: np.full((self.trials, layers), np.nan, np.float32) for name in DRIFTS}
        moves = drift(np.stack([before[name] for name in TENSORS]), np.stack([now[name] for name in TENSORS]))
        for name, moved in zip(DRIFTS, moves, strict=True):
            drifts[name][: self.shown] = moved
        return drifts

    def _curves(self, arm: Arm, labels: Tensor) -> dict[str, Tensor]:
        curves: dict[str, Tensor] = {}
        if "train_loss" in self.keep:
            curves["train_loss"] = arm.loss
        if "train_accuracy" in self.keep:
            curves["train_accuracy"] = accuracy(arm.logits, labels)
        if self.keep & {"test_loss", "test_accuracy"}:
            held_out = held_out_curves(arm.net.forward(self.test_inputs, "eval"), self.test_labels)
            test = zip(("test_loss", "test_accuracy"), held_out, strict=True)
            curves |= {name: values for name, values in test if name in self.keep}
        return curves

    def _extras(self, arm: Arm, state: State) -> dict[str, NDArray[np.float32]]:
        moment = Moment(arm, state.inputs, state.labels, self.probe, self.config, state.step, self.dataset)
        return {name: value for extra, take in EXTRAS.items() if extra in self.keep for name, value in take(moment).items()}


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


def _update_ratio(arm: Arm) -> Tensor:
    parameters, names = arm.net.parameters, arm.net.weight_names
    return parameters.norms(arm.direction * arm.lr, names) / parameters.norms(parameters.flat, names)


GRADIENT_MEASURES: dict[str, Callable[[Arm], Tensor]] = {
    "weight_grad_norm": lambda arm: arm.net.parameters.norms(arm.gradient, arm.net.weight_names),
    "pre_norm_grad_norm": lambda arm: torch.linalg.vector_norm(torch.stack(arm.pre_norm_gradients, 1).flatten(2), dim=2),
    "weight_norm": lambda arm: arm.net.parameters.norms(arm.net.parameters.flat, arm.net.weight_names),
    "update_ratio": _update_ratio,
}
DISTRIBUTIONS = frozenset({*DRIFTS, "percentiles", "histograms"})
UNIT_MEASURES = frozenset(LAYER_MEASURES) - frozenset(GRADIENT_MEASURES) - frozenset(DRIFTS)
PROBED = UNIT_MEASURES | DISTRIBUTIONS


def gradient_measures(arm: Arm, keep: frozenset[str] = frozenset(GRADIENT_MEASURES)) -> dict[str, Tensor]:
    """Norms of the hidden layers' weights, their gradients and their updates, each (trials, layers); those in `keep`.

    The gradients are of the step's own mini-batch loss, after the backward pass and before the update:
    weight_grad_norm = |dL/dW|, pre_norm_grad_norm = |dL/dy| over the batch (y = Wx + b), weight_norm = |W|,
    update_ratio = |dW| / |W|, all L2.
    """
    return {name: take(arm) for name, take in GRADIENT_MEASURES.items() if name in keep}


def unit_measures(arm: Arm, probed: Probed) -> dict[str, Tensor]:
    """What the units put out on the probe batch, each (trials, layers); NaN where the activation has no such thing."""
    post = probed.values[probed.places["post_activation"]]
    activation = ACTIVATIONS[arm.arm.activation]
    nothing = torch.full(post.shape[:2], torch.nan)
    measures = {
        "dead_relu_count": _dead(post) if activation.dies else nothing,
        "zero_fraction": zero_fraction(post),
        "saturated_fraction": saturated_fraction(post, activation.linear_range) if activation.linear_range else nothing,
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
