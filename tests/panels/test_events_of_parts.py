"""Every part of every experiment: what its page is sent is the protocol's, can be drawn, and is drawn by the JavaScript."""

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bnviz.experiments.board.catalog import catalog, study_config
from bnviz.experiments.kit.base import Experiment, Part
from bnviz.panels.study import StudyEncoder
from bnviz.records.records import RunFinished, StageMeasured, StudyStarted
from tests.experiments.made_up import KINDS, drawn_settings, made_up_results, template
from tests.panels.events import events_of, misfits
from tests.panels.replay import replay

MOST_FRAMES = 12  # of each made-up study, and the last of each stage
PARTS = [(experiment, part) for experiment in catalog().values() for part in experiment.parts]


def thinned(frames: list[StageMeasured]) -> list[StageMeasured]:
    """Some of the frames, numbered anew."""
    stride = -(-len(frames) // MOST_FRAMES)
    kept = [frame for index, frame in enumerate(frames) if frame.is_last or index % stride == 0]
    return [replace(frame, frame=number) for number, frame in enumerate(kept)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numpy: what is made up may be infinite or not there
@pytest.mark.parametrize(("experiment", "part"), PARTS, ids=lambda each: each.id)
def test_every_event_of_a_part_is_in_the_protocol_and_can_be_drawn(experiment: Experiment, part: Part, tmp_path: Path) -> None:
    stream = np.random.default_rng(zlib.crc32(f"{experiment.id}/{part.id}".encode()))
    settings = drawn_settings(experiment, part, stream)
    config = study_config(experiment.id, part.id, settings)
    templates = tuple(template(stage) for stage in part.stages(settings))
    runs = {}
    for kinds in (("likely",), ("any",), KINDS):
        frames = thinned(list(made_up_results(templates, stream, kinds, is_whole=True)))
        records = [StudyStarted(config.run_id, config, {}), *frames, RunFinished(frames[-1].step)]
        runs[f"{experiment.id}/{part.id}, {kinds[0]}"] = events = events_of(records, StudyEncoder)
        assert misfits(events) == []
    replay(runs, tmp_path)
