"""The controls are read from the configuration, and a draft keeps what no control shows."""

from typing import get_args

import pytest
from annotated_types import Ge, Le
from pydantic import BaseModel

from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.config.presets import PRESETS
from bnviz.ui.draft import build, has_distinct_norms, values_of, varying_paths
from bnviz.ui.fields import CONTROLS, Control

MODELS: dict[str, type[BaseModel]] = {"arms.*": ArmConfig, "dataset": DatasetConfig, "": RunConfig}
WITHOUT_CONTROL = {"dataset", "arms", "extras", "name", "norm", "per_trial"} | {  # of the experiments
    "architecture", "norm_on_input", "dropout_placement", "gamma_init", "beta_init", "recurrent_norm",
    "trial_seeds", "batch_mode", "test_scale", "test_shift",
}  # fmt: skip


def test_every_field_has_a_control_or_a_reason() -> None:
    controlled = {control.path.rpartition(".")[2] for control in CONTROLS}
    fields = {name for model in MODELS.values() for name in model.model_fields}
    assert fields - controlled == WITHOUT_CONTROL - {"name"}
    assert len({control.path for control in CONTROLS}) == len(CONTROLS)


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.path)
def test_bounds_choices_and_help_are_the_models(control: Control) -> None:
    owner, _, name = control.path.rpartition(".")
    field = MODELS[owner].model_fields[name]
    assert field.description is not None
    assert control.help.startswith(field.description)
    least = [item.ge for item in field.metadata if isinstance(item, Ge)]
    most = [item.le for item in field.metadata if isinstance(item, Le)]
    if least:
        assert control.field.bounds == (least[0], most[0])
    else:
        assert control.field.kind == "bool" or control.field.choices == get_args(field.annotation)


def test_stops_are_one_two_five_and_hold_what_is_asked_for() -> None:
    control = next(control for control in CONTROLS if control.path == "arms.*.lr")
    stops = control.stops(0.15)
    assert stops[:4] == [1e-6, 2e-6, 5e-6, 1e-5]
    assert stops[-1] == 100
    assert 0.15 in stops
    assert stops == sorted(set(stops))


@pytest.mark.parametrize("name", list(PRESETS))
def test_untouched_controls_give_the_configuration_back(name: str) -> None:
    config = PRESETS[name].config
    assert build(config, values_of(config)).config == config


def test_a_shared_value_goes_to_every_arm() -> None:
    config = PRESETS["tiny_batch"].config
    built = build(config, {**values_of(config), "arms.*.lr": 0.5}).config
    assert built is not None
    assert {arm.lr for arm in built.arms} == {0.5}
    assert [arm.norm for arm in built.arms] == [arm.norm for arm in config.arms]


def test_differences_of_a_link_are_kept() -> None:
    base = RunConfig(arms=(ArmConfig(lr=0.1), ArmConfig(norm="batch", lr=0.5, name="fast")))
    assert varying_paths(base) == ("arms.*.lr",)
    built = build(base, {**values_of(base), "arms.*.width": 20, "arms.*.norm": ["batch", "none", "rms"]}).config
    assert built is not None
    assert [(arm.norm, arm.lr, arm.name, arm.width) for arm in built.arms] == [
        ("batch", 0.5, "fast", 20), ("none", 0.1, "", 20), ("rms", 0.1, "", 20),
    ]  # fmt: skip


def test_arms_of_the_same_norm_are_kept_as_they_are() -> None:
    base = RunConfig(arms=(ArmConfig(norm="batch"), ArmConfig(norm="batch", norm_placement="after_activation")))
    assert not has_distinct_norms(base)
    built = build(base, {**values_of(base), "arms.*.norm": ["none"], "arms.*.depth": 3}).config
    assert built is not None
    assert [(arm.norm, arm.norm_placement, arm.depth) for arm in built.arms] == [
        ("batch", "before_activation", 3), ("batch", "after_activation", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "path", "allowed"),
    [
        ({"arms.*.lr": -1.0}, "arms.*.lr", "0.000001 to 100"),
        ({"arms.*.group_count": 5, "arms.*.norm": ["group"]}, "arms.*.group_count", "1, 2, 4, 8, 16, 32"),
        ({"batch_size": 64, "dataset.train_size": 50, "probe_size": 50}, "batch_size", "at most 50"),
        ({"dataset.train_size": 5000}, "dataset.train_size", "at most 1796"),
        ({"arms.*.norm": []}, "arms.*.norm", "at least one"),
        (
            {"steps": 1, "trials": 128, "arms.*.width": 512, "arms.*.depth": 100},
            "trials",
            "GB of memory, more than the allowed 2 GB",
        ),
        ({"steps": 5000, "trials": 32, "arms.*.width": 512, "batch_size": 1024}, "steps", "more than the allowed"),
    ],
)
def test_a_problem_is_at_its_control(changes: dict[str, object], path: str, allowed: str) -> None:
    base = PRESETS["classic"].config
    draft = build(base, {**values_of(base), **changes})
    assert draft.config is None
    assert list(draft.messages) == [path]
    assert allowed in draft.messages[path]


def test_mistakes_that_all_arms_share_are_told_once() -> None:
    base = PRESETS["classic"].config
    mistakes = {"arms.*.depth": 0, "arms.*.width": 0, "arms.*.lr": -1.0, "arms.*.dropout": 2.0}
    norms = ["none", "batch", "layer", "group", "instance", "rms"]
    assert list(build(base, {**values_of(base), **mistakes, "arms.*.norm": norms}).messages) == [*mistakes]


def test_the_decision_boundary_follows_the_data_set() -> None:
    classic, spirals = PRESETS["classic"].config, PRESETS["spirals"].config
    plane = build(classic, {**values_of(classic), "dataset.name": "moons"}).config
    table = build(spirals, {**values_of(spirals), "dataset.name": "digits"}).config
    assert plane is not None
    assert table is not None
    assert plane.extras == ("decision_boundary",)
    assert table.extras == ()
