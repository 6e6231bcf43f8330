"""Equal configurations have one id and one JSON text; different ones have others."""

import json
import subprocess
import sys
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnviz.config.models import ActivationName, ArmConfig, DatasetConfig, NormName, RunConfig

ARMS = st.builds(
    ArmConfig,
    name=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    norm=st.sampled_from(get_args(NormName)),
    activation=st.sampled_from(get_args(ActivationName)),
    depth=st.integers(1, 100),
    width=st.sampled_from([4, 8, 64]),
    lr=st.floats(1e-6, 100),
    residual=st.booleans(),
)
CONFIGS = st.builds(
    RunConfig,
    arms=st.lists(ARMS, min_size=1, max_size=6).map(tuple),
    dataset=st.builds(DatasetConfig, name=st.sampled_from(["digits", "spirals", "gaussian"]), noise=st.floats(0, 2)),
    trials=st.integers(1, 32),
    steps=st.integers(0, 5000),
    seed=st.integers(0, 2**31 - 1),
    measure_every=st.none() | st.integers(1, 5000),
)


@given(CONFIGS)
def test_json_round_trip(config: RunConfig) -> None:
    again = RunConfig.model_validate_json(config.model_dump_json())
    assert again == config
    assert again.run_id == config.run_id
    assert RunConfig.model_validate(json.loads(config.model_dump_json(indent=2))).model_dump_json() == config.model_dump_json()


@given(CONFIGS, CONFIGS)
def test_ids_are_equal_exactly_when_the_configurations_are(one: RunConfig, other: RunConfig) -> None:
    assert (one.run_id == other.run_id) == (one == other)


CHANGES: list[dict[str, Any]] = [
    {"seed": 1},
    {"trials": 7},
    {"steps": 999},
    {"batch_size": 63},
    {"probe_size": 127},
    {"measure_every": 5},
    {"extras": ("all_trial_distributions",)},
    {"dataset": {"noise": 0.2}},
    {"arms": [{"norm": "batch"}, {"norm": "none"}]},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_every_field_counts(change: dict[str, Any]) -> None:
    assert RunConfig.model_validate(change).run_id != RunConfig().run_id


def test_the_id_is_the_same_in_another_process_and_with_another_spelling() -> None:
    code = "import sys; from bnviz.config.models import RunConfig; print(RunConfig.model_validate_json(sys.argv[1]).run_id)"
    text = '{"steps": "100", "arms": [{"lr": 1}]}'
    other = subprocess.run([sys.executable, "-c", code, text], capture_output=True, text=True, check=True).stdout.strip()
    assert other == RunConfig(steps=100, arms=(ArmConfig(lr=1.0),)).run_id
    assert len(other) == 16
    assert int(other, 16) >= 0


def test_extras_are_a_set() -> None:
    plane = DatasetConfig(name="moons")
    one = RunConfig(dataset=plane, extras=("decision_boundary", "decision_boundary"))
    assert one == RunConfig(dataset=plane, extras=("decision_boundary",))
    both = RunConfig(dataset=plane, extras=("decision_boundary", "all_trial_distributions"))
    assert both == RunConfig(dataset=plane, extras=("all_trial_distributions", "decision_boundary"))


def test_labels_are_unique() -> None:
    config = RunConfig(arms=(ArmConfig(), ArmConfig(norm="batch"), ArmConfig(norm="batch"), ArmConfig(name="mine")))
    assert config.arm_labels == ("no norm", "batch norm (2)", "batch norm (3)", "mine")
    assert len(set(config.arm_labels)) == 4


def test_the_configuration_loads_without_torch_and_streamlit() -> None:
    modules = "sys, bnviz, bnviz.config.problems, bnviz.records.tables"
    code = f"import {modules}; sys.exit(bool({{'torch', 'streamlit'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
