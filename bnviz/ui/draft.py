"""From the controls' values to a configuration, and what is wrong with it. Knows no Streamlit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bnviz.config.ceilings import CostTooHigh, MemoryTooHigh, check_cost
from bnviz.config.models import MAX_ARMS, ArmConfig, PerTrial, RunConfig
from bnviz.config.paths import covers, put, values_at
from bnviz.config.problems import More, problems
from bnviz.registry.datasets import PLANE_DATASETS
from bnviz.ui.fields import COMPARE, CONTROLS, word

_KEPT = ("norm", "name", "per_trial")  # fields of an arm without a shared control


@dataclass(frozen=True)
class Draft:
    """What the controls ask for: a configuration, or one message per control that cannot be used."""

    config: RunConfig | None
    messages: Mapping[str, str] = field(default_factory=dict)  # by the control's path


def varying_paths(config: RunConfig) -> tuple[str, ...]:
    """The fields, other than the norm, in which arms or trials differ: they have no common value to control."""
    first = config.arms[0]
    names = [name for name in ArmConfig.model_fields if name not in _KEPT]
    return tuple(
        f"arms.*.{name}" for name in names if any(field_values(arm, name) != (getattr(first, name),) for arm in config.arms)
    )


def field_values(arm: ArmConfig, name: str) -> tuple[Any, ...]:
    """An arm's values of a field: one for each trial where they differ, else one."""
    return getattr(arm.per_trial, name, ()) or (getattr(arm, name),)


def with_one_value(config: RunConfig, path: str) -> RunConfig:
    """Give all arms and trials the first arm's value of a field."""
    raw = config.model_dump()
    owner, _, name = path.rpartition(".")
    put(raw, path, values_at(raw, path)[0])
    if name in PerTrial.model_fields:
        put(raw, f"{owner}.per_trial.{name}", ())
    return RunConfig.model_validate(raw)


def has_distinct_norms(config: RunConfig) -> bool:
    """Whether the arms can be chosen by their norm."""
    return len({arm.norm for arm in config.arms}) == len(config.arms)


def values_of(config: RunConfig) -> dict[str, Any]:
    """The value of every control, by its path: the first arm's where all arms share it, and the norms of all."""
    raw = config.model_dump()
    return {control.path: values_at(raw, control.path)[0] for control in CONTROLS} | {COMPARE.path: values_at(raw, COMPARE.path)}


def build(base: RunConfig, values: Mapping[str, Any]) -> Draft:
    """Put the controls' values into `base`, which keeps what no control shows."""
    raw = base.model_dump()
    raw["arms"] = _arms(base, values[COMPARE.path])
    for path in values.keys() - {COMPARE.path, *varying_paths(base)}:
        put(raw, path, values[path])
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
    varying, ours, theirs = varying_paths(config), values_of(config), values_of(base)
    found = []
    for control in CONTROLS:
        if control.path in varying:
            found.append(f"{control.label.lower()} by net")
        elif ours[control.path] != theirs[control.path]:
            found.append(f"{control.label.lower()} {word(ours[control.path])}")
    return found if ours[COMPARE.path] == theirs[COMPARE.path] else [", ".join(config.arm_labels), *found]


def _arms(base: RunConfig, norms: Sequence[str]) -> list[dict[str, Any]]:
    """An arm a norm: the base's own where it has one, else a copy of its first."""
    if not has_distinct_norms(base):
        return [arm.model_dump() for arm in base.arms]
    own: dict[str, ArmConfig] = {arm.norm: arm for arm in base.arms}
    fresh = base.arms[0].model_copy(update={"name": ""})
    return [own.get(norm, fresh).model_dump() | {"norm": norm} for norm in norms]


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
        said = f"Received {problem.received}; allowed: {problem.allowed}."
        if problem.field == "arms" and problem.allowed == f"1 to {MAX_ARMS} items":
            said = "Choose at least one, at most six."
        found.setdefault(_control_of(problem.field), said)
    return found


def _control_of(field: str) -> str:
    """The path of the control where a problem is shown; that of arms as a whole is where they are chosen."""
    own = (control.path for control in (*CONTROLS, COMPARE) if covers(control.path, field))
    return next(own, COMPARE.path if field.startswith("arms") else field)
