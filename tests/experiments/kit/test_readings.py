"""Readings of trained nets and of probes: what has diverged is infinite, what was not measured is NaN."""

import numpy as np

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit.quantities import Conditions, Quantity, norm_styles
from bnviz.experiments.kit.readings import error_of, finite, reading, recent_mean
from bnviz.experiments.kit.results import Results
from bnviz.records.records import ArmMeasured, StageMeasured

RUN = RunConfig(arms=(ArmConfig(norm="none"), ArmConfig(norm="batch")), trials=3)
STAGES = (Stage("first", "first", RUN), Stage("second", "second", RUN), Stage("third", "third", probe="p"))


def measured(losses: list[list[float]]) -> Results:
    """The first stage: these losses of the plain net, frame by frame, whose last trial has diverged; of batch norm 1."""
    results = Results(STAGES)
    for frame, row in enumerate(losses):
        tables = [{"train_loss": np.array(each, np.float32), "test_accuracy": np.full(3, 0.75)} for each in (row, [1.0] * 3)]
        ends = [np.array([-1, -1, at], np.int32) for at in (2, -1)]
        arms = tuple(ArmMeasured(table, {}, {}, {}, end) for table, end in zip(tables, ends, strict=True))
        results.add(StageMeasured(frame, 0, frame, 0.0, frame == len(losses) - 1, arms, {}))
    return results


def test_what_diverged_is_infinite_and_what_did_not_begin_is_nan():
    results = measured([[4.0, np.nan, 6.0]])
    assert reading(results, "first", "train_loss").at(arm="none").values.tolist() == [4, np.inf, np.inf]
    assert reading(results, "first", "train_loss").at(arm="batch").values.tolist() == [1, 1, 1]
    before = reading(results, "second", "train_loss")
    assert before.axes == results.axes("second") == {"arm": ("none", "batch"), "seed": (0, 1, 2)}
    assert np.isnan(before.values).all()
    assert error_of(results, "first").at(arm="none").values.tolist() == [25, 25, np.inf]
    assert np.isnan(error_of(results, "second").values).all()


def test_the_mean_is_over_the_last_quarter():
    rows = [[float(step), 1.0, np.nan] for step in range(8)]
    assert recent_mean(measured(rows), "first").at(arm="none").values.tolist() == [6.5, 1, np.inf]
    assert recent_mean(measured(rows[:1]), "first").at(arm="none", seed=0).values == 0
    assert np.isnan(recent_mean(measured(rows), "second").values).all()


def test_values_of_probes_have_names():
    results = measured([[1.0, 1.0, 1.0]])
    axes = {"size": (2, 8), "seed": (0, 1, 2)}
    assert np.isnan(results.probed("ratio", "third", **axes).values).all()
    results.add(StageMeasured(1, 2, 0, 1.0, True, (), {"ratio": np.arange(6.0).reshape(2, 3)}))
    assert results.probed("ratio", "third", **axes).at(size=8).values.tolist() == [3, 4, 5]


def test_differences_know_nothing_of_what_diverged():
    found = finite(reading(measured([[4.0, np.nan, 6.0]]), "first", "train_loss"))
    np.testing.assert_array_equal((found.at(arm="none") - found.at(arm="batch")).values, [3, np.nan, np.nan])


def test_boxes_stand_over_named_conditions():
    results = measured([[3.0, 5.0, 7.0]])
    loss = Quantity("train_loss", "Loss", "Lower is better.", "loss", log=True, floor=0.5)
    conditions = Conditions("seed_pair", {"a": "the first", "b": "the second"})
    chart = loss.by_condition(
        "loss", norm_styles("batch", "none"), conditions,
        lambda found: found.probed("x", "third", arm=("none", "batch"), seed_pair=("a", "b"), seed=(0, 1, 2)),
    )  # fmt: skip
    assert [name.replace("<br>", " ") for name in chart.spec.layout["xaxis"]["ticktext"]] == ["the first", "the second"]
    assert (chart.spec.layout["yaxis"]["type"], chart.spec.y_floor) == ("log", 0.5)
    results.add(StageMeasured(1, 2, 0, 1.0, True, (), {"x": np.arange(12.0).reshape(2, 2, 3)}))
    batch, none = chart.draw(results)[""]
    assert none[1] == [1, 4]
    assert batch[1] == [7, 10]
