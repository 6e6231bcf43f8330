"""Experiment 8: where the order matters, and the verdict's rules."""

import pytest

from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import NOT_MEASURED, Claim, Verdict
from bnviz.experiments.kit.sources import IOFFE_2015
from bnviz.experiments.parts.placement.nets import AFTER, BEFORE
from bnviz.experiments.parts.placement.order import answer_of, judge_of


@pytest.fixture(scope="module")
def small_rate():
    return conclude("placement", "order", "small_lr", activations=("relu", "sigmoid"), seeds=3, steps=200)


def test_after_a_sigmoid_batch_norm_trains_to_a_far_lower_loss(small_rate) -> None:
    verdict, _ = small_rate
    assert verdict is not None
    assert verdict.numbers["ratio_sigmoid"].low > 3
    assert verdict.numbers["after_sigmoid"] == 1
    assert verdict.numbers["gap_sigmoid"].median > 2


def test_what_is_handed_on_is_centred_only_after_the_activation(small_rate) -> None:
    """Before training: gamma is 1 and beta 0, so that a layer with the norm at its end hands on mean 0 and variance 1."""
    _, results = small_rate
    for key in ("relu", "sigmoid"):
        mean, std = (results.over_steps(f"layer_output_{name}", key).at(step=0) for name in ("mean", "std"))
        assert abs(mean.at(arm=AFTER).values).max() < 1e-3
        assert abs(std.at(arm=AFTER).values - 1).max() < 0.05  # dead units have variance 0
        assert mean.at(arm=BEFORE).values.min() > 0.3


@pytest.mark.slow
def test_in_fifteen_tanh_layers_the_order_turns_round() -> None:
    verdict, _ = conclude("placement", "order", "deep", activations=("tanh",), seeds=3)
    assert verdict is not None
    assert verdict.answer == "before"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"relu": "after", "tanh": "after"}, "after"),
        ({"relu": "before", "tanh": "before"}, "before"),
        ({"relu": "before", "tanh": "after", "gelu": "alike"}, "advice"),
        ({"relu": "after", "tanh": "before"}, "other"),
        ({"relu": "alike", "tanh": "after"}, "other"),
        ({"relu": "alike"}, "other"),
    ],
)
def test_the_answer_is_the_rule_that_every_activation_follows(found: dict[str, str], expected: str) -> None:
    assert answer_of(found) == expected


def test_claims_are_judged_from_the_losses(small_rate) -> None:
    verdict, _ = small_rate
    assert verdict is not None
    assert judge_of(AFTER, "sigmoid")(verdict).judgement == "supported"
    assert judge_of(BEFORE, "sigmoid")(verdict).judgement == "not supported in this setting"
    both = Claim("a", "A claim.", IOFFE_2015, "five", judge_of(AFTER, "sigmoid", "tanh"))
    assert both.judge(verdict).judgement == NOT_MEASURED  # tanh was not trained
    disagree = Verdict(None, "", {**verdict.numbers, "after_tanh": 0.0, "loss_before_tanh": 1.0, "loss_after_tanh": 1.0})
    assert both.judge(disagree).judgement == "mixed"
