"""Experiment 12: what the sources say of other norms, over several seeds, and the verdicts' rules."""

import numpy as np
import pytest

from bnviz.closed_forms.saturation import mean_tanh_slope
from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import Verdict
from bnviz.experiments.parts.other_norms import gamma, recurrent
from bnviz.experiments.parts.other_norms.common import NORMS, Learners

OTHERS = [norm for norm in NORMS if norm != "batch"]


@pytest.mark.slow
def test_batches_of_two_break_batch_norm_alone() -> None:
    verdict, _ = conclude("other_norms", "tiny_batch", seeds=3, steps=400)
    assert verdict is not None
    assert verdict.answer == "batch"
    assert verdict.numbers["batch_high"] < 0.35
    assert min(verdict.numbers[f"{norm}_low"] for norm in OTHERS) > 0.6


def test_batches_of_one_class_break_batch_norm_alone() -> None:
    verdict, _ = conclude("other_norms", "single_class", seeds=3)
    assert verdict is not None
    assert verdict.answer == "batch"
    assert verdict.numbers["batch_high"] < 0.2
    assert min(verdict.numbers[f"{norm}_low"] for norm in OTHERS) > 0.75


def test_mixed_batches_of_the_same_size_break_nobody() -> None:
    verdict, _ = conclude("other_norms", "single_class", "mixed", seeds=3)
    assert verdict is not None
    assert verdict.answer == "all"


@pytest.mark.slow
def test_at_ten_layers_every_norm_is_sooner_than_none() -> None:
    verdict, _ = conclude("other_norms", "race", seeds=3)
    assert verdict is not None
    assert verdict.numbers["batch"] < 0.5 * verdict.numbers["none"]
    assert max(verdict.numbers[norm] for norm in ("layer", "instance", "rms")) < verdict.numbers["none"]


@pytest.mark.slow
def test_saturating_weights_stop_the_plain_cell_and_no_normalized_one() -> None:
    verdict, _ = conclude("other_norms", "recurrent", "large_weights", seeds=3, steps=200)
    assert verdict is not None
    assert verdict.answer in ("batch", "layer")
    assert max(verdict.numbers[key] for key in ("shared", "steps", "layer")) < 0.5 * verdict.numbers["none"]


@pytest.mark.slow
def test_statistics_of_their_own_help_from_a_small_gamma() -> None:
    """Shared running statistics hold for no step: the test loss is higher, the training is the same."""
    verdict, _ = conclude("other_norms", "recurrent", "small_gamma", seeds=3, steps=200)
    assert verdict is not None
    assert verdict.numbers["train_shared"] == verdict.numbers["train_steps"]
    assert verdict.numbers["steps"] < verdict.numbers["shared"]


def test_the_slope_at_the_start_is_the_closed_forms() -> None:
    verdict, results = conclude("other_norms", "gamma", seeds=3, steps=20, gammas=(0.05, 0.1, 0.25, 0.5, 1.0), width=64)
    assert verdict is not None
    for arm, value in enumerate((0.05, 0.1, 0.25, 0.5)):
        assert gamma.slopes(results, arm).mean() == pytest.approx(mean_tanh_slope(2**0.5 * value), rel=0.03)


@pytest.mark.parametrize(
    ("lower", "judgement"),
    [((0, 0, 0), "supported"), ((0, 0.25, 0), "mixed"), ((0, 1, 0.5), "not supported in this setting")],
)
def test_recurrent_nets_are_judged_by_every_seed(lower: tuple[float, ...], judgement: str) -> None:
    keys = ("shared", "steps", "input")
    numbers = {"none": 0.2} | dict.fromkeys(keys, 0.3) | {f"lower_{key}": share for key, share in zip(keys, lower, strict=True)}
    assert recurrent.judge(Verdict(None, "", numbers)).judgement == judgement


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
    accuracies = np.full((6, 2), 0.9)
    accuracies[NORMS.index("batch")], accuracies[NORMS.index("rms")] = batch, rms
    assert Learners(accuracies).answer == answer


def test_gammas_are_ordered_and_hold_the_two_that_are_compared() -> None:
    assert gamma.GammaSettings(gammas=(4.0, 0.5, 0.5)).compared == (0.1, 0.5, 1.0, 4.0)
    assert gamma.GammaSettings(gammas=(0.2, 0.3, 0.4, 0.5, 0.6, 0.7)).compared == (0.1, 0.2, 0.3, 0.4, 0.5, 1.0)


def test_versions_have_styles_of_their_own() -> None:
    styles = recurrent.styles()
    assert len({(style.color, style.dash) for style in styles}) == len({style.color for style in styles}) == len(styles)
