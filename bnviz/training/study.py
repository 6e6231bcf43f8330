"""A study: its stages one after the other, as one stream of records.

stages -> run(stage.run) | probe(**stage.options) -> StageMeasured, ... -> RunFinished
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray

from bnviz.config.base import SCHEMA_VERSION
from bnviz.config.models import RunConfig
from bnviz.config.stages import Stage
from bnviz.config.studies import StudyConfig
from bnviz.records.records import ArmMeasured, Record, RunFinished, StageMeasured, StepMeasured, StudyStarted
from bnviz.training.run import run
from bnviz.training.threads import on_one_thread

PROBES = "bnviz.probes"  # the package of the probes
StageStep = tuple[int, float, tuple[ArmMeasured, ...], Mapping[str, NDArray[np.float64]]]  # step, share done, arms, values


@on_one_thread
def run_study(config: StudyConfig, stages: Sequence[Stage]) -> Iterator[Record]:
    """Go through all stages: StudyStarted, a StageMeasured for each measurement, RunFinished.

    A pure function of its arguments, on one thread, as `bnviz.run` is.

    Args:
        config: names the study in the records.
        stages: of the study, in order.

    Raises:
        DatasetUnavailable: a data set has to be downloaded and cannot be.
    """
    versions = {"torch": torch.__version__, "numpy": version("numpy"), "schema": str(SCHEMA_VERSION)}
    yield StudyStarted(config.run_id, config, versions)
    total = sum(stage.estimated_seconds for stage in stages)
    frame, before = 0, 0.0
    for index, stage in enumerate(stages):
        for (step, share, arms, values), is_last in _with_last(_measure(stage)):
            done = min((before + share * stage.estimated_seconds) / total, 1.0)
            yield StageMeasured(frame, index, step, done, is_last, arms, dict(values))
            frame += 1
        before += stage.estimated_seconds
    yield RunFinished(step=frame)


def _measure(stage: Stage) -> Iterator[StageStep]:
    return _train(stage, stage.run) if stage.run else _probe(stage)


def _train(stage: Stage, config: RunConfig) -> Iterator[StageStep]:
    for record in run(config, frozenset(stage.keep)):
        if isinstance(record, StepMeasured):
            yield record.step, record.step / max(config.steps, 1), record.arms, {}


def _probe(stage: Stage) -> Iterator[StageStep]:
    """Run a probe, which is found by its name: probes look at trained networks and so stand above this package."""
    is_name = stage.probe.isidentifier() and not stage.probe.startswith("_")
    if not is_name or find_spec(f"{PROBES}.{stage.probe}") is None:
        raise LookupError(f"stage {stage.key}: there is no probe {stage.probe!r}")
    probe = import_module(f"{PROBES}.{stage.probe}").probe
    for step, (share, values) in enumerate(probe(**stage.options)):
        yield step, share, (), {name: np.asarray(value, np.float64) for name, value in values.items()}


def _with_last(measured: Iterator[StageStep]) -> Iterator[tuple[StageStep, bool]]:
    """Each measurement, and whether it is the stage's last: known when the next has come or none is left."""
    previous = None
    for current in measured:
        if previous is not None:
            yield previous, False
        previous = current
    if previous is not None:
        yield previous, True
