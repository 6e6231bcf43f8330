"""The loss on a plane through the weights of both nets."""

from typing import Any

import numpy as np
from pydantic import Field

from bnviz.charts.builders import heatmap_chart, heatmap_series, sweep_chart, sweep_series
from bnviz.config.models import Int
from bnviz.experiments.kit import training_twins as twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import Spread, plain
from bnviz.experiments.kit.training_twins import STAGE
from bnviz.experiments.parts.landscape.common import LI, SANTURKAR, STYLES, FloatArray, LandscapeSettings, training

FRAMES = 10
SIDE, REACH = 19, 1.0  # of the plane, as bnviz.measure.surface takes it
SHARES = tuple(float(f"{share:.3g}") for share in np.linspace(-REACH, REACH, SIDE))
DARKEST, LIGHTEST = 0.03, 30.0  # losses


class SurfaceSettings(LandscapeSettings):
    """Twins with and without batch norm; the surface is measured ten times on the way."""

    seeds: Int = Field(default=4, ge=1, le=6, title="Seeds", description="Pairs of twins; the map shows the first.")


def stages(settings: SurfaceSettings) -> tuple[Stage, ...]:
    """Both arms side by side."""
    return (training(settings, "surface", FRAMES),)


def charts(settings: SurfaceSettings) -> tuple[Chart, ...]:
    """The surface of both twins, a cut through it, how far the plane rises over the steps, the loss."""
    steps = settings.steps
    plane = heatmap_chart(
        "surface",
        "Loss around the weights",
        "The middle is the net as it stands; the sides are a filter's own length away. Dark is a low loss; first seed.",
        "along the first direction",
        "along the second direction",
        SHARES,
        SHARES,
        low=DARKEST,
        high=LIGHTEST,
        log=True,
        unit="loss",
    )
    cut = sweep_chart(
        "cut",
        "Cut through the middle",
        "The loss along the first direction, all seeds.",
        "along the first direction",
        "loss (nats)",
        SHARES,
        STYLES,
        y_log=True,
        markers=False,
    )
    return (
        Chart(plane, _draw_plane),
        Chart(cut, _draw_cut),
        twins.by_step(
            "rise",
            "Rise around the weights",
            "How far the loss of half of the plane lies above the middle or further; the lower, the flatter.",
            "median rise (nats)",
            STYLES,
            steps,
            rise,
        ),
        twins.by_step(
            "training",
            "Training loss",
            "Cross-entropy of the step's own mini-batch; the lower, the better.",
            "training loss (nats)",
            STYLES,
            steps,
            "train_loss",
            y_log=True,
        ),
    )


def _surfaces(results: Results, arm: int) -> FloatArray:
    """The newest surfaces, (trials, SIDE, SIDE); NaN for a trial that diverged, infinite where the loss overflowed."""
    last = results.arm(STAGE, arm)
    assert last is not None
    surfaces = np.asarray(last.extras["surface"], np.float64)
    lost = (np.asarray(last.diverged_at) >= 0)[:, None, None]
    return np.where(lost, np.nan, np.where(np.isfinite(surfaces), surfaces, np.inf))


def rise(results: Results, arm: int) -> FloatArray:
    """Median over the plane of the loss above the middle's, (trials,); NaN for a trial that diverged."""
    surfaces = _surfaces(results, arm)
    middle = surfaces[:, SIDE // 2, SIDE // 2]
    return np.where(np.isfinite(middle), np.median(surfaces, axis=(1, 2)) - np.nan_to_num(middle, posinf=0), np.nan)


def _draw_plane(results: Results) -> dict[str, list[Any]]:
    return {"": [heatmap_series(_surfaces(results, arm)[0], DARKEST, LIGHTEST, log=True) for arm in (0, 1)]}


def _draw_cut(results: Results) -> dict[str, list[Any]]:
    return {"": [sweep_series(_surfaces(results, arm)[:, SIDE // 2].T) for arm in (0, 1)]}


def verdict(settings: SurfaceSettings, results: Results) -> Verdict | None:
    """Compare how far the plane rises above its middle at the last measurement, twin by twin."""
    last = results.last(STAGE)
    if last is None:
        return None
    rises = [rise(results, arm) for arm in (0, 1)]
    found = twins.ratio(rises[0], rises[1])
    losses = [twins.newest(results, "train_loss", arm) for arm in (0, 1)]
    numbers = {
        "rise_ratio": found.median,
        "rise_low": found.low,
        "rise_high": found.high,
        "rise_none": float(np.median(rises[0])),
        "rise_batch": float(np.median(rises[1])),
        "pairs": float(found.count),
    }
    if not found.count:
        return Verdict(None, "No pair of twins trained to the end, so there is nothing to compare.", numbers)
    answer = {1: "flatter", -1: "steeper"}.get(twins.direction(found))
    sentence = (
        f"After {last.step} steps the loss on the plane lies {twins.middle(rises[0])} nats above the middle without a norm and "
        f"{twins.middle(rises[1])} with batch norm (medians; ratio {_span(found)}, {found.count} pairs); the nets stand at a "
        f"training loss of {twins.middle(losses[0])} and {twins.middle(losses[1])}."
        f"{'' if answer else ' The pairs do not agree on which is flatter.'}"
    )
    return Verdict(answer, sentence + twins.diverged(results, ("no norm", "batch norm")), numbers)


def _span(found: Spread) -> str:
    return f"{plain(found.median)}, {plain(found.low)} to {plain(found.high)}"


def judge(found: Verdict) -> Finding:
    """Supported when the plane rises less with batch norm in every pair."""
    numbers = found.numbers
    measured = (
        f"median rise {plain(numbers['rise_none'])} nats without, {plain(numbers['rise_batch'])} with batch norm "
        f"(ratio {plain(numbers['rise_low'])} to {plain(numbers['rise_high'])} over {numbers['pairs']:.0f} pairs)"
    )
    low, high = numbers["rise_low"], numbers["rise_high"]
    return Finding("supported" if low > 1 else "not supported in this setting" if high < 1 else "mixed", measured)


PART = Part(
    id="surface",
    title="The surface",
    question="Around the weights that training has found, which net's loss rises less?",
    choices=(
        Choice("flatter", "That of the net with batch norm"),
        Choice("steeper", "That of the plain net"),
    ),
    settings=SurfaceSettings,
    presets=(
        Preset(
            "trained",
            "After 200 steps",
            "Twins of six layers on the same two random directions. Watch both surfaces form while the nets train.",
            SurfaceSettings(),
        ),
        Preset(
            "plateau",
            "Ten layers, 40 steps",
            "Stopped while the plain net still sits where it started. Watch which surface is flat, and what that is worth.",
            SurfaceSettings(depth=10, steps=40),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LI, SANTURKAR),
    caveat=("surface", "plateau"),
    claims=(
        Claim("flat_surface", "With batch norm the loss rises less around the trained weights.", SANTURKAR, "trained", judge),
    ),
)
