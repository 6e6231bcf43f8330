"""When the panel may draw by moving Plotly's own paths: only where it would draw what Plotly draws, and in every chart."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from bnviz.web import static

SIZE = [100, 50]
RUN = "/?steps=60&trials=4&measure_every=1&arms.0.depth=3&arms.1.depth=4&seed=401"
DIVERGING = "/?steps=60&trials=4&measure_every=1&arms.0.lr=80&arms.0.depth=8&seed=7"
TWO_D = "/?preset=spirals&steps=60&trials=2&measure_every=1&seed=8"

PATHS = [
    # Plotly's, ours, whether they are the same
    ("M0,10L5,20.04L10,30", "M0,10L5,20L10,30", True),
    ("M0,10L5,20L10,30", "M0,10L5,25L10,30", False),  # wrong at its second vertex
    ("M0,10L5,20L10,30", "M0,10L5,20L10,34", False),  # at its last
    ("M0,10L5,20L10,30", "M0,10L5,20", False),  # one is missing
    ("M0,10L5,20L10,30", "M0,10L5,20M10,30L15,40", False),  # one is more
    ("M0,10L5,20", "M5,20L0,10", False),  # in another order
    ("M0,10L5,20Z", "M0,10L5,20ZM7,7Z", True),  # Plotly leaves out pieces of one point
    ("M0,10L5,-4000L7,-1000L10,10", "M0,10L5,-5000L10,10", True),  # cut off far outside, where nobody sees it
    ("M0,10L5,-40L10,10", "M0,10L5,-30L10,10", False),  # outside, but its line is seen inside
    ("M0,10L5,1.2e-7L10,30", "M0,10L5,0L10,30", True),
    ("", "", True),
    ("", "M0,10L5,20", False),
    ("M0,10L5,20", "", False),
]


@pytest.mark.parametrize(("theirs", "ours", "same"), PATHS)
def test_every_vertex_counts(agreement: Any, theirs: str, ours: str, same: bool) -> None:
    assert agreement("samePath", theirs, ours, SIZE) is same


@pytest.mark.parametrize(("ours", "same"), [([[1, 2], [3, 4]], True), ([[1, 2], [3, 9]], False), ([[1, 2]], False)])
def test_every_marker_counts(agreement: Any, ours: list, same: bool) -> None:
    assert agreement("samePlaces", [[1, 2], [3, 4.5]], ours) is same


@pytest.fixture(scope="module")
def agreement(chromium: Any) -> Any:
    """Call a function of the module that compares."""
    page = chromium.new_page()
    page.route("http://panel.test/", lambda route: route.fulfill(body="<html></html>", content_type="text/html"))
    page.route(
        "http://panel.test/agreement.js",
        lambda route: route.fulfill(path=static.PANEL_FOLDER / "agreement.js", content_type="text/javascript"),
    )
    page.goto("http://panel.test/")
    call = "([name, ...given]) => import('/agreement.js').then((module) => module[name](...given))"
    yield lambda *given: page.evaluate(call, list(given))
    page.close()


SPOILT = """async () => {
  const { plot } = document.querySelector('.bnv-panel').parentElement.bnvPanel.charts.cards.get(ID);
  const react = Plotly.react;
  const agreed = async () => { await plot.draw(28, true); return Boolean(plot.elements); };
  const before = await agreed();
  Plotly.react = async (...given) => {
    await react(...given);
    SPOIL
  };
  const spoilt = await agreed();
  Plotly.react = react;
  return [before, spoilt, await agreed()];
}"""
SHIFT_FROM_THE_SECOND = """for (const path of plot.gd.querySelectorAll(SELECTOR)) {
  const [first, ...rest] = path.getAttribute('d').split('L');
  path.setAttribute('d', [first, ...rest.map((at) => at.replace(/,(-?[\\d.]+)/, (_, y) => `,${Number(y) + 9}`))].join('L'));
}"""
MOVE_A_MARKER = "[...plot.gd.querySelectorAll('.points path.point')].at(-1).setAttribute('transform', 'translate(1,1)');"


@pytest.mark.parametrize(
    ("chart", "spoil"),
    [
        ("curve", SHIFT_FROM_THE_SECOND.replace("SELECTOR", "'.js-line'")),
        ("curve", SHIFT_FROM_THE_SECOND.replace("SELECTOR", "'.js-fill'")),
        ("kinds", SHIFT_FROM_THE_SECOND.replace("SELECTOR", "'.js-fill'")),
        ("kinds", SHIFT_FROM_THE_SECOND.replace("SELECTOR", "'.js-line'")),
        ("growth", MOVE_A_MARKER),
        ("sweep", MOVE_A_MARKER),
    ],
)
def test_a_plotly_that_draws_differently_is_left_to_draw(shown: Callable[..., Any], chart: str, spoil: str) -> None:
    panel = shown(viewport={"width": 1400, "height": 1600})
    assert panel.page.evaluate(SPOILT.replace("ID", f"'{chart}'").replace("SPOIL", spoil)) == [True, False, True]


WAY = """async () => {
  const { charts: { cards }, playback } = document.querySelector('.bnv-panel').parentElement.bnvPanel;
  const ways = {};
  for (const [id, { plot }] of cards) for (const k of [0, 1, 2, 20, playback.count - 2]) {
    await plot.draw(k, true);
    const agrees = Boolean(plot.elements);
    const shown = plot.shownRange;
    await plot.draw(k);
    ways[`${id} ${k}`] = [agrees, plot.shownRange !== shown || plot.stale];
  }
  return ways;
}"""


@pytest.mark.parametrize("query", [RUN, DIVERGING, TWO_D])
def test_every_chart_of_the_explore_page_is_drawn_the_fast_way(app: Any, new_panel: Callable[..., Any], query: str) -> None:
    panel = new_panel(viewport={"width": 1400, "height": 1800})
    panel.open(app.url + query).wait("state === 'finished' && frame === frames - 1 && frames > 30")
    ways = panel.page.evaluate(WAY)
    assert len(ways) >= 5 * 7
    assert {frame: way for frame, way in ways.items() if way != [True, True]} == {}


def test_every_kind_of_chart_is_drawn_the_fast_way(shown: Callable[..., Any]) -> None:
    ways = shown(viewport={"width": 1400, "height": 1600}).page.evaluate(WAY)
    assert len(ways) == 5 * 6
    assert {frame: way for frame, way in ways.items() if way != [True, True]} == {}


def test_all_pieces_of_a_chart_move_together(shown: Callable[..., Any]) -> None:
    """Plotly draws each box with a path of its own; none may stay where an earlier frame had it."""
    panel = shown(viewport={"width": 1400, "height": 1600})
    outlines = """async ([full]) => {
      const { plot } = document.querySelector('.bnv-panel').parentElement.bnvPanel.charts.cards.get('kinds');
      await plot.draw(21, true);
      await plot.draw(28, full);
      const paths = [...plot.gd.querySelectorAll('.js-line')].map((path) => path.getAttribute('d')).join('');
      return paths.split('M').filter((piece) => piece.includes('L')).map((piece) => piece.match(/-?[\\d.]+/g).map(Number));
    }"""
    theirs, ours = panel.page.evaluate(outlines, [True]), panel.page.evaluate(outlines, [False])
    assert len(theirs) == len(ours) == 2 * 2 * 3 + 1  # boxes and ticks of two arms at three names; a closed form
    assert all(abs(one - other) < 0.1 for a, b in zip(theirs, ours, strict=True) for one, other in zip(a, b, strict=True))


REJECT = """() => {
  window.react = Plotly.react;
  Plotly.react = (gd, ...rest) => gd.closest('[data-chart=curve]') ? HOW : window.react(gd, ...rest);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("how", ["Promise.reject(new Error('no'))", "(() => { throw new Error('no'); })()"])
def test_a_chart_that_plotly_cannot_draw_is_said_and_tried_again(shown: Callable[..., Any], how: str, scheme: str) -> None:
    panel = shown(viewport={"width": 1400, "height": 1000}, color_scheme=scheme)
    card = panel.page.locator("[data-chart=curve]")
    panel.page.evaluate(REJECT.replace("HOW", how))
    panel.evaluate("void panel.charts.cards.forEach((card) => card.redraw())")
    card.get_by_text("This chart could not be drawn").wait_for(timeout=5_000)
    panel.screenshot(f"chart-not-drawn-{scheme}")
    panel.page.locator(".bnv-slider").fill("12")
    panel.wait_shown(12)  # the others go on, and the broken one does not hold them up
    assert card.get_by_text("This chart could not be drawn").is_visible()
    assert panel.page.get_by_text("This chart could not be drawn").count() == 1
    panel.page.evaluate("void (Plotly.react = window.react)")
    panel.page.locator(".bnv-slider").fill("13")
    panel.wait_shown(13)
    card.get_by_text("This chart could not be drawn").wait_for(state="hidden", timeout=5_000)
    assert panel.evaluate("panel.charts.cards.get('curve').plot.elements !== null")


INTERNALS = r"_fullLayout|_fullData|_length|\bc2p\b|\.trace\$|js-line|js-fill|path\.point|imagelayer|xlink"


def test_one_file_knows_how_plotly_works_inside() -> None:
    knowing = [file.name for file in sorted(static.PANEL_FOLDER.glob("*.js")) if re.search(INTERNALS, file.read_text())]
    assert knowing == ["plotly_internals.js"]
