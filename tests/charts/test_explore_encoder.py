"""What the explore panel is sent: JSON-safe, small, true to the records, and in step with its skeleton."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from bnviz.charts.numbers import ALPHABET
from bnviz.config.models import ArmConfig, DatasetConfig, RunConfig
from bnviz.panels import PANELS
from bnviz.panels.explore import twin_proof
from bnviz.panels.explore_charts import CHARTS
from bnviz.records.records import BIN_COUNT, RunFailed, RunFinished, RunStopped

CONFIG = RunConfig(trials=8, steps=50)
PLANE = RunConfig(trials=2, steps=50, dataset=DatasetConfig(name="spirals"), extras=("decision_boundary",))


def encoded(config, started, measured, **step):
    encoder = PANELS["explore"]()
    start = encoder.start(started(config, plane=config is PLANE))
    return start, encoder.frame(measured(config, grid=config is PLANE, **step)), encoder


def chart(start, name):
    return next(chart for chart in start["charts"] if chart["id"] == name)


def test_charts_come_in_the_order_in_which_they_are_registered(started, measured):
    for config in (CONFIG, PLANE):
        start, frame, _ = encoded(config, started, measured)
        registered = [chart.name for chart in CHARTS if config is PLANE or chart.name != "boundary"]
        assert [chart["id"] for chart in start["charts"]] == list(frame["charts"]) == registered


def test_the_first_charts_are_the_decision_boundary_and_the_loss():
    assert [chart.name for chart in CHARTS][:2] == ["boundary", "loss"]


@pytest.mark.parametrize("config", [CONFIG, PLANE])
def test_everything_is_json_and_frames_are_small(started, measured, config):
    start, frame, encoder = encoded(config, started, measured)
    for message in (start, frame, encoder.end(RunFinished(50))):
        json.dumps(message, allow_nan=False)
    assert len(json.dumps(frame, separators=(",", ":"))) < 12_000


@pytest.mark.parametrize("config", [CONFIG, PLANE])
def test_skeletons_are_plotly_figures_that_say_what_they_show(started, measured, config):
    for spec in encoded(config, started, measured)[0]["charts"]:
        layout = go.Figure(spec["figure"]).to_dict()["layout"]  # raises for a property that Plotly does not know
        assert layout["uirevision"] == "keep"
        assert layout["yaxis"]["automargin"] is False
        assert spec["title"]
        assert spec["how"].endswith(".")
        if spec["id"] != "boundary":
            assert layout["xaxis"]["title"]["text"] or all(titles.get("x") for titles in spec["titles"].values())
            assert layout["yaxis"]["title"]["text"] or all(titles.get("y") for titles in spec["titles"].values())


@pytest.mark.parametrize("config", [CONFIG, PLANE])
def test_every_view_that_can_be_chosen_has_data_for_every_mark(started, measured, config):
    start, frame, _ = encoded(config, started, measured)
    for spec in start["charts"]:
        choices = [[option[0] for option in selector["options"]] for selector in spec["selectors"] if selector["role"] == "view"]
        views = {"/".join(choice) for choice in _product(choices)}
        assert views == set(frame["charts"][spec["id"]])
        for series in frame["charts"][spec["id"]].values():
            assert {mark["series"] for mark in spec["marks"]} == set(range(len(series)))


def _product(choices):
    return [[]] if not choices else [[first, *rest] for first in choices[0] for rest in _product(choices[1:])]


def test_loss_is_the_band_over_the_trials(started, measured):
    _, frame, _ = encoded(CONFIG, started, measured)
    expected = np.quantile(np.arange(1, 9) / 100, (0.16, 0.5, 0.84))
    np.testing.assert_allclose(frame["charts"]["loss"]["train"][1], expected, rtol=0.005)
    np.testing.assert_allclose(frame["charts"]["accuracy"]["test"][0], 100 * expected, rtol=0.005)


def test_layers_are_columns_of_low_median_high(started, measured):
    _, frame, _ = encoded(CONFIG, started, measured)
    low, median, high = frame["charts"]["gradients"]["weight_grad_norm"][0]
    assert len(low) == len(median) == len(high) == 6
    assert median == [4.5 + 100 * layer if layer == 0 else round(4.5 + 100 * layer) for layer in range(6)]


def test_dead_units_are_percent_of_the_width(started, measured):
    _, frame, _ = encoded(CONFIG, started, measured)
    assert frame["charts"]["units"][""][0][1][0] == pytest.approx(100 * 4.5 / 32, rel=0.005)


def test_sigmoid_arms_show_saturation(started, measured):
    config = RunConfig(trials=8, steps=50, arms=(ArmConfig(activation="sigmoid"), ArmConfig(activation="sigmoid", norm="batch")))
    start, frame, _ = encoded(config, started, measured)
    assert chart(start, "units")["title"] == "Saturated outputs"
    assert frame["charts"]["units"][""][0][1][0] == pytest.approx(450, rel=0.005)


def test_rows_of_the_histograms_reach_their_peak(started, measured):
    _, frame, _ = encoded(CONFIG, started, measured)
    for arm in frame["charts"]["histograms"]["post_activation"]:
        assert arm == [ALPHABET[-1] * BIN_COUNT] * 6


def test_what_lies_outside_the_axis_is_said(started, measured):
    _, frame, _ = encoded(CONFIG, started, measured)
    share = 100 * 200 / (200 + 10 * BIN_COUNT)
    assert f"no norm {share:.2g} %" in frame["text"]["histograms:pre_norm"]


def test_deep_nets_show_evenly_spread_layers(started, measured):
    config = RunConfig(trials=1, steps=50, arms=(ArmConfig(depth=30), ArmConfig(depth=30, norm="batch")))
    start, frame, _ = encoded(config, started, measured)
    shown = chart(start, "histograms")["figure"]["layout"]["yaxis"]["ticktext"]
    assert (shown[0], shown[-1]) == ("1", "30")
    assert len(frame["charts"]["histograms"]["pre_norm"][0]) == len(shown) <= 8


def test_arms_of_unequal_depth(started, measured):
    config = RunConfig(trials=1, steps=50, arms=(ArmConfig(depth=2), ArmConfig(depth=9)))
    _, frame, _ = encoded(config, started, measured)
    assert [len(series[1]) for series in frame["charts"]["gradients"]["weight_grad_norm"]] == [2, 9]
    assert frame["charts"]["drift"]["pre_norm/9"][0] == [None] * 5


def test_diverged_trials_are_left_out_and_said(started, measured):
    _, frame, _ = encoded(CONFIG, started, measured, diverged={(0, 1): 7, (0, 4): 5})
    rest = [trial / 100 for trial in (1, 3, 4, 6, 7, 8)]
    np.testing.assert_allclose(frame["charts"]["loss"]["train"][0], np.quantile(rest, (0.16, 0.5, 0.84)), rtol=0.005)
    assert frame["text"]["diverged"] == "no norm: 2 of 8 trials diverged, first at step 5"


def test_an_arm_that_diverged_altogether_sends_nulls(started, measured):
    _, frame, _ = encoded(CONFIG, started, measured, diverged={(0, trial): 3 for trial in range(8)})
    assert frame["charts"]["loss"]["train"][0] == [None, None, None]
    json.dumps(frame, allow_nan=False)


def test_sentences_are_sent_only_when_they_change(started, measured):
    encoder = PANELS["explore"]()
    encoder.start(started(CONFIG))
    first, second = (encoder.frame(measured(CONFIG, frame=frame)) for frame in (0, 1))
    assert "histograms:pre_norm" in first["text"]
    assert "histograms:pre_norm" not in second["text"]
    assert "verdict" in second["text"]


def test_decision_boundary_is_packed_row_by_row(started, measured):
    _, frame, _ = encoded(PLANE, started, measured)
    assert frame["charts"]["boundary"][""] == ["AB" * 8] * 2


def test_twins_are_told_from_others(started):
    assert twin_proof(started(CONFIG))["twins"]
    assert "same initial weights" in twin_proof(started(CONFIG))["text"]
    others = twin_proof(started(CONFIG, twins=False))
    assert not others["twins"]
    assert others["text"] == "not twins: their initial weights differ"


def test_how_a_run_ended():
    encoder = PANELS["explore"]()
    assert encoder.end(RunFailed(0, "no data set")) == {"state": "failed", "step": 0, "reason": "no data set", "verdict": ""}
    assert encoder.end(RunStopped(3, "by the visitor"))["state"] == "stopped"
