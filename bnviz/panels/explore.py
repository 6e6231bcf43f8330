"""Records of a run to what the explore panel draws."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnviz.charts import explore as figures
from bnviz.charts.numbers import LEVELS, band, band_words, pack, shorts
from bnviz.charts.spec import ChartSpec, cells
from bnviz.charts.theme import arm_styles
from bnviz.charts.wire import Series, Views
from bnviz.experiments.parts.race import RaceVerdict
from bnviz.panels.protocol import End, Frame, Proof, Start
from bnviz.records.records import END_STATES, TENSORS, ArmMeasured, RunEnded, RunStarted, StepMeasured

SHARE_WORTH_SAYING = 0.001  # a share outside the bins below this is not mentioned


class ExploreEncoder:
    """Encodes one run for the explore panel; called once with each record, in order."""

    _verdict: RaceVerdict | None = None

    def start(self, started: RunStarted) -> Start:
        """The panel's skeleton: arms, charts, and the proof that the arms are twins."""
        self._config = config = started.config
        self._layers = figures.shown_layers(config)
        self._verdict = RaceVerdict(config)
        self._said: dict[str, str] = {}
        self._has_plane = started.plane is not None and "decision_boundary" in config.extras
        return {
            "run_id": started.run_id,
            "steps": config.steps,
            "frames": len(started.measured_steps),
            "cells": cells(),
            "arms": [style.as_dict() for style in arm_styles(config)],
            "band": band_words(config.trials),
            "proof": twin_proof(started),
            "charts": [chart.as_dict() for chart in self._charts(started)],
        }

    def frame(self, measured: StepMeasured) -> Frame:
        """One frame: `{view: [series per arm]}` per chart, and the sentences that changed."""
        assert self._verdict is not None
        self._verdict.add(measured)
        arms, trials = measured.arms, self._config.trials
        charts: dict[str, Views] = {
            "loss": {split: [_point(arm.curves[f"{split}_loss"], trials) for arm in arms] for split in ("train", "test")},
            "accuracy": {
                split: [_point(100 * arm.curves[f"{split}_accuracy"], trials) for arm in arms] for split in ("train", "test")
            },
            "histograms": {tensor: [self._ridges(arm, tensor) for arm in arms] for tensor in TENSORS},
            "gradients": {name: [_columns(arm.layers[name], trials) for arm in arms] for name in figures.GRADIENTS},
            "units": {"": [self._units(index, arm) for index, arm in enumerate(arms)]},
            "drift": self._drift(arms),
            "update_ratio": {"": [_columns(arm.layers["update_ratio"], trials) for arm in arms]},
        }
        if self._has_plane:
            charts["boundary"] = {"": [_plane(arm) for arm in arms]}
        said = {"verdict": self._sentence(), "diverged": self._diverged(arms), **self._outside(arms)}
        return {"frame": measured.frame, "step": measured.step, "charts": charts, "text": self._news(said)}

    def end(self, ended: RunEnded) -> End:
        """How the run ended and the last word on it."""
        state = END_STATES[type(ended)]
        return {"state": state, "step": ended.step, "reason": getattr(ended, "reason", ""), "verdict": self._sentence()}

    def _sentence(self) -> str:
        return self._verdict.sentence() if self._verdict else ""  # a run that failed before it started has none

    def _charts(self, started: RunStarted) -> list[ChartSpec]:
        config = started.config
        builders = (
            figures.loss_figure,
            figures.accuracy_figure,
            figures.histograms_figure,
            figures.gradients_figure,
            figures.units_figure,
            figures.drift_figure,
            figures.update_ratio_figure,
        )
        charts = [build(config) for build in builders]
        return [figures.boundary_figure(started), *charts] if self._has_plane else charts

    def _ridges(self, arm: ArmMeasured, tensor: str) -> Series:
        """One packed row a shown layer: square root of the share in a bin, relative to the row's fullest bin."""
        counts = arm.histograms[tensor][0, :, 1:-1].astype(np.float64)
        counts = counts[[layer for layer in self._layers if layer < len(counts)]]
        peaks = np.maximum(counts.max(axis=1, keepdims=True), 1)
        return [pack(row) for row in np.rint(np.sqrt(counts / peaks) * (LEVELS - 1))]

    def _units(self, index: int, arm: ArmMeasured) -> Series:
        config = self._config.arms[index]
        measure = figures.unit_measure(config)
        percent = 100 / (config.width if measure == "dead_relu_count" else 1)
        return _columns(arm.layers[measure] * percent, self._config.trials)

    def _drift(self, arms: tuple[ArmMeasured, ...]) -> Views:
        views: dict[str, Sequence[Series]] = {}
        for tensor in TENSORS:
            for layer in self._layers:
                rows = [arm.percentiles[tensor][0] for arm in arms]
                views[f"{tensor}/{layer + 1}"] = [shorts(row[layer]) if layer < len(row) else [None] * 5 for row in rows]
        return views

    def _diverged(self, arms: tuple[ArmMeasured, ...]) -> str:
        """'no norm: 3 of 8 trials diverged, first at step 41', for the arms that it holds for."""
        notes = []
        for arm, label in zip(arms, self._config.arm_labels, strict=True):
            at = arm.diverged_at[arm.diverged_at >= 0]
            if len(at):
                notes.append(f"{label}: {len(at)} of {len(arm.diverged_at)} trials diverged, first at step {at.min()}")
        return "; ".join(notes)

    def _outside(self, arms: tuple[ArmMeasured, ...]) -> dict[str, str]:
        """Per tensor what the histograms' axis leaves out, as a note of the chart."""
        notes = {}
        for tensor in TENSORS:
            shares = [_outside_share(arm.histograms[tensor][0]) for arm in arms]
            words = [f"{label} {100 * share:.2g} %" for label, share in zip(self._config.arm_labels, shares, strict=True)]
            said = ", ".join(words) if max(shares) >= SHARE_WORTH_SAYING else ""
            notes[f"histograms:{tensor}"] = f"beyond the axis, at most: {said}" if said else ""
        return notes

    def _news(self, said: dict[str, str]) -> dict[str, str]:
        """Only what changed since the frame before."""
        news = {key: value for key, value in said.items() if self._said.get(key, "") != value}
        self._said |= news
        return news


def twin_proof(started: RunStarted) -> Proof:
    """Whether the arms share weights and batches trial by trial, in words and as the hashes."""
    weights, batches = started.weights_hash, started.batches_hash
    same_weights, same_batches = len(set(weights)) == 1, len(set(batches)) == 1
    if len(weights) == 1:
        text = f"one arm: weights {weights[0][0][:6]}, batches {batches[0][0][:6]}"
    elif same_weights and same_batches:
        text = f"twins: same initial weights {weights[0][0][:6]}, same batches {batches[0][0][:6]}"
    else:
        why = "their initial weights differ" if same_batches else "they see different batches"
        text = f"not twins: {why}"
    labels = started.config.arm_labels
    rows = [f"{label}: weights {' '.join(weights[i])}; batches {' '.join(batches[i])}" for i, label in enumerate(labels)]
    return {"twins": same_weights and same_batches and len(weights) > 1, "text": text, "rows": rows}


def _point(values: NDArray[Any], trials: int) -> Series:
    """[low, median, high] over the finite trials."""
    return shorts(band(values, trials))


def _columns(values: NDArray[Any], trials: int) -> Series:
    """[[low by layer], [median by layer], [high by layer]]; one layer is repeated, to be seen as a short bar."""
    edges = band(values, trials)
    edges = np.repeat(edges, 2, axis=1) if edges.shape[1] == 1 else edges
    return [shorts(edge) for edge in edges]


def _plane(arm: ArmMeasured) -> str:
    """The decision boundary's class indices, row after row; empty while there is none."""
    grid = arm.extras.get("decision_boundary")
    return "" if grid is None or not np.isfinite(grid).all() else pack(grid.ravel())


def _outside_share(counts: NDArray[Any]) -> float:
    """Largest share of a layer's values that lie outside the bins."""
    totals = np.maximum(counts.sum(axis=1), 1)
    return float(((counts[:, 0] + counts[:, -1]) / totals).max())
