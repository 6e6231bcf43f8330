"""The experiments' charts: Plotly takes their skeletons, and each series is what its marks draw."""

import json
import math

import numpy as np
import plotly.graph_objects as go
import pytest

from bnviz.charts import builders as sweeps
from bnviz.charts import images
from bnviz.charts.spec import DIVERGED, NOT_MEASURED, ChartSpec

STYLES = (sweeps.norm_style("none"), sweeps.norm_style("batch"))
RATES = [0.001, 0.01, 0.1, 1.0]


def sweep(**options) -> ChartSpec:
    return sweeps.sweep_chart("rates", "Rates", "Lower is better.", "learning rate", "loss (nats)", RATES, STYLES, **options)


def categories(names=("a", "b", "c")) -> ChartSpec:
    return sweeps.category_chart("kinds", "Kinds", "Lower is better.", "error (%)", names, STYLES)


def heatmap(**options) -> ChartSpec:
    grid = ("learning rate", "gain", [0.1, 1.0, 10.0], [1.0, 2.0])
    return sweeps.heatmap_chart("both", "Both", "Dark is good.", *grid, low=0.01, high=10.0, **options)


def units(panels=("no norm", "batch norm")) -> ChartSpec:
    states = (("alive", "#cfe0ee"), ("dead", "#7a1022"))
    return sweeps.columns_chart("units", "Units", "Dark: dead.", "unit", 100, ["1", "2", "3"], 4, states, panels=panels)


ALL = {
    "sweep": sweep(),
    "log sweep": sweep(x_log=True, y_log=True, y_range=(0.01, 10)),
    "layers": sweeps.layer_chart("layers", "Layers", "Level is good.", "norm", STYLES, 20),
    "categories": categories(),
    "curve": sweeps.curve_chart("loss", "Loss", "Lower is better.", "loss (nats)", STYLES, 100),
    "heatmap": heatmap(log=True, unit="loss"),
    "four panels": heatmap(panels=("a", "b", "c", "d")),
    "units": units(),
}


@pytest.mark.parametrize("name", ALL)
def test_skeletons_are_plotly_figures_and_json(name):
    spec = ALL[name].as_dict()
    json.dumps(spec, allow_nan=False)
    layout = go.Figure(spec["figure"]).to_dict()["layout"]  # raises for a property that Plotly does not know
    assert layout["yaxis"]["title"]["text"]
    assert layout["xaxis"]["range"][0] < layout["xaxis"]["range"][1]
    traces = {mark["trace"] for mark in spec["marks"] if mark["mark"] not in ("image", "columns")}
    assert traces <= set(range(len(spec["figure"]["data"])))
    pictures = [mark["trace"] for mark in spec["marks"] if mark["mark"] in ("image", "columns")]
    assert pictures == list(range(len(layout.get("images", []))))


@pytest.mark.parametrize("name", ["sweep", "layers", "categories", "curve"])
def test_arms_differ_by_more_than_colour(name):
    lines = [trace for trace in ALL[name].data if trace.get("name") and trace["mode"] != "markers"]
    assert len({trace["line"]["dash"] for trace in lines}) == len(STYLES)
    assert ALL[name].legend == STYLES


def test_every_trace_has_a_name_of_its_own_for_the_browser():
    for chart in ALL.values():
        uids = [trace["uid"] for trace in chart.data]
        assert len(set(uids)) == len(uids)


def test_sweep_series_is_the_band_over_finite_trials():
    values = np.random.default_rng(0).normal(size=(4, 6))
    low, median, high = sweeps.sweep_series(values)
    np.testing.assert_allclose([low, median, high], np.quantile(values, (0.16, 0.5, 0.84), axis=1), rtol=0.006, atol=0.006)


def test_sweep_series_parts_not_measured_from_diverged():
    nan, inf = math.nan, math.inf
    series = sweeps.sweep_series([[1.0, 2.0, 3.0], [inf, 4.0, inf], [inf] * 3, [nan] * 3])
    assert series == [[1, 4, None, None], [2, 4, None, None], [3, 4, None, None], [None, 0.667, 1, None]]
    said = sweeps.sweep_series([[1.0, nan], [nan, nan]], diverged=[[False, True], [False, False]])
    assert said == [[1, None], [1, None], [1, None], [0.5, None]]
    assert len(sweeps.sweep_series([[1.0, nan]])) == 3  # nothing diverged: no column for it
    json.dumps(series, allow_nan=False)


def test_signs_of_two_arms_are_not_one_on_the_other():
    flags = [mark for mark in sweep().marks if mark.mark == "flag"]
    assert len({mark.offset for mark in flags}) == len(STYLES)
    assert all(0 < mark.offset < 1 for mark in flags)
    assert all(sweep().data[mark.trace]["yaxis"] == "y2" for mark in flags)


def test_curve_point_leaves_out_what_diverged():
    assert sweeps.curve_point(np.array([3.0, np.nan, 1.0, 2.0], np.float32)) == [1, 2, 3]
    assert sweeps.curve_point([math.nan, math.inf]) == [None] * 3


def test_ranges_on_log_axes_are_exponents():
    chart = sweep(x_log=True, y_log=True, y_range=(0.01, 10))
    assert chart.y_range == (-2, 1)
    low, high = chart.layout["xaxis"]["range"]
    assert -4 < low < -3
    assert 0 < high < 1
    assert sweep(y_range=(0, 5)).y_range == (0, 5)


def test_boxes_of_one_category_stand_beside_each_other():
    boxes = [(mark.offset - mark.width / 2, mark.offset + mark.width / 2) for mark in categories().marks if mark.mark == "range"]
    assert boxes == sorted(boxes)
    assert -0.5 < boxes[0][0] < boxes[0][1] <= boxes[1][0] < boxes[1][1] < 0.5


def test_boxes_carry_their_arm_s_symbol_at_the_median():
    chart = categories()
    boxes, points = ([mark for mark in chart.marks if mark.mark == name] for name in ("range", "points"))
    assert [mark.offset for mark in points] == [mark.offset for mark in boxes]
    assert [chart.data[mark.trace]["marker"]["symbol"] for mark in points] == [style.symbol for style in STYLES]


def test_ticks_are_numbers_that_people_write():
    assert ALL["sweep"].layout["xaxis"].get("ticktext") is None
    sizes = sweeps.sweep_chart("b", "B", "h.", "batch size", "y", [2, 4, 8, 16], STYLES, x_log=True).layout["xaxis"]
    assert (sizes["tickvals"], sizes["ticktext"]) == ([2, 4, 8, 16], ["2", "4", "8", "16"])
    uneven = sweeps.sweep_chart("b", "B", "h.", "rate", "y", [0.01, 0.1, 0.9, 1.0], STYLES, x_log=True).layout["xaxis"]
    assert uneven["ticktext"] == ["0.01", "0.03", "0.1", "0.3", "1"]
    heat = sweeps.heatmap_chart("h", "H", "h.", "gain", "y", [0.001, 1000.0], [1], low=0, high=1).layout["xaxis"]
    assert heat["ticktext"] == ["0.001", "1000"]


def test_long_names_are_broken_at_words():
    chart = categories(("batch of 2", "a single class in every batch", "8"))
    long = chart.layout["xaxis"]["ticktext"][1]
    assert long.replace("<br>", " ") == "a single class in every batch"
    assert max(map(len, long.split("<br>"))) <= 15
    assert chart.layout["margin"]["b"] > categories().layout["margin"]["b"]


def test_closed_forms_are_drawn_thin_and_grey_and_fit_on_the_axis():
    chart = sweeps.add_theory_line(sweep(), [0.001, 1], [1.2345678, math.inf], "theory: 1.23")
    sweeps.add_level(chart, 0.5, "theory: a half")
    line, level = chart.data[-2:]
    assert line["y"] == [1.2346, None]
    assert level["y"] == [0.5, 0.5]
    assert line["line"]["width"] < 2.5
    assert line["line"]["dash"] != level["line"]["dash"]
    assert [style.label for style in chart.legend[2:]] == ["theory: 1.23", "theory: a half"]
    assert chart.y_include == (1.235, 0.5, 0.5)
    assert sweeps.add_level(sweep(), 9.0, fit=False).y_include == ()


def test_a_level_crosses_the_whole_of_a_log_axis():
    chart = sweeps.add_level(sweep(x_log=True), 1.0)
    low, high = chart.layout["xaxis"]["range"]
    np.testing.assert_allclose(np.log10(chart.data[-1]["x"]), [low, high], atol=1e-4)


def test_heatmap_series_marks_what_is_missing_and_what_diverged():
    values = [[0.01, 10.0, 0.0], [math.nan, math.inf, 1e9]]
    assert sweeps.heatmap_series(values, 0.01, 10, log=True) == f"A_A{NOT_MEASURED}{DIVERGED}_"
    assert sweeps.heatmap_series([[0.0, 5.0, 10.0]], 0, 10) == "Ag_"
    assert sweeps.heatmap_series(np.full((2, 2), np.nan), 0, 1) == ""


def test_heatmap_scale_is_cividis_from_dark_to_light():
    colors = images.palette()
    assert (len(colors), colors[0], colors[-1]) == (64, "#00224e", "#fee838")
    weights = np.array([0.2126, 0.7152, 0.0722])
    light = [float(weights @ [int(color[at : at + 2], 16) for at in (1, 3, 5)]) for color in colors]
    assert light == sorted(light)
    assert images.DIVERGED_COLOR not in colors


def test_heatmap_colour_bar_says_the_values():
    bar = heatmap(log=True).data[-1]["marker"]
    assert (bar["cmin"], bar["cmax"]) == (-2, 1)
    assert bar["colorbar"]["ticktext"] == ["10<sup>-2</sup>", "10<sup>-1</sup>", "10<sup>0</sup>", "10<sup>1</sup>"]
    assert heatmap().data[-1]["marker"]["cmax"] == 10


@pytest.mark.parametrize("chart", [heatmap(), heatmap(panels=("a", "b", "c", "d")), units(), units(("a", "b", "c", "d"))])
def test_panels_do_not_overlap(chart):
    names = [name for name in chart.layout if name.startswith("xaxis")]
    places = [(*chart.layout[name]["domain"], *chart.layout[name.replace("x", "y", 1)]["domain"]) for name in names]
    for i, (left, right, bottom, top) in enumerate(places):
        assert 0 <= left < right <= 1
        assert -1e-9 <= bottom < top <= 1
        for other_left, other_right, other_bottom, other_top in places[i + 1 :]:
            assert right <= other_left or other_right <= left or top <= other_bottom or other_top <= bottom


def test_columns_are_packed_from_the_bottom_up():
    assert images.pack_column([[0, 1], [1, math.nan]]) == f"ABB{NOT_MEASURED}"
    assert all(mark.rows == 12 for mark in units().marks)
    assert units().layout["yaxis"]["range"] == [0, 12]
    assert units().layout["yaxis"]["tickvals"] == [2, 6, 10]
