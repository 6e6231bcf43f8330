"""Every kind of chart in a browser, fed through the panel's own stream: no app, no training, made-up numbers."""

import json
from typing import Any

import numpy as np
import pytest

from bnviz.charts import builders as sweeps
from bnviz.charts import images
from bnviz.charts.spec import cells
from tests.browser.made_up import FINISHED, LAYERS, charts


def charts_of(panel: Any, expression: str) -> dict[str, Any]:
    """JavaScript over each `plot`, by the chart's id."""
    return panel.evaluate(f"Object.fromEntries([...panel.charts.cards].map(([id, {{ plot }}]) => [id, {expression}]))")


def test_every_mark_is_drawn_the_fast_way_where_plotly_draws_it(shown):
    """After fast frames, Plotly's own drawing of the same frame has the same paths and the same places of markers."""
    panel = shown(viewport={"width": 1400, "height": 1600})
    script = """async () => {
      const panel = document.querySelector('.bnv-panel').parentElement.bnvPanel;
      const numbers = (text) => (text.match(/-?[\\d.]+/g) || []).map(Number);
      const attributes = (plot) => plot.elements.flatMap((element) => [
        ...(element.mark.mark === 'line' ? [element.lines.map((line) => line.getAttribute('d')).join('')] : []),
        ...[...(element.points || [])].map((point) => point.getAttribute('transform')),
      ]).map(numbers);
      const found = {};
      for (const [id, { plot }] of panel.charts.cards) {
        await plot.draw(28, true);
        const theirs = attributes(plot);
        await plot.draw(26, true);
        const full = plot.full;
        plot.full = () => { throw new Error(`${id} was not drawn the fast way`); };
        await plot.draw(27);
        await plot.draw(28);
        plot.full = full;
        const ours = attributes(plot);
        const gaps = theirs.flatMap((place, i) => place.map((value, j) => Math.abs(value - (ours[i][j] ?? Infinity))));
        found[id] = [theirs.length, Math.max(0, ...gaps)];
      }
      return found;
    }"""
    found = panel.page.evaluate(script)
    assert all(gap < 1 for _, gap in found.values()), found
    assert found["sweep"][0] > 10  # lines, markers and signs
    assert found["growth"][0] == 2 + 2 * LAYERS


def test_signs_stand_where_trials_diverged_and_move_no_axis(shown):
    panel = shown(viewport={"width": 1400, "height": 1600})
    assert charts_of(panel, "plot.gd.querySelectorAll('.points path.point').length")["sweep"] == 4 + 5 + 1
    low, high = panel.evaluate("panel.charts.cards.get('sweep').plot.gd._fullLayout.yaxis.range")
    assert -3 < low < high <= 1  # of the losses only: the shares that diverged are no losses


def test_axes_make_room_for_closed_forms(shown):
    panel = shown(viewport={"width": 1400, "height": 1600})
    assert panel.evaluate("panel.charts.cards.get('growth').plot.gd._fullLayout.yaxis.range[0]") < 1
    assert "theory: 1.21 a layer" in panel.page.locator("[data-chart=growth] .bnv-keys").inner_text()


def test_boxes_stand_side_by_side_over_their_names(shown):
    panel = shown(viewport={"width": 1400, "height": 1600})
    traces = panel.evaluate("panel.charts.cards.get('kinds').plot.gd.data.map((trace) => trace.x)")
    assert max(x for x in traces[0] if x is not None and x < 0.5) < 0 < min(x for x in traces[2] if x is not None)
    texts = panel.evaluate(
        "[...panel.charts.cards.get('kinds').holder.querySelectorAll('.xtick text')].map((text) => text.textContent)"
    )
    assert len(texts) == 4


def test_names_too_many_for_one_row_stand_in_several(shown):
    panel = shown(viewport={"width": 1400, "height": 1600})
    script = """async () => {
      const { plot } = document.querySelector('.bnv-panel').parentElement.bnvPanel.charts.cards.get('kinds');
      plot.spec.figure.layout.xaxis.ticktext = ['instance normalization', 'batch normalization', 'RMS', 'layer normalization'];
      await plot.draw(20, true);
      return [...plot.gd.querySelectorAll('.xtick text')].map((text) => {
        const parts = [...text.querySelectorAll('tspan.line')].filter((line) => line.textContent.trim());
        const { top, bottom } = (parts[0] || text).getBoundingClientRect();
        return [text.textContent.trim(), Math.round(top), Math.round(bottom)];
      }).concat([['card', 0, Math.round(plot.gd.getBoundingClientRect().bottom)]]);
    }"""
    *names, (_, _, floor) = panel.page.evaluate(script)
    assert [name for name, _, _ in names] == ["instance normalization", "batch normalization", "RMS", "layer normalization"]
    assert names[0][2] <= names[1][1] + 4
    assert max(bottom for _, _, bottom in names) <= floor


@pytest.mark.parametrize(("width", "size", "room"), [(1400, 12, 0), (1920, 15, 8)])
def test_plots_are_written_as_large_as_the_style_sheet_says(shown, width, size, room):
    panel = shown(viewport={"width": width, "height": 1000})
    (plain,) = (chart.layout["margin"]["l"] for chart in charts() if chart.id == "growth")
    found = panel.evaluate("(({ font, margin }) => [font.size, margin.l])(panel.charts.cards.get('growth').plot.gd.layout)")
    assert found == [size, plain + room]


def test_images_follow_the_playback(shown):
    panel = shown(viewport={"width": 1400, "height": 1600})
    sources = "[...plot.gd.querySelectorAll('.imagelayer image')].map((image) => image.getAttribute('href'))"

    def at(frame_: int) -> dict[str, list[str]]:
        panel.page.locator(".bnv-slider").fill(str(frame_))
        panel.wait_shown(frame_)
        return charts_of(panel, sources)

    early, late, again = at(9), at(25), at(9)
    for chart in ("heat", "units"):
        assert len(set(early[chart])) == len(set(late[chart])) == 2
        assert not set(early[chart]) & set(late[chart])
        assert early[chart] == again[chart]


PIXELS = """(async () => {
  const image = new Image();
  image.src = SOURCE;
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const at = (x, y) => [...context.getImageData(Math.floor(x * image.width), Math.floor(y * image.height), 1, 1).data];
  return PLACES.map(([x, y]) => at(x, y));
})()"""

LOAD_IMAGES = """Promise.all([import('/live_panel/images.js'), import('/live_panel/cells.js')]).then(([images, { Cells }]) => {
  Object.assign(window, { images, cells: new Cells(CELLS) });
})""".replace("CELLS", json.dumps(cells()))


def pixels(panel: Any, source: str, places: list[list[float]]) -> list[list[int]]:
    """Colours (r, g, b, opacity) of an image at places given as shares of its width and height from the top left."""
    return panel.page.evaluate(PIXELS.replace("SOURCE", source).replace("PLACES", json.dumps(places)))


def test_cells_of_a_grid_have_their_colours(shown):
    panel = shown()
    panel.page.evaluate(LOAD_IMAGES)
    series = sweeps.heatmap_series([[0.01, 10.0, np.nan], [np.inf, 1.0, 0.1]], 0.01, 10, log=True)
    source = f"images.toImage('{series}', {json.dumps(images.palette())}, cells, 2)"
    places = [[1 / 6, 0.75], [3 / 6, 0.75], [5 / 6, 0.75], [1 / 6, 0.25], [0.02, 0.25]]
    low, high, missing, sign, diverged = pixels(panel, source, places)
    assert low == [0x00, 0x22, 0x4E, 255]
    assert high == [0xFE, 0xE8, 0x38, 255]
    assert missing[3] == 0
    assert min(sign[:3]) > 200  # the cross
    assert diverged == [0xC2, 0x18, 0x5B, 255]


def test_a_growing_map_shows_the_past_and_nothing_of_the_future(shown):
    panel = shown()
    panel.page.evaluate(LOAD_IMAGES)
    jumps = ["[9]", "[2, 5, 9]", "[9, 4, 6]"]  # frames drawn one after the other on the same canvas
    for drawn in jumps:
        source = f"""(() => {{
          const map = new images.GrowingMap(2, ['#000000', '#ffffff'], cells, [0, 10]);
          const columns = Array.from({{ length: 10 }}, (_, i) => (i < 5 ? 'AB' : 'BA'));
          const steps = columns.map((_, i) => i);
          return {drawn}.map((k) => map.draw(columns, steps, k)).at(-1);
        }})()"""
        first, middle, top, future = pixels(panel, source, [[0.05, 0.75], [0.55, 0.75], [0.05, 0.25], [0.98, 0.25]])
        assert (first[:3], middle[:3], top[:3]) == ([0] * 3, [255] * 3, [255] * 3)
        assert future[3] == 0


@pytest.mark.parametrize(
    ("predicted", "answer", "outcome", "words"),
    [
        ("higher", "higher", "agrees", "You predicted: Higher rates. The data agree."),
        ("same", "higher", "differs", "You predicted: The same rates. The data say: Higher rates."),
        ("same", None, "undecided", "You predicted: The same rates. The data do not decide."),
        ("", "higher", "", ""),
    ],
)
def test_the_prediction_is_compared_with_the_answer(shown, predicted, answer, outcome, words):
    panel = shown(end={**FINISHED, "answer": answer}, predicted=predicted)
    panel.page.wait_for_function("document.querySelector('.bnv-verdict').textContent.startsWith('Batch norm trains')")
    assert panel.page.locator(".bnv-prediction").get_attribute("data-outcome") == outcome
    assert panel.page.locator(".bnv-prediction").text_content() == words


def test_the_prediction_is_compared_only_at_the_end(shown):
    panel = shown()
    panel.page.locator(".bnv-slider").fill("3")
    panel.wait_shown(3)
    assert panel.page.locator(".bnv-prediction").text_content() == ""
    assert panel.page.locator(".bnv-step").inner_text() == "stage 1, step 3"


def test_progress_is_a_share_and_the_time_left(shown):
    panel = shown()
    script = """import('/live_panel/words.js').then(({ Pace, statusWords }) => {
      const pace = new Pace();
      const store = { last: 0, frames: [{ done: DONE }], steps: [4], start: {} };
      const early = statusWords('running', {}, store, pace, false);
      pace.add(0.17, 0);
      pace.add(0.37, 2000);
      return [early, statusWords('running', {}, store, pace, false), statusWords('stopped', { step: 4 }, store, pace, false)];
    })"""
    assert panel.page.evaluate(script.replace("DONE", "0.37")) == ["37 %", "37 % · 6 seconds left", "Stopped at 37 %"]
    assert panel.page.evaluate(script.replace("DONE", "1")) == ["100 %", "100 % · 1 second left", "Stopped at 100 %"]
    no_share = panel.page.evaluate(script.replace("DONE", "null"))
    assert not any("NaN" in words or "undefined" in words for words in no_share)
    assert panel.page.locator(".bnv-status").inner_text() == "Finished"
    assert "NaN" not in panel.evaluate("root.outerHTML")


def test_a_chart_shows_what_the_panel_s_legend_does_not(shown):
    panel = shown(arms=True)
    keys = panel.evaluate("[...root.querySelectorAll('.bnv-keys')].map((keys) => keys.innerText)")
    assert [text.strip() for text in keys] == ["", "theory: 1.21 a layer", "theory: 40 %", "", "diverged", "alive\ndead"]
    assert panel.page.locator(".bnv-chip").count() == 2
    panel = shown()
    assert panel.page.locator(".bnv-chip").count() == 0
    assert panel.page.locator("[data-chart=curve] .bnv-key").count() == 2


OVERLAPS = """(() => {
  const boxes = [...root.querySelectorAll('.bnv-card')].flatMap((card) =>
    ['.xtick text', '.xtitle', '.annotation-text', '.bnv-how', '.bnv-keys', '.bnv-ytitle'].flatMap((name) =>
      [...card.querySelectorAll(name)].filter((node) => node.textContent.trim()).map((node) => [card.dataset.chart, node])));
  const inner = (node) => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    return { left: left + 1, right: right - 1, top: top + 3, bottom: bottom - 3 };
  };
  const cross = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  return boxes.flatMap(([chart, one], i) => boxes.slice(i + 1)
    .filter(([other, two]) => other === chart && cross(inner(one), inner(two)))
    .map(([, two]) => `${chart}: "${one.textContent}" over "${two.textContent}"`));
})()"""


@pytest.mark.parametrize(("size", "scheme"), [((1400, 1000), "dark"), ((390, 844), "light"), ((1920, 1080), "light")])
def test_nothing_is_written_over_anything(shown, size, scheme):
    panel = shown(color_scheme=scheme, viewport={"width": size[0], "height": size[1]})
    for chart in ("curve", "units"):
        panel.page.locator(f"[data-chart={chart}]").scroll_into_view_if_needed()
    panel.wait("[...root.querySelectorAll('.bnv-card')].every((card) => card.dataset.draws > 0)")
    assert panel.evaluate(OVERLAPS) == []
    assert panel.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    panel.page.locator("[data-chart=units]").scroll_into_view_if_needed()
    panel.screenshot(f"marks-{size[0]}-{scheme}")


def test_the_y_axis_of_a_sweep_follows_the_frame_shown(shown):
    """What was far away at first does not squeeze the end into a corner; the axis then holds still."""
    panel = shown(viewport={"width": 1400, "height": 1600})
    script = """async () => {
      const { Store } = await import('/live_panel/store.js');
      const { plot } = document.querySelector('.bnv-panel').parentElement.bnvPanel.charts.cards.get('growth');
      const ranges = [];
      for (const height of [1000, 2, 2.1, 1.4, 50]) {
        plot.store = new Store({});
        const high = [1, 1, 1, height];
        plot.store.add({ frame: 0, step: 0, charts: { growth: { '': [[[1, 1, 1, 1], high, high], []] } } });
        ranges.push(plot.range(0, plot.store.view(plot.spec, '')).slice());
      }
      return ranges;
    }"""
    far, near, still, smaller, higher = panel.page.evaluate(script)
    assert far[1] > 1000
    assert 2.1 < near[1] < 3
    assert near == still == smaller  # 1.77, a closed form, fills more than half of it
    assert 50 < higher[1] < 70


def test_the_last_chart_of_a_row_takes_what_is_left(shown):
    panel = shown(viewport={"width": 1400, "height": 1600})
    boxes = panel.evaluate("[...root.querySelectorAll('.bnv-card')].map((card) => card.getBoundingClientRect())")
    right = max(box["right"] for box in boxes)
    rows: dict[float, float] = {}
    for box in boxes:
        rows[box["top"]] = max(rows.get(box["top"], 0), box["right"])
    assert len(rows) == 3
    assert sum(abs(end - right) < 2 for end in rows.values()) >= 2  # the map alone in its row would be three columns wide
