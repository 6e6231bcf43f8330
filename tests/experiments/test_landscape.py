"""Experiment 11: what the three parts find over several seeds, and what their verdicts say of other data."""

import math

import numpy as np
import pytest

from bnviz.experiments.board.headless import conclude
from bnviz.experiments.kit.base import NOT_MEASURED, Finding
from bnviz.experiments.kit.results import Results
from bnviz.experiments.parts.landscape import EXPERIMENT, bands, fidelity, surface
from bnviz.experiments.parts.landscape.common import LandscapeSettings, learning, plateau, while_learning
from bnviz.measure import fidelity as measured_fidelity
from bnviz.measure import surface as measured_surface
from bnviz.records.records import ArmMeasured, StageMeasured

PARTS = {part.id: part for part in EXPERIMENT.parts}


@pytest.mark.slow
def test_range_and_change_of_the_gradient_are_five_times_wider_without_batch_norm_once_it_learns():
    verdict, _ = conclude("landscape", "bands", "learning", seeds=3)
    assert verdict is not None
    assert verdict.answer == "much"
    assert verdict.numbers["range"].low > 5
    assert verdict.numbers["change"].low > 5
    assert verdict.numbers["smoothness"].low > 1
    assert PARTS["bands"].claims[0].judge(verdict).judgement == "supported"
    assert "the steps in which the plain net learns" in verdict.sentence


def test_on_the_plateau_the_order_is_reversed():
    verdict, _ = conclude("landscape", "bands", "plateau", seeds=3)
    assert verdict is not None
    assert verdict.answer == "rougher"
    assert verdict.numbers["range"].high < 1
    assert verdict.numbers["change"].high < 0.5
    assert "never left the plateau" in verdict.sentence
    assert PARTS["bands"].claims[0].judge(verdict).judgement == "not supported in this setting"


@pytest.mark.slow
def test_fidelity_and_its_reversal():
    verdict, results = conclude("landscape", "fidelity", "learning", seeds=3)
    assert verdict is not None
    assert verdict.answer == "closer"
    assert PARTS["fidelity"].claims[0].judge(verdict).judgement == "supported"
    shortest = results.over_steps("fidelity_profile").at(arm="batch", layer=1).values
    assert np.median(shortest) > verdict.numbers["fidelity_batch"].median  # short steps keep more of their promise
    verdict, results = conclude("landscape", "fidelity", "deeper", seeds=8)
    assert verdict is not None
    assert verdict.answer != "closer"
    none, batch = (np.abs(1 - while_learning(results, "fidelity").at(arm=arm).values) for arm in ("none", "batch"))
    assert (batch > none).sum() >= 7
    assert PARTS["fidelity"].claims[0].judge(verdict).judgement != "supported"


@pytest.mark.slow
def test_the_surface_rises_less_around_the_trained_net():
    verdict, results = conclude("landscape", "surface", "trained", seeds=3)
    assert verdict is not None
    assert verdict.answer == "flatter"
    assert verdict.numbers["rise"].low > 1.5
    assert results.newest("surface").at(arm="none").values.shape == (3, surface.SIDE, surface.SIDE)


def test_the_plateau_is_flat():
    verdict, _ = conclude("landscape", "surface", "plateau", seeds=3)
    assert verdict is not None
    assert verdict.answer == "steeper"
    assert PARTS["surface"].claims[0].judge(verdict).judgement == "not supported in this setting"


def test_the_charts_know_what_is_measured():
    assert fidelity.SCALES == measured_fidelity.SCALES
    assert (surface.SIDE, surface.REACH) == (measured_surface.SIDE, measured_surface.REACH)


def _results(losses: list[list[float]], **extras: list[list[float]]) -> Results:
    """Losses of the plain net by measurement and trial, and extras of both arms: the plain one's, and 1 for batch norm."""
    results = Results(bands.stages(LandscapeSettings(seeds=2)))
    for frame, row in enumerate(losses):
        arms = []
        for arm in (0, 1):
            values = {name: np.asarray(rows[frame], np.float32) ** (1 - arm) for name, rows in extras.items()}
            diverged = np.array([5 if math.isnan(loss) else -1 for loss in row], np.int32)
            arms.append(ArmMeasured({"train_loss": np.asarray(row, np.float32)}, {}, {}, {}, diverged, values))
        results.add(StageMeasured(frame, 0, frame, 0.5, frame == len(losses) - 1, tuple(arms), {}))
    return results


def test_the_steps_in_which_a_net_learns():
    losses = [[2.3, 2.3], [2.0, 2.4], [2.2, 2.3], [0.2, 2.2], [1.0, 2.3]]  # the plateau ends below 2.07, done is below 0.23
    results = _results(losses, x=[[1, 10], [2, 20], [4, 30], [8, 40], [16, 50]])
    assert learning(results).T.tolist() == [[False, True, True, False, False], [False] * 5]
    assert while_learning(results, "x").at(arm="none").values.tolist() == [3, 30]
    assert plateau(results).startswith("In 1 of 2 pairs the plain net never left")


@pytest.mark.parametrize(
    ("loss_range", "change", "answer"), [(9, 6, "much"), (9, 2, "some"), (0.5, 0.2, "rougher"), (9, 0.5, None)]
)
def test_the_answer_on_bands_follows_the_data(loss_range, change, answer):
    rows = {
        name: [[value, value]] * 3 for name, value in (("range", loss_range), ("predictiveness", change), ("smoothness", 1.0))
    }
    results = _results([[1.0, 1.0]] * 3, **{f"landscape_{name}": values for name, values in rows.items()})
    verdict = bands.verdict(LandscapeSettings(), results)
    assert verdict is not None
    assert verdict.answer == answer
    assert ("do not agree" in verdict.sentence) == (answer is None)


@pytest.mark.parametrize(("kept", "answer"), [([0.5, 0.6], "closer"), ([1.0, 1.0], None), ([0.5, 1.0], None)])
def test_the_answer_on_fidelity_follows_the_data(kept, answer):
    verdict = fidelity.verdict(LandscapeSettings(), _results([[1.0, 1.0]] * 3, fidelity=[kept] * 3))
    assert verdict is not None
    assert verdict.answer == answer


def _bowl(height: float) -> list[list[list[float]]]:
    plane = np.full((2, surface.SIDE, surface.SIDE), 1 + height)
    plane[:, surface.SIDE // 2, surface.SIDE // 2] = 1.0
    return plane.tolist()


def test_rise_of_a_bowl_and_of_an_overflow():
    results = _results([[1.0, 1.0]], surface=[_bowl(3.0)])
    assert surface.rise(results).at(arm="none").values == pytest.approx([3, 3])
    results = _results([[1.0, math.nan]], surface=[_bowl(math.inf)])
    rises = surface.rise(results).at(arm="none")
    assert rises.at(seed=0).values == math.inf
    assert math.isnan(rises.at(seed=1).values)
    for chart in surface.charts(surface.SurfaceSettings()):
        chart.draw(results)  # no error on infinite values


@pytest.mark.parametrize("part", [bands, fidelity, surface], ids=lambda module: module.PART.id)
def test_nothing_known_says_so(part):
    settings = part.PART.presets[0].settings
    assert part.verdict(settings, Results(part.stages(settings))) is None
    lost = [[math.nan] * 2] * 3
    names = ("range", "predictiveness", "smoothness")
    extras = {f"landscape_{name}": lost for name in names} | {"fidelity": lost, "surface": [_bowl(math.nan)] * 3}
    verdict = part.verdict(settings, _results(lost, **extras))
    assert verdict is not None
    assert verdict.answer is None
    assert "nothing to compare" in verdict.sentence
    for claim in part.PART.claims:
        assert claim.judge(verdict) == Finding(NOT_MEASURED, verdict.sentence)
