"""Dotted keys and text change a configuration."""

import pytest

from bnviz.config.base import FrozenModel
from bnviz.config.models import RunConfig
from bnviz.config.overrides import OverrideError, apply_overrides

BASE = RunConfig().model_dump()


def config_with(*pairs: tuple[str, str]) -> RunConfig:
    return RunConfig.model_validate(apply_overrides(BASE, pairs))


def test_every_kind_of_field_can_be_set_from_text() -> None:
    config = config_with(
        ("steps", "12"),
        ("measure_every", "3"),
        ("dataset.name", "moons"),
        ("dataset.noise", "0.5"),
        ("arms.0.lr", "1e-3"),
        ("arms.1.residual", "true"),
        ("arms.1.name", "none"),
        ("trials", "2"),
        ("arms.1.per_trial.lr", "0.1, 0.2"),
        ("extras", "decision_boundary,all_trial_distributions"),
    )
    assert (config.steps, config.measure_every, config.trials) == (12, 3, 2)
    assert (config.dataset.name, config.dataset.noise) == ("moons", 0.5)
    assert config.arms[0].lr == 1e-3
    assert (config.arms[1].residual, config.arms[1].name, config.arms[1].per_trial.lr) == (True, "none", (0.1, 0.2))
    assert config.extras == ("all_trial_distributions", "decision_boundary")
    assert config.arms[0].norm == "none"


def test_none_empties_an_optional_field_and_a_list() -> None:
    base = RunConfig(measure_every=5, extras=("all_trial_distributions",)).model_dump()
    config = RunConfig.model_validate(apply_overrides(base, [("measure_every", "none"), ("extras", "none")]))
    assert config == RunConfig()


def test_the_arm_after_the_last_is_added() -> None:
    config = config_with(("arms.2.norm", "layer"), ("arms.2.lr", "0.5"))
    assert [arm.norm for arm in config.arms] == ["none", "batch", "layer"]
    assert config.arms[2].lr == 0.5


def test_a_star_sets_all_arms_that_there_are() -> None:
    config = config_with(
        ("trials", "1"), ("arms.2.norm", "layer"), ("arms.*.lr", "0.3"), ("arms.1.lr", "0.5"), ("arms.*.per_trial.momentum", "0")
    )
    assert [arm.lr for arm in config.arms] == [0.3, 0.5, 0.3]
    assert all(arm.per_trial.momentum == (0.0,) for arm in config.arms)


def test_settings_of_any_model_can_be_set() -> None:
    class Sweep(FrozenModel):
        rates: tuple[float, ...] = (1.0,)
        title: str = ""

    base = Sweep().model_dump()
    changed = apply_overrides(base, [("rates", " 0.1, 0.2"), ("title", " none ")], Sweep)
    assert Sweep.model_validate(changed) == Sweep(rates=(0.1, 0.2), title=" none ")
    with pytest.raises(OverrideError, match="rate: received 1; allowed: rates, title"):
        apply_overrides(base, [("rate", "1")], Sweep)


def test_a_base_that_leaves_things_out_keeps_their_defaults() -> None:
    assert RunConfig.model_validate(apply_overrides({}, [("arms.1.lr", "2")])).arms[0] == RunConfig().arms[0]


def test_the_base_is_not_changed() -> None:
    before = RunConfig().model_dump()
    apply_overrides(BASE, [("arms.0.lr", "7"), ("dataset.noise", "2"), ("arms.2.lr", "1")])
    assert before == BASE


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("stepps", "steps"),
        ("", "steps"),
        ("", "arms.N.*"),
        ("", "dataset.*"),
        ("steps.0", "steps"),
        ("arms", "arms.N.lr"),
        ("dataset", "dataset.name"),
        ("dataset.nam", "dataset.name"),
        ("arms.0", "arms.N.lr"),
        ("arms.0.rate", "arms.N.lr"),
        ("arms.0.lr.x", "arms.N.lr"),
        ("arms.0.per_trial.x", "arms.N.per_trial.lr"),
        ("arms.3.lr", "arms.2 to add one"),
        ("arms.-1.lr", "arms.2 to add one"),
        ("arms.²." + "lr", "arms.2 to add one"),
        ("arms.x.lr", "arms.2 to add one"),
    ],
)
def test_a_key_that_names_nothing_is_refused_with_those_there_are(key: str, named: str) -> None:
    with pytest.raises(OverrideError) as caught:
        apply_overrides(BASE, [(key, "1")])
    assert caught.value.problem.field == (key or "''")
    assert named in caught.value.problem.allowed
    assert "\n" not in str(caught.value)
