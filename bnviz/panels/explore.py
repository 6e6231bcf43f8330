"""Records of a run to what the explore panel draws."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnviz.charts.numbers import band_words
from bnviz.charts.spec import cells
from bnviz.charts.theme import arm_styles
from bnviz.experiments.parts.race import RaceVerdict
from bnviz.panels.explore_charts import CHARTS
from bnviz.panels.protocol import End, Frame, Proof, Start
from bnviz.records.records import END_STATES, TENSORS, ArmMeasured, RunEnded, RunStarted, StepMeasured

SHARE_WORTH_SAYING = 0.001  # a share outside the bins below this is not mentioned


class ExploreEncoder:
    """Encodes one run for the explore panel; called once with each record, in order."""

    _verdict: RaceVerdict | None = None

    def start(self, started: RunStarted) -> Start:
        """The panel's skeleton: arms, charts, and the proof that the arms are twins."""
        self._config = config = started.config
        self._verdict = RaceVerdict(config)
        self._said: dict[str, str] = {}
        self._charts = [chart for chart in CHARTS if chart.is_shown(started)]
        return {
            "run_id": started.run_id,
            "steps": config.steps,
            "frames": len(started.measured_steps),
            "cells": cells(),
            "arms": [style.as_dict() for style in arm_styles(config)],
            "band": band_words(config.trials),
            "proof": twin_proof(started),
            "charts": [chart.figure(started).as_dict() for chart in self._charts],
        }

    def frame(self, measured: StepMeasured) -> Frame:
        """One frame: `{view: [series per arm]}` per chart, and the sentences that changed."""
        assert self._verdict is not None
        self._verdict.add(measured)
        arms = measured.arms
        charts = {chart.name: chart.series(self._config, arms) for chart in self._charts}
        said = {"verdict": self._sentence(), "diverged": self._diverged(arms), **self._outside(arms)}
        return {"frame": measured.frame, "step": measured.step, "charts": charts, "text": self._news(said)}

    def end(self, ended: RunEnded) -> End:
        """How the run ended and the last word on it."""
        state = END_STATES[type(ended)]
        return {"state": state, "step": ended.step, "reason": getattr(ended, "reason", ""), "verdict": self._sentence()}

    def _sentence(self) -> str:
        return self._verdict.sentence() if self._verdict else ""  # a run that failed before it started has none

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
        text = f"one net: weights {weights[0][0][:6]}, batches {batches[0][0][:6]}"
    elif same_weights and same_batches:
        text = f"twins: same initial weights {weights[0][0][:6]}, same batches {batches[0][0][:6]}"
    else:
        why = "their initial weights differ" if same_batches else "they see different batches"
        text = f"not twins: {why}"
    labels = started.config.arm_labels
    rows = [f"{label}: weights {' '.join(weights[i])}; batches {' '.join(batches[i])}" for i, label in enumerate(labels)]
    return {"twins": same_weights and same_batches and len(weights) > 1, "text": text, "rows": rows}


def _outside_share(counts: NDArray[Any]) -> float:
    """Largest share of a layer's values that lie outside the bins."""
    totals = np.maximum(counts.sum(axis=1), 1)
    return float(((counts[:, 0] + counts[:, -1]) / totals).max())
