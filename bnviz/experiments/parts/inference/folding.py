"""At inference batch norm is y = a x + c: it folds into the linear layer before it and costs nothing."""

from typing import Any

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, layer_chart, plain_styles, sweep_chart, sweep_series
from bnviz.charts.spec import ChartSpec
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import Int
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Series, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.parts.inference.sources import IOFFE, JACOB

KEY = "folding"
POINTS, BATCHES = 33, 200  # of the probe: grid values, batches around each
EPS = {"float32": 2.0**-23, "float64": 2.0**-52}  # rounding of a number near 1
ROUNDING = 1000  # times that, summed over a layer's inputs: still rounding


class FoldingSettings(Settings):
    """The net that is folded, and the unit that is drawn."""

    depth: Int = Field(default=4, ge=1, le=10, title="Hidden layers", description="Of 32 ReLU units each, with batch norm.")
    steps: Int = Field(default=150, ge=0, le=2000, title="Steps", description="Updates before the net is folded.")
    batch_size: Int = Field(default=8, ge=2, le=256, title="Batch size", description="Of the batches in training mode.")
    unit: Int = Field(default=0, ge=0, le=31, title="Unit", description="Of the last hidden layer, drawn in the first chart.")
    seeds: Int = Field(default=4, ge=1, le=12, title="Seeds", description="Networks.")
    seed: Int = Field(default=0, ge=0, le=9999, title="First seed", description="Of data, weights and batches.")


def stages(settings: FoldingSettings) -> tuple[Stage, ...]:
    """One probe."""
    options = {
        "depth": settings.depth,
        "steps": settings.steps,
        "batch_size": settings.batch_size,
        "layer": settings.depth,
        "unit": settings.unit,
        "trials": settings.seeds,
        "seed": settings.seed,
    }
    return (
        Stage(KEY, "one net, folded", probe="folding", options=options, seconds=0.5 + 0.0004 * settings.steps * settings.depth),
    )


def charts(settings: FoldingSettings) -> tuple[Chart, ...]:
    """One unit's input and output in both modes; the difference that folding makes, layer by layer."""
    difference = layer_chart(
        "difference",
        "Folded against written out",
        "Largest difference of any pre-activation of the test set, over the largest value. The grey lines: one rounding.",
        "relative difference",
        plain_styles(tuple(EPS)),
        settings.depth,
        y_log=True,
    )
    for name, eps in EPS.items():
        add_level(difference, eps, f"rounding of {name}")
    return (
        Chart(_map_chart(), lambda results: {"": _map(results)}),
        Chart(difference, lambda results: {"": _differences(results)}),
    )


def _map_chart() -> ChartSpec:
    styles = (
        *plain_styles(("training mode, many batches", "test mode")),
        ArmStyle("a x + c", "#808080", "dot", ""),
    )
    return sweep_chart(
        "map",
        "One unit, two modes",
        "In test mode a straight line. In training mode the same input gives another output in every batch: the band.",
        "pre-norm x (running stds from the mean)",
        "pre-activation",
        np.linspace(-3, 3, POINTS).tolist(),
        styles,
        markers=False,
    )


def _value(results: Results, name: str) -> Any:
    value = results.value(KEY, name)
    assert value is not None
    return value


def _map(results: Results) -> list[Series]:
    return [
        sweep_series(_value(results, "training")),
        *(sweep_series(_value(results, name)[:, None]) for name in ("eval", "line")),
    ]


def _differences(results: Results) -> list[Series]:
    return [sweep_series(rows) for rows in _value(results, "difference")]


def verdict(settings: FoldingSettings, results: Results) -> Verdict | None:
    """The largest difference between the folded net and the one written out, in both precisions."""
    if not results.finished(KEY):
        return None
    difference, agreement = _value(results, "difference"), _value(results, "agreement")
    if not np.isfinite(difference).all():
        return Verdict(None, "A net diverged in training: lower the number of steps.")
    worst = dict(zip(EPS, difference.max(axis=(1, 2)), strict=True))
    slope, shift = float(_value(results, "slope")[0]), float(_value(results, "shift")[0])
    training = _value(results, "training")
    scatter = float(np.nanstd(training, axis=1).mean())
    share = float(agreement.min())
    same = "the whole test set" if share == 1 else f"at least {plain(100 * share)} % of the test set"
    sentence = (
        f"Folded into the weights, the whole net differs by at most {plain(worst['float32'])} in float32 and "
        f"{plain(worst['float64'])} in float64, relative to the largest value, over {settings.seeds} nets; {same} gets the same "
        f"class. The unit shown computes {plain(slope)} x {'+' if shift >= 0 else '-'} {plain(abs(shift))} in test mode."
    )
    numbers = {
        "float32": worst["float32"],
        "float64": worst["float64"],
        "agreement": share,
        "scatter": scatter,
        "line_error": float(np.abs(_value(results, "eval") - _value(results, "line")).max()),
    }
    is_rounding = all(worst[name] < ROUNDING * eps for name, eps in EPS.items())
    return Verdict("same" if is_rounding else "close" if worst["float32"] < 0.01 else "other", sentence, numbers)


PART = Part(
    id="folding",
    title="Folding it away",
    question="After training, batch norm is multiplied into the weights and removed: how far does the net's output change?",
    choices=(
        Choice("same", "Not at all, but for rounding"),
        Choice("close", "By a little, up to a percent"),
        Choice("other", "It becomes another net"),
    ),
    settings=FoldingSettings,
    presets=(
        Preset(
            "digits",
            "Four layers",
            "A trained net, written out and folded. Watch the straight line of the test mode and the differences by layer.",
            FoldingSettings(),
        ),
        Preset(
            "pairs",
            "Batches of two",
            "In training mode with batches of two, a unit says only which sample is larger. Watch the band: nothing here folds.",
            FoldingSettings(batch_size=2),
        ),
        Preset("deep", "Ten layers", "Ten layers to fold. Watch whether rounding adds up with depth.", FoldingSettings(depth=10)),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE, JACOB),
    caveat=("folding", "pairs"),
)
