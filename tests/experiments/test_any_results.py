"""Whatever is set and measured: charts are drawn, verdicts are words and claims are judged, and nothing raises."""

import json
import re
import zlib

import numpy as np
import pytest

from bnviz.experiments.board.catalog import catalog
from bnviz.experiments.board.claims import ICONS
from bnviz.experiments.kit.base import Experiment, Part, Settings, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.web.sse import as_json
from tests.experiments.made_up import Template, drawn_settings, made_up_results, template

SETTINGS, RESULTS = 6, 12  # draws of settings for each part, and of results for each of these
DRAWN = 4  # frames of a study at which charts are drawn, besides the first and the last
NUMBER = r"(-?\d[\d,]*\.?\d*(?:e[+-]\d+)?)"
VALUE_AND_RANGE = re.compile(rf"{NUMBER}(?: %| times| points)? \({NUMBER} to {NUMBER}")
PARTS = [(experiment, part) for experiment in catalog().values() for part in experiment.parts]
every_part = pytest.mark.parametrize(("experiment", "part"), PARTS, ids=lambda each: each.id)


def is_plain(text: str) -> bool:
    return bool(text.strip()) and not re.search(r"\b(nan|inf)\b", text, re.IGNORECASE)


def is_on_one_scale(text: str) -> bool:
    """Whether each value that is followed by its range, '9.5 % (9 to 10', lies in it."""
    told = [[float(number.replace(",", "")) for number in found] for found in VALUE_AND_RANGE.findall(text)]
    return all(low <= value <= high for value, low, high in told)


def hold(part: Part, settings: Settings, templates: tuple[Template, ...], stream: np.random.Generator) -> None:
    """Go through one drawn study as its page does."""
    charts, results = part.charts(settings), Results([each.stage for each in templates])
    frames = list(made_up_results(templates, stream))
    chosen = {0, len(frames) - 1, *stream.integers(len(frames), size=DRAWN).tolist()}
    for index, frame in enumerate(frames):
        results.add(frame)
        if index in chosen:
            for chart in charts:
                views = chart.draw(results)
                json.dumps(views, allow_nan=False)
                as_json(views)
        if frame.is_last or index in chosen:
            concluded(part, settings, results)


def concluded(part: Part, settings: Settings, results: Results) -> None:
    verdict = part.verdict(settings, results)
    if verdict is None:
        return
    assert isinstance(verdict, Verdict)
    assert verdict.answer in {None, *(choice.key for choice in part.choices)}
    assert is_plain(verdict.sentence), verdict.sentence
    assert is_on_one_scale(verdict.sentence), verdict.sentence
    for claim in part.claims:
        finding = claim.judge(verdict)
        assert finding.judgement in ICONS
        assert is_plain(finding.measured), finding.measured
        assert is_on_one_scale(finding.measured), finding.measured


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


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("1.58 times (0.529 to 0.74 over 3 seeds).", False),
        ("5 (1e-05 to 1,200) and 0.7 % (0.529 to 0.74)", True),
        ("5 (1 to 6) and -3 points (1 to 6)", False),
    ],
)
def test_a_value_out_of_its_range_is_found(text: str, holds: bool) -> None:
    assert is_on_one_scale(text) == holds


@pytest.mark.parametrize("text", ["", "The loss is nan.", "Inf steps"])
def test_no_words_for_a_number_are_found(text: str) -> None:
    assert not is_plain(text)
