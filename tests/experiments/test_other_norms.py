"""Experiment 12: what the sources say of other norms, over several seeds, and the verdicts' rules."""

from dataclasses import replace

import numpy as np
import pytest

from bnviz.closed_forms.saturation import mean_tanh_slope
from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.spread import spread_of
from bnviz.experiments.parts.other_norms import gamma, race, recurrent
from bnviz.experiments.parts.other_norms.common import NORMS, Learners
from bnviz.records.records import StageMeasured
from tests.experiments.made_up import template

OTHERS = [norm for norm in NORMS if norm != "batch"]


@pytest.mark.slow
def test_batches_of_two_break_batch_norm_alone() -> None:
    verdict, _ = conclude("other_norms", "tiny_batch", seeds=3, steps=400)
    assert verdict is not None
    assert verdict.answer == "batch"
    assert verdict.numbers["batch"].high < 35
    assert min(verdict.numbers[norm].low for norm in OTHERS) > 60


def test_batches_of_one_class_break_batch_norm_alone() -> None:
    verdict, _ = conclude("other_norms", "single_class", seeds=3)
    assert verdict is not None
    assert verdict.answer == "batch"
    assert verdict.numbers["batch"].high < 20
    assert min(verdict.numbers[norm].low for norm in OTHERS) > 75


def test_mixed_batches_of_the_same_size_break_nobody() -> None:
    verdict, _ = conclude("other_norms", "single_class", "mixed", seeds=3)
    assert verdict is not None
    assert verdict.answer == "all"


@pytest.mark.slow
def test_at_ten_layers_every_norm_is_sooner_than_none() -> None:
    verdict, _ = conclude("other_norms", "race", seeds=3)
    assert verdict is not None
    steps = {norm: verdict.numbers[norm].median for norm in NORMS}
    assert steps["batch"] < 0.5 * steps["none"]
    assert max(steps[norm] for norm in ("layer", "instance", "rms")) < steps["none"]


@pytest.mark.slow
def test_saturating_weights_stop_the_plain_cell_and_no_normalized_one() -> None:
    verdict, _ = conclude("other_norms", "recurrent", "large_weights", seeds=3, steps=200)
    assert verdict is not None
    assert verdict.answer in ("batch", "layer")
    assert max(verdict.numbers[key].median for key in ("shared", "steps", "layer")) < 0.5 * verdict.numbers["none"].median


@pytest.mark.slow
def test_statistics_of_their_own_help_from_a_small_gamma() -> None:
    """Shared running statistics hold for no step: the test loss is higher, the training is the same."""
    verdict, _ = conclude("other_norms", "recurrent", "small_gamma", seeds=3, steps=200)
    assert verdict is not None
    assert verdict.numbers["train_shared"] == verdict.numbers["train_steps"]
    assert verdict.numbers["steps"].median < verdict.numbers["shared"].median


def test_the_slope_at_the_start_is_the_closed_forms() -> None:
    verdict, results = conclude("other_norms", "gamma", seeds=3, steps=20, gammas=(0.05, 0.1, 0.25, 0.5, 1.0), width=64)
    assert verdict is not None
    slopes = gamma.slopes(results)
    for value in (0.05, 0.1, 0.25, 0.5):
        assert slopes.at(arm=f"gamma {value}").values.mean() == pytest.approx(mean_tanh_slope(2**0.5 * value), rel=0.03)


@pytest.mark.parametrize(
    ("lower", "judgement"),
    [((0, 0, 0), "supported"), ((0, 0.25, 0), "mixed"), ((0, 1, 0.5), "not supported in this setting")],
)
def test_recurrent_nets_are_judged_by_every_seed(lower: tuple[float, ...], judgement: str) -> None:
    keys = ("shared", "steps", "input")
    losses = {"none": spread_of([0.2]), "shared": spread_of([0.4]), "steps": spread_of([0.3]), "input": spread_of([0.5])}
    found = recurrent.judge(Verdict(None, "", losses | {f"lower_{key}": share for key, share in zip(keys, lower, strict=True)}))
    assert found.judgement == judgement
    assert "test loss 0.3 with the best of three batch norms, 0.2 for the plain net" in found.measured


@pytest.mark.parametrize(
    ("losses", "answer"),
    [
        ({"steps": (0.1, 0.1), "layer": (0.2, 0.2)}, "batch"),
        ({"steps": (0.2, 0.2), "layer": (0.1, 0.1)}, "layer"),
        ({"steps": (0.1, 0.9), "layer": (0.9, 0.1)}, "none"),
        (dict.fromkeys(recurrent.VERSIONS, (np.nan, np.nan)), None),
    ],
)
def test_the_best_recurrent_version_is_lower_for_every_seed(losses: dict[str, tuple[float, float]], answer: str | None) -> None:
    settings = recurrent.RecurrentSettings(seeds=2, steps=20)
    (stage,) = recurrent.stages(settings)
    arms = []
    for key, arm in zip(recurrent.VERSIONS, template(stage).arms, strict=True):
        test = np.array(losses.get(key, (0.5, 0.5)), np.float32)
        gone = np.where(np.isnan(test), 20, -1).astype(np.int32)
        arms.append(replace(arm, curves={**arm.curves, "train_loss": test, "test_loss": test}, diverged_at=gone))
    results = Results((stage,))
    results.add(StageMeasured(0, 0, 20, 1.0, True, tuple(arms), {}))
    found = recurrent.verdict(settings, results)
    assert found is not None
    assert found.answer == answer


def test_steps_of_a_race_that_did_not_end_are_said() -> None:
    settings = race.RaceSettings(steps=100)
    assert race._said(settings, spread_of([20.0, 30.0, 50.0])) == "30 steps (20 to 50 over 3 seeds)"
    assert race._said(settings, spread_of([20.0, np.inf, np.inf])) == "more than 100 steps (20 to more than 100 over 3 seeds)"
    assert race._said(settings, spread_of([np.inf, np.inf])) == "more than 100 steps (all 2 seeds)"
    assert race._said(settings, spread_of([40.0])) == "40 steps (one seed)"


def test_the_quickest_other_norm_is_neither_batch_norm_nor_none() -> None:
    steps = {norm: [50.0, 60.0] for norm in NORMS} | {"none": [1.0, 1.0], "batch": [2.0, 2.0], "rms": [40.0, np.inf]}
    taken = Labelled(np.array([steps[norm] for norm in NORMS]), {"arm": NORMS, "seed": (0, 1)})
    assert race.quickest_other(race.RaceSettings(steps=100), taken) != "rms"
    steps["layer"] = [30.0, 30.0]
    taken = Labelled(np.array([steps[norm] for norm in NORMS]), {"arm": NORMS, "seed": (0, 1)})
    assert race.quickest_other(race.RaceSettings(steps=100), taken) == "layer"


def test_the_published_slopes() -> None:
    assert [mean_tanh_slope(std) for std in (0.1, 0.5, 1.0)] == pytest.approx([0.990, 0.827, 0.606], abs=0.001)


@pytest.mark.parametrize(
    ("batch", "rms", "answer"),
    [
        ([0.1, 0.2], [0.9, 0.8], "batch"),
        ([0.9, 0.8], [0.9, 0.8], "all"),
        ([0.1, 0.2], [0.1, 0.3], "several"),
        ([0.9, 0.8], [0.1, 0.3], "several"),
        ([0.1, 0.7], [0.9, 0.8], None),
        ([0.1, 0.2], [0.9, 0.5], None),
    ],
)
def test_who_learned(batch: list[float], rms: list[float], answer: str | None) -> None:
    accuracies = {norm: [0.9, 0.9] for norm in NORMS} | {"batch": batch, "rms": rms}
    rows = np.array([accuracies[norm] for norm in NORMS])
    assert Learners(Labelled(rows, {"arm": NORMS, "seed": (0, 1)})).answer == answer


def test_gammas_are_ordered_and_hold_the_two_that_are_compared() -> None:
    assert gamma.GammaSettings(gammas=(4.0, 0.5, 0.5)).compared == (0.1, 0.5, 1.0, 4.0)
    assert gamma.GammaSettings(gammas=(0.2, 0.3, 0.4, 0.5, 0.6, 0.7)).compared == (0.1, 0.2, 0.3, 0.4, 0.5, 1.0)


def test_versions_have_styles_of_their_own() -> None:
    styles = recurrent.styles().values()
    assert len({(style.color, style.dash) for style in styles}) == len({style.color for style in styles}) == len(styles)
