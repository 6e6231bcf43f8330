"""A study without the page: for tests, the command line and the claims board. Needs torch when it is called."""

from importlib import import_module
from typing import Any

from bnviz.config.studies import StudyConfig
from bnviz.experiments.board.catalog import find_part, part_of, settings_of, stages_of, study_config
from bnviz.experiments.kit.base import Verdict
from bnviz.experiments.kit.results import Results
from bnviz.records.records import StageMeasured


def conclude(experiment: str, part: str, preset: str = "", **changes: Any) -> tuple[Verdict | None, Results]:
    """Run a part of an experiment to its end: its verdict and all it was concluded from.

    Args:
        experiment: its id.
        part: its id.
        preset: name of a preset; the first one if empty.
        changes: settings in place of the preset's.

    Raises:
        UnknownPart, KeyError, pydantic.ValidationError: no such part, preset or setting.
    """
    found = find_part(experiment, part)
    chosen = found.preset(preset) if preset else found.presets[0]
    return conclude_study(study_config(experiment, part, chosen.settings.model_dump() | changes))


def conclude_study(config: StudyConfig) -> tuple[Verdict | None, Results]:
    """The same for a configuration."""
    run_study = import_module("bnviz.training.study").run_study  # only whoever calls this loads torch
    stages = stages_of(config)
    results = Results(stages)
    for record in run_study(config, stages):
        if isinstance(record, StageMeasured):
            results.add(record)
    return part_of(config).verdict(settings_of(config), results), results
