"""Records made with NumPy, with known values: no network is trained here."""

from collections.abc import Callable

import numpy as np
import pytest

from bnviz.config.models import RunConfig
from bnviz.records.records import (
    BIN_COUNT,
    CURVE_MEASURES,
    LAYER_MEASURES,
    PERCENTILES,
    TENSORS,
    ArmMeasured,
    RunStarted,
    StepMeasured,
)


def make_started(config: RunConfig, twins: bool = True, plane: bool = False) -> RunStarted:
    arms, trials = range(len(config.arms)), range(config.trials)
    weights = tuple(tuple(f"w{0 if twins else arm}{trial:07d}" for trial in trials) for arm in arms)
    labels = np.arange(10, dtype=np.float32) % 2
    points = {"points": np.zeros((10, 2), np.float32), "labels": labels, "extent": np.array([-2, 2, -1, 1], np.float32)}
    return RunStarted(
        run_id=config.run_id,
        config=config,
        weights_hash=weights,
        batches_hash=tuple(tuple(f"b{trial:07d}" for trial in range(config.trials)) for _ in config.arms),
        measured_steps=tuple(range(config.steps + 1)),
        input_features=64,
        class_count=10,
        plane=points if plane else None,
        versions={},
    )


def make_step(
    config: RunConfig, frame: int = 0, diverged: dict[tuple[int, int], int] | None = None, grid: bool = False
) -> StepMeasured:
    """Every measure is 1, 2, ... over the trials, plus 100 times the layer, in every arm."""
    diverged = diverged or {}
    arms = []
    for index, arm in enumerate(config.arms):
        at = np.array([diverged.get((index, trial), -1) for trial in range(config.trials)], np.int32)
        base = np.where(at >= 0, np.nan, np.arange(1, config.trials + 1))
        layers = base[:, None] + 100 * np.arange(arm.depth)
        counts = np.zeros((1, arm.depth, BIN_COUNT + 2), np.uint32)
        counts[..., 1:-1] = 10
        counts[..., -1] = 200
        arms.append(
            ArmMeasured(
                curves={name: (base / 100).astype(np.float32) for name in CURVE_MEASURES},
                layers={name: layers.astype(np.float32) for name in LAYER_MEASURES},
                percentiles={name: np.tile(np.arange(len(PERCENTILES), dtype=np.float32), (1, arm.depth, 1)) for name in TENSORS},
                histograms=dict.fromkeys(TENSORS, counts),
                diverged_at=at,
                extras={"decision_boundary": np.tile(np.array([0, 1], np.float32), (4, 2))} if grid else {},
            )
        )
    return StepMeasured(frame=frame, step=frame, arms=tuple(arms))


@pytest.fixture
def started() -> Callable[..., RunStarted]:
    return make_started


@pytest.fixture
def measured() -> Callable[..., StepMeasured]:
    return make_step
