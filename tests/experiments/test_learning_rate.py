"""Experiment 5: usable rates, effective rate, weight decay, least squares."""

from dataclasses import replace

import numpy as np
import pytest

from bnviz.experiments.board.catalog import study_config
from bnviz.experiments.board.headless import conclude, conclude_study
from bnviz.experiments.kit.base import NOT_MEASURED
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.results import Results
from bnviz.experiments.parts.learning_rate import EXPERIMENT, decay, effective, least_squares, sweep
from bnviz.records.records import ArmMeasured, StageMeasured


def swept(none: list[list[float]], batch: list[list[float]], settings: sweep.SweepSettings) -> Results:
    """Results of a finished sweep with these final losses, (rates, seeds) each."""
    results = Results(sweep.stages(settings))
    arms = []
    for losses in (none, batch):
        loss = np.array(losses, np.float32).ravel()
        lost = np.where(np.isfinite(loss), -1, 3).astype(np.int32)
        curves = {"train_loss": np.where(lost >= 0, np.nan, loss).astype(np.float32), "test_accuracy": np.zeros_like(loss)}
        arms.append(ArmMeasured(curves, {}, {}, {}, lost))
    results.add(StageMeasured(0, 0, settings.steps, 1.0, True, tuple(arms), {}))
    return results


SMALL = sweep.SweepSettings(lowest=1e-3, highest=1.0, rates=4, seeds=2)
GOOD, BAD, LOST = [0.1, 0.2], [2.3, 2.2], [np.inf, np.inf]


@pytest.mark.parametrize(
    ("none", "batch", "answer"),
    [
        ([GOOD, GOOD, LOST, LOST], [BAD, GOOD, GOOD, LOST], "much"),  # the grid: 0.001, 0.01, 0.1, 1
        ([GOOD, GOOD, LOST, LOST], [BAD, GOOD, [2.3, 2.2], LOST], "same"),
        ([GOOD, [0.1, 2], [2, 0.1], LOST], [BAD, GOOD, [2, 0.1], LOST], "same"),
        ([GOOD, GOOD, [0.1, 2], LOST], [GOOD, GOOD, [2, 0.1], GOOD], "much"),
        ([GOOD, GOOD, [2, 0.1], LOST], [GOOD, GOOD, [0.1, 2], LOST], None),  # one seed says more, the other less
        ([BAD, BAD, BAD, LOST], [GOOD, GOOD, GOOD, GOOD], None),
    ],
)
def test_the_answer_follows_the_measured_ratio(none, batch, answer):
    found = sweep.verdict(SMALL, swept(none, batch, SMALL))
    assert found is not None
    assert found.answer == answer


def test_diverged_everywhere_is_said_and_breaks_nothing():
    found = sweep.verdict(SMALL, swept([LOST] * 4, [LOST] * 4, SMALL))
    assert found is not None
    assert found.answer is None
    assert "at no rate" in found.sentence
    (claim,) = sweep.PART.claims
    assert claim.judge(found).judgement == NOT_MEASURED


def test_a_range_that_ends_with_the_sweep_is_a_bound():
    found = sweep.verdict(SMALL, swept([GOOD, GOOD, LOST, LOST], [GOOD] * 4, SMALL))
    assert found is not None
    assert "or more" in found.sentence
    assert sweep.judge(found).judgement == "supported"


@pytest.mark.slow
def test_in_twenty_layers_batch_norm_bears_rates_ten_times_higher():
    """Seed by seed. A plain net of this depth learns at no rate from some weights: that is no counter-example."""
    part = EXPERIMENT.part("sweep")
    settings = part.preset("deep").settings.model_copy(update={"rates": 7, "highest": 10.0, "seeds": 5})  # factors of 4.64
    found, results = conclude_study(study_config("learning_rate", "sweep", settings))
    none, batch = (settings.sweep.usable(results, arm) for arm in ("none", "batch"))
    ratios = (batch.highest / none.highest)[none.usable.any(axis=0)]
    assert batch.usable.any(axis=0).all()
    assert len(ratios) >= 1
    assert ratios.min() >= 10
    assert found is not None
    assert found.answer == "much"
    (claim,) = part.claims
    assert claim.judge(found).judgement == "supported"


@pytest.mark.slow
def test_at_a_rate_of_three_thousandths_in_twenty_layers_batch_norm_is_slower():
    found, results = conclude("learning_rate", "sweep", "small", steps=300, seeds=4)
    assert found is not None
    assert found.numbers["small_rate"] == pytest.approx(3.16e-3)
    assert found.numbers["small_slower"] == 1.0
    assert found.numbers["small_batch"].median > found.numbers["small_none"].median + 0.1
    assert results.finished()


@pytest.mark.slow
def test_larger_weights_at_a_rate_to_match_are_the_same_training_with_batch_norm_alone():
    found, _ = conclude("learning_rate", "effective", steps=30, ordinary_steps=60, lr=1.0)
    assert found is not None
    numbers = found.numbers
    assert found.answer == "same"
    assert numbers["difference"] < 1e-9
    assert numbers["difference_equal_rates"] > 0.1
    assert numbers.get("difference_no_norm", np.inf) > 0.1
    assert numbers["radial_batch"] < 1e-12
    assert numbers["growth_error"] < 1e-12
    assert numbers["growth"].median > 1
    assert numbers["rate_left"].median < 0.95


def test_a_broken_twin_is_no_same_training():
    values = np.ones((4, 3, 2))
    losses = Labelled(values, {"step": (0, 1, 2, 3), "scale": effective.SCALES, "seed": (0, 1)})
    assert effective.difference(losses) == 0
    values[2, 2, 1] = 1.1
    assert effective.difference(losses) == pytest.approx(0.1)
    values[3, 0, 0] = np.inf
    assert effective.difference(losses) == np.inf


@pytest.mark.slow
def test_settled_weights_turn_by_learning_rate_and_decay_alone():
    found, _ = conclude("learning_rate", "decay", lowest=0.02, decays=2, steps=1200, digits_steps=50)
    assert found is not None
    assert found.answer == "rate_decay"
    assert found.numbers["by_gradient"] < 0.02
    assert found.numbers["by_start"] < 0.02
    assert found.numbers["angle"].median == pytest.approx(1, abs=0.02)
    assert found.numbers["norm"].median == pytest.approx(1, abs=0.02)


def test_weights_that_have_not_settled_give_no_answer():
    found, _ = conclude("learning_rate", "decay", "early", steps=200, decays=2, seeds=1, digits_steps=50)
    assert found is not None
    assert found.answer is None
    assert "not settled" in found.sentence
    assert decay.judge(found).judgement == "mixed"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy: nothing is left to take a mean of
def test_weights_that_were_all_lost_give_no_answer():
    settings = {"steps": 200, "decays": 2, "seeds": 1, "digits_steps": 50}
    _, results = conclude("learning_rate", "decay", "early", **settings)
    lost = Results(tuple(results.stages.values()))
    for measured in results.history(decay.PROBE):
        angles = {name: np.full_like(measured.values[name], np.nan) for name in measured.values if name != "steps"}
        lost.add(replace(measured, values={**measured.values, **angles}))
    part = EXPERIMENT.part("decay")
    found = part.verdict(part.preset("early").settings.model_copy(update=settings), lost)
    assert found is not None
    assert found.answer is None
    assert part.claims[0].judge(found).judgement == NOT_MEASURED


def test_normalized_least_squares_converges_over_many_decades():
    found, _ = conclude("learning_rate", "least_squares")
    assert found is not None
    numbers = found.numbers
    assert found.answer == "many"
    assert numbers["above_threshold"].count >= 3
    assert numbers["highest_plain"].median < least_squares.THRESHOLD
    assert numbers["highest_normalized"].low >= 100 * least_squares.THRESHOLD
    assert numbers["span_normalized"].median >= 1e4
    assert least_squares.judge(found).judgement == "supported"


def test_a_length_that_learns_at_the_same_rate_brings_the_threshold_back():
    found, _ = conclude("learning_rate", "least_squares", "same_rate")
    assert found is not None
    assert found.answer == "same"
    assert found.numbers["highest_normalized"].median < least_squares.THRESHOLD
    assert least_squares.judge(found).judgement != "supported"


def test_the_shown_steps_are_those_of_the_probe():
    from bnviz.probes.least_squares import frame_steps

    for steps in (50, 2000, 10_000):
        assert least_squares.LeastSquaresSettings(steps=steps).shown == tuple(frame_steps(steps))
