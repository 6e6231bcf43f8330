"""Whatever is set and measured: charts are drawn, verdicts are words and claims are judged, and nothing raises."""

import json
import re
import zlib

import numpy as np
import pytest

from bnviz.experiments.base import Experiment, Part, Settings, Verdict
from bnviz.experiments.catalog import catalog
from bnviz.experiments.claims import ICONS
from bnviz.experiments.results import Results
from bnviz.runs.sse import message
from tests.experiments.made_up import Template, drawn_settings, made_up_results, template

SETTINGS, RESULTS = 6, 12  # draws of settings for each part, and of results for each of these
DRAWN = 4  # frames of a study at which charts are drawn, besides the first and the last
PARTS = [(experiment, part) for experiment in catalog().values() for part in experiment.parts]
every_part = pytest.mark.parametrize(("experiment", "part"), PARTS, ids=lambda each: each.id)


def is_plain(text: str) -> bool:
    return bool(text.strip()) and not re.search(r"\b(nan|inf)\b", text, re.IGNORECASE)


def hold(part: Part, settings: Settings, templates: tuple[Template, ...], stream: np.random.Generator) -> None:
    """Go through one drawn study as its page does."""
    charts, results = part.charts(settings), Results([each.stage.key for each in templates])
    frames = list(made_up_results(templates, stream))
    chosen = {0, len(frames) - 1, *stream.integers(len(frames), size=DRAWN).tolist()}
    for index, frame in enumerate(frames):
        results.add(frame)
        if index in chosen:
            for chart in charts:
                views = chart.draw(results)
                json.dumps(views, allow_nan=False)
                message("frame", views)
        if frame.is_last or index in chosen:
            concluded(part, settings, results)


def concluded(part: Part, settings: Settings, results: Results) -> None:
    verdict = part.verdict(settings, results)
    if verdict is None:
        return
    assert isinstance(verdict, Verdict)
    assert verdict.answer in {None, *(choice.key for choice in part.choices)}
    assert is_plain(verdict.sentence), verdict.sentence
    for claim in part.claims:
        finding = claim.judge(verdict)
        assert finding.judgement in ICONS
        assert is_plain(finding.measured), finding.measured


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numpy: what is made up may be infinite or not there
@every_part
def test_no_settings_and_no_results_break_a_part(experiment: Experiment, part: Part) -> None:
    for seed in range(SETTINGS):
        stream = np.random.default_rng([seed, zlib.crc32(f"{experiment.id}/{part.id}".encode())])
        settings = drawn_settings(experiment, part, stream)
        templates = tuple(template(stage) for stage in part.stages(settings))
        for _ in range(RESULTS):
            hold(part, settings, templates, stream)
