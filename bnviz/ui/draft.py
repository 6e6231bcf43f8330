"""From the controls' values to a configuration, and what is wrong with it. Knows no Streamlit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bnviz.config.ceilings import CostTooHigh, MemoryTooHigh, check_cost
from bnviz.config.models import MAX_ARMS, PLANE_DATASETS, ArmConfig, PerTrial, RunConfig
from bnviz.config.problems import More, problems
from bnviz.ui.fields import CONTROLS, word

_KEPT = ("norm", "name", "per_trial")  # fields of an arm without a shared control


@dataclass(frozen=True)
class Draft:
    """What the controls ask for: a configuration, or one message a control that cannot be used."""

    config: RunConfig | None
    problems: Mapping[str, str] = field(default_factory=dict)  # by the control's path; `norms` for the arms


def varying_fields(config: RunConfig) -> tuple[str, ...]:
    """The fields, other than the norm, in which arms or trials differ: they have no common value to control."""
    first = config.arms[0]
    names = [name for name in ArmConfig.model_fields if name not in _KEPT]
    return tuple(name for name in names if any(field_values(arm, name) != (getattr(first, name),) for arm in config.arms))


def field_values(arm: ArmConfig, name: str) -> tuple[Any, ...]:
    """An arm's values of a field: one for each trial where they differ, else one."""
    return getattr(arm.per_trial, name, ()) or (getattr(arm, name),)


def with_one_value(config: RunConfig, name: str) -> RunConfig:
    """Give all arms and trials the first arm's value of a field."""
    value = getattr(config.arms[0], name)
    arms = tuple(
        arm.model_copy(update={name: value, "per_trial": arm.per_trial.model_copy(update={name: ()})})
        if name in PerTrial.model_fields
        else arm.model_copy(update={name: value})
        for arm in config.arms
    )
    return config.model_copy(update={"arms": arms})


def has_distinct_norms(config: RunConfig) -> bool:
    """Whether the arms can be chosen by their norm."""
    return len({arm.norm for arm in config.arms}) == len(config.arms)


def values_of(config: RunConfig) -> dict[str, Any]:
    """The value of every control, by its path, and the norms under `norms`."""
    owners: dict[str, Any] = {"": config, "dataset": config.dataset, "arm": config.arms[0]}
    values = {}
    for control in CONTROLS:
        owner, _, name = control.path.rpartition(".")
        values[control.path] = getattr(owners[owner], name)
    return {**values, "norms": [arm.norm for arm in config.arms]}


def build(base: RunConfig, values: Mapping[str, Any]) -> Draft:
    """Put the controls' values into `base`, which keeps what no control shows."""
    raw = base.model_dump()
    shared: dict[str, Any] = {}
    for path, value in values.items():
        owner, _, name = path.rpartition(".")
        place = {"dataset": raw["dataset"], "arm": shared, "": raw}[owner]
        place[name] = value
    norms = raw.pop("norms")
    raw["arms"] = _arms(base, norms, shared)
    raw["extras"] = _extras(base, raw["dataset"]["name"])
    try:
        config = RunConfig.model_validate(raw)
        check_cost(config)
    except ValidationError as error:
        return Draft(None, _by_control(error))
    except MemoryTooHigh as error:
        return Draft(None, {"trials": f"Too large: {error}"})
    except CostTooHigh as error:
        return Draft(None, {"steps": f"Too costly: {error}"})
    return Draft(config)


def changes(config: RunConfig, base: RunConfig) -> list[str]:
    """What the controls show of the difference, in words: ['hidden layers 2', 'steps 60']."""
    varying, theirs = varying_fields(config), values_of(base)
    found = []
    for control in CONTROLS:
        owner, _, name = control.path.rpartition(".")
        if owner == "arm" and name in varying:
            found.append(f"{control.label.lower()} by net")
        elif (value := values_of(config)[control.path]) != theirs[control.path]:
            found.append(f"{control.label.lower()} {word(value)}")
    norms = [arm.norm for arm in config.arms]
    return found if norms == theirs["norms"] else [", ".join(config.arm_labels), *found]


def _arms(base: RunConfig, norms: Sequence[str], shared: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An arm a norm: the base's own where it has one, else a copy of its first, with the shared values."""
    varying = varying_fields(base)
    common = {name: value for name, value in shared.items() if name not in varying}
    if not has_distinct_norms(base):
        return [{**arm.model_dump(), **common} for arm in base.arms]
    own = {arm.norm: arm for arm in base.arms}
    fresh = base.arms[0].model_copy(update={"name": ""})
    return [{**own.get(norm, fresh).model_dump(), **common, "norm": norm} for norm in norms]  # type: ignore[call-overload]


def _extras(base: RunConfig, dataset: str) -> list[str]:
    """The base's extras; the decision boundary comes and goes with a change of the data set."""
    if dataset == base.dataset.name:
        return list(base.extras)
    others = [extra for extra in base.extras if extra != "decision_boundary"]
    return [*others, "decision_boundary"] if dataset in PLANE_DATASETS else others


def _by_control(error: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for problem in problems(error):
        if isinstance(problem, More):  # the others are told once these are mended
            break
        parts = problem.field.split(".")
        path = "norms" if parts[:1] == ["arms"] and len(parts) < 3 else problem.field
        path = f"arm.{parts[2]}" if path == problem.field and parts[0] == "arms" else path
        said = f"Received {problem.received}; allowed: {problem.allowed}."
        is_count = path == "norms" and problem.allowed == f"1 to {MAX_ARMS} items"
        found.setdefault(path, "Choose at least one, at most six." if is_count else said)
    return found
