"""Dead and saturated units: directions over seeds, the closed forms, and what the verdicts make of numbers made up."""

import math

import numpy as np
import pytest

from bnviz.charts.spec import DIVERGED, NOT_MEASURED
from bnviz.experiments.board.catalog import find_part
from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.spread import spread_of_finite
from bnviz.experiments.parts.dead_units import born_dead, saturation, units_charts, units_map
from bnviz.records.records import ArmMeasured, StageMeasured

NAN = math.nan


@pytest.mark.slow
def test_at_rate_one_most_units_of_the_plain_net_die_and_hardly_any_with_batch_norm():
    verdict, results = conclude("dead_units", "units_map", seeds=6, rates=(0.1, 1.0))
    assert verdict is not None
    assert verdict.answer == "bare"
    assert verdict.numbers["none"].median > 50
    assert verdict.numbers["batch"].high < 2
    assert verdict.numbers["none"].lost == verdict.numbers["batch"].lost == 0
    assert units_map.judge_no_dying(verdict).judgement == "supported"
    states = [arm.extras["unit_states"] for arm in results.history("map")[-1].arms]
    counts = [arm.layers["dead_relu_count"] for arm in results.history("map")[-1].arms]
    for state, count in zip(states, counts, strict=True):  # the map and the counts are of the same units
        np.testing.assert_array_equal((state == 0).sum(axis=2), count)


@pytest.mark.slow
def test_with_longer_steps_units_die_under_batch_norm_too():
    verdict, _ = conclude("dead_units", "units_map", "momentum", seeds=3, steps=150, rates=(0.1, 1.0))
    assert verdict is not None
    assert verdict.numbers["batch"].low > 5  # at the same rate without momentum: under 2, see above


def test_at_a_small_rate_units_live():
    verdict, _ = conclude("dead_units", "units_map", "small_rate", seeds=3, steps=60, depth=3, rates=(0.01, 0.1))
    assert verdict is not None
    assert verdict.answer == "neither"


@pytest.mark.parametrize(
    ("bare", "normed", "answer"),
    [
        ([60, 70, 80], [0, 0, 1], "bare"),
        ([1, 0, 2], [40, 60, 50], "batch"),
        ([60, 70, 80], [55, 72, 71], "both"),
        ([1, 0, 2], [0, 0, 1], "neither"),
        ([60, 0, 80], [0, 20, 1], None),  # the pairs disagree
        ([60, NAN, NAN], [0, 0, 0], None),  # one pair is too few
        ([NAN] * 3, [0, 0, 0], None),
    ],
)
def test_answer_of_the_pairs(bare, normed, answer):
    assert units_map.answer(np.array(bare, float), np.array(normed, float)) == answer


@pytest.mark.parametrize(
    ("none", "batch", "answer", "judgement"),
    [
        ([40, 60, 80], [0, 0, 1.9], "bare", "supported"),
        ([40, 60, 80], [0, 0, 2.1], "bare", "mixed"),
        ([40, 49, 80], [0, 0, 0], "bare", "mixed"),
        ([40, 60, 80], [50, 60, 70], "both", "not supported in this setting"),
        ([math.inf] * 3, [0, 0, 0], None, "not measured"),
    ],
)
def test_judgement_on_dying(none, batch, answer, judgement):
    (claim,) = units_map.PART.claims
    numbers = {"none": spread_of_finite(none, unit="%"), "batch": spread_of_finite(batch, unit="%")}
    assert claim.judge(Verdict(answer, "", numbers)).judgement == judgement


def measured(stage: int, arms: list[ArmMeasured], step: int = 10) -> StageMeasured:
    return StageMeasured(frame=0, stage=stage, step=step, done=0.5, is_last=True, arms=tuple(arms), values={})


def arm(dead: np.ndarray, diverged: list[int], **extras: np.ndarray) -> ArmMeasured:
    layers = {"dead_relu_count": np.asarray(dead, np.float32)}
    return ArmMeasured({}, layers, {}, {}, np.array(diverged, np.int32), {name: np.asarray(x) for name, x in extras.items()})


SMALL = units_charts.UnitsMapSettings(depth=2, width=4, seeds=2, steps=10, rates=(0.1, 1.0))


def test_map_and_counts_are_drawn_where_they_belong():
    results = Results(units_charts.stages(SMALL))
    states = np.array([[[1, 0, 1, 1], [0, 0, 0, 1]], [[1, 1, 1, 1], [1, 1, 1, 1]]], np.float32)
    results.add(measured(0, [arm([[1, 3], [0, 0]], [-1, -1], unit_states=states)] * 2))
    drawn = {chart.spec.id: chart.draw(results)[""] for chart in units_charts.charts(SMALL)}
    assert drawn["units_map"] == [["ABAABBBA"]] * 2
    assert drawn["dead_over_steps"] == [[0, 25, 50]] * 2
    assert drawn["dead_by_layer"] == ["", ""]
    assert drawn["dead_by_rate"][0][1] == [None, None]


def test_sweep_marks_divergence_and_leaves_the_map_alone():
    results = Results(units_charts.stages(SMALL))
    dead = np.array([[0, 4]] * 3 + [[NAN, NAN]] * 3)
    results.add(measured(1, [arm(dead, [-1] * 3 + [5] * 3), arm(np.zeros((6, 2)), [-1] * 6)]))
    drawn = {chart.spec.id: chart.draw(results)[""] for chart in units_charts.charts(SMALL)}
    assert drawn["units_map"] == []
    assert drawn["dead_by_layer"] == [f"A{DIVERGED}_{DIVERGED}", "AAAA"]
    assert drawn["dead_by_rate"][0] == [[50, None], [50, None], [50, None], [None, 1]]
    assert drawn["dead_by_rate"][1] == [[0, 0]] * 3
    assert NOT_MEASURED not in "".join(drawn["dead_by_layer"])


def test_partial_results_give_no_verdict():
    for part in (units_map.PART, born_dead.PART, saturation.PART):
        settings = part.presets[0].settings
        assert part.verdict(settings, Results(part.stages(settings))) is None


def test_nets_that_all_diverged_are_said_to_have():
    results = Results(units_charts.stages(SMALL))
    alive = arm(np.zeros((2, 2)), [-1, -1], unit_states=np.ones((2, 2, 4), np.float32))
    results.add(measured(0, [alive, alive], step=0))
    gone = arm(np.full((2, 2), NAN), [3, 4], unit_states=np.full((2, 2, 4), NAN, np.float32))
    results.add(measured(0, [gone, alive]))
    verdict = units_map.verdict(SMALL, results)
    assert verdict is not None
    assert verdict.answer is None
    assert "diverged without a norm and 0 % (0 to 0 over 2 seeds) with batch norm" in verdict.headline
    assert "nan" not in verdict.sentence.lower()
    (claim,) = units_map.PART.claims
    assert claim.judge(verdict).judgement == "not measured"


def test_born_dead_agrees_with_the_closed_form():
    verdict, results = conclude("dead_units", "born_dead", widths=(2, 4, 6), depth=20)
    assert verdict is not None
    found = born_dead.shares(born_dead.BornDeadSettings(widths=(2, 4, 6), depth=20), results, "none")
    assert found is not None
    share = found.percent.rows("width", "layer")
    formula = [[100 * (1 - (1 - 2.0**-width) ** depth) for depth in range(1, 21)] for width in (2, 4, 6)]
    assert np.abs(share - formula).max() < 1.5  # three standard errors of 10,000 nets
    assert np.abs(share - formula)[:, [0, 9, 19]].mean() < 0.6
    assert verdict.answer == "narrow"
    assert verdict.numbers["batch"].median == 0
    assert born_dead.judge_formula(verdict).judgement == "supported"


def test_wide_nets_are_hardly_ever_born_dead():
    verdict, _ = conclude("dead_units", "born_dead", "wide", nets=4000)
    assert verdict is not None
    assert verdict.answer == "never"


@pytest.mark.parametrize(("ends", "answer"), [((90, 20), "narrow"), ((20, 90), "wide"), ((50, 51), None), ((1, 0), "never")])
def test_answer_of_nets_at_birth(ends, answer):
    axes = {"width": (2, 8), "layer": (1, 2)}
    share, error = (Labelled(np.array(rows), axes) for rows in ([[0.0, end] for end in ends], np.full((2, 2), 1.0)))
    assert born_dead.answer(born_dead.Shares(share, error, 1000)) == answer


def test_a_share_of_nets_comes_with_its_interval():
    axes = {"width": (2, 8), "layer": (1,)}
    found = born_dead.Shares(Labelled(np.array([[99.5], [14.8]]), axes), Labelled(np.array([[0.7], [0.7]]), axes), 1000)
    assert str(found.at(8, 1)) == "14.8 % (95 % interval 14.1 to 15.5 over 1000 nets)"
    assert found.at(2, 1).high == 100


def test_a_gap_that_sampling_does_not_explain_is_no_support():
    numbers = {"worst_gap": 3.0, "worst_error": 1.0}
    assert born_dead.judge_formula(Verdict("narrow", "", numbers)).judgement == "not supported in this setting"
    assert born_dead.judge_formula(Verdict("narrow", "", numbers | {"worst_gap": 0.9})).judgement == "supported"


@pytest.mark.slow
def test_batch_norm_saturates_fewer_units_only_where_the_initial_weights_are_large():
    verdict, results = conclude("dead_units", "saturation", steps=100)
    assert verdict is not None
    assert verdict.answer == "large"
    numbers = verdict.numbers
    assert numbers["sigmoid_none_far"].low > 80 > 5 > numbers["sigmoid_batch_far"].high
    assert numbers["tanh_none_far"].median > 80 > 30 > numbers["tanh_batch_far"].median
    assert abs(numbers["sigmoid_none_near"].median - numbers["sigmoid_batch_near"].median) < 2
    assert saturation.judge_saturation(verdict).judgement == "mixed"
    first = saturation.NETS.unfolded(100 * results.over_steps("saturated_fraction").at(step=0))
    for activation, share in first.at(arm="batch").along("activation"):  # at birth the gain cancels, inputs are near normal
        assert share.values.mean() == pytest.approx(saturation.saturated_at_birth(activation), rel=0.35)
        assert np.ptp(share.rows("gain", "seed", "layer").mean(axis=(1, 2))) < 0.05


def test_saturated_share_of_normal_inputs_is_what_sampling_gives():
    z = np.random.default_rng(0).normal(size=2_000_000)
    sigmoid = 1 / (1 + np.exp(-z))
    assert saturation.saturated_at_birth("sigmoid") == pytest.approx(100 * ((sigmoid < 0.05) | (sigmoid > 0.95)).mean(), rel=0.03)
    assert saturation.saturated_at_birth("tanh") == pytest.approx(100 * (abs(np.tanh(z)) > 0.95).mean(), rel=0.01)


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ([[1, 1, 1], [1, 1, 1]], "always"),
        ([[0, 0, 1], [-1, 1, 1]], "large"),
        ([[0, 0, 0], [-1, 0, 0]], "never"),
        ([[1, 0, 1], [0, 1, 1]], None),  # not from some gain on
        ([[0, 0, 0], [0, 0, 1]], None),  # the activations disagree
    ],
)
def test_answer_of_the_gains(rows, answer):
    assert saturation.answer(rows) == answer


def test_a_gain_counts_only_when_every_pair_agrees():
    bare = np.array([[50.0, 60, 70], [50, 60, 70], [1, 2, 1], [50, NAN, math.inf]])
    normed = np.array([[1.0, 2, 3], [1, 65, 3], [2, 1, 2], [1.0, 1, 1]])
    axes = {"arm": ("none", "batch"), "gain": (0.1, 1.0, 3.0, 10.0), "seed": (0, 1, 2)}
    assert saturation.signs(Labelled(np.array([bare, normed]), axes)) == [1, 0, 0, 0]
    assert saturation.signs(Labelled(np.array([normed, bare]), axes)) == [-1, 0, 0, 0]
    turned = axes | {"gain": (10.0, 3.0, 1.0, 0.1)}  # the signs are by ascending gain
    assert saturation.signs(Labelled(np.array([bare, normed]), turned)) == [0, 0, 0, 1]


def test_every_caveat_leads_to_a_preset():
    for name in ("units_map", "born_dead", "saturation"):
        part, preset = find_part("dead_units", name).caveat
        assert find_part("dead_units", part).preset(preset) is not find_part("dead_units", part).presets[0]
