"""Experiment 3: what the three parts find over several seeds, and what their verdicts say of other data."""

import math
from typing import Any

import numpy as np
import pytest

from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import NOT_MEASURED, Finding, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.parts.covariate_shift import EXPERIMENT, deep_linear, drift_and_shift, noisy
from bnviz.records.records import ArmMeasured, StageMeasured

PARTS = {part.id: part for part in EXPERIMENT.parts}


@pytest.mark.slow
def test_drift_falls_gradients_shift_more_and_training_is_faster():
    verdict, results = conclude("covariate_shift", "drift_and_shift", "ten", steps=200, seeds=3)
    assert verdict is not None
    assert verdict.answer == "split"
    numbers = verdict.numbers
    assert numbers["drift"].high < 0.5  # far below 1 in every pair
    assert numbers["shift"].low > 1
    assert numbers["cosine_batch"] < numbers["cosine_none"]
    assert numbers["faster_pairs"] == 3
    for arm in (0, 1):  # the first layer has none below it
        assert (results.curve("training", "shift", arm)[:, :, 0] == 0).all()
        assert (results.curve("training", "shift_cosine", arm)[:, :, 0] == 1).all()
    findings = [claim.judge(verdict).judgement for claim in PARTS["drift_and_shift"].claims]
    assert findings == ["mixed", "supported"]


def test_large_steps_from_large_weights_make_the_gradients_shift_alike():
    """Single pairs scatter from 0.9 to 1.7, their median does not."""
    verdict, _ = conclude("covariate_shift", "drift_and_shift", "large_steps", seeds=8)
    assert verdict is not None
    assert verdict.numbers["shift"].median == pytest.approx(1, abs=0.15)
    assert verdict.numbers["drift"].median < 1


@pytest.mark.slow
def test_noise_moves_the_distributions_and_the_net_still_ends_lower():
    verdict, _ = conclude("covariate_shift", "noisy", "deep", seeds=3)
    assert verdict is not None
    assert verdict.answer == "better"
    assert verdict.numbers["drift"].low > 1
    assert verdict.numbers["loss_batch_noisy"].median < verdict.numbers["loss_none"].median
    assert PARTS["noisy"].claims[0].judge(verdict).judgement == "supported"


@pytest.mark.slow
def test_where_the_plain_net_does_well_noise_loses():
    verdict, _ = conclude("covariate_shift", "noisy", "easy", seeds=3)
    assert verdict is not None
    assert verdict.answer == "worse"
    assert PARTS["noisy"].claims[0].judge(verdict).judgement == "not supported in this setting"


def test_deep_linear_nets():
    verdict, _ = conclude("covariate_shift", "deep_linear", "random", seeds=3)
    assert verdict is not None
    assert verdict.answer == "lower"
    assert verdict.numbers["cosine_none"].low > 0.95
    assert verdict.numbers["gap"].high < -0.1
    assert PARTS["deep_linear"].claims[0].judge(verdict).judgement == "supported"


def test_orthogonal_layers_make_no_difference():
    verdict, _ = conclude("covariate_shift", "deep_linear", "orthogonal", seeds=3, steps=40)
    assert verdict is not None
    assert verdict.answer == "same"
    assert PARTS["deep_linear"].claims[0].judge(verdict).judgement == "not supported in this setting"


def _arm(loss: float, drift: float, shift: float, cosine: float, layers: int = 3) -> ArmMeasured:
    full = {name: np.full((2, layers), value, np.float32) for name, value in (("d", drift), ("r", shift), ("c", cosine))}
    extras = {"shift": full["r"], "shift_relative": full["r"], "shift_cosine": full["c"]}
    curves = {"train_loss": np.full(2, loss, np.float32), "test_loss": np.full(2, loss, np.float32)}
    diverged = np.array([-1, 5 if math.isnan(loss) else -1], np.int32)
    return ArmMeasured(curves, {"pre_activation_drift": full["d"]}, {}, {}, diverged, extras)


def _results(part: Any, *arms: ArmMeasured, frames: int = 3) -> Results:
    results = Results(part.stages(part.PART.presets[0].settings))
    for frame in range(frames):
        results.add(StageMeasured(frame, 0, frame, frame / frames, frame == frames - 1, arms, {}))
    return results


@pytest.mark.parametrize(
    ("batch", "answer"),
    [((0.5, 1.5), "split"), ((0.5, 0.5), "both_fall"), ((2, 2), "both_rise"), ((2, 0.5), "split_back"), ((0.5, 1.0), None)],
)
def test_the_answer_follows_the_data(batch, answer):
    results = _results(drift_and_shift, _arm(1.0, 1.0, 1.0, 0.9), _arm(0.5, *batch, 0.5))
    verdict = drift_and_shift.verdict(drift_and_shift.ShiftSettings(), results)
    assert verdict is not None
    assert verdict.answer == answer
    assert ("do not agree" in verdict.sentence) == (answer is None)
    assert "faster" in verdict.sentence


def test_all_falling_would_support_the_claim():
    results = _results(drift_and_shift, _arm(1.0, 1.0, 1.0, 0.9), _arm(2.0, 0.5, 0.5, 0.9))
    verdict = drift_and_shift.verdict(drift_and_shift.ShiftSettings(), results)
    assert verdict is not None
    assert [claim.judge(verdict).judgement for claim in PARTS["drift_and_shift"].claims] == [
        "supported",
        "not supported in this setting",
    ]
    assert "more slowly" in verdict.sentence


@pytest.mark.parametrize("part", [drift_and_shift, noisy, deep_linear], ids=lambda module: module.PART.id)
def test_nothing_known_says_so(part):
    settings = part.PART.presets[0].settings
    stages = part.stages(settings)
    assert part.verdict(settings, Results(stages)) is None
    lost = _arm(math.nan, math.nan, math.nan, math.nan)
    verdict = part.verdict(settings, _results(part, *[lost] * len(stages[0].run.arms)))
    assert isinstance(verdict, Verdict)
    assert verdict.answer is None
    assert "nothing to compare" in verdict.sentence
    assert "nan" not in verdict.sentence
    for claim in part.PART.claims:
        assert claim.judge(verdict) == Finding(NOT_MEASURED, verdict.sentence)


@pytest.mark.parametrize(("losses", "answer"), [((2.0, 1.0), "better"), ((1.0, 2.0), "worse")])
def test_the_answer_on_noise_follows_the_final_losses(losses, answer):
    plain, noisy_net = (_arm(loss, drift, 1.0, 1.0) for loss, drift in zip(losses, (1.0, 3.0), strict=True))
    verdict = noisy.verdict(noisy.NoisySettings(seeds=2), _results(noisy, plain, _arm(0.5, 1.0, 1.0, 1.0), noisy_net))
    assert verdict is not None
    assert verdict.answer == answer
    assert verdict.numbers["drift"].median == 3
    assert "drift 3 times as far" in verdict.details


@pytest.mark.parametrize(("batch", "answer"), [(0.5, "lower"), (0.91, "same"), (1.0, "higher")])
def test_the_answer_on_linear_nets_follows_the_cosines(batch, answer):
    results = _results(deep_linear, _arm(1.0, 1.0, 1.0, 0.9), _arm(0.5, 1.0, 1.0, batch))
    verdict = deep_linear.verdict(deep_linear.LinearSettings(), results)
    assert verdict is not None
    assert verdict.answer == answer
    assert f"cosine {batch:.3g} ({batch:.3g} to {batch:.3g} over 2 pairs) with batch norm" in verdict.headline


def test_the_last_losses_are_those_of_the_last_tenth_of_the_measurements():
    falling = [tuple(_arm(20.0 - frame, 1.0, 1.0, 1.0) for _ in range(3)) for frame in range(20)]
    results = Results(noisy.stages(noisy.PART.presets[0].settings))
    for frame, arms in enumerate(falling):
        results.add(StageMeasured(frame, 0, frame, 0.5, False, arms, {}))
    assert noisy.last_losses(results).at(arm="batch").values == pytest.approx(1.5)  # of 2 and 1
    lost = tuple(_arm(math.nan, 1.0, 1.0, 1.0) for _ in range(3))
    results.add(StageMeasured(20, 0, 20, 1.0, True, lost, {}))
    assert np.isinf(noisy.last_losses(results).at(arm="batch").values).all()
