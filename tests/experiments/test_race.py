"""Experiment 2: its numbers against plain loops, its answers on races of a known outcome, and figure 1 over three seeds."""

import numpy as np
import pytest

from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import NOT_MEASURED
from bnviz.experiments.kit.results import Results
from bnviz.experiments.parts.race import classic, figure_one, small_lr, twins
from bnviz.records.records import ArmMeasured, StageMeasured

STEPS = tuple(range(0, 101, 5))
SEEDS = (0, 1, 2)


def arm(curves: dict[str, np.ndarray], percentiles: np.ndarray | None = None) -> ArmMeasured:
    known = {} if percentiles is None else {"pre_activation": percentiles}
    trials = len(next(iter(curves.values())))
    return ArmMeasured(curves, {}, known, {}, np.full(trials, -1, np.int32))


def raced(arrivals: list[list[float]], settings: twins.TwinSettings) -> Results:
    """Accuracies that climb from 0.1 to 1 on straight lines and arrive at the given steps, (arms, trials)."""
    results = Results(twins.stages(settings))
    for frame, step in enumerate(STEPS):
        rows = [0.1 + 0.9 * np.clip(step / np.array(row), 0, 1) for row in arrivals]
        arms = tuple(arm({"test_accuracy": row}) for row in rows)
        results.add(StageMeasured(frame, 0, step, step / 100, step == 100, arms, {}))
    return results


def settings(trials: int = 8) -> twins.TwinSettings:
    return twins.TwinSettings(steps=100, seeds=trials)


@pytest.mark.parametrize(
    ("arrivals", "answer", "judgement", "no_gain"),
    [
        ([[80.0] * 8, [40.0] * 8], "sooner", "supported", "not supported in this setting"),
        ([[40.0] * 8, [80.0] * 8], "later", "not supported in this setting", "supported"),
        ([[50.0] * 8, [50.0] * 8], "same", "mixed", "supported"),
        ([[80.0] * 8, [30.0] * 4 + [100.0] * 4], None, "mixed", "mixed"),
        ([[np.inf] * 8, [40.0] * 8], "sooner", "supported", "not supported in this setting"),
        ([[40.0] * 8, [np.inf] * 8], "later", "not supported in this setting", "supported"),
    ],
)
def test_the_answer_follows_the_interval(arrivals, answer, judgement, no_gain) -> None:
    verdict = twins.verdict(settings(), raced(arrivals, settings()))
    assert verdict is not None
    assert verdict.answer == answer
    assert classic.PART.claims[0].judge(verdict).judgement == judgement
    assert small_lr.PART.claims[0].judge(verdict).judgement == no_gain


def test_a_speedup_of_two_is_measured_as_two() -> None:
    verdict = twins.verdict(settings(), raced([[80.0] * 8, [40.0] * 8], settings()))
    assert verdict is not None
    assert verdict.numbers["speedup"].median == verdict.numbers["speedup_most"] == pytest.approx(2.0)
    assert classic.PART.claims[0].judge(verdict).measured == (
        "2 times as fast to 91 % test accuracy (95 % interval 2 to 2, 8 pairs of twins)"
    )


def test_nobody_learned_is_no_answer() -> None:
    verdict = twins.verdict(settings(), raced([[np.inf] * 8, [np.inf] * 8], settings()))
    assert verdict is not None
    assert verdict.answer is None
    assert "No net learned" in verdict.sentence
    for part in (classic.PART, small_lr.PART):
        assert part.claims[0].judge(verdict).judgement == NOT_MEASURED


def test_a_stopped_race_gives_the_standing_and_no_answer() -> None:
    results, full = Results(twins.stages(settings())), raced([[80.0] * 8, [40.0] * 8], settings())
    for measured in full.history(twins.KEY)[:5]:
        results.add(measured)
    verdict = twins.verdict(settings(), results)
    assert verdict is not None
    assert verdict.answer is None
    assert verdict.sentence.startswith("Step 20:")


def test_the_pairs_chart_draws_the_steps_that_each_twin_took() -> None:
    results = raced([[80.0, np.inf], [40.0, 20.0]], settings(2))
    chart = next(chart for chart in twins.charts(settings(2)) if chart.spec.id == "pairs")
    plain, batch = chart.draw(results)[""]
    assert plain[1] == [pytest.approx(72.0), None]  # 0.91 lies 90 % of the way from 0.1 to 1
    assert batch[1] == [pytest.approx(36.0), pytest.approx(18.0)]


def test_travel_and_widening_against_a_plain_loop() -> None:
    generator = np.random.default_rng(0)
    values = np.sort(generator.normal(size=(7, 3, 5)), axis=-1)
    travel, widening = figure_one.travel(values), figure_one.widening(values)
    for trial in range(3):
        farthest = 0.0
        first = values[0, trial]
        for frame in range(7):
            now = values[frame, trial]
            farthest = max(farthest, abs(now[2] - first[2]) / ((first[3] - first[1]) / 2))
            assert travel[frame, trial] == pytest.approx(farthest)
            assert widening[frame, trial] == pytest.approx((now[3] - now[1]) / (first[3] - first[1]))


def drifting(shifts: tuple[float, float], trials: int = 4) -> Results:
    """Percentiles of a net whose last input has a half-spread of 1 and moves by so much, without and with batch norm."""
    results = Results(figure_one.stages(figure_one.FigureOneSettings(seeds=trials)))
    for frame in range(2):
        rows = [np.tile(np.array([-2.0, -1, 0, 1, 2]) + frame * shift, (trials, 1, 1)) for shift in shifts]
        arms = tuple(arm({"test_accuracy": np.full(trials, 0.5)}, row) for row in rows)
        results.add(StageMeasured(frame, 0, 10 * frame, float(frame), frame == 1, arms, {}))
    return results


@pytest.mark.parametrize(
    ("shifts", "answer"), [((2.0, 0.5), "plain"), ((0.5, 2.0), "batch"), ((2.0, 1.9), "same"), ((0.1, 0.02), "same")]
)
def test_figure_one_answers_with_who_travelled(shifts, answer) -> None:
    verdict = figure_one.verdict(figure_one.FigureOneSettings(), drifting(shifts))
    assert verdict is not None
    assert verdict.answer == answer
    assert verdict.numbers["travel_none"].median == pytest.approx(shifts[0])


def test_figure_one_of_one_pair_is_no_answer() -> None:
    verdict = figure_one.verdict(figure_one.FigureOneSettings(), drifting((2.0, 0.5), trials=1))
    assert verdict is not None
    assert verdict.answer is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_figure_one_stands(seed: int) -> None:
    """Without batch norm the last sigmoid's input wanders and widens, with it it holds, and the net learns sooner."""
    verdict, _ = conclude("race", "figure1", "sigmoid_2015", seed=seed, steps=300, seeds=4)
    assert verdict is not None
    assert verdict.answer == "plain"
    assert verdict.numbers["travel_none"].median > 1
    assert verdict.numbers["travel_none"].median > 10 * verdict.numbers["travel_batch"].median
    assert verdict.numbers["accuracy_batch"] > verdict.numbers["accuracy_none"]


@pytest.mark.slow
def test_with_smaller_weights_it_wanders_and_widens_tens_of_times() -> None:
    verdict, _ = conclude("race", "figure1", "smaller_weights", seeds=3)
    assert verdict is not None
    assert verdict.numbers["travel_none"].median > 10
    assert verdict.numbers["widening_none"].median > 10
    assert verdict.numbers["widening_batch"].median < 2


@pytest.mark.slow
def test_in_the_classic_race_batch_norm_is_sooner() -> None:
    verdict, _ = conclude("race", "classic")
    assert verdict is not None
    assert verdict.answer == "sooner"
    assert verdict.numbers["speedup"].low > 1.5


@pytest.mark.slow
def test_at_a_small_rate_in_twenty_layers_batch_norm_is_slower() -> None:
    verdict, results = conclude("race", "small_lr", steps=500, seeds=4)
    assert verdict is not None
    assert verdict.answer == "later"
    none, batch = (results.curve(twins.KEY, "test_accuracy", arm)[-1] for arm in (0, 1))
    assert (batch < none).all()  # in every pair of twins
