"""Inside one batch: the numbers of the probes against closed forms, the verdicts, and what the settings refuse."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.parts.inside import EXPERIMENT
from bnviz.experiments.parts.inside.arithmetic import ROUNDING, SHIFTS
from bnviz.experiments.parts.inside.batch_settings import ArithmeticSettings
from bnviz.experiments.parts.inside.detached import DetachedSettings
from bnviz.experiments.parts.inside.tables import BadTable, as_text, per_feature, resized, rows_of, short

ARITHMETIC = [preset.name for preset in EXPERIMENT.part("arithmetic").presets]
QUICK = {"network_steps": 20, "depth": 1, "seeds": 3}


def conclude_arithmetic(preset: str = "", **changes: Any) -> tuple[Verdict, Results]:
    verdict, results = conclude("inside", "arithmetic", preset, **changes)
    assert verdict is not None
    return verdict, results


@pytest.mark.parametrize("preset", ARITHMETIC)
def test_in_training_a_bias_does_nothing_and_at_inference_it_does(preset: str) -> None:
    for mode, answer in (("training", "nothing"), ("inference", "scaled")):
        verdict, _ = conclude_arithmetic(preset, mode=mode)
        assert verdict.answer == answer
        assert verdict.numbers["autograd_gap"] < 1e-12


def test_the_measured_moves_are_the_closed_form() -> None:
    _, results = conclude_arithmetic("inference", gamma="2,-3", running_var="4,0.25", eps=0.0)
    expected = SHIFTS[:, None] * np.tile([2 / 2, -3 / 0.5], 4)
    moved = {mode: results.value("bias", f"moved_{mode}") for mode in ("none", "training", "inference")}
    np.testing.assert_allclose(moved["inference"], expected, atol=1e-12)
    np.testing.assert_allclose(moved["none"], np.repeat(SHIFTS[:, None], 8, axis=1), atol=1e-12)
    np.testing.assert_allclose(moved["training"], 0, atol=ROUNDING)


def test_the_gradient_of_the_bias_is_the_sum_of_the_gradients() -> None:
    """dL/dy of feature 2 adds up to 1: times gamma / sqrt(running variance) at inference, nothing in training."""
    _, results = conclude_arithmetic("inference", upstream="0,1;0,2;0,-3;0,1", gamma="3", running_var="9", eps=0.0)
    np.testing.assert_allclose(results.value("bias", "gradient_inference"), np.tile([0.0, 1.0], (len(SHIFTS), 1)), atol=1e-12)
    np.testing.assert_allclose(results.value("bias", "gradient_training"), 0, atol=1e-12)


def test_one_sample_moves_the_outputs_of_the_others() -> None:
    """Far away, sample 1 of 4 is an outlier: its x-hat is sqrt(3), the others meet at -1/sqrt(3)."""
    _, results = conclude_arithmetic(
        batch="0;1e-3;-1e-3;0", upstream="1;0;0;0", gamma="1", beta="0", running_mean="0", running_var="1"
    )
    alone = results.value("bias", "alone")
    assert alone is not None
    np.testing.assert_allclose(alone[-1], [np.sqrt(3), *[-1 / np.sqrt(3)] * 3], rtol=1e-3)


def test_no_verdict_before_the_end_and_none_that_the_data_do_not_support() -> None:
    part = EXPERIMENT.part("arithmetic")
    _, results = conclude_arithmetic()
    partial = Results(tuple(results.stages.values()))
    assert part.verdict(ArithmeticSettings(), partial) is None
    for measured in results.history("bias")[:-1]:
        partial.add(measured)
    assert part.verdict(ArithmeticSettings(), partial) is None
    last = results.last("bias")
    assert last is not None
    last.values["moved_training"][3, 2] = 0.5  # as if one output had moved
    verdict = part.verdict(ArithmeticSettings(), results)
    assert verdict is not None
    assert verdict.answer is None
    claim = next(claim for claim in part.claims if claim.id == "bias_is_useless")
    assert claim.judge(verdict).judgement == "not supported in this setting"


def test_claims_are_judged_by_the_numbers() -> None:
    for part in EXPERIMENT.parts:
        for claim in part.claims:
            changes = QUICK if part.id == "detached" else {}
            verdict, _ = conclude("inside", part.id, claim.preset, **changes)
            assert verdict is not None
            assert claim.judge(verdict).judgement == "supported"


@pytest.mark.parametrize(("spread", "lr"), [(1.0, 0.1), (0.2, 0.1), (5.0, 0.5)])
def test_a_detached_bias_grows_as_the_closed_form_says_at_an_unchanged_loss(spread: float, lr: float) -> None:
    verdict, results = conclude("inside", "detached", **QUICK, spread=spread, lr=lr)
    assert verdict is not None
    assert verdict.answer == "grows"
    bias, std = results.value("bias", "bias_batch_detached"), results.value("bias", "std")
    assert bias is not None
    assert std is not None
    np.testing.assert_allclose(bias[-1], 400 * lr / std, rtol=1e-9)
    np.testing.assert_allclose(results.value("bias", "loss_batch_detached"), 0.5, rtol=1e-9)
    assert verdict.numbers["off_theory"] < 1e-9
    assert verdict.numbers["bias_of_batch_norm"] < 1e-12


def test_with_beta_the_detached_bias_settles() -> None:
    verdict, results = conclude("inside", "detached", "with_beta", **QUICK)
    assert verdict is not None
    assert verdict.answer == "settles"
    bias, std = results.value("bias", "bias_batch_detached"), results.value("bias", "std")
    assert bias is not None
    assert std is not None
    np.testing.assert_allclose(bias[-1] * std, 1, rtol=1e-9)
    assert verdict.numbers["loss_change"].median == pytest.approx(-0.5)


def test_with_beta_the_claim_is_not_supported() -> None:
    verdict, _ = conclude("inside", "detached", "with_beta", **QUICK)
    assert verdict is not None
    (claim,) = EXPERIMENT.part("detached").claims
    assert claim.judge(verdict).judgement == "not supported in this setting"


def test_a_network_that_diverged_is_said() -> None:
    _, results = conclude("inside", "detached", **QUICK)
    last = results.last("network")
    assert last is not None
    for values in (last.arms[1].curves, last.arms[1].layers):
        for array in values.values():
            array[...] = np.nan
    verdict = EXPERIMENT.part("detached").verdict(DetachedSettings.model_validate(QUICK), results)
    assert verdict is not None
    assert verdict.answer == "grows"
    assert "diverged" in verdict.sentence


@pytest.mark.slow
def test_in_a_network_the_offset_grows_when_the_statistics_are_detached() -> None:
    verdict, _ = conclude("inside", "detached", seeds=4)
    assert verdict is not None
    numbers = verdict.numbers
    assert numbers["offset_detached"].median > 5 * numbers["offset"].median
    assert numbers["network_loss_detached"].median > numbers["network_loss"].median


def test_every_chart_can_be_drawn_at_every_moment() -> None:
    for part, changes in (("arithmetic", {}), ("detached", QUICK)):
        _, results = conclude("inside", part, **changes)
        found = EXPERIMENT.part(part)
        settings = found.settings.model_validate(found.presets[0].settings.model_dump() | changes)
        replayed = Results(tuple(results.stages.values()))
        for key in results.keys:
            for measured in results.history(key):
                replayed.add(measured)
                for chart in found.charts(settings):
                    series = chart.draw(replayed)[""]
                    assert len(series) == len(chart.spec.legend) - sum(not style.symbol for style in chart.spec.legend)
                    for columns in series:
                        assert all(len(column) == len(chart.spec.x or ()) for column in columns)


@pytest.mark.parametrize("text", ["1", "1,2;3,4", "-0.5,1e3,3;4,5,6", ";".join(["1"] * 8)])
def test_tables_survive_their_text(text: str) -> None:
    assert rows_of(as_text(rows_of(text))) == rows_of(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "numbers from"),
        ("1,,2", "nothing is none"),
        ("1;two", "two is none"),
        ("1;nan", "nan is none"),
        ("1;2000", "numbers from -1000 to 1000"),
        ("1,2;3", "as many numbers in every row"),
        (";".join(["1"] * 9), "here are 9 of 1"),
        ("1,2,3,4", "here are 1 of 4"),
    ],
)
def test_texts_that_are_no_batch_say_why(text: str, wanted: str) -> None:
    with pytest.raises(BadTable, match=wanted):
        rows_of(text)


@pytest.mark.parametrize(
    ("text", "values", "shortest"), [("2", (2, 2, 2), "2"), ("1, 2", (1, 2, 2), "1,2"), ("1,2,3,9", (1, 2, 3), "1,2,3")]
)
def test_the_last_number_stands_for_the_features_that_have_none(text: str, values: tuple[float, ...], shortest: str) -> None:
    assert per_feature(text, 3) == values
    assert short(values) == shortest


def test_tables_keep_their_numbers_when_they_grow_and_shrink() -> None:
    grown = resized(((1.0, 2.0), (3.0, 4.0)), 3, 3, (9.0,))
    assert grown == ((1, 2, 9), (3, 4, 9), (9, 9, 9))
    assert resized(grown, 2, 1) == ((1,), (3,))


def test_settings_follow_the_size_of_the_batch() -> None:
    settings = ArithmeticSettings.model_validate(
        {"batch": "1;2;6", "upstream": "1,5;2,5", "gamma": "3,4", "running_var": " 7 , 8"}
    )
    assert (settings.upstream, settings.gamma, settings.running_var) == ("1;2;0", "3", "7")
    assert settings.dy.shape == settings.x.shape == (3, 1)


@pytest.mark.parametrize(
    ("changes", "field", "wanted"),
    [
        ({"batch": "1;x"}, "batch", "numbers from"),
        ({"upstream": "1,2;3,"}, "upstream", "nothing is none"),
        ({"gamma": "1,x"}, "gamma", "x is none"),
        ({"running_var": "-1"}, "running_var", "no number below 0"),
        ({"batch": "1,5;2,5;3,5;4,5", "eps": 0}, "eps", "variance 0"),
        ({"eps": 0, "running_var": "0,1"}, "running_var", "above 0"),
        ({"eps": -1}, "eps", ""),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_their_field(changes: dict[str, Any], field: str, wanted: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ArithmeticSettings.model_validate(ArithmeticSettings().model_dump() | changes)
    errors = {error["loc"][0]: error["msg"] for error in caught.value.errors()}
    assert wanted in errors[field]


def test_settings_of_the_detached_part_are_bounded() -> None:
    with pytest.raises(ValidationError):
        DetachedSettings(lr=3)
