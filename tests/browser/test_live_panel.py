"""The live panel in a browser: it grows, it can be moved through time, and nothing is lost on the way."""

import pytest

from tests.browser.conftest import HALF_A_MINUTE

QUICK = "/?steps=120&trials=2&measure_every=1&arms.0.depth=3&arms.1.depth=3&seed={seed}"
LONG = "/?steps=3000&trials=2&measure_every=4&arms.0.depth=3&arms.1.depth=3&seed={seed}"
LOSS = ".bnv-card[data-chart=loss]"
# of the median lines; the bands' own outlines are not drawn, and follow only when Plotly draws in full
LINES = "[...root.querySelectorAll('[data-chart=loss] .js-line')].slice(-2)"
PATH_LENGTHS = f"{LINES}.map((path) => (path.getAttribute('d') || '').length)"
ZOOM = "root.querySelector('[data-chart=loss] .bnv-plot')._fullLayout.xaxis.range.slice()"


def test_curves_grow_in_the_same_nodes_for_200_frames(app, panel):
    panel.open(app.url + LONG.format(seed=10), frames=3)
    panel.evaluate("void cards.forEach((card) => { card.bnvCard.holder.querySelector('.main-svg').isOld = true; })")
    first, before = panel.number("frame"), max(panel.evaluate(PATH_LENGTHS))
    panel.wait(f"frame >= {first + 200}", 90)
    assert max(panel.evaluate(PATH_LENGTHS)) > before + 200
    assert panel.evaluate("cards.every((card) => card.bnvCard.holder.querySelector('.main-svg').isOld)")
    assert panel.evaluate("cards.length") >= 6


def test_run_with_other_settings_goes_on_in_the_same_charts(app, panel):
    panel.open(app.url + LONG.format(seed=2), frames=2)
    panel.evaluate("void cards.forEach((card) => { card.isOld = true; })")
    run = panel.evaluate("panel.store.start.run_id")
    panel.page.get_by_role("spinbutton", name="Seed").fill("3")
    panel.page.keyboard.press("Tab")
    panel.page.get_by_text("Changed: press Run").wait_for()
    panel.page.get_by_role("button", name="Run").first.click()
    panel.wait(f"root.parentElement.bnvPanel.store.start.run_id !== '{run}' && frames >= 2")
    assert panel.evaluate("cards.every((card) => card.isOld)")


def test_scrubbing_moves_every_chart(app, panel):
    panel.open(app.url + QUICK.format(seed=1)).wait("state === 'finished' && frames > 100")
    for frame in (17, 60):
        panel.page.locator(".bnv-slider").fill(str(frame))
        panel.wait_shown(frame)
    assert len(panel.shown_frames()) >= 6
    assert panel.page.locator(".bnv-step").inner_text() == "step 60"


def test_scrubbing_back_shortens_the_curve(app, panel):
    panel.open(app.url + QUICK.format(seed=1)).wait("state === 'finished' && frames > 100")
    panel.page.locator(".bnv-slider").fill("100")
    panel.wait_shown(100)
    far = max(panel.evaluate(PATH_LENGTHS))
    panel.page.locator(".bnv-slider").fill("10")
    panel.wait_shown(10)
    assert max(panel.evaluate(PATH_LENGTHS)) < far / 3


def test_pause_step_and_play(app, panel):
    panel.open(app.url + QUICK.format(seed=1)).wait("state === 'finished' && frames > 100")
    panel.page.locator(".bnv-panel").focus()
    panel.page.keyboard.press("Home")  # whether the run was over before the page came, and is played, or ended under its eyes
    panel.page.get_by_role("button", name="Play (space)").click()
    panel.wait("frame >= 5")
    panel.page.get_by_role("button", name="Pause (space)").click()
    panel.page.get_by_role("button", name="Play (space)").wait_for()
    at = panel.number("frame")
    panel.page.get_by_role("button", name="Step forward (right arrow)").click()
    panel.wait_shown(at + 1)
    panel.page.get_by_role("button", name="Step back (left arrow)").click()
    panel.wait_shown(at)
    panel.page.get_by_role("button", name="Play (space)").click()
    panel.wait(f"frame > {at + 3}")


def test_keyboard(app, panel):
    panel.open(app.url + QUICK.format(seed=1)).wait("state === 'finished'")
    panel.page.locator(".bnv-panel").focus()
    panel.page.keyboard.press("Home")
    panel.wait_shown(0)
    panel.page.keyboard.press("ArrowRight")
    panel.wait_shown(1)
    panel.page.keyboard.press("End")
    panel.wait_shown(panel.number("frames") - 1)
    panel.page.keyboard.press("Home")
    panel.page.keyboard.press(" ")
    panel.wait("frame > 3")


def test_keys_typed_into_a_field_are_left_alone(app, panel):
    panel.open(app.url + QUICK.format(seed=1)).wait("state === 'finished'")
    panel.page.locator(".bnv-slider").fill("50")
    panel.wait_shown(50)
    panel.page.evaluate("document.body.append(Object.assign(document.createElement('input'), { id: 'typed' }))")
    panel.page.locator("#typed").focus()
    panel.page.keyboard.type("a b")
    panel.page.keyboard.press("ArrowLeft")
    panel.page.keyboard.press("Home")
    assert panel.page.locator("#typed").input_value() == "a b"
    assert panel.number("frame") == 50


def test_zoom_survives_new_frames(app, panel):
    panel.open(app.url + HALF_A_MINUTE.format(seed=4), frames=3)
    box = panel.page.locator(f"{LOSS} .nsewdrag").first.bounding_box()
    whole = panel.evaluate(ZOOM)
    panel.page.mouse.move(box["x"] + 20, box["y"] + 20)
    panel.page.mouse.down()
    panel.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 10, steps=4)
    panel.page.mouse.up()
    panel.page.wait_for_function(
        f"() => {{ const root = document.querySelector('.bnv-panel'); return {ZOOM}[1] < {whole[1]} * 0.8; }}"
    )
    zoomed, at = panel.evaluate(ZOOM), panel.number("frames")
    panel.wait(f"frame >= {at + 20}")
    assert panel.evaluate(ZOOM) == zoomed
    panel.page.get_by_role("button", name="Pause (space)").click()
    panel.wait("[...root.querySelectorAll('.bnv-card')].every((card) => !card.bnvCard.isVisible || !card.bnvCard.plot.stale)")
    assert panel.evaluate(ZOOM) == zoomed


def test_plotly_knows_what_is_shown_when_at_rest(app, panel):
    panel.open(app.url + QUICK.format(seed=1)).wait("state === 'finished' && frames > 100")
    panel.page.locator(".bnv-slider").fill("40")
    panel.wait_shown(40)
    panel.wait("[...root.querySelectorAll('.bnv-card')].every((card) => !card.bnvCard.isVisible || !card.bnvCard.plot.stale)")
    lengths = panel.evaluate(
        "root.querySelector('[data-chart=loss] .bnv-plot').data.filter((t) => t.name).map((t) => t.x.length)"
    )
    assert lengths == [41, 41]


def test_fast_drawing_agrees_with_plotly(app, panel):
    """After fast frames, Plotly's own full drawing of the same frame gives the same paths."""
    panel.open(app.url + QUICK.format(seed=1)).wait("state === 'finished' && frames > 100")
    panel.page.locator(".bnv-slider").fill("30")
    panel.wait_shown(30)
    worst, compared = panel.page.evaluate("""async () => {
      const panel = document.querySelector('.bnv-panel').parentElement.bnvPanel;
      const numbers = (d) => d.match(/-?[\\d.]+/g).map(Number);
      let [worst, compared] = [0, 0];
      for (const card of panel.charts.cards.values()) {
        const plot = card.plot;
        if (!card.isVisible || !plot.elements) continue;
        await plot.draw(60, true);
        const lines = () => plot.elements.filter((e) => e.mark.mark === 'line').flatMap((e) => e.lines);
        const theirs = lines().map((line) => numbers(line.getAttribute('d')).slice(-2));
        compared += theirs.length;
        await plot.draw(30, true);
        await plot.draw(60);
        const ours = lines().map((line) => numbers(line.getAttribute('d')).slice(-2));
        theirs.forEach((end, i) => end.forEach((value, j) => { worst = Math.max(worst, Math.abs(value - ours[i][j])); }));
      }
      return [worst, compared];
    }""")
    assert worst < 1
    assert compared >= 10


def test_reload_plays_the_finished_run_from_its_start(app, panel):
    panel.open(app.url + QUICK.format(seed=1)).wait("state === 'finished'")
    panel.page.reload()
    panel.wait("frames > 100 && frame >= 0 && frame < 60")
    panel.wait("frame > 60 && state === 'finished'")


def test_reduced_motion_shows_the_end_at_rest(app, new_panel):
    new_panel().open(app.url + QUICK.format(seed=1)).wait("state === 'finished'")
    panel = new_panel(reduced_motion="reduce").open(app.url + QUICK.format(seed=1))
    panel.wait("frames > 100 && frame === frames - 1")
    assert panel.page.get_by_role("button", name="Play (space)").is_visible()


def test_lost_connection_loses_and_doubles_no_frame(app, cuttable, panel):
    panel.allowed = ("ERR_", "WebSocket")
    wire = cuttable(app)
    panel.open(wire.url + HALF_A_MINUTE.format(seed=5), frames=5)
    wire.cut()
    panel.wait("state === 'reconnecting'")
    assert "Connection lost" in panel.page.locator(".bnv-status").inner_text()
    at = panel.number("frames")
    wire.mend()
    panel.wait(f"frames > {at + 10} && state !== 'reconnecting'", 60)
    frames = panel.evaluate("panel.store.frames.map((frame) => frame.frame)")
    assert frames == list(range(len(frames)))


def test_stop_ends_the_run(app, panel):
    panel.open(app.url + HALF_A_MINUTE.format(seed=6), frames=3)
    panel.page.get_by_role("button", name="Stop the run").click()
    panel.wait("state === 'stopped'", seconds=5)
    assert "Stopped at step" in panel.page.locator(".bnv-status").inner_text()
    panel.page.get_by_role("button", name="Run again").click()
    panel.wait("state === 'running' && frames >= 1")


def test_diverged_trials_are_said_and_break_no_chart(app, panel):
    panel.open(app.url + "/?steps=60&trials=4&measure_every=1&arms.0.lr=80&arms.0.depth=8&seed=7")
    panel.wait("state === 'finished' && frame === frames - 1")
    assert "trials diverged, first at step" in panel.page.locator(".bnv-diverged").inner_text()
    assert panel.page.evaluate("!document.querySelector('.bnv-panel').outerHTML.includes('NaN')")


def test_selectors_and_log_axis(app, panel):
    panel.open(app.url + QUICK.format(seed=1)).wait("state === 'finished' && frames > 100")
    panel.page.locator(f"{LOSS} .bnv-toggle").click()
    panel.wait("root.querySelector('[data-chart=loss] .bnv-plot')._fullLayout.yaxis.type === 'log'")
    panel.page.locator(f"{LOSS} select").select_option("test")
    panel.page.locator(f"{LOSS} .bnv-ytitle", has_text="test loss").wait_for()


def test_an_arm_can_be_hidden(app, panel):
    panel.open(app.url + QUICK.format(seed=1)).wait("state === 'finished' && frame > 20")
    visible = "root.querySelectorAll('[data-chart=loss] .js-line').length"
    before = panel.evaluate(visible)
    panel.page.locator(".bnv-chip").first.click()
    panel.wait(f"{visible} < {before}")
    panel.page.locator(".bnv-chip").first.click()
    panel.wait(f"{visible} === {before}")


def test_twins_are_proven_on_the_page(app, panel):
    panel.open(app.url + QUICK.format(seed=1))
    assert "twins: same initial weights" in panel.page.locator(".bnv-proof summary").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_decision_boundary_comes_first_for_2d_data(app, new_panel, scheme):
    panel = new_panel(color_scheme=scheme)
    panel.open(app.url + "/?preset=spirals&steps=200&trials=2&seed=8").wait("state === 'finished' && frame === frames - 1", 60)
    assert panel.evaluate("cards[0].dataset.chart") == "boundary"
    assert panel.page.locator("[data-chart=boundary] .imagelayer image").count() == 2
    panel.screenshot(f"panel-2d-{scheme}")


def test_phone(app, new_panel):
    panel = new_panel(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    panel.open(app.url + QUICK.format(seed=1)).wait("frame > 20")
    assert panel.page.evaluate("document.documentElement.scrollWidth <= 390")
    widths = panel.evaluate("[...root.querySelectorAll('.bnv-card')].map((card) => card.getBoundingClientRect().left)")
    assert len(set(widths)) == 1
    panel.screenshot("panel-phone")


def test_slow_mode(slow_app, panel):
    panel.open(slow_app.url + QUICK.format(seed=9))
    assert "Slow mode" in panel.page.locator(".bnv-status").inner_text()
    panel.wait("state === 'finished' && frames >= 100 && frame === frames - 1", seconds=60)
    frames = panel.evaluate("panel.store.frames.map((frame) => frame.frame)")
    assert frames == list(range(len(frames)))


def test_a_host_that_blocks_our_routes_gets_slow_mode_by_itself(app, panel):
    panel.allowed = ("404",)
    panel.page.route("**/api/**", lambda route: route.fulfill(status=404, content_type="text/html", body="<html></html>"))
    panel.open(app.url + HALF_A_MINUTE.format(seed=11), frames=3)
    assert "Slow mode" in panel.page.locator(".bnv-status").inner_text()
    panel.page.get_by_role("button", name="Stop the run").click()
    panel.wait("state === 'stopped'", seconds=15)
