"""What a study has measured so far, by stage: what charts and verdicts are made from.

Stages name their arms and trials, so that `results.newest("train_loss").at(arm="batch")` needs no position.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnviz.config.stages import Stage
from bnviz.experiments.kit.labelled import Axes, FloatArray, Labelled, unknown
from bnviz.records.records import PERCENTILES, ArmMeasured, StageMeasured

PERCENTILES_OF = "_percentiles"  # after the name of a tensor


class Results:
    """The measurements of a study, in order.

    Args:
        stages: of the study, in order.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages: Mapping[str, Stage] = {stage.key: stage for stage in stages}
        self.keys = tuple(self.stages)
        self._measured: dict[str, list[StageMeasured]] = {key: [] for key in self.keys}
        self.now: StageMeasured | None = None

    def add(self, measured: StageMeasured) -> None:
        """Take the next measurement."""
        self.now = measured
        self._measured[self.keys[measured.stage]].append(measured)

    @property
    def key(self) -> str:
        """The stage that was measured last. Raises LookupError while nothing was."""
        if self.now is None:
            raise LookupError("nothing was measured yet")
        return self.keys[self.now.stage]

    def history(self, key: str) -> list[StageMeasured]:
        """All measurements of a stage so far."""
        return self._measured[key]

    def last(self, key: str) -> StageMeasured | None:
        """The newest measurement of a stage; None while there is none."""
        return self._measured[key][-1] if self._measured[key] else None

    def finished(self, *keys: str) -> bool:
        """Whether these stages (all, when none is named) have been measured to their end."""
        return all((last := self.last(key)) is not None and last.is_last for key in keys or self.keys)

    def arm(self, key: str, arm: int = 0) -> ArmMeasured | None:
        """What an arm of a training stage measured last."""
        last = self.last(key)
        return last.arms[arm] if last else None

    def steps(self, key: str) -> NDArray[np.int64]:
        """The measured steps of a stage, shape (n,)."""
        return np.array([measured.step for measured in self._measured[key]], np.int64)

    def curve(self, key: str, measure: str, arm: int = 0) -> FloatArray:
        """A curve, layer measure or extra of an arm over the measured steps, shape (n, ...) as recorded."""
        rows = [_find(measured.arms[arm], measure) for measured in self._measured[key]]
        return np.array(rows, np.float64)

    def value(self, key: str, name: str) -> FloatArray | None:
        """A value of a probe as last measured, in the shape that its probe says; None while there is none."""
        last = self.last(key)
        return last.values.get(name) if last else None

    # --- with names

    def axes(self, stage: str = "") -> Axes:
        """Arms and trials of a training stage, also before it was measured."""
        key = self._only(stage)
        run = self.stages[key].run
        return {"arm": self._arms(key), **self._trial_axes(key, run.trials if run else 0)}

    def newest(self, measure: str, stage: str = "", *, diverged: float = np.nan) -> Labelled:
        """A measure of all arms as measured last: axes arm, those of the trials ("seed", unless the stage says more), layer, ...

        NaN for layers that an arm does not have.

        Args:
            measure: a curve, layer measure or extra that the stage keeps, or "pre_activation_percentiles" and the like.
            stage: its key; may be left out where there is one stage only.
            diverged: in place of all values of a trial that has diverged, which are NaN as recorded.

        Raises:
            LookupError: nothing was measured yet, or the measure was not kept.
        """
        key = self._only(stage)
        last = self.last(key)
        if last is None:
            raise LookupError(f"{key}: nothing was measured yet")
        found = self._labelled(key, measure, [last]).at(step=last.step)
        if np.isnan(diverged):
            return found
        lost = self.diverged(key).values
        return found.map(lambda values: np.where(lost.reshape(*lost.shape, *[1] * (values.ndim - lost.ndim)), diverged, values))

    def over_steps(self, measure: str, stage: str = "") -> Labelled:
        """A measure of all arms at every step so far: axes step, arm and on as in `newest`, and the same errors."""
        key = self._only(stage)
        if not self._measured[key]:
            raise LookupError(f"{key}: nothing was measured yet")
        return self._labelled(key, measure, self._measured[key])

    def probed(self, name: str, stage: str = "", **axes: tuple[Any, ...]) -> Labelled:
        """A value of a probe as measured last, its axes named in the order of the array's; NaN before the first measurement.

        Raises:
            LookupError: the probe has no such value.
            ValueError: its shape does not fit.
        """
        last = self.last(self._only(stage))
        if last is None:
            return unknown(**axes)
        if name not in last.values:
            raise LookupError(f"{name}: the probe measures {', '.join(last.values)}")
        return Labelled(np.asarray(last.values[name], np.float64), axes)

    def diverged(self, stage: str = "") -> Labelled:
        """1 for a trial that has diverged, else 0, by arm and trial. Raises LookupError: nothing was measured yet."""
        key = self._only(stage)
        last = self.last(key)
        if last is None:
            raise LookupError(f"{key}: nothing was measured yet")
        lost = np.array([np.asarray(arm.diverged_at) >= 0 for arm in last.arms], np.float64)
        axes = self._trial_axes(key, lost.shape[1])
        return Labelled(lost.reshape(len(last.arms), *map(len, axes.values())), {"arm": self._arms(key), **axes})

    def _only(self, stage: str) -> str:
        if stage or len(self.keys) == 1:
            return stage or self.keys[0]
        raise LookupError(f"which of the stages {', '.join(self.keys)}?")

    def _labelled(self, key: str, measure: str, frames: Sequence[StageMeasured]) -> Labelled:
        arms = len(frames[0].arms)
        values = np.stack([_padded([_find(frame.arms[arm], measure) for arm in range(arms)]) for frame in frames])
        trials = self._trial_axes(key, values.shape[2])
        rest = _rest(measure, values.shape[3:])
        axes = {"step": tuple(frame.step for frame in frames), "arm": self._arms(key), **trials, **rest}
        return Labelled(values.reshape([len(places) for places in axes.values()]), axes)

    def _arms(self, key: str) -> tuple[str, ...]:
        """Names of the arms: those that the stage gives them, or their own, or their norms where they have none."""
        stage = self.stages[key]
        return stage.arm_names or (tuple(arm.name or arm.norm for arm in stage.run.arms) if stage.run else ())

    def _trial_axes(self, key: str, trials: int) -> Axes:
        return self.stages[key].trial_axes or {"seed": tuple(range(trials))}


def _rest(measure: str, sizes: tuple[int, ...]) -> Axes:
    """What follows the trials: layers, what a layer has several of, and the places of a channel's map."""
    if measure.endswith(PERCENTILES_OF):
        return {"layer": tuple(range(1, sizes[0] + 1)), "percentile": PERCENTILES}
    names = ("layer", "channel", "row", "column") if len(sizes) == 4 else ("layer", "unit", "entry")
    return {name: tuple(range(1, size + 1)) for name, size in zip(names, sizes, strict=False)}


def _padded(arrays: Sequence[NDArray[np.float32]]) -> FloatArray:
    """Arrays of all arms as one, those of fewer layers filled up with NaN."""
    shape = np.max([array.shape for array in arrays], axis=0)
    filled = np.full((len(arrays), *shape), np.nan)
    for row, array in zip(filled, arrays, strict=True):
        row[tuple(slice(size) for size in array.shape)] = array
    return filled


def _find(arm: ArmMeasured, measure: str) -> NDArray[np.float32]:
    for table in (arm.curves, arm.layers, arm.extras):
        if measure in table:
            return table[measure]
    tensor = measure.removesuffix(PERCENTILES_OF)
    if tensor != measure and tensor in arm.percentiles:
        return arm.percentiles[tensor]
    raise LookupError(f"{measure} was not kept; kept: {', '.join([*arm.curves, *arm.layers, *arm.extras])}")
