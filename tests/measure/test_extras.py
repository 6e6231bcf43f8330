"""All extras: that they change nothing, that only what is kept is measured, and that a diverged trial is NaN."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from bnviz.config.models import ArmConfig, DatasetConfig, ExtraName, RunConfig
from bnviz.datasets import load
from bnviz.measure import Measurer
from bnviz.measure.extras import EXTRAS
from bnviz.records.records import CURVE_MEASURES, LAYER_MEASURES, StepMeasured
from bnviz.training.loop import Trainer
from bnviz.training.run import run

NOISY = ArmConfig(norm="batch_noisy", depth=3, width=6, dropout=0.2, momentum=0.9, lr=0.05, norm_on_input=True)
ADAM = ArmConfig(norm="batch", depth=3, width=6, optimizer="adam", lr=0.01)
CONV = ArmConfig(norm="batch_noisy", architecture="conv", depth=2, width=3, lr=0.05)
ARMS = {"dense": (NOISY, ADAM), "conv": (CONV,), "recurrent": (ArmConfig(norm="batch", architecture="recurrent", width=5),)}


def _config(arms: tuple[ArmConfig, ...], **settings) -> RunConfig:
    options = {"trials": 2, "batch_size": 8, "probe_size": 10, "steps": 4, "measure_every": 1} | settings
    dataset = options.pop("dataset", DatasetConfig(train_size=60, test_size=20))
    return RunConfig(dataset=dataset, arms=arms, **options)


def _trained(config: RunConfig, keep: frozenset[str] | None) -> list[bytes]:
    """Every bit that training leaves behind, measured on the way or not."""
    dataset = load(config.dataset, config.seed)
    trainer, bits = Trainer(config, dataset), []
    measurer = Measurer(config, dataset, keep) if keep else None
    for state in trainer.states(range(config.steps + 1) if keep else (config.steps,)):
        if measurer:
            measurer.measure(state)
    for arm in trainer.arms:
        tensors = [arm.net.parameters.flat, arm.loss, arm.logits, arm.gradient, arm.direction, *arm.net.statistics()]
        bits += [tensor.detach().numpy().tobytes() for tensor in tensors]
    return bits


def test_every_extra_that_a_run_may_ask_for_is_there():
    assert {*get_args(ExtraName)} - {"all_trial_distributions"} == {*EXTRAS}


@pytest.mark.parametrize("kind", ["conv", "plane"])
def test_every_result_is_documented(kind):
    documented = (Path(__file__).parents[2] / "docs" / "measurements.md").read_text("utf-8")
    plane = DatasetConfig(name="moons", train_size=40, test_size=20)
    config = _config((CONV,), steps=0) if kind == "conv" else _config((ADAM,), steps=0, dataset=plane)
    (measured,) = [r.arms[0] for r in run(config, frozenset(EXTRAS)) if isinstance(r, StepMeasured)]
    assert measured.extras
    for name in (*EXTRAS, *measured.extras):
        assert f"`{name}`" in documented


@pytest.mark.parametrize("kind", ARMS)
def test_one_trial_alone_measures_what_it_does_among_others(kind):
    keep = frozenset(EXTRAS) - {"decision_boundary"}
    alone, among = (
        next(record.arms for record in run(_config(ARMS[kind], steps=0, trials=trials), keep) if isinstance(record, StepMeasured))
        for trials in (1, 2)
    )
    for one, two in zip(alone, among, strict=True):
        assert one.extras.keys() == two.extras.keys()
        for name, values in one.extras.items():
            np.testing.assert_allclose(values[0], two.extras[name][0], rtol=2e-3, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("kind", ARMS)
def test_measuring_changes_nothing(kind):
    config = _config(ARMS[kind])
    assert _trained(config, frozenset(EXTRAS)) == _trained(config, None)


def test_only_what_is_kept_is_measured():
    records = [r for r in run(_config((ADAM,)), frozenset({"train_loss", "weight_norm", "rank"})) if isinstance(r, StepMeasured)]
    measured = records[-1].arms[0]
    assert {*measured.curves} == {"train_loss"}
    assert {*measured.layers} == {"weight_norm"}
    assert {*measured.extras} == {"effective_rank", "stable_rank", "mean_cosine"}
    assert not measured.percentiles
    assert not measured.histograms


@pytest.mark.parametrize("name", [*CURVE_MEASURES, *LAYER_MEASURES, "percentiles", "histograms"])
def test_what_is_kept_alone_is_what_a_full_measurement_gives(name):
    config = _config((ADAM,), steps=2)
    whole, alone = ([r.arms[0] for r in run(config, keep) if isinstance(r, StepMeasured)] for keep in (None, frozenset({name})))
    for full, one in zip(whole, alone, strict=True):
        tables = [(full.curves, one.curves), (full.layers, one.layers)]
        if name in ("percentiles", "histograms"):
            tables = [(getattr(full, name), getattr(one, name))]
        kept = [(many[key], few[key]) for many, few in tables for key in few]
        assert len(kept) == (3 if name in ("percentiles", "histograms") else 1)
        for expected, got in kept:
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("extra", sorted({*EXTRAS} - {"decision_boundary", "channel_maps", "input_condition"}))
def test_a_diverged_trial_is_nan(extra):
    wild = ArmConfig(depth=3, width=6, per_trial={"lr": (0.01, 100.0)}, activation="linear")  # type: ignore[arg-type]
    records = [r for r in run(_config((wild,), steps=30, measure_every=30), frozenset({extra})) if isinstance(r, StepMeasured)]
    last = records[-1].arms[0]
    assert last.diverged_at[1] >= 0
    for name, values in last.extras.items():
        assert np.isnan(values[1]).all(), name
        assert np.isfinite(values[0]).all(), name
