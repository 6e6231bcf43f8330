"""Experiment 10: its verdicts on runs, on what is half done and on what has diverged; its claims on their presets."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from bnviz.closed_forms.batch_noise import running_start_error
from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.spread import spread_of
from bnviz.experiments.parts.inference import EXPERIMENT, modes, shifted, start_up
from tests.experiments.fakes import diverged_results, hold_at_every_frame, small

SMALL = {
    "modes": {"steps": 20, "depth": 1, "seeds": 2},
    "start_up": {"momenta": (0.01, 0.1), "steps": 15, "depth": 1, "seeds": 2},
    "shifted": {"values": (0.0, 2.0), "steps": 15, "seeds": 2},
    "folding": {"steps": 5, "depth": 2, "seeds": 2},
}


def _small(part: str):
    return small(EXPERIMENT, part, SMALL[part])


@pytest.mark.parametrize("part", sorted(SMALL))
def test_charts_and_verdict_hold_at_every_frame_of_a_small_study(part):
    hold_at_every_frame(EXPERIMENT, part, SMALL[part], least_frames=8)


@pytest.mark.parametrize("part", ["modes", "shifted"])
def test_nets_that_diverged_decide_nothing(part):
    found, settings = _small(part)
    results = diverged_results(found, settings)
    concluded = found.verdict(settings, results)
    assert concluded is None or concluded.answer is None
    for chart in found.charts(settings):
        json.dumps(chart.draw(results), allow_nan=False)


def test_statistics_of_small_test_batches_cost_accuracy():
    concluded, _ = conclude("inference", "modes", steps=200)
    assert concluded is not None
    assert concluded.answer == "batch"
    assert concluded.numbers["cost_batch"].low > 0  # in every pair of six
    assert abs(concluded.numbers["cost_running"].median) < 1.5


@pytest.mark.slow
def test_in_large_batches_it_does_not_matter_how_a_net_is_tested():
    concluded, _ = conclude("inference", "modes", "large")
    assert concluded is not None
    assert abs(concluded.numbers["cost_batch"].median) < 1.5
    assert abs(concluded.numbers["cost_running"].median) < 1.5


def test_which_mode_is_worst_is_decided_pair_by_pair():
    low, high, mixed = np.arange(6.0), np.arange(6.0) + 5, np.arange(6.0) + np.array([1, -1, 1, -1, 1, -1])

    def answer(**errors: np.ndarray) -> str | None:
        return modes.answer_of(Labelled(np.stack(list(errors.values())), {"mode": tuple(errors), "seed": tuple(range(6))}))

    assert answer(running=high, batch=low, recomputed=low) == "running"
    assert answer(running=low, batch=high, recomputed=mixed) == "batch"
    assert answer(running=low, batch=mixed, recomputed=low) == "same"
    assert answer(running=high, batch=high, recomputed=low) is None
    assert answer(running=low, batch=low, recomputed=np.full(6, np.inf)) is None


@pytest.mark.slow
def test_a_small_running_momentum_breaks_testing_alone():
    concluded, results = conclude("inference", "start_up", momenta=(0.001, 0.1))
    assert concluded is not None
    assert concluded.answer == "testing"
    assert concluded.numbers["running_over_recomputed"].low > 2  # in every trial of four
    assert concluded.numbers["batch_over_recomputed"].high < 2
    assert concluded.numbers["left"].median == pytest.approx(running_start_error(0.1, 20), rel=0.03)
    (claim,) = EXPERIMENT.part("start_up").claims
    assert claim.judge(concluded).judgement == "supported"
    # the nets are the same at both momenta, bit for bit: only the test in running mode differs
    small, usual = (
        {mode: results.newest(f"inference_{mode}_loss", "nets").at(arm=arm).values for mode in ("running", "batch", "recomputed")}
        for arm in ("momentum 0.001", "momentum 0.1")
    )
    for mode in ("batch", "recomputed"):
        np.testing.assert_array_equal(small[mode], usual[mode])
    assert (small["running"] > 2 * usual["running"]).all()


def test_running_statistics_follow_the_closed_form_at_every_momentum():
    concluded, results = conclude("inference", "start_up", momenta=(0.1, 0.3), steps=5, depth=1, seeds=1)
    assert concluded is not None
    for name in ("mean_error", "var_error"):
        left = start_up.left(results, name)
        for line, momentum in (("m = 0.5", 0.5), ("m = 0.1", 0.1), ("m = 0.01", 0.01)):
            expected = [running_start_error(momentum, t) for t in range(start_up.UPDATES + 1)]
            np.testing.assert_allclose(left.at(arm=line).over("seed", np.mean).values, expected, atol=0.02)


def test_momenta_that_look_alike_have_arms_of_their_own():
    settings = start_up.StartUpSettings(momenta=(0.01, 0.0100001, 1.0))
    assert [arm.name for arm in start_up.run_config(settings).arms] == ["momentum 0.01", "momentum 0.0100001", "momentum 1"]


def test_what_suffers_follows_the_ratios():
    def answer(running: tuple[float, float], batch: tuple[float, float]) -> str | None:
        return start_up.answer_of({"running": spread_of(running), "batch": spread_of(batch)})

    assert answer((3.0, 5.0), (1.0, 1.4)) == "testing"
    assert answer((0.9, 1.3), (1.0, 1.9)) == "nothing"
    assert answer((3.0, 5.0), (2.0, 4.0)) == "both"
    assert answer((1.2, 1.8), (1.0, 1.1)) is None
    assert start_up.answer_of({}) is None
    errors = dict.fromkeys(("error_running", "error_batch", "error_recomputed"), spread_of([10.0]))
    judged = {key: start_up.judge_momentum(Verdict(key, "", errors)).judgement for key in ("testing", "nothing", "both", None)}
    assert list(judged.values()) == ["supported", "not supported in this setting", "mixed", "mixed"]


@pytest.mark.parametrize(("preset", "value"), [("shift", 3.0), ("scale", 0.2)])
def test_batch_statistics_follow_a_shift_that_running_ones_do_not(preset, value):
    base = 0.0 if preset == "shift" else 1.0
    concluded, results = conclude("inference", "shifted", preset, values=(base, value), seeds=3)
    assert concluded is not None
    assert concluded.answer == "batch"
    assert concluded.numbers["saved"].low > 20  # percentage points, in every trial of three
    # what is shifted or scaled for the whole batch goes out with its statistics: the same answers as without
    unchanged, changed = (results.newest("inference_batch_accuracy", f"at_{at:g}").at(arm="batch") for at in (base, value))
    np.testing.assert_allclose(changed.values, unchanged.values, atol=0.011)  # one or two of 200 samples


@pytest.mark.slow
def test_in_tiny_batches_a_small_shift_is_the_lesser_evil():
    concluded, _ = conclude("inference", "shifted", "tiny", values=(0.0, 0.1), steps=200, seeds=3)
    assert concluded is not None
    assert concluded.answer == "running"


def test_a_folded_net_is_the_same_but_for_rounding():
    concluded, _ = conclude("inference", "folding", steps=50)
    assert concluded is not None
    assert concluded.answer == "same"
    for name, most in (("float64", 1e-13), ("float32", 1e-4)):
        assert 0 < concluded.numbers[name].low <= concluded.numbers[name].high < most
    assert concluded.numbers["agreement"].low == 1
    assert concluded.numbers["line_error"] < 1e-4
    assert concluded.numbers["scatter"] > 0.05  # while in training mode there is no such map


def test_lists_are_put_in_order():
    assert start_up.StartUpSettings(momenta=(0.1, 0.01, 0.1)).momenta == (0.01, 0.1)
    assert shifted.ShiftedSettings(values=(2.0, -1.0)).values == (-1.0, 2.0)
    assert shifted.farthest(shifted.ShiftedSettings(kind="scale", values=(0.01, 1.0, 10.0))) == 0.01
    for settings in ({"momenta": (0.1, 0.1)}, {"momenta": (0.0, 0.1)}, {"momenta": (0.1, 2.0)}):
        with pytest.raises(ValidationError):
            start_up.StartUpSettings.model_validate(settings)
