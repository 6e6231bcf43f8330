"""All experiments, found by listing the package of their parts, and the configurations of their parts.

(experiment, part, settings) -> study_config -> StudyConfig -> part_of, settings_of, stages_of
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

from bnviz.config.ceilings import COST_CEILING, CostTooHigh, check_memory
from bnviz.config.cost import multiply_adds
from bnviz.config.models import RunConfig
from bnviz.config.studies import StudyConfig
from bnviz.experiments import parts
from bnviz.experiments.kit.base import Experiment, Part, Settings, Stage

SECONDS_CEILING = 180.0  # of all stages of a study, as estimated


class UnknownPart(LookupError):
    """No experiment or no part of this name; the text says which there are."""


@cache
def catalog() -> Mapping[str, Experiment]:
    """Every experiment by its id, in the order of their numbers."""
    modules = (import_module(f"{parts.__name__}.{found.name}") for found in iter_modules(parts.__path__))
    found: list[Experiment] = [module.EXPERIMENT for module in modules if hasattr(module, "EXPERIMENT")]
    return MappingProxyType({each.id: each for each in sorted(found, key=lambda each: each.number)})


def find_part(experiment: str, part: str) -> Part[Any]:
    """The part of an experiment. Raises `UnknownPart`."""
    if experiment not in catalog():
        raise UnknownPart(f"experiment {experiment}: allowed are {', '.join(catalog())}")
    known = {each.id: each for each in catalog()[experiment].parts}
    if part not in known:
        raise UnknownPart(f"part {part} of {experiment}: allowed are {', '.join(known)}")
    return known[part]


def study_config(experiment: str, part: str, settings: Settings | Mapping[str, Any] | None = None) -> StudyConfig:
    """The configuration of a part with all of its settings checked and written out.

    Args:
        experiment: its id.
        part: its id.
        settings: of the part; None for those of its first preset.

    Raises:
        UnknownPart: there is none of these names.
        pydantic.ValidationError: a setting is not allowed.
    """
    found = find_part(experiment, part)
    raw = found.presets[0].settings if settings is None else settings
    checked: Settings = found.settings.model_validate(raw)  # of a model of this class it makes the same again
    return StudyConfig(experiment=experiment, part=part, settings=checked.model_dump(mode="json"))


def part_of(config: StudyConfig) -> Part[Any]:
    """The part that a study is of. Raises `UnknownPart`."""
    return find_part(config.experiment, config.part)


def settings_of(config: StudyConfig) -> Settings:
    """The study's settings, checked. Raises `UnknownPart`, `pydantic.ValidationError`."""
    return part_of(config).settings.model_validate(config.settings)


def stages_of(config: StudyConfig) -> tuple[Stage, ...]:
    """The study's stages. Raises `UnknownPart`, `pydantic.ValidationError`."""
    return part_of(config).stages(settings_of(config))


def check_study(config: StudyConfig) -> None:
    """Refuse a study that is unknown, wrong or asks for too much work.

    Raises:
        UnknownPart, pydantic.ValidationError: as `settings_of`.
        CostTooHigh: its stages together cost more than a run may, or take longer than `SECONDS_CEILING`, or one of them, which
            come one after the other, needs more memory than a run may.
    """
    stages = stages_of(config)
    received = sum(multiply_adds(stage.run) for stage in stages if isinstance(stage.run, RunConfig))
    seconds = sum(stage.estimated_seconds for stage in stages)
    received = max(received, round(COST_CEILING * seconds / SECONDS_CEILING))
    if received > COST_CEILING:
        raise CostTooHigh(received)
    for stage in stages:
        if stage.run is not None:
            check_memory(stage.run, stage.keep)
