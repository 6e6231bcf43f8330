"""Made-up measurements of a part's stages: for verdicts and charts where a run would take long or has gone wrong."""

import numpy as np

from bnviz.experiments.base import Part, Settings
from bnviz.experiments.results import Results
from bnviz.records import ArmMeasured, StageMeasured


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
    results = Results([stage.key for stage in stages])
    for index, stage in enumerate(stages):
        if stage.run is None:
            continue
        table = Everything(np.full(stage.run.trials, np.nan, np.float32))
        gone = np.full(stage.run.trials, 3, np.int32)
        arms = tuple(ArmMeasured(table, table, {}, {}, gone, table) for _ in stage.run.arms)
        results.add(StageMeasured(index, index, stage.run.steps, 1.0, True, arms, {}))
    return results
