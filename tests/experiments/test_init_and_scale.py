"""Experiment 6: the initial gain, and the scale of the inputs."""

import numpy as np
import pytest

from bnviz.config.models import DatasetConfig
from bnviz.datasets import load
from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.usable_range import UsableRange
from bnviz.experiments.parts.init_and_scale import EXPERIMENT, gain, scale
from bnviz.records.records import ArmMeasured, StageMeasured


def usable(rows: list[str]) -> UsableRange:
    """One row a gain, "x" where a seed learned."""
    return UsableRange(np.geomspace(1, 1000, len(rows)), np.array([[mark == "x" for mark in row] for row in rows]))


@pytest.mark.parametrize(
    ("none", "batch", "answer"),
    [
        ([".x", "xx", "..", ".."], ["xx", "xx", "xx", "xx"], "any"),
        (["..", "xx", "..", ".."], ["xx", "xx", "xx", ".."], "wider"),
        (["..", "..", "..", ".."], ["xx", "xx", "..", ".."], "wider"),
        (["..", "xx", "xx", ".."], ["..", "xx", "xx", ".."], "same"),
        (["xx", "xx", "xx", ".."], ["..", "xx", "..", ".."], "same"),
        (["..", "xx", ".x", ".."], ["..", "xx", "xx", "x."], None),  # one seed far wider, the other not
        (["..", "..", "..", ".."], ["..", "..", "..", ".."], None),
        (["xx", "xx", "xx", "xx"], ["xx", "xx", "xx", "xx"], "same"),
    ],
)
def test_the_answer_follows_the_ranges(none, batch, answer):
    assert gain._answer(usable(none), usable(batch)) == answer


@pytest.mark.slow
def test_batch_norm_learns_over_decades_of_gains_but_not_at_every_gain():
    found, results = conclude("init_and_scale", "gain", gains=7, steps=250)  # 0.001, 0.01, ... 1000
    assert found is not None
    assert found.answer == "wider"
    sweep = gain.GainSettings(gains=7, steps=250).sweep
    none, batch = (sweep.usable(results, arm) for arm in ("none", "batch"))
    np.testing.assert_array_equal(none.usable.all(axis=1), [False, False, False, True, False, False, False])
    assert batch.usable[1:4].all(), "0.01 to 1"
    assert not batch.usable[5:].any(), "100 and more: too small an effective rate"
    (claim,) = EXPERIMENT.part("gain").claims
    assert claim.judge(found).judgement == "mixed"


def test_gains_that_span_too_little_give_no_answer():
    settings = gain.GainSettings(lowest=1.0, highest=10.0, gains=4, seeds=1, steps=20)
    loss = np.full(4, 0.1, np.float32)
    arms = tuple(ArmMeasured({"train_loss": loss}, {}, {}, {}, np.full(4, -1, np.int32)) for _ in range(2))
    results = Results(gain.stages(settings))
    results.add(StageMeasured(0, 0, 20, 1.0, True, arms, {}))
    found = gain.verdict(settings, results)
    assert found is not None
    assert found.answer is None
    assert "span too little" in found.sentence


@pytest.mark.slow
def test_batch_norm_on_the_input_does_what_standardizing_does_and_leaves_correlation():
    found, _ = conclude("init_and_scale", "scale", seeds=3, steps=250)
    assert found is not None
    numbers = found.numbers
    assert found.answer == "as_much"
    assert numbers["ratio"].median <= scale.AS_MUCH
    assert numbers["gain"].median > 3, "features as they are need more than three times the steps"
    assert numbers["condition_raw"] > 1e11
    inputs = load(DatasetConfig(name="wine"), 0).train_inputs.astype(np.float64)
    eigenvalues = np.linalg.eigvalsh(inputs.T @ inputs / len(inputs))
    assert numbers["condition_standardized"] == pytest.approx(eigenvalues[-1] / eigenvalues[0], rel=1e-3)
    assert numbers["condition_standardized"] > 10
    assert numbers["condition_norm"] > 10
    assert scale.judge(found).judgement == "supported"


def test_the_best_rate_has_the_fewest_steps_then_the_lowest_loss():
    settings = scale.ScaleSettings(rates=4, seeds=1, steps=100)
    results = Results(scale.stages(settings))
    for step, losses in enumerate([[2.0, 2.0, 2.0, 2.0], [1.9, 0.1, 1.0, np.nan], [1.8, 0.3, 0.01, np.nan]]):
        arms = tuple(
            ArmMeasured({"train_loss": np.array(losses, np.float32)}, {}, {}, {}, np.array([-1, -1, -1, 2], np.int32))
            for _ in range(2)
        )
        results.add(StageMeasured(step, 0, 50 * step, 0.5, False, arms, {}))
    found = scale.best(settings, results, scale.RAW)
    assert found is not None
    assert found.rate == pytest.approx(1e-4)
    assert found.steps[0] == pytest.approx(50 * (2.0 - settings.target) / 1.9)
    assert scale.best(settings, results, scale.STANDARDIZED) is None
    assert scale.verdict(settings, results) is None
