"""Whatever the configuration allows, a run can do: seeded random settings, every field of them, small enough to be quick."""

import random
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import ValidationError

from bnviz.config.models import (
    ActivationName,
    ArchitectureName,
    BatchMode,
    DropoutPlacement,
    ExtraName,
    InitName,
    InputScale,
    NormName,
    NormPlacement,
    OptimizerName,
    RecurrentNorm,
    RunConfig,
)
from bnviz.records.codec import decode, encode
from bnviz.records.records import CURVE_MEASURES, LAYER_MEASURES, TENSORS, Record, RunFinished, RunStarted, StepMeasured
from bnviz.registry.datasets import DATASETS, PLANE_DATASETS
from bnviz.training.run import run

COUNT, SEED = 300, 20150211
LOCAL_DATASETS = [name for name, entry in DATASETS.items() if not entry.download]


def drawn_dataset(rng: random.Random) -> dict[str, Any]:
    """A data set of a few samples."""
    return {
        "name": rng.choice((*LOCAL_DATASETS, *["gaussian"] * 5, "digits")),
        "train_size": rng.choice((2, 3, 7, 20)),
        "test_size": rng.choice((1, 2, 9)),
        "noise": rng.choice((0, 0.1, 2)),
        "input_scale": rng.choice(get_args(InputScale)),
        "features": rng.choice((1, 2, 4, 4, 9, 9)),
        "test_scale": rng.choice((1, 0, -100, 100)),
        "test_shift": rng.choice((0, 0, -100, 0.5)),
    }


EXTREMES = {  # of what may differ from trial to trial
    "lr": (1e-6, 1e-3, 0.1, 1, 100),
    "init_gain": (1e-4, 1, 1, 1e4),
    "momentum": (0, 0, 0.9, 0.999),
    "weight_decay": (0, 0, 0.01, 1),
}


def drawn_arm(rng: random.Random, trials: int, reads_images: bool) -> dict[str, Any]:
    """An arm of a few units; one in three has values for each trial."""
    width = rng.choice((1, 2, 3, 4, 8))
    swept = {name: [rng.choice(values) for _ in range(trials)] for name, values in EXTREMES.items() if rng.random() < 0.3}
    return {
        "name": rng.choice(("", "", "an arm")),
        "architecture": rng.choice(get_args(ArchitectureName)) if reads_images else "dense",
        "norm": rng.choice(get_args(NormName)),
        "norm_on_input": rng.random() < 0.3,
        "norm_placement": rng.choice(get_args(NormPlacement)),
        "activation": rng.choice(get_args(ActivationName)),
        "depth": rng.choice((1, 1, 2, 3)),
        "width": width,
        "residual": rng.random() < 0.3,
        "init": rng.choice(get_args(InitName)),
        **{name: rng.choice(values) for name, values in EXTREMES.items()},
        "optimizer": rng.choice(get_args(OptimizerName)),
        "dropout": rng.choice((0, 0, 0.5, 0.95)),
        "dropout_placement": rng.choice(get_args(DropoutPlacement)),
        "gamma_init": rng.choice((1, 1, 0, -10, 10)),
        "beta_init": rng.choice((0, 0, -10, 10)),
        "recurrent_norm": rng.choice(get_args(RecurrentNorm)),
        "norm_momentum": rng.choice((0.1, 0, 1)),
        "norm_eps": rng.choice((1e-5, 0, 0, 1)),
        "group_count": rng.choice([count for count in (1, 2, 4) if width % count == 0]),
        "per_trial": swept if rng.random() < 0.3 else {},
    }


def drawn_settings(rng: random.Random) -> dict[str, Any]:
    """All of a run's settings. Some do not go together; the configuration says so."""
    trials = rng.choice((1, 1, 2, 3))
    extras = rng.sample(get_args(ExtraName), rng.choice((0, 1, 2, 4, len(get_args(ExtraName)))))
    dataset = drawn_dataset(rng)
    is_image = dataset["name"] == "digits" or (dataset["name"] == "gaussian" and dataset["features"] in (4, 9))
    reads_images = is_image or rng.random() < 0.1  # what is no image is refused
    return {
        "dataset": dataset,
        "arms": [drawn_arm(rng, trials, reads_images) for _ in range(rng.choice((1, 1, 1, 2, 3, 6)))],
        "trials": trials,
        "seed": rng.choice((0, 7, 2**31 - 1)),
        "trial_seeds": [rng.choice((0, 0, 5, 127)) for _ in range(trials)] if rng.random() < 0.3 else [],
        "batch_mode": rng.choice(get_args(BatchMode)),
        "batch_size": min(rng.choice((1, 1, 2, 5, 12)), dataset["train_size"]),
        "steps": rng.choice((0, 1, 3)),
        "measure_every": rng.choice((None, 1, 2)),
        "probe_size": min(rng.choice((2, 2, 5, 12)), dataset["train_size"]),
        "extras": [extra for extra in extras if extra != "decision_boundary" or dataset["name"] in PLANE_DATASETS],
    }


def drawn_configs(seed: int, count: int) -> list[RunConfig]:
    """The first `count` draws that are valid configurations."""
    rng, configs = random.Random(seed), []
    while len(configs) < count:
        try:
            configs.append(RunConfig.model_validate(drawn_settings(rng)))
        except ValidationError:
            continue
    return configs


def assert_well_formed(config: RunConfig, records: list[Record]) -> None:
    """The order of the records, and the shapes of what every arm measured."""
    assert isinstance(records[0], RunStarted)
    assert isinstance(records[-1], RunFinished)
    for record in records[1:-1]:
        assert isinstance(record, StepMeasured)
        assert len(record.arms) == len(config.arms)
        for arm in record.arms:
            assert arm.curves.keys() == {*CURVE_MEASURES}
            assert arm.layers.keys() == {*LAYER_MEASURES}
            assert arm.percentiles.keys() == arm.histograms.keys() == {*TENSORS}
            assert {values.shape for values in arm.curves.values()} == {(config.trials,)}
            assert {len(values) for values in arm.layers.values()} == {config.trials}
            assert not any(values.dtype != np.float32 for values in (*arm.layers.values(), *arm.extras.values()))


@pytest.mark.slow
def test_every_valid_configuration_runs():
    broken = []
    for config in drawn_configs(SEED, COUNT):
        try:
            records = list(run(config))
        except Exception as error:  # what a visitor would be shown as an error of the program
            broken.append(f"{type(error).__name__}: {error}\n{config.model_dump_json(exclude_defaults=True)}")
            continue
        assert_well_formed(config, records)
        assert [encode(decode(encode(record))) for record in records] == [encode(record) for record in records]
    assert not broken, f"{len(broken)} of {COUNT} broke, the first with {broken[0]}"
