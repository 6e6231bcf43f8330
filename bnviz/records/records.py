"""What a run yields, in this order, and what crosses the process boundary.

    a run     RunStarted, StepMeasured * n,    then exactly one of RunFinished | RunStopped | RunFailed
    a study   StudyStarted, StageMeasured * n, then the same

Plain dataclasses over NumPy arrays: they need neither torch nor streamlit. T trials, L hidden layers,
K trials whose distributions are recorded (1: the first; all with the extra `all_trial_distributions`).
Values of a trial that has diverged are NaN from then on; integer counts are floats for that reason.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bnviz.config.models import RunConfig
from bnviz.config.studies import StudyConfig
from bnviz.registry.measures import columns

FloatArray = NDArray[np.float32]

PERCENTILES = (5, 15, 50, 85, 95)
TENSORS = ("pre_norm", "pre_activation", "post_activation")
BIN_COUNT = 80
BIN_RANGE = (-5.0, 5.0)  # fixed bins [left, right) that all layers, arms and steps share; what lies outside is counted
BIN_EDGES: NDArray[np.float64] = np.linspace(*BIN_RANGE, BIN_COUNT + 1)
CURVE_MEASURES, LAYER_MEASURES = columns("curves"), columns("layers")


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run's identity and the proof that its arms are twins."""

    run_id: str
    config: RunConfig
    weights_hash: tuple[tuple[str, ...], ...]  # [arm][trial], of the initial linear weights
    batches_hash: tuple[tuple[str, ...], ...]  # [arm][trial], of the sample order of the first epoch
    measured_steps: tuple[int, ...]  # the steps at which a StepMeasured follows, unless the run ends early
    input_features: int
    class_count: int
    plane: dict[str, FloatArray] | None  # 2-D data: points (n, 2), labels (n,), extent (4,) as x0, x1, y0, y1
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class ArmMeasured:
    """What one arm measured at one step."""

    curves: dict[str, FloatArray]  # CURVE_MEASURES: (T,)
    layers: dict[str, FloatArray]  # LAYER_MEASURES: (T, L); NaN where a measure does not apply; drifts: the K trials only
    percentiles: dict[str, FloatArray]  # TENSORS: (K, L, len(PERCENTILES))
    histograms: dict[str, NDArray[np.uint32]]  # TENSORS: (K, L, BIN_COUNT + 2): underflow, the bins, overflow
    diverged_at: NDArray[np.int32]  # (T,): the step at which the trial diverged, -1 while it has not
    extras: dict[str, FloatArray] = field(default_factory=dict)  # what was asked for, with the axes that it declares


@dataclass(frozen=True, slots=True)
class StepMeasured:
    """All arms at one step: parameters after `step` updates, gradients of the batch that comes next."""

    frame: int  # 0, 1, 2, ...
    step: int
    arms: tuple[ArmMeasured, ...]


@dataclass(frozen=True, slots=True)
class StudyStarted:
    """The identity of a study: one part of an experiment."""

    run_id: str
    config: StudyConfig
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class StageMeasured:
    """One measurement of one stage of a study: of a run that trains, or of a probe."""

    frame: int  # counts over all stages
    stage: int  # index into the part's stages
    step: int  # of this stage
    done: float  # share of the whole study's estimated work, 0 to 1
    is_last: bool  # nothing follows of this stage
    arms: tuple[ArmMeasured, ...]  # of a run; empty for a probe
    values: dict[str, NDArray[np.float64]]  # of a probe, by name; empty for a run


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run came to its last step, or every trial diverged before."""

    step: int


@dataclass(frozen=True, slots=True)
class RunStopped:
    """Somebody, or a limit, ended the run early; `reason` is shown to the visitor."""

    step: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run broke; `reason` is shown to the visitor."""

    step: int
    reason: str


RunEnded = RunFinished | RunStopped | RunFailed
EndState = Literal["finished", "stopped", "failed"]
RunState = Literal["queued", "running"] | EndState
END_STATES: dict[type, EndState] = {RunFinished: "finished", RunStopped: "stopped", RunFailed: "failed"}
Started = RunStarted | StudyStarted  # all three unions can be asked for with isinstance
Measured = StepMeasured | StageMeasured
Record = Started | Measured | RunEnded
