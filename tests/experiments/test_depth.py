"""Gradients through depth: every part answers from its data, also where the effect vanishes, and never from half of them."""

import json
import math
from typing import Any

import numpy as np
import pytest

from bnviz.closed_forms import gradient_growth as theory
from bnviz.experiments.board.catalog import find_part, stages_of, study_config
from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import Part, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.parts.depth import EXPERIMENT, gain, growth, rank, shattered, trainability
from bnviz.experiments.parts.depth.common import growth_per_layer, interior, power_of_depth
from bnviz.records.records import StageMeasured
from bnviz.runs.workers.execute import run_any

SMALL: dict[str, dict[str, Any]] = {
    "gain": {"depth": 6, "width": 16, "gains": 3, "batch_size": 8, "seeds": 2},
    "growth": {"activations": ("relu", "tanh"), "batch_sizes": (8, 16), "depth": 12, "width": 32, "seeds": 2},
    "escapes": {"depth": 15, "width": 32, "batch_size": 8, "seeds": 2},
    "trainability": {"depths": (2, 4), "width": 8, "steps": 20, "seeds": 2, "plain": True},
    "shattered": {"depth": 4, "width": 16, "seeds": 2},
    "rank": {"depth": 5, "width": 32, "batch_size": 4, "seeds": 2},
}


def _answer(part: str, preset: str = "", **changes: Any) -> tuple[str | None, dict[str, Any]]:
    verdict, _ = conclude("depth", part, preset, **changes)
    assert verdict is not None
    return verdict.answer, dict(verdict.numbers)


def _median(number: Spread | float) -> float:
    return number.median if isinstance(number, Spread) else number


@pytest.mark.parametrize("part", EXPERIMENT.parts, ids=lambda part: part.id)
def test_every_frame_can_be_drawn_and_half_a_study_has_no_answer(part: Part):
    config = study_config("depth", part.id, part.presets[0].settings.model_dump() | SMALL[part.id])
    settings = part.settings.model_validate(config.settings)
    results, charts = Results(stages_of(config)), part.charts(settings)
    assert 2 <= len(charts) <= 6
    for chart in charts:
        json.dumps(chart.spec.as_dict(), allow_nan=False)
    for record in run_any(config):
        if not isinstance(record, StageMeasured):
            continue
        results.add(record)
        for chart in charts:
            (series,) = chart.draw(results).values()
            json.dumps(series, allow_nan=False)
            assert len(series) == 1 + max(mark.series for mark in chart.spec.marks)
        if not results.finished():
            assert part.verdict(settings, results) is None
    verdict = part.verdict(settings, results)
    assert verdict is not None
    assert verdict.answer is None or verdict.answer in {choice.key for choice in part.choices}
    assert all(math.isfinite(_median(number)) for number in verdict.numbers.values())
    assert len(verdict.headline) < 200
    assert len(verdict.details) < 320


def test_the_gain_decides_without_a_norm_and_not_with_batch_norm():
    answer, numbers = _answer("gain")
    assert answer == "plain_only"
    assert numbers["power_none"].median == pytest.approx(29, rel=0.01)
    assert abs(numbers["power_batch"].median) < 0.05
    assert numbers["decades_batch"].median == pytest.approx(29 / 2 * math.log10(theory.gradient_growth("relu", 32)), rel=0.1)


def test_gains_too_close_together_decide_nothing():
    assert _answer("gain", "shallow", widest=1.05, width=32)[0] == "neither"


def test_signals_beyond_float32_give_no_answer():
    verdict, _ = conclude("depth", "gain", depth=60, widest=4.0, width=16, gains=3, seeds=1)
    assert verdict is not None
    assert verdict.answer in (None, "plain_only")
    assert all(math.isfinite(_median(number)) for number in verdict.numbers.values())


def test_batch_norm_explodes_gradients_as_the_closed_form_says():
    answer, numbers = _answer("growth", batch_sizes=(16, 64))
    assert answer == "explode"
    assert numbers["growth"].median == pytest.approx(numbers["theory"], rel=0.03)
    assert numbers["worst_deviation"] < 0.03
    assert numbers["plain"].median == pytest.approx(1, rel=0.03)


def test_linear_layers_do_not_explode():
    assert _answer("growth", "linear", batch_sizes=(64, 128), activations=("linear",))[0] == "level"


def test_scale_changes_nothing_and_shape_does():
    answer, numbers = _answer("escapes", seeds=3)
    assert answer == "shape"
    for key in ("plain", "gamma", "gain", "beta", "residual", "layer", "none"):
        assert numbers[f"growth_{key}"].median == pytest.approx(numbers[f"theory_{key}"], rel=0.03)
    assert numbers["power"].median == pytest.approx(numbers["power_theory"], abs=0.1)


def test_a_small_beta_is_not_enough():
    answer, numbers = _answer("escapes", "small_shift", seeds=2)
    assert answer is None
    assert 1.1 < numbers["growth_beta"].median < 1.35


@pytest.mark.slow
def test_plain_batch_norm_at_depth_50_fails_where_residual_batch_norm_learns():
    """In each of three seeds."""
    answer, numbers = _answer("trainability", depths=(10, 50), steps=200)
    assert answer == "skips"
    assert numbers["deep"].high < 30
    assert numbers["skips"].low > 60
    assert numbers["shallow"].low > 60


@pytest.mark.slow
def test_fifty_linear_layers_train_without_skips():
    """Their gradients do not grow: it is not the depth."""
    assert _answer("trainability", "linear", depths=(50,), steps=100)[0] == "both"


def test_batch_norm_shatters_gradients_and_skips_keep_them():
    answer, numbers = _answer("shattered")
    assert answer == "skips"
    assert abs(numbers["correlation_batch"].median) < numbers["noise"] < 0.25 < numbers["correlation_residual"].median


def test_four_layers_do_not_shatter():
    assert _answer("shattered", "shallow")[0] == "all"


def test_samples_stay_apart_with_batch_norm_only():
    answer, numbers = _answer("rank", seeds=3)
    assert answer == "plain_only"
    assert numbers["plateau"].median == pytest.approx(numbers["theory"], abs=0.01)
    assert numbers["rank_batch"].median > 3 * numbers["rank_none"].median


def test_five_layers_align_nothing():
    assert _answer("rank", "shallow", seeds=3)[0] == "neither"


def test_effective_rank_against_the_singular_values_of_such_samples():
    settings = rank.RankSettings(batch_size=6)
    cosine = theory.batch_cosine("relu", 6)
    rows = np.linalg.cholesky((1 - cosine) * np.eye(6) + cosine)
    shares = np.linalg.svd(rows, compute_uv=False)
    shares /= shares.sum()
    assert rank.effective_rank(settings) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-9)


def _by_layer(rows: np.ndarray) -> Labelled:
    return Labelled(rows, {"seed": tuple(range(len(rows))), "layer": tuple(range(1, rows.shape[1] + 1))})


def test_growth_per_layer_is_exact_on_a_geometric_row_and_sees_inner_layers_only():
    rows = 3.0 * 1.5 ** -np.arange(30.0)[None] * np.ones((4, 1))
    rows[:, :5] *= 100
    rows[2, 7] = np.nan
    rows[3, 29] = 0
    np.testing.assert_allclose(growth_per_layer(_by_layer(rows)).values, [1.5, 1.5, np.nan, np.nan])
    assert interior(30) == slice(5, 25)
    with pytest.raises(ValueError, match="layers: received 1"):
        growth_per_layer(_by_layer(np.ones((2, 1))))


def test_the_power_of_depth_is_exact_on_a_power():
    layers = np.arange(1, 31.0)
    rows = np.stack([layers**-1.5, 7 * layers**-2.0, np.full(30, np.nan)])
    np.testing.assert_allclose(power_of_depth(_by_layer(rows)).values, [1.5, 2.0, np.nan])


@pytest.mark.parametrize(
    ("judge", "answer", "numbers", "judgement"),
    [
        (gain.judge_cure, None, {"span_batch": [0.01], "decades_batch": [0.2]}, "supported"),
        (gain.judge_cure, None, {"span_batch": [0.01], "decades_batch": [2.7]}, "mixed"),
        (gain.judge_cure, None, {"span_batch": [5.0], "decades_batch": [-2.7]}, "not supported in this setting"),
        (growth.judge_explosion, "explode", {"growth": [1.4, 1.5, 1.6], "theory": 1.5, "plain": [1.0]}, "supported"),
        (growth.judge_explosion, "explode", {"growth": [1.4, 1.5, 1.6], "theory": 1.5, "plain": [1.45]}, "mixed"),
        (
            growth.judge_explosion,
            "level",
            {"growth": [0.9, 1.0, 1.1], "theory": 1.0, "plain": [1.0]},
            "not supported in this setting",
        ),
        (trainability.judge_depth, "skips", {"deep": [10, 10], "skips": [80, 90]}, "supported"),
        (trainability.judge_depth, None, {"deep": [40, 60], "skips": [80, 90]}, "mixed"),
        (
            trainability.judge_depth,
            "both",
            {"deep": [80, 90], "skips": [80, 90]},
            "not supported in this setting",
        ),
        (shattered.judge_shattering, "skips", {"correlation_batch": [0.0], "correlation_residual": [0.5]}, "supported"),
        (shattered.judge_shattering, "all", {"correlation_batch": [0.3], "correlation_residual": [0.5]}, "mixed"),
        (
            shattered.judge_shattering,
            "all",
            {"correlation_batch": [0.6], "correlation_residual": [0.5]},
            "not supported in this setting",
        ),
        (rank.judge_rank, "plain_only", {"plateau": [0.3], "plain": [0.95], "theory": 0.3}, "supported"),
        (rank.judge_rank, "neither", {"plateau": [0.3], "plain": [0.5], "theory": 0.3}, "not supported in this setting"),
    ],
)
def test_claims_are_judged_from_the_numbers(judge, answer, numbers, judgement):
    """Lists are what the seeds measured, plain numbers are closed forms."""
    spreads = {name: spread_of(value) if isinstance(value, list) else value for name, value in numbers.items()}
    finding = judge(Verdict(answer, "what was found", spreads))
    assert finding.judgement == judgement
    assert finding.measured


def test_caveats_and_claims_name_presets_that_exist():
    for part in EXPERIMENT.parts:
        find_part("depth", part.caveat[0]).preset(part.caveat[1])
        for claim in part.claims:
            part.preset(claim.preset)
