"""Twins, determinism, divergence: what a run promises about its training."""

import numpy as np
import pytest
import torch

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.datasets import load
from bnviz.records.records import RunFinished, RunStarted, StepMeasured
from bnviz.training.batches import Batches
from bnviz.training.loop import Trainer
from bnviz.training.run import run

SMALL = {"dataset": {"name": "spirals", "train_size": 60, "test_size": 20}, "trials": 3, "batch_size": 16, "probe_size": 10}


def small(**changes) -> RunConfig:
    return RunConfig(**(SMALL | {"arms": twins(depth=2, width=8)} | {"steps": 30} | changes))


def twins(**settings) -> tuple[ArmConfig, ...]:
    return ArmConfig(norm="none", **settings), ArmConfig(norm="batch", **settings)


def frames(config: RunConfig) -> list[StepMeasured]:
    return [record for record in run(config) if isinstance(record, StepMeasured)]


def arrays(frame: StepMeasured) -> dict[str, np.ndarray]:
    return {
        f"{i} {group} {name}": value
        for i, arm in enumerate(frame.arms)
        for group in ("curves", "layers", "percentiles", "histograms", "extras")
        for name, value in getattr(arm, group).items()
    } | {f"{i} diverged_at": arm.diverged_at for i, arm in enumerate(frame.arms)}


def assert_same_bits(one: list[StepMeasured], other: list[StepMeasured]) -> None:
    assert [frame.step for frame in one] == [frame.step for frame in other]
    for a, b in zip(one, other, strict=True):
        left, right = arrays(a), arrays(b)
        assert left.keys() == right.keys()
        for name in left:
            assert left[name].tobytes() == right[name].tobytes(), name


def final_parameters(config: RunConfig, at: tuple[int, ...]) -> list[torch.Tensor]:
    trainer = Trainer(config, load(config.dataset, config.seed))
    for _ in trainer.states(at):
        pass
    return [arm.net.parameters.flat for arm in trainer.arms]


def test_arms_share_initial_weights_and_batches_but_trials_do_not():
    started = next(iter(run(small())))
    assert isinstance(started, RunStarted)
    assert started.weights_hash[0] == started.weights_hash[1]
    assert started.batches_hash[0] == started.batches_hash[1]
    assert len(set(started.weights_hash[0])) == len(set(started.batches_hash[0])) == 3
    other = next(iter(run(small(seed=1))))
    assert isinstance(other, RunStarted)
    assert not set(other.weights_hash[0]) & set(started.weights_hash[0])


def test_a_trial_does_not_depend_on_how_many_there_are():
    few, many = frames(small(trials=1, steps=3)), frames(small(trials=3, steps=3))
    for a, b in zip(few, many, strict=True):
        np.testing.assert_allclose(a.arms[1].curves["train_loss"][0], b.arms[1].curves["train_loss"][0], rtol=1e-4)


def test_every_epoch_shows_each_sample_once():
    config = small(batch_size=20)
    epoch = [chosen for _, chosen in zip(range(3), Batches(config), strict=False)]
    seen = torch.cat(epoch, dim=1)
    assert all(sorted(row.tolist()) == list(range(60)) for row in seen)


def test_same_seed_same_bits():
    config = small(arms=[*twins(depth=2, width=8, dropout=0.3)])
    assert_same_bits(frames(config), frames(config))


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3}, {"momentum": 0.9}, {"optimizer": "adam"}], ids=str)
def test_measuring_changes_no_bit_of_training(settings):
    config = small(arms=twins(depth=2, width=8, **settings), extras=("decision_boundary",))
    unmeasured = final_parameters(config, ())
    for at in (range(31), (7, 30)):
        trained = final_parameters(config, tuple(at))
        assert all(torch.equal(a, b) for a, b in zip(unmeasured, trained, strict=True))
    sparse, dense = frames(at_every(config, 10)), frames(at_every(config, 1))
    by_step = {frame.step: arrays(frame) for frame in dense}
    for frame in sparse:
        for name, value in arrays(frame).items():
            if name.endswith("_drift"):  # between measurements: it depends on when the last one was
                continue
            assert value.tobytes() == by_step[frame.step][name].tobytes(), (frame.step, name)


def at_every(config: RunConfig, steps: int) -> RunConfig:
    return config.model_copy(update={"measure_every": steps})


def test_zero_steps_measure_the_initialization_only():
    (frame,) = frames(small(steps=0))
    assert frame.step == 0
    assert bool((frame.arms[0].layers["weight_grad_norm"] > 0).all())


def test_a_diverged_trial_is_frozen_and_the_others_go_on():
    rates = (0.05, 1e2, 0.05)
    wild = ArmConfig(norm="none", depth=3, width=16, activation="linear", per_trial={"lr": rates})
    tame = ArmConfig(norm="none", depth=3, width=16, activation="linear", lr=0.05)
    records = list(run(small(arms=(wild, tame), steps=40, measure_every=1)))
    last = records[-2]
    assert isinstance(records[-1], RunFinished)
    assert records[-1].step == 40
    assert isinstance(last, StepMeasured)
    lost, whole = last.arms
    assert lost.diverged_at[1] > 0
    assert lost.diverged_at[[0, 2]].tolist() == [-1, -1]
    for name, values in (lost.curves | lost.layers | lost.percentiles).items():
        if name not in ("dead_relu_count", "saturated_fraction"):
            assert np.isnan(values[1:2]).all(), name
            assert np.isfinite(values[0]).all(), name
    for name in lost.curves:  # bit for bit: who diverged beside a trial does not touch it
        assert lost.curves[name][[0, 2]].tobytes() == whole.curves[name][[0, 2]].tobytes(), name


def test_before_it_diverges_a_trial_is_measured_and_its_step_is_the_first_insane_loss():
    wild = ArmConfig(norm="none", depth=3, width=16, activation="linear", lr=100)
    seen = frames(small(arms=(wild,), steps=40, measure_every=1))
    for trial in range(3):
        losses = np.array([frame.arms[0].curves["train_loss"][trial] for frame in seen])
        steps = {int(frame.arms[0].diverged_at[trial]) for frame in seen} - {-1}
        assert steps == {int(np.flatnonzero(np.isnan(losses))[0])}
    assert seen[-1].step < 40, "a run whose trials have all diverged ends early"


@pytest.mark.parametrize("name", ["lr", "weight_decay", "momentum", "init_gain"])
def test_per_trial_values_equal_runs_with_one_value_each(name):
    values = {"lr": (0.3, 0.01), "weight_decay": (0.0, 0.1), "momentum": (0.0, 0.9), "init_gain": (0.5, 2.0)}[name]
    together = small(trials=2, arms=(ArmConfig(norm="batch", depth=2, width=8, per_trial={name: values}),))
    stack = final_parameters(together, ())[0]
    for trial, value in enumerate(values):
        alone = small(trials=2, arms=(ArmConfig(norm="batch", depth=2, width=8, **{name: value}),))
        trainer = Trainer(alone, load(alone.dataset, alone.seed))
        mine = trainer.arms[0].net.parameters.spread(torch.arange(2) == trial)
        torch.testing.assert_close(stack[mine], final_parameters(alone, ())[0][mine], rtol=1e-4, atol=1e-6)


def test_a_run_can_be_closed_early():
    records = run(small())
    assert isinstance(next(records), RunStarted)
    assert isinstance(next(records), StepMeasured)
    records.close()  # type: ignore[attr-defined]


def test_a_large_loss_before_the_first_step_is_no_divergence():
    wild = ArmConfig(depth=6, width=32, init_gain=100)
    first, *others = frames(small(arms=(wild,), steps=2, measure_every=1))
    assert (first.arms[0].curves["train_loss"] > 1e6).all()
    assert (first.arms[0].diverged_at == -1).all()
    assert (others[-1].arms[0].diverged_at == 1).all()
