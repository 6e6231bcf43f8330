"""A made-up study with every kind of chart, and a page with nothing but the panel that follows it."""

import json
from typing import Any

import numpy as np
import plotly

from bnviz.charts import builders as sweeps
from bnviz.charts import images
from bnviz.charts.spec import ChartSpec, cells
from bnviz.panels.protocol import Data
from bnviz.web import static
from tests.panels.events import received

STYLES = (sweeps.norm_style("none"), sweeps.norm_style("batch"))
RATES = [1e-3, 1e-2, 1e-1, 1.0, 10.0]
LAYERS, UNITS, FRAMES = 4, 8, 30
PAGE = """<!doctype html><html><head><meta charset="utf-8"><link rel="stylesheet" href="live_panel/panel.css"><style>
:root { --st-text-color: TEXT; --st-background-color: GROUND; --st-secondary-background-color: SOFT; --st-font: sans-serif; }
body { margin: 12px; background: GROUND; }</style></head><body><div id="place"></div><script type="module">
import { mount } from "./live_panel/index.js";
const place = document.getElementById("place");
window.mountPanel = (data) => mount({ parentElement: place, data, setStateValue() {}, setTriggerValue() {} }, location.href);
mountPanel(DATA);
</script></body></html>"""
COLORS = {"light": ("#31333f", "#ffffff", "#f0f2f6"), "dark": ("#fafafa", "#0e1117", "#262730")}


def charts() -> list[ChartSpec]:
    sweep = sweeps.sweep_chart(
        "sweep",
        "Loss by rate",
        "Lower is better. A cross at the top: trials diverged there.",
        "learning rate",
        "final loss (nats)",
        RATES,
        STYLES,
        x_log=True,
        y_log=True,
    )
    growth = sweeps.layer_chart("growth", "Gradient growth", "One line an arm.", "gradient norm", STYLES, LAYERS)
    names = ["batch of 2", "batch of 8", "a single class in every batch", "batch of 128"]
    kinds = sweeps.category_chart(
        "kinds", "Errors", "A box: lowest to highest; its tick: the median.", "error (%)", names, STYLES
    )
    curve = sweeps.curve_chart("curve", "Loss", "Lower is better.", "loss (nats)", STYLES, FRAMES)
    grid = ("learning rate", "init gain", [0.001, 0.01, 0.1, 1, 10, 100], [0.1, 1, 10, 100])
    heat = sweeps.heatmap_chart("heat", "Loss by both", "Dark is good.", *grid, low=0.01, high=10, log=True, unit="loss")
    states = (("alive", "#cfe0ee"), ("dead", "#7a1022"))
    layers = [f"layer {layer + 1}" for layer in range(LAYERS)]
    units = sweeps.columns_chart("units", "Units", "One row a unit; dark: dead.", "unit", FRAMES, layers, UNITS, states)
    sweeps.add_level(kinds, 40.0, "theory: 40 %")
    sweeps.add_theory_line(growth, [1, 2, 3, 4], [1, 1.21, 1.46, 1.77], "theory: 1.21 a layer")
    return [sweep, growth, kinds, curve, heat, units]


def frame(k: int) -> dict[str, Any]:
    """What is known at frame k: each chart fills as it would in a study."""
    random = np.random.default_rng(k)
    rates = np.array([[2.0, 1.0, 0.5, np.inf, np.nan], [2.2, 1.1, 0.4, 0.2, 0.8]])[..., None] * (1 + 0.1 * random.random(4))
    rates[0, 3] = [0.4, np.inf, np.inf, 0.5]
    rates = rates * np.exp(-k / 30) if k else np.full_like(rates, np.nan)
    layers = np.cumprod(np.full((2, LAYERS, 1), 1.2) + 0.05 * random.random((2, LAYERS, 4)), axis=1)
    kinds = 30 + 20 * random.random((2, 4, 3))
    kinds[:, 1 + k // 10 :] = np.nan
    heat = np.geomspace(0.02, 8, 24).reshape(4, 6) * np.array([1.0, 0.5])[:, None, None]
    heat[0, 2:, 4:] = np.inf
    heat[:, :, 1 + k // 6 :] = np.nan
    alive = np.arange(LAYERS * UNITS) % 5 < np.array([[k / 8], [k / 40]])
    drawn = {
        "sweep": [sweeps.sweep_series(values) for values in rates],
        "growth": [sweeps.sweep_series(values) for values in layers],
        "kinds": [sweeps.sweep_series(values) for values in kinds],
        "curve": [sweeps.curve_point(np.exp(-k / 10) + 0.1 * random.random(4) + arm) for arm in range(2)],
        "heat": [sweeps.heatmap_series(values, 0.01, 10, log=True) for values in heat],
        "units": [[images.pack_column(states)] for states in alive],
    }
    views = {name: {"": series} for name, series in drawn.items()}
    return {
        "frame": k,
        "step": k,
        "at": f"stage {k // 10 + 1}, step {k % 10}",
        "done": k / (FRAMES - 1),
        "charts": views,
        "text": {},
    }


def stream(arms: bool, end: dict[str, Any] | None) -> str:
    """The server-sent events of the whole study."""
    start = {"run_id": "made", "steps": 0, "frames": 0, "cells": cells(), "band": ""}
    start["arms"] = [style.as_dict() for style in STYLES] if arms else []
    start["proof"] = {"twins": False, "text": "", "rows": []}
    start["charts"] = [chart.as_dict() for chart in charts()]
    events = [("status", {"state": "running", "queue_position": None, "cached": False}), ("panel", start)]
    events += [("frame", frame(k)) for k in range(FRAMES)]
    if end is not None:
        events.append((end["state"], {**end, "step": FRAMES, "reason": ""}))
    sent = [(name, json.dumps(data, allow_nan=False)) for name, data in events]
    for name, body in sent:
        received(name, body.encode())
    return "".join(f"event: {name}\ndata: {body}\n\n" for name, body in sent)


FINISHED = {"state": "finished", "verdict": "Batch norm trains at rates 30 times higher (17 to 48).", "answer": "higher"}
CHOICES = {"higher": "Higher rates", "same": "The same rates"}


def component_data(predicted: str) -> Data:
    """What the page gives the component."""
    return {
        "run_id": "made",
        "generation": 1,
        "module": "live_panel/index.js",
        "css": "live_panel/panel.css",
        "plotly": "plotly.min.js",
        "stream": "stream",
        "run": "run",
        "health": "health",
        "autoplay": False,
        "slow": None,
        "prediction": {"choices": CHOICES, "predicted": predicted},
    }


def show(
    panel: Any, *, end: dict[str, Any] | None = FINISHED, arms: bool = False, predicted: str = "higher", scheme: str = "light"
) -> Any:
    """Follow the study in the page of a panel."""
    text, ground, soft = COLORS[scheme]
    page = (
        PAGE.replace("TEXT", text)
        .replace("GROUND", ground)
        .replace("SOFT", soft)
        .replace("DATA", json.dumps(component_data(predicted)))
    )

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix("http://panel.test/").split("?")[0]
        if path == "":
            route.fulfill(body=page, content_type="text/html")
        elif path == "stream":
            route.fulfill(body=stream(arms, end), content_type="text/event-stream")
        elif path == "plotly.min.js":
            route.fulfill(path=f"{plotly.__path__[0]}/package_data/plotly.min.js", content_type="text/javascript")
        elif (file := static.PANEL_FOLDER / path.split("/")[-1]).is_file():
            route.fulfill(path=file, content_type="text/css" if file.suffix == ".css" else "text/javascript")
        else:
            route.fulfill(status=204)

    panel.page.route("http://panel.test/**", answer)
    panel.page.goto("http://panel.test/")
    panel.wait(f"frames === {FRAMES}" + (" && state === 'finished' && frame === frames - 1" if end else ""))
    return panel
