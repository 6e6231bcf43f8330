"""Runs that behave and misbehave as their first arm's name says; executed in workers, without torch."""

import os
import signal
import sys
import time
from collections.abc import Iterator

import numpy as np

from bnviz.config.models import RunConfig
from bnviz.records.records import (
    BIN_COUNT,
    CURVE_MEASURES,
    LAYER_MEASURES,
    PERCENTILES,
    TENSORS,
    ArmMeasured,
    Record,
    RunFinished,
    RunStarted,
    StepMeasured,
)

FRAME_SECONDS = 0.02


class DatasetUnavailable(Exception):
    """Called as the one of `bnviz.datasets`."""


def dawdle() -> None:
    """A warm-up that takes very long."""
    time.sleep(120)


def started(config: RunConfig) -> RunStarted:
    hashes = tuple(tuple(f"{config.seed}-{trial}" for trial in range(config.trials)) for _ in config.arms)
    return RunStarted(
        run_id=config.run_id,
        config=config,
        weights_hash=hashes,
        batches_hash=hashes,
        measured_steps=tuple(range(config.steps + 1)),
        input_features=64,
        class_count=10,
        plane=None,
        versions={"streamlit": str("streamlit" in sys.modules), "main": str(sys.modules["__main__"].__file__)},
    )


def measured(config: RunConfig, frame: int) -> StepMeasured:
    rng = np.random.default_rng(config.seed * 10_000 + frame)

    def arm(depth: int) -> ArmMeasured:
        trials = config.trials
        return ArmMeasured(
            curves={name: rng.random(trials, np.float32) for name in CURVE_MEASURES},
            layers={name: rng.random((trials, depth), np.float32) for name in LAYER_MEASURES},
            percentiles={name: rng.random((1, depth, len(PERCENTILES)), np.float32) for name in TENSORS},
            histograms={name: rng.integers(0, 9, (1, depth, BIN_COUNT + 2)).astype(np.uint32) for name in TENSORS},
            diverged_at=np.full(trials, -1, np.int32),
        )

    return StepMeasured(frame=frame, step=frame, arms=tuple(arm(config_arm.depth) for config_arm in config.arms))


def run(config: RunConfig) -> Iterator[Record]:
    kind = config.arms[0].name
    if kind == "unavailable":
        raise DatasetUnavailable("The data set is not on this machine, which is offline.")
    yield started(config)
    for frame in range(config.steps + 1):
        if frame == 2:
            _misbehave(kind)
        if kind == "slow":
            time.sleep(FRAME_SECONDS)
        yield measured(config, 99 if kind == "skips" and frame == 3 else frame)
    if kind != "endless":
        yield RunFinished(step=config.steps)


def _misbehave(kind: str) -> None:
    if kind == "crash":
        raise ArithmeticError("the numbers are tired")
    if kind == "memory":
        raise MemoryError
    if kind == "greedy":
        np.empty(4 * 2**30, np.uint8)  # asked for, never touched: without a bound nothing comes of it
    if kind == "exits":
        os._exit(7)
    if kind == "kills itself":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if kind in ("stuck", "stubborn"):
        while True:
            time.sleep(60)
