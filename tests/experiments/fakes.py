"""Made-up measurements of a part's stages: for verdicts and charts where a run would take long or has gone wrong."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from bnviz.experiments.board.catalog import study_config
from bnviz.experiments.kit.base import Experiment, Part, Settings
from bnviz.experiments.kit.results import Results
from bnviz.records.records import ArmMeasured, StageMeasured
from bnviz.runs.workers.execute import run_any
from tests.experiments.made_up import template


def diverged_results(part: Part, settings: Settings) -> Results:
    """Every training stage has come to its end, and every trial of it diverged at step 3; probes gave nothing."""
    stages = part.stages(settings)
    results = Results(stages)
    for index, stage in enumerate(stages):
        if stage.run is not None:
            arms = tuple(_diverged(arm) for arm in template(stage).arms)
            results.add(StageMeasured(index, index, stage.run.steps, 1.0, True, arms, {}))
    return results


def _diverged(arm: ArmMeasured) -> ArmMeasured:
    """The same measures, all of them NaN."""
    tables = (
        {name: np.full_like(values, np.nan) for name, values in table.items()} for table in (arm.curves, arm.layers, arm.extras)
    )
    curves, layers, extras = tables
    return ArmMeasured(curves, layers, {}, {}, np.full_like(arm.diverged_at, 3), extras)


def small(experiment: Experiment, part: str, changes: Mapping[str, Any]) -> tuple[Part, Settings]:
    """A part, and its first preset's settings with changes that make it quick."""
    found = experiment.part(part)
    return found, found.settings.model_validate(found.presets[0].settings.model_dump() | changes)


def hold_at_every_frame(experiment: Experiment, part: str, changes: Mapping[str, Any], least_frames: int) -> None:
    """Run a small study: at each frame charts get their series as JSON and the verdict can be asked for; one comes at the end."""
    found, settings = small(experiment, part, changes)
    stages, charts = found.stages(settings), found.charts(settings)
    results = Results(stages)
    assert found.verdict(settings, results) is None
    frames = 0
    for record in run_any(study_config(experiment.id, part, settings)):
        if isinstance(record, StageMeasured):
            results.add(record)
            frames += 1
            for chart in charts:
                series = chart.draw(results)[""]
                assert len(series) == len({mark.series for mark in chart.spec.marks})
                json.dumps(series, allow_nan=False)
            found.verdict(settings, results)  # a study may be stopped at any frame
    assert frames >= least_frames
    concluded = found.verdict(settings, results)
    assert concluded is not None
    assert concluded.answer in {None, *(choice.key for choice in found.choices)}
