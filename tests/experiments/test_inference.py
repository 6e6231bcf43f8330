"""Experiment 10: its verdicts on runs, on what is half done and on what has diverged; its claims on their presets."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from bnviz.closed_forms.batch_noise import running_start_error
from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import Verdict
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
    assert concluded.numbers["cost_batch_low"] > 0  # in every pair of six
    assert abs(concluded.numbers["cost_running"]) < 1.5


@pytest.mark.slow
def test_in_large_batches_it_does_not_matter_how_a_net_is_tested():
    concluded, _ = conclude("inference", "modes", "large")
    assert concluded is not None
    assert abs(concluded.numbers["cost_batch"]) < 1.5
    assert abs(concluded.numbers["cost_running"]) < 1.5


def test_which_mode_is_worst_is_decided_pair_by_pair():
    low, high, mixed = np.arange(6.0), np.arange(6.0) + 5, np.arange(6.0) + np.array([1, -1, 1, -1, 1, -1])
    assert modes._answer({"running": high, "batch": low, "recomputed": low}) == "running"
    assert modes._answer({"running": low, "batch": high, "recomputed": mixed}) == "batch"
    assert modes._answer({"running": low, "batch": mixed, "recomputed": low}) == "same"
    assert modes._answer({"running": high, "batch": high, "recomputed": low}) is None
    assert modes._answer({"running": low, "batch": low, "recomputed": np.full(6, np.inf)}) is None


@pytest.mark.slow
def test_a_small_running_momentum_breaks_testing_alone():
    concluded, results = conclude("inference", "start_up", momenta=(0.001, 0.1))
    assert concluded is not None
    assert concluded.answer == "testing"
    assert concluded.numbers["running_over_recomputed_low"] > 2  # in every trial of four
    assert concluded.numbers["batch_over_recomputed_high"] < 2
    assert concluded.numbers["left"] == pytest.approx(running_start_error(0.1, 20), rel=0.03)
    (claim,) = EXPERIMENT.part("start_up").claims
    assert claim.judge(concluded).judgement == "supported"
    # the nets are the same at both momenta, bit for bit: only the test in running mode differs
    small, usual = results.arm("nets", 0), results.arm("nets", 1)
    assert small is not None
    assert usual is not None
    for name in ("inference_batch_loss", "inference_recomputed_loss"):
        np.testing.assert_array_equal(small.extras[name], usual.extras[name])
    assert (small.extras["inference_running_loss"] > 2 * usual.extras["inference_running_loss"]).all()


def test_running_statistics_follow_the_closed_form_at_every_momentum():
    concluded, results = conclude("inference", "start_up", momenta=(0.1, 0.3), steps=5, depth=1, seeds=1)
    assert concluded is not None
    for name in ("mean_error", "var_error"):
        left = results.value("layer", name)
        assert left is not None
        for row, momentum in enumerate(start_up.MOMENTA):
            expected = [running_start_error(momentum, t) for t in range(start_up.UPDATES + 1)]
            np.testing.assert_allclose(left[row].mean(axis=1), expected, atol=0.02)


def test_what_suffers_follows_the_ratios():
    def answer(running: tuple[float, float], batch: tuple[float, float]) -> str | None:
        pairs = {"running": running, "batch": batch}
        ends = ("low", "high")
        return start_up._answer(
            {f"{mode}_over_recomputed_{end}": pair[i] for mode, pair in pairs.items() for i, end in enumerate(ends)}
        )

    assert answer((3.0, 5.0), (1.0, 1.4)) == "testing"
    assert answer((0.9, 1.3), (1.0, 1.9)) == "nothing"
    assert answer((3.0, 5.0), (2.0, 4.0)) == "both"
    assert answer((1.2, 1.8), (1.0, 1.1)) is None
    assert start_up._answer({}) is None
    errors = dict.fromkeys((f"error_{mode}" for mode in start_up.MODES), 10.0)
    judged = {key: start_up.judge_momentum(Verdict(key, "", errors)).judgement for key in ("testing", "nothing", "both", None)}
    assert list(judged.values()) == ["supported", "not supported in this setting", "mixed", "mixed"]


@pytest.mark.parametrize(("preset", "value"), [("shift", 3.0), ("scale", 0.2)])
def test_batch_statistics_follow_a_shift_that_running_ones_do_not(preset, value):
    base = 0.0 if preset == "shift" else 1.0
    concluded, results = conclude("inference", "shifted", preset, values=(base, value), seeds=3)
    assert concluded is not None
    assert concluded.answer == "batch"
    assert concluded.numbers["saved_low"] > 20  # percentage points, in every trial of three
    # what is shifted or scaled for the whole batch goes out with its statistics: the same answers as without
    unchanged, changed = (results.arm(shifted.key_of(at)) for at in (base, value))
    assert unchanged is not None
    assert changed is not None
    batch = "inference_batch_accuracy"
    np.testing.assert_allclose(changed.extras[batch], unchanged.extras[batch], atol=0.011)  # one or two of 200 samples


@pytest.mark.slow
def test_in_tiny_batches_a_small_shift_is_the_lesser_evil():
    concluded, _ = conclude("inference", "shifted", "tiny", values=(0.0, 0.1), steps=200, seeds=3)
    assert concluded is not None
    assert concluded.answer == "running"


def test_a_folded_net_is_the_same_but_for_rounding():
    concluded, _ = conclude("inference", "folding", steps=50)
    assert concluded is not None
    assert concluded.answer == "same"
    assert 0 < concluded.numbers["float64"] < 1e-13
    assert 0 < concluded.numbers["float32"] < 1e-4
    assert concluded.numbers["agreement"] == 1
    assert concluded.numbers["line_error"] < 1e-4
    assert concluded.numbers["scatter"] > 0.05  # while in training mode there is no such map


def test_lists_are_put_in_order():
    assert start_up.StartUpSettings(momenta=(0.1, 0.01, 0.1)).momenta == (0.01, 0.1)
    assert shifted.ShiftedSettings(values=(2.0, -1.0)).values == (-1.0, 2.0)
    assert shifted.farthest(shifted.ShiftedSettings(kind="scale", values=(0.01, 1.0, 10.0))) == 0.01
    for settings in ({"momenta": (0.1, 0.1)}, {"momenta": (0.0, 0.1)}, {"momenta": (0.1, 2.0)}):
        with pytest.raises(ValidationError):
            start_up.StartUpSettings.model_validate(settings)
