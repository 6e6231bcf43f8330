"""Links: what goes into a URL comes out of it, and no URL breaks the app."""

import string
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bnviz.config import models as config_module
from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.config.presets import PRESETS
from bnviz.config.query import MAX_NOTICES, Asked
from bnviz.config.run_links import RUN_LINKS

FIELDS = [
    "preset",
    "arms",
    "hide",
    "steps",
    "seed",
    "trials",
    "batch_size",
    "probe_size",
    "extras",
    "measure_every",
    "dataset",
    "dataset.name",
    "dataset.train_size",
    "dataset.features",
    "arms.0.lr",
    "arms.0.norm",
    "arms.1.width",
    "arms.1.group_count",
    "arms.2.norm",
    "arms.9.lr",
    "arms.0.per_trial.lr",
    "arms.-1.lr",
    "arms.0",
    "arms.*.lr",
    "arms.*.group_count",
    "arms.*",
    "*",
    "arms.0.name",
    "arms.x.lr",
    ".",
    "arms..lr",
    "",
]
VALUES = [
    "",
    "none",
    "nan",
    "inf",
    "-1",
    "0",
    "1",
    "3",
    "64",
    "1e999",
    "1e-7",
    "true",
    "group",
    "spirals",
    "wine",
    "None",
    "0x10",
    "١",
    "a,b",
]


def read(query: dict[str, str]) -> tuple[RunConfig, tuple[str, ...]]:
    asked = RUN_LINKS.from_query(query)
    return asked.config, asked.notices


def arms() -> st.SearchStrategy[ArmConfig]:
    return st.builds(
        ArmConfig,
        name=st.text(string.ascii_letters + " -é,", max_size=12),
        norm=st.sampled_from(["none", "batch", "layer", "rms"]),
        activation=st.sampled_from(get_args(config_module.ActivationName)),
        depth=st.integers(1, 100),
        width=st.integers(1, 512),
        residual=st.booleans(),
        lr=st.floats(1e-6, 100),
        norm_eps=st.floats(0, 1),
        momentum=st.sampled_from([0.0, 0.9]),
    )


def configs() -> st.SearchStrategy[RunConfig]:
    return st.builds(
        RunConfig,
        dataset=st.builds(DatasetConfig, name=st.sampled_from(["digits", "moons", "gaussian"]), noise=st.floats(0, 2)),
        arms=st.lists(arms(), min_size=1, max_size=6).map(tuple),
        seed=st.integers(0, 2**31 - 1),
        steps=st.integers(0, 5000),
        measure_every=st.none() | st.integers(1, 5000),
        extras=st.sampled_from([(), ("all_trial_distributions",)]),
    )


@given(configs())
@settings(max_examples=60, deadline=None)
def test_a_link_reproduces_the_run(config: RunConfig) -> None:
    read = RUN_LINKS.from_query(RUN_LINKS.to_query(config))
    assert read.notices == ()
    assert read.config == config
    assert read.config.run_id == config.run_id


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_is_its_own_shortest_link(name: str) -> None:
    query = RUN_LINKS.to_query(PRESETS[name].config)
    assert query == ({} if name == "classic" else {"preset": name})
    assert RUN_LINKS.from_query(query) == Asked(name, PRESETS[name].config)


def test_only_what_differs_is_in_the_link() -> None:
    config = PRESETS["deep_30"].config.model_copy(update={"seed": 7})
    assert RUN_LINKS.to_query(config) == {"preset": "deep_30", "seed": "7"}


@given(
    st.dictionaries(
        st.sampled_from(FIELDS) | st.text(max_size=80),
        st.sampled_from(VALUES) | st.text(max_size=40) | st.floats().map(str),
        max_size=12,
    )
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_query_breaks_it(query: dict[str, str]) -> None:
    config, notices = read(query)
    assert RunConfig.model_validate(config.model_dump()) == config
    assert len(notices) <= MAX_NOTICES + 1
    assert all(notice.isprintable() and len(notice) < 1000 for notice in notices)


@pytest.mark.parametrize(
    ("query", "received", "allowed"),
    [
        ({"arms.0.lr": "-1"}, "-1", "0.000001 to 100"),
        ({"steps": "99999"}, "99999", "0 to 5000"),
        ({"preset": "nope"}, "nope", "classic"),
        ({"arms": "0"}, "0", "1 to 6"),
        ({"dataset.name": "iris"}, "iris", "digits"),
        ({"colour": "red"}, "red", "dataset"),
        ({"arms.0.group_count": "5", "arms.0.norm": "group"}, "5", "1, 2, 4"),
        ({"arms.*.group_count": "5", "arms.0.norm": "group"}, "5", "1, 2, 4"),
        ({"arms.*.lr": "-1"}, "-1", "0.000001 to 100"),
        ({"arms.0.per_trial.lr": "0.1,fast"}, "fast", "0.000001 to 100"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(query: dict[str, str], received: str, allowed: str) -> None:
    _, notices = read(query)
    assert len(notices) == 1
    assert next(iter(query)) in notices[0]
    assert received in notices[0]
    assert allowed in notices[0]


def test_one_bad_value_leaves_the_good_ones() -> None:
    config, notices = read({"seed": "5", "arms.0.lr": "fast", "arms.1.lr": "0.5", "steps": "40"})
    assert (config.seed, config.steps, config.arms[1].lr, config.arms[0].lr) == (5, 40, 0.5, PRESETS["classic"].config.arms[0].lr)
    assert len(notices) == 1


def test_a_value_can_be_given_to_all_arms() -> None:
    config, notices = read({"arms.2.norm": "rms", "arms.*.lr": "0.3", "arms.1.lr": "0.4"})
    assert notices == ()
    assert [arm.lr for arm in config.arms] == [0.3, 0.4, 0.3]


def test_what_depends_on_another_value_adapts() -> None:
    config, notices = read({"dataset.name": "wine", "dataset.train_size": "40", "preset": "spirals"})
    assert notices == ()
    assert config.extras == ()
    assert config.probe_size == config.batch_size == config.dataset.sizes[0] == 40
    config, notices = read({"arms.1.norm": "group", "arms.1.width": "30"})
    assert notices == ()
    assert config.arms[1].group_count == 3
    config, notices = read({"arms.0.per_trial.lr": "0.1,0.2,0.3"})
    assert notices == ()
    assert config.trials == 3


def test_a_long_value_is_refused_short() -> None:
    config, notices = read({"seed": "9" * 100_000})
    assert config == PRESETS["classic"].config
    assert len(notices) == 1
    assert len(notices[0]) < 300


def test_fewer_and_more_arms() -> None:
    base = PRESETS["classic"].config
    one = RunConfig.model_validate({**base.model_dump(), "arms": [base.arms[1]]})
    three = RunConfig.model_validate({**base.model_dump(), "arms": [*base.arms, ArmConfig()]})
    for config in (one, three):
        assert RUN_LINKS.from_query(RUN_LINKS.to_query(config)) == Asked("classic", config)


def test_reserved_keys_are_the_pages() -> None:
    config, notices = read({"hide": "controls", "embed": "true"})
    assert notices == ()
    assert config == PRESETS["classic"].config
