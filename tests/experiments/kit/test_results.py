"""What was measured, by name: two arms of other depths, a sweep on the trial axis, and stages on a grid."""

import numpy as np
import pytest

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit.grid import Grid
from bnviz.experiments.kit.quantities import Quantity, norm_styles
from bnviz.experiments.kit.results import Results
from bnviz.records.records import PERCENTILES, ArmMeasured, StageMeasured

RUN = RunConfig(arms=(ArmConfig(norm="none", depth=2), ArmConfig(norm="batch", depth=3)), trials=4)


def arm(depth: int, trials: int, scale: float, lost: tuple[int, ...] = ()) -> ArmMeasured:
    at = np.full(trials, -1, np.int32)
    at[list(lost)] = 1
    curves = {"train_loss": scale * np.arange(1, trials + 1, dtype=np.float32)}
    layers = {"weight_norm": scale * np.arange(1, trials * depth + 1, dtype=np.float32).reshape(trials, depth)}
    return ArmMeasured(curves, layers, {}, {}, at)


def measured(stage: Stage, *, frames: int = 2, index: int = 0, results: Results | None = None) -> Results:
    found = results or Results([stage])
    for frame in range(frames):
        arms = (arm(2, 4, 1.0 + frame, lost=(3,)), arm(3, 4, 10.0 * (1 + frame)))
        found.add(StageMeasured(frame, index, 5 * frame, 0.5, frame == frames - 1, arms, {}))
    return found


def test_measures_have_arms_seeds_and_layers_by_name():
    results = measured(Stage("training", "training", RUN))
    assert results.newest("train_loss").axes == {"arm": ("none", "batch"), "seed": (0, 1, 2, 3)}
    assert results.newest("train_loss").at(arm="batch").values.tolist() == [20, 40, 60, 80]
    layers = results.newest("weight_norm")
    assert layers.axes["layer"] == (1, 2, 3)
    assert layers.at(arm="batch", seed=1).values.tolist() == [80, 100, 120]
    assert np.isnan(layers.at(arm="none", layer=3).values).all(), "the plain net has no third layer"
    over = results.over_steps("train_loss")
    assert over.axes["step"] == (0, 5)
    assert over.at(step=0, arm="none", seed=2).values == 3
    assert results.diverged().at(arm="none").values.tolist() == [0, 0, 0, 1]


def test_trials_of_a_sweep_have_two_names():
    stage = Stage("sweep", "sweep", RUN, trial_axes={"lr": (0.1, 1.0), "seed": (0, 1)})
    found = measured(stage).newest("train_loss")
    assert found.axes == {"arm": ("none", "batch"), "lr": (0.1, 1.0), "seed": (0, 1)}
    assert found.at(arm="none", lr=1.0).values.tolist() == [6, 8]
    assert measured(stage).diverged().at(arm="none", lr=1.0, seed=1).values == 1


def test_names_of_arms_are_their_own_where_they_have_one():
    run = RunConfig(arms=(ArmConfig(norm="batch", name="gamma 1"), ArmConfig(norm="batch", name="gamma 2")), trials=4)
    assert measured(Stage("x", "x", run)).newest("train_loss").axes["arm"] == ("gamma 1", "gamma 2")


def test_what_is_not_there_is_said():
    results = Results([Stage("a", "a", RUN), Stage("b", "b", RUN)])
    with pytest.raises(LookupError, match="which of the stages a, b"):
        results.newest("train_loss")
    with pytest.raises(LookupError, match="a: nothing was measured yet"):
        results.newest("train_loss", "a")
    with pytest.raises(LookupError, match="kept: train_loss, weight_norm"):
        measured(Stage("training", "training", RUN)).newest("test_loss")


def test_stages_of_a_grid_become_axes():
    grid = Grid("{depth}_{size}", depth=(1, 2), size=(8, 64))
    assert list(grid)[1] == {"depth": 1, "size": 64}
    assert grid.keys == ("1_8", "1_64", "2_8", "2_64")
    results = Results([Stage(grid.key(**point), "x", RUN) for point in grid])
    with pytest.raises(LookupError, match="nothing was measured"):
        grid.collect(results, lambda found, key: found.newest("train_loss", key))
    measured(results.stages["1_64"], index=1, results=results, frames=1)
    losses = grid.collect(results, lambda found, key: found.newest("train_loss", key))
    assert list(losses.axes) == ["depth", "size", "arm", "seed"]
    assert losses.at(depth=1, size=64, arm="none").values.tolist() == [1, 2, 3, 4]
    assert np.isnan(losses.at(depth=2).values).all()


def test_a_quantity_reads_the_layers_that_count_and_the_whole_run():
    results = measured(Stage("training", "training", RUN))
    norm = Quantity("weight_norm", first_layer=2, factor=100.0)
    raw = np.stack([np.arange(1, 13).reshape(4, 3) * 10.0 * frame for frame in (1, 2)])  # (steps, seeds, layers) of batch norm
    assert norm.newest(results).at(arm="batch").values == pytest.approx(100 * np.median(raw[1][:, 1:], axis=1))
    expected = [100 * np.median(raw[:, seed, 1:]) for seed in range(4)]
    assert norm.over_run(results).at(arm="batch").values == pytest.approx(expected)
    none = [100 * np.median([2 * seed + 2, 2 * (2 * seed + 2)]) for seed in range(4)]  # its second layer, at both steps
    ratio = norm.ratio(results, "batch", "none")
    assert ratio.median == pytest.approx(np.median(np.array(expected) / none))
    assert ratio.count == 4


def test_a_quantity_draws_its_arms_in_the_order_of_the_styles():
    results = measured(Stage("training", "training", RUN))
    chart = Quantity("train_loss", "Loss after {steps}", "Lower is better.", "loss").worded(steps=5)
    drawn = chart.by_step("loss", norm_styles("batch", "none"), 10)
    assert drawn.spec.title == "Loss after 5"
    first, second = drawn.draw(results)[""]
    assert first[1] == 50  # median of 20, 40, 60, 80
    assert second[1] == 5  # of 2, 4, 6, 8


def test_what_diverged_can_be_said_by_a_number():
    results = measured(Stage("training", "training", RUN))
    assert results.newest("train_loss", diverged=np.inf).at(arm="none").values.tolist() == [2, 4, 6, np.inf]
    layers = results.newest("weight_norm", diverged=-1.0)
    assert layers.at(arm="none", seed=3, layer=2).values == -1
    assert np.isfinite(layers.at(arm="batch").values).all()


def test_arms_on_a_grid_become_axes():
    nets = Grid("{kind}, {norm}", kind=("dense", "conv"), norm=("batch",))
    stage = Stage("training", "training", RUN, arm_names=("conv, batch", "dense, batch"))
    losses = measured(stage).newest("train_loss")
    assert losses.axes["arm"] == stage.arm_names
    unfolded = nets.unfolded(losses)
    assert unfolded.axes == {"kind": ("dense", "conv"), "norm": ("batch",), "seed": (0, 1, 2, 3)}
    assert unfolded.at(kind="dense", norm="batch").values.tolist() == [20, 40, 60, 80]
    with pytest.raises(LookupError, match="conv, layer"):
        Grid("{kind}, {norm}", kind=("conv",), norm=("layer",)).unfolded(losses)


def test_maps_and_percentiles_have_names_for_their_axes():
    maps = np.arange(4 * 2 * 3 * 8 * 8, dtype=np.float32).reshape(4, 2, 3, 8, 8)
    percentiles = np.zeros((4, 2, len(PERCENTILES)), np.float32)
    each = ArmMeasured({}, {}, {"pre_activation": percentiles}, {}, np.full(4, -1, np.int32), {"channel_maps": maps})
    results = Results([Stage("training", "training", RUN)])
    results.add(StageMeasured(0, 0, 0, 1.0, True, (each, each), {}))
    found = results.newest("channel_maps").at(arm="none", seed=1, layer=2, channel=3, row=4, column=5)
    assert found.values == maps[1, 1, 2, 3, 4]
    assert results.newest("pre_activation_percentiles").axes["percentile"] == PERCENTILES


def test_a_curve_of_one_stage_stays_as_it_is_in_others():
    stages = [Stage("a", "a", RUN), Stage("b", "b", RUN)]
    results = Results(stages)
    chart = Quantity("train_loss", stage="a").by_step("loss", norm_styles("none", "batch"), 10)
    measured(stages[0], results=results, frames=1)
    assert len(chart.draw(results)[""]) == 2
    measured(stages[1], results=results, frames=1, index=1)
    assert chart.draw(results) == {"": []}


def test_trials_on_a_grid_have_a_place_on_each_axis():
    trials = Grid(lr=(0.1, 1.0), seed=(0, 1, 2))
    assert trials.places("lr") == (0.1, 0.1, 0.1, 1.0, 1.0, 1.0)
    assert trials.places("seed") == (0, 1, 2, 0, 1, 2)
