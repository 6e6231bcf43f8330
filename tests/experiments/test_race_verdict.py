"""The verdict, on races whose outcome is known."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnviz.config.models import ArmConfig, NormName, RunConfig
from bnviz.experiments.parts.race import RaceVerdict
from bnviz.records.records import ArmMeasured, StepMeasured

STEPS = tuple(range(0, 101, 5))


def config(norms: Sequence[NormName] = ("none", "batch"), trials: int = 8, steps: int = 100) -> RunConfig:
    return RunConfig(arms=tuple(ArmConfig(norm=norm) for norm in norms), trials=trials, steps=steps)


def measured(frame: int, step: int, accuracies: np.ndarray) -> StepMeasured:
    """A step with nothing but the test accuracies, shape (arms, trials)."""
    arms = tuple(
        ArmMeasured({"test_accuracy": row.astype(np.float32)}, {}, {}, {}, np.where(np.isnan(row), step, -1).astype(np.int32))
        for row in accuracies
    )
    return StepMeasured(frame, step, arms)


def race(config: RunConfig, accuracies: np.ndarray, steps: Sequence[int] = STEPS) -> RaceVerdict:
    """Feed accuracies, shape (frames, arms, trials)."""
    verdict = RaceVerdict(config)
    for frame, step in enumerate(steps):
        verdict.add(measured(frame, step, accuracies[frame]))
    return verdict


def ramps(arrivals: Sequence[Sequence[float]], top: float = 1.0, steps: Sequence[int] = STEPS) -> np.ndarray:
    """Straight lines from 0.1 that reach `top` at the given step, shape (frames, arms, trials); infinite: stays at 0.1."""
    at = np.asarray(arrivals, float)[None]
    return 0.1 + (top - 0.1) * np.clip(np.asarray(steps, float)[:, None, None] / at, 0, 1)


def test_speedup_of_straight_lines_is_exact() -> None:
    arrivals = [[84, 90, 78, 96, 60, 66, 72, 90], [35, 37.5, 32.5, 40, 25, 27.5, 30, 37.5]]
    verdict = race(config(), ramps(arrivals))
    assert verdict.target == pytest.approx(0.91)  # 0.1 + 90 % of 0.9, down to a whole percent
    (comparison,) = verdict.comparisons()
    assert comparison.speedup == pytest.approx((2.4, 2.4), rel=1e-6)
    assert comparison.outcome == "sooner"
    assert (
        verdict.sentence()
        == "Batch norm reached 91 % test accuracy 2.4 times as fast as the plain net (95 % interval 2.4 to 2.4, 8 trials)."
    )


def test_pairs_are_trials_not_sorted_lists() -> None:
    """The ratio of the medians would be 2; the trials' ratios are 4, 1 and their median is 2.5."""
    verdict = race(config(trials=2), ramps([[80, 20], [20, 20]]))
    assert verdict.comparisons()[0].speedup == pytest.approx((2.5, 2.5), rel=1e-6)


def test_against_a_naive_loop() -> None:
    generator = np.random.default_rng(3)
    arrivals = generator.uniform(10, 90, (2, 9))
    accuracies = ramps(arrivals).astype(np.float32).astype(np.float64)
    verdict = race(config(trials=9), accuracies)
    ratios = []
    for trial in range(9):
        reached = []
        for arm in range(2):
            line = accuracies[:, arm, trial]
            i = next(i for i, value in enumerate(line) if value >= verdict.target)
            reached.append(STEPS[i - 1] + 5 * (verdict.target - line[i - 1]) / (line[i] - line[i - 1]))
        ratios.append(reached[0] / reached[1])
    ratios.sort()
    comparison = verdict.comparisons()[0]
    assert comparison.speedup[0] == pytest.approx(ratios[4])
    assert comparison.interval[:2] == pytest.approx((ratios[1], ratios[7]))


def test_later_is_said() -> None:
    verdict = race(config(), ramps([[30] * 8, [75] * 8]))
    assert verdict.comparisons()[0].outcome == "later"
    assert "in 2.5 times as many steps as the plain net" in verdict.sentence()


def test_ties_are_no_difference() -> None:
    verdict = race(config(), ramps([[50] * 8, [50] * 8]))
    assert verdict.comparisons()[0].outcome == "no clear difference"
    assert verdict.sentence().startswith("No clear difference: batch norm reached 91 % test accuracy as fast as the plain net")


def test_one_trial_against_the_others_is_no_clear_difference() -> None:
    verdict = race(config(), ramps([[80] * 8, [40] * 7 + [90]]))
    assert verdict.comparisons()[0].outcome == "no clear difference"
    assert verdict.sentence().startswith("No clear difference: batch norm reached 91 % test accuracy 2 times as fast")


def test_a_reference_that_never_gets_there_gives_a_bound_not_a_number() -> None:
    verdict = race(config(), ramps([[np.inf] * 8, [40] * 8]))
    (comparison,) = verdict.comparisons()
    least, most = comparison.speedup
    assert least == pytest.approx(100 / 36, rel=1e-6)
    assert most == np.inf
    assert comparison.outcome == "sooner"
    assert verdict.sentence() == (
        "Batch norm reached 91 % test accuracy after 36 steps (median of 8 trials); the plain net did not within 100."
    )


def test_when_only_some_trials_get_there_it_is_said_how_many() -> None:
    verdict = race(config(), ramps([[90] * 2 + [np.inf] * 6, [40] * 7 + [np.inf]]))
    assert verdict.sentence() == (
        "Batch norm reached 91 % test accuracy after 36 steps (median of the 7 of 8 trials that did); "
        "the plain net did not within 100 in 6 of 8."
    )


def test_an_arm_that_never_gets_there() -> None:
    verdict = race(config(), ramps([[40] * 8, [np.inf] * 8]))
    assert verdict.comparisons()[0].outcome == "later"
    assert verdict.sentence().startswith(
        "The plain net reached 91 % test accuracy after 36 steps (median of 8 trials); batch norm did not"
    )


def test_a_late_trial_is_not_taken_for_a_large_speedup() -> None:
    """The arm got there just before the end and the reference did not: at least 1.11x, not infinitely sooner."""
    verdict = race(config(), ramps([[np.inf] * 8, [100] * 8]))
    assert verdict.comparisons()[0].speedup[0] == pytest.approx(100 / 90, rel=1e-6)
    assert verdict.comparisons()[0].interval[:2] == (pytest.approx(100 / 90, rel=1e-6), np.inf)


def test_trials_in_which_neither_gets_there_are_left_out_and_said() -> None:
    verdict = race(config(), ramps([[80] * 7 + [np.inf], [40] * 7 + [np.inf]]))
    (comparison,) = verdict.comparisons()
    assert comparison.left_out == 1
    assert comparison.bounds.shape == (2, 7)
    assert "7 trials, 1 left out in which neither got there" in verdict.sentence()


def test_divergence_is_counted_and_never_reaches() -> None:
    accuracies = ramps([[60] * 8, [30] * 8])
    accuracies[3:, 0, :3] = np.nan
    verdict = race(config(), accuracies)
    assert verdict.diverged_counts == {"no norm": 3}
    assert np.isinf(verdict.steps_to_target()[0, :3]).all()  # type: ignore[index]


def test_all_diverged_ends_the_race_early() -> None:
    accuracies = np.full((2, 2, 8), np.nan)
    accuracies[0] = 0.1
    verdict = race(config(), accuracies, steps=(0, 5))
    assert verdict.over
    assert verdict.target is None
    assert verdict.sentence() == "No net learned in 5 steps: median test accuracy plain net 0 %, batch norm 0 %."
    assert verdict.diverged_counts == {"no norm": 8, "batch norm": 8}


def test_nothing_learned_is_no_verdict() -> None:
    verdict = race(config(), ramps([[np.inf] * 8] * 2))
    assert verdict.comparisons() == ()
    assert verdict.sentence().startswith("No net learned in 100 steps")


def test_while_it_runs_the_standing_is_said() -> None:
    accuracies = ramps([[50] * 8, [20] * 8])
    verdict = race(config(), accuracies[:3], STEPS[:3])
    assert not verdict.over
    assert verdict.sentence() == "Step 10: median test accuracy plain net 28 %, batch norm 55 %."


def test_steps_0_is_no_race() -> None:
    verdict = race(config(steps=0), np.full((1, 2, 8), 0.1), steps=(0,))
    assert verdict.sentence() == "Initialization only: nothing is trained, so there is no race."


def test_before_the_first_frame_nothing_is_said() -> None:
    verdict = RaceVerdict(config())
    assert (verdict.sentence(), verdict.target, verdict.comparisons(), verdict.over) == ("", None, (), False)


@pytest.mark.parametrize(
    ("trials", "words"), [(1, "(one trial: no interval)"), (3, "3 trials gave a speed-up of 2 to 2: too few")]
)
def test_few_trials_have_no_interval(trials: int, words: str) -> None:
    assert words in race(config(trials=trials), ramps([[80] * trials, [40] * trials])).sentence()


def test_many_arms_are_compared_with_no_norm_wherever_it_stands() -> None:
    verdict = race(config(("batch", "layer", "none", "rms")), ramps([[40] * 8, [np.inf] * 8, [80] * 8, [80] * 8]))
    assert [comparison.label for comparison in verdict.comparisons()] == ["batch norm", "layer norm", "RMS norm"]
    assert verdict.sentence() == (
        "To 91 % test accuracy, against the plain net: batch norm 2 times as fast (2 to 2); "
        "layer norm did not get there in 8 of 8 trials; "
        "RMS norm no clear difference (speed-up 1 to 1) (8 trials, 95 % intervals)."
    )


def test_without_no_norm_the_first_is_the_reference() -> None:
    verdict = race(config(("layer", "batch")), ramps([[80] * 8, [40] * 8]))
    assert verdict.comparisons()[0].reference == "layer norm"


def test_one_arm_has_nobody_to_race() -> None:
    assert (
        race(config(("batch",)), ramps([[40] * 8])).sentence()
        == "Batch norm reached 91 % test accuracy after a median of 36 steps."
    )


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from([0.0, 0.3, 1.0])
)  # fmt: skip
def test_no_records_break_the_verdict(arms: int, trials: int, seed: int, flip: float, dead: float) -> None:
    generator = np.random.default_rng(seed)
    accuracies = generator.uniform(size=(len(STEPS), arms, trials)) * (generator.uniform(size=(arms, 1)) > flip)
    accuracies[generator.uniform(size=accuracies.shape) < dead] = np.nan
    norms: list[NormName] = ["none", "batch", "layer", "group", "instance", "rms"]
    verdict = race(config(norms[:arms], trials), accuracies)
    sentence = verdict.sentence()
    assert sentence.endswith(".")
    assert "nan" not in sentence
    assert "inf " not in sentence
    for comparison in verdict.comparisons():
        assert not (comparison.interval[0] > comparison.interval[1])
