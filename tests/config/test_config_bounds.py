"""Every bound of every field is checked, and what is refused is named with what was received and what is allowed."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from bnviz.config.models import ArmConfig, DatasetConfig, PerTrial, RunConfig
from bnviz.config.problems import MAX_PROBLEMS, problems

NUMBERS = {
    RunConfig: {
        "trials": (1, 128),
        "seed": (0, 2**31 - 1),
        "batch_size": (1, 1024),
        "steps": (0, 5000),
        "measure_every": (1, 5000),
        "probe_size": (2, 1024),
    },
    DatasetConfig: {
        "train_size": (2, 1796),
        "test_size": (1, 597),
        "noise": (0, 2),
        "features": (1, 1024),
        "test_scale": (-100, 100),
        "test_shift": (-100, 100),
    },
    ArmConfig: {
        "depth": (1, 100),
        "width": (1, 512),
        "init_gain": (1e-4, 1e4),
        "lr": (1e-6, 100),
        "momentum": (0, 0.999),
        "weight_decay": (0, 1),
        "dropout": (0, 0.95),
        "gamma_init": (-10, 10),
        "beta_init": (-10, 10),
        "norm_momentum": (0, 1),
        "norm_eps": (0, 1),
        "group_count": (1, 64),
    },
}
CHOICES = {
    RunConfig: ("batch_mode",),
    DatasetConfig: ("name", "input_scale"),
    ArmConfig: (
        "architecture",
        "norm",
        "norm_placement",
        "activation",
        "init",
        "optimizer",
        "dropout_placement",
        "recurrent_norm",
    ),
}
BOUNDS = [(model, name, low, high) for model, fields in NUMBERS.items() for name, (low, high) in fields.items()]
BESIDES = {
    "batch_size": {"dataset": {"name": "spirals", "train_size": 2000}},
    "probe_size": {"dataset": {"name": "spirals", "train_size": 2000}},
}


def test_the_lists_above_cover_every_field() -> None:
    others = {"dataset", "arms", "extras", "per_trial", "residual", "norm_on_input", "trial_seeds"}
    named = {RunConfig: set(), DatasetConfig: set(), ArmConfig: {"name"}}
    for model in named:
        tested = set(NUMBERS[model]) | set(CHOICES.get(model, ()))
        assert set(model.model_fields) - others - tested == named[model]


def refused(model: type[BaseModel], **values: Any) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        model(**values)
    return {problem.field: problem for problem in problems(caught.value)}


@pytest.mark.parametrize(("model", "name", "low", "high"), BOUNDS)
def test_a_number_is_accepted_up_to_its_bounds_and_refused_beyond(
    model: type[BaseModel], name: str, low: float, high: float
) -> None:
    besides = BESIDES.get(name, {})
    for value in (low, high):
        assert getattr(model(**besides, **{name: value}), name) == value
    for value in (low - 1, high + 1):
        problem = refused(model, **besides, **{name: value})[name]
        assert problem.received == str(value)
        assert problem.message == f"{name}: received {value}; allowed: {problem.allowed}"
        assert name == "train_size" or name == "test_size" or _plain(high) in problem.allowed


def _plain(value: float) -> str:
    return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


@pytest.mark.parametrize(("model", "name", "low", "high"), BOUNDS)
@pytest.mark.parametrize("value", [True, "many", math.nan, math.inf, [1], {"a": 1}])
def test_what_is_no_number_is_refused(model: type[BaseModel], name: str, low: float, high: float, value: object) -> None:
    found = refused(model, **{name: value})
    assert set(found) == {name}


@pytest.mark.parametrize(("model", "name"), [(model, name) for model, names in CHOICES.items() for name in names])
def test_an_unknown_choice_lists_those_there_are(model: type[BaseModel], name: str) -> None:
    problem = refused(model, **{name: "other"})[name]
    assert problem.received == "other"
    default = model.model_fields[name].default
    assert default in problem.allowed.split(", ")


def test_an_unknown_field_lists_those_there_are() -> None:
    problem = refused(RunConfig, stepps=3)["stepps"]
    assert "steps" in problem.allowed.split(", ")


def test_a_field_of_an_arm_is_named_with_its_place_and_without_follow_ups() -> None:
    found = refused(RunConfig, arms=[{"norm": "batch"}, {"lr": -1}])
    assert [problem.message for problem in found.values()] == ["arms.1.lr: received -1; allowed: 0.000001 to 100"]


def test_every_wrong_field_is_told_at_once() -> None:
    found = refused(RunConfig, steps=-1, trials=0, dataset={"noise": 9, "name": "nothing"}, arms=[{"depth": 0}])
    assert set(found) == {"steps", "trials", "dataset.noise", "dataset.name", "arms.0.depth"}


@pytest.mark.parametrize("count", [0, 7])
def test_there_are_one_to_six_arms(count: int) -> None:
    assert refused(RunConfig, arms=[{}] * count)["arms"].allowed == "1 to 6 items"


def test_groups_must_divide_the_width() -> None:
    problem = refused(RunConfig, arms=[{"norm": "group", "width": 6, "group_count": 4}])["arms.0.group_count"]
    assert problem.allowed == "a divisor of the width 6: 1, 2, 3, 6"
    assert ArmConfig(norm="batch", width=6, group_count=4).group_count == 4


def test_a_batch_cannot_be_larger_than_the_training_set() -> None:
    problem = refused(RunConfig, dataset={"name": "moons", "train_size": 200}, batch_size=201)["batch_size"]
    assert (problem.received, problem.allowed) == ("201", "at most 200, the training samples")


@pytest.mark.parametrize("name", ["lr", "init_gain", "momentum", "weight_decay"])
def test_values_per_trial_are_as_many_as_the_trials_and_within_the_arms_bounds(name: str) -> None:
    low, high = NUMBERS[ArmConfig][name]
    arms = [{"per_trial": {name: [low, high]}}]
    assert getattr(RunConfig(arms=arms, trials=2).arms[0].per_trial, name) == (low, high)  # pyright: ignore[reportArgumentType]
    assert "trials" in refused(RunConfig, arms=arms, trials=3)
    assert f"{name}.1" in refused(PerTrial, **{name: [low, high + 1]})


def test_trial_seeds_are_one_a_trial_and_small_whole_numbers() -> None:
    assert RunConfig(trials=3, trial_seeds=(0, 127, 0)).trial_seeds == (0, 127, 0)
    assert refused(RunConfig, trials=3, trial_seeds=[0, 1])["trial_seeds"].allowed == "one number per trial: 3"
    assert "trial_seeds.1" in refused(RunConfig, trials=2, trial_seeds=[0, 128])
    assert "trial_seeds.0" in refused(RunConfig, trials=2, trial_seeds=[True, 1])


@pytest.mark.parametrize("architecture", ["conv", "recurrent"])
def test_images_are_needed_where_images_are_read(architecture: str) -> None:
    arms = [{"architecture": architecture}]
    assert RunConfig(arms=arms).arms[0].architecture == architecture  # pyright: ignore[reportArgumentType]
    wanted = f"{architecture} with square images only: digits, mnist, fashion_mnist, or gaussian with 4, 9, 16, 25, ... features"
    assert refused(RunConfig, dataset={"name": "wine"}, arms=arms)["arms"].allowed == wanted
    for features in (1, 2, 24):  # a single pixel is no image
        problem = refused(RunConfig, dataset={"name": "gaussian", "features": features}, arms=arms)["arms"]
        assert problem.allowed == wanted
    for features in (4, 25):
        gaussian = DatasetConfig(name="gaussian", features=features)
        assert RunConfig(dataset=gaussian, arms=arms).dataset.features == features  # pyright: ignore[reportArgumentType]


def test_the_boundary_is_for_plane_data_only() -> None:
    assert "spirals" in refused(RunConfig, extras=["decision_boundary"])["extras"].allowed
    assert RunConfig(dataset=DatasetConfig(name="xor"), extras=("decision_boundary",)).extras == ("decision_boundary",)


@pytest.mark.parametrize("value", ["a\nb", "\x1b[31m", "x" * 41])
def test_a_label_is_short_and_printable(value: str) -> None:
    problem = refused(RunConfig, arms=[{"name": value}])["arms.0.name"]
    assert problem.message.isprintable()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_whatever_is_received_becomes_one_short_line(value: object) -> None:
    for model, name in ((RunConfig, "steps"), (RunConfig, "arms"), (ArmConfig, "lr"), (DatasetConfig, "name")):
        try:
            model(**{name: value})
        except ValidationError as error:
            told = problems(error)
            assert told
            assert all(problem.message.isprintable() and len(problem.message) < 600 for problem in told)


def test_numbers_of_thousands_of_digits_do_not_break_the_message() -> None:
    assert refused(RunConfig, seed=10**6000)["seed"].received == "a huge int"


class Location(tuple[str | int, ...]):
    """Counts how often a part of it is asked for."""

    asked = 0

    def __getitem__(self, key: Any) -> Any:
        Location.asked += 1
        return super().__getitem__(key)


class ManyErrors:
    """Stands for pydantic's error, whose locations cannot be watched."""

    title = "RunConfig"

    def __init__(self, count: int) -> None:
        self.count = count

    def errors(self, include_url: bool) -> list[dict[str, Any]]:
        assert not include_url
        details = {"type": "extra_forbidden", "input": 1, "msg": ""}
        return [{**details, "loc": Location(("arms", 0, f"key{i}"))} for i in range(self.count)]


def test_the_work_grows_with_the_mistakes_not_with_their_square() -> None:
    Location.asked = 0
    told = problems(ManyErrors(3000))  # pyright: ignore[reportArgumentType]
    assert Location.asked < 10 * 3000
    assert len(told) == MAX_PROBLEMS + 1
    assert told[-1].message == f"... and {3000 - MAX_PROBLEMS} more"


def test_long_names_and_deep_places_are_cut() -> None:
    with pytest.raises(ValidationError) as caught:
        RunConfig.model_validate({"x" * 10_000: 1, "arms": [{"y" * 10_000: 1}], "dataset": {"z\n" * 5000: "v" * 10_000}})
    assert all(len(problem.field) <= 120 and len(problem.message) < 800 for problem in problems(caught.value))


def test_as_many_mistakes_as_are_told_are_told_in_full() -> None:
    raw = dict.fromkeys(map(str, range(MAX_PROBLEMS)), 1)
    with pytest.raises(ValidationError) as caught:
        RunConfig.model_validate(raw)
    assert [problem.field for problem in problems(caught.value)] == list(raw)


def test_models_are_frozen() -> None:
    with pytest.raises(ValidationError):
        RunConfig().steps = 3  # pyright: ignore[reportAttributeAccessIssue]
