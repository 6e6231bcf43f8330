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


class Everything(dict):
    """A table of measures in which every measure is the same array."""

    def __init__(self, value: np.ndarray) -> None:
        super().__init__()
        self.value = value

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> np.ndarray:
        return self.value

    def __or__(self, other: object) -> "Everything":
        return self


def diverged_results(part: Part, settings: Settings) -> Results:
    """Every training stage has come to its end, and every trial of it diverged at step 3; probes gave nothing."""
    stages = part.stages(settings)
    results = Results(stages)
    for index, stage in enumerate(stages):
        if stage.run is None:
            continue
        table = Everything(np.full(stage.run.trials, np.nan, np.float32))
        gone = np.full(stage.run.trials, 3, np.int32)
        arms = tuple(ArmMeasured(table, table, {}, {}, gone, table) for _ in stage.run.arms)
        results.add(StageMeasured(index, index, stage.run.steps, 1.0, True, arms, {}))
    return results


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
