"""A run from its configuration: what the page, the command line and the tests all call."""

from collections.abc import Iterator
from importlib.metadata import version

import numpy as np
import torch

from bnviz.config.base import SCHEMA_VERSION
from bnviz.config.models import RunConfig
from bnviz.config.schedule import measured_steps
from bnviz.datasets import Dataset, load
from bnviz.measure import Measurer
from bnviz.nets.initialization import weights_hash
from bnviz.records.records import Record, RunFinished, RunStarted, StepMeasured
from bnviz.training.loop import Trainer
from bnviz.training.threads import on_one_thread


@on_one_thread
def run(config: RunConfig, keep: frozenset[str] | None = None) -> Iterator[Record]:
    """Train and measure: RunStarted, a StepMeasured for each measured step, RunFinished.

    A pure function of `config`: the same configuration gives the same records, bit for bit, on one machine.
    torch computes on one thread meanwhile; between two records the caller's setting holds. Close the iterator, or
    leave it, to stop early.

    Args:
        config: the run.
        keep: which measurements to take, as `Measurer` has it; None for all.

    Raises:
        DatasetUnavailable: the data set has to be downloaded and cannot be.
    """
    dataset = load(config.dataset, config.seed)
    steps = measured_steps(config)
    trainer = Trainer(config, dataset)
    yield _started(config, dataset, trainer, steps)
    measurer = Measurer(config, dataset, keep)
    step = 0
    for frame, state in enumerate(trainer.states(steps)):
        step = state.step
        yield StepMeasured(frame=frame, step=step, arms=measurer.measure(state))
    yield RunFinished(step=step)


def _started(config: RunConfig, dataset: Dataset, trainer: Trainer, steps: tuple[int, ...]) -> RunStarted:
    trials = range(config.trials)
    plane = None
    if dataset.extent is not None:
        labels = dataset.train_labels.astype(np.float32)
        plane = {"points": dataset.train_inputs, "labels": labels, "extent": np.array(dataset.extent, np.float32)}
    return RunStarted(
        run_id=config.run_id,
        config=config,
        weights_hash=tuple(tuple(weights_hash(arm.net.linear_weights, t) for t in trials) for arm in trainer.arms),
        batches_hash=tuple(tuple(trainer.batches.hash(t) for t in trials) for _ in trainer.arms),
        measured_steps=steps,
        input_features=dataset.train_inputs.shape[1],
        class_count=dataset.class_count,
        plane=plane,
        versions={"torch": torch.__version__, "numpy": version("numpy"), "schema": str(SCHEMA_VERSION)},
    )
