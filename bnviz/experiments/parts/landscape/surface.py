"""The loss on a plane through the weights of both nets."""

from typing import Any

import numpy as np

from bnviz.charts.builders import heatmap_chart, heatmap_series, sweep_chart, sweep_series
from bnviz.config.models import Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Series, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Quantity
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_above, all_below, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import LI_2018_LANDSCAPE, SANTURKAR
from bnviz.experiments.kit.spread import ratio_of
from bnviz.experiments.kit.twins import BATCH, LOSS, NONE, STYLES
from bnviz.experiments.parts.landscape.common import LandscapeSettings, training

FRAMES = 10
SIDE, REACH = 19, 1.0  # of the plane, as bnviz.measure.surface takes it
SHARES = tuple(float(f"{share:.3g}") for share in np.linspace(-REACH, REACH, SIDE))
MIDDLE = 0.0  # among them
DARKEST, LIGHTEST = 0.03, 30.0  # losses
FIRST, SECOND = "along the first direction", "along the second direction"


class SurfaceSettings(LandscapeSettings):
    """Twins with and without batch norm; the surface is measured ten times on the way."""

    seeds: Int = knobs.seeds(4, most=6, of="Pairs of twins; the map shows the first.")


def stages(settings: SurfaceSettings) -> tuple[Stage, ...]:
    """Both arms side by side."""
    return (training(settings, "surface", FRAMES),)


def charts(settings: SurfaceSettings) -> tuple[Chart, ...]:
    """The surface of both twins, a cut through it, how far the plane rises over the steps, the loss."""
    return (_plane(), _cut(), RISE.by_step("rise", STYLES, settings.steps), LOSS.by_step("training", STYLES, settings.steps))


def _plane() -> Chart:
    spec = heatmap_chart(
        "surface",
        "Loss around the weights",
        "The middle is the net as it stands; the sides are a filter's own length away. Dark is a low loss; first seed.",
        FIRST,
        SECOND,
        SHARES,
        SHARES,
        low=DARKEST,
        high=LIGHTEST,
        log=True,
        unit="loss",
    )
    return Chart(spec, lambda results: {"": _cells(surfaces(results).at(seed=0))})


def _cells(found: Labelled) -> list[Any]:
    """Packed cells of every net's surface, from axes arm, second and first."""
    return [heatmap_series(found.at(arm=arm).rows("second", "first"), DARKEST, LIGHTEST, log=True) for arm in STYLES]


def _cut() -> Chart:
    spec = sweep_chart(
        "cut",
        "Cut through the middle",
        "The loss along the first direction, all seeds.",
        FIRST,
        "loss (nats)",
        SHARES,
        tuple(STYLES.values()),
        y_log=True,
        markers=False,
    )

    def draw(results: Results) -> dict[str, list[Series]]:
        found = surfaces(results).at(second=MIDDLE)
        return {"": [sweep_series(found.at(arm=arm).rows("first", "seed")) for arm in STYLES]}

    return Chart(spec, draw)


def surfaces(results: Results) -> Labelled:
    """The newest surfaces: axes arm, seed, second and first direction; NaN for a net that diverged, infinite for an overflow."""
    known = results.newest("surface").map(lambda values: np.where(np.isfinite(values), values, np.inf))
    lost = results.diverged().values[:, :, None, None] > 0
    found = known.map(lambda values: np.where(lost, np.nan, values))
    return found.renamed("layer", "second", SHARES).renamed("unit", "first", SHARES)


def rise(results: Results, stage: str = "") -> Labelled:
    """Median over the plane of the loss above the middle's, by arm and seed; NaN for a net that diverged."""
    found = surfaces(results)
    middle = found.at(first=MIDDLE, second=MIDDLE).values
    typical = np.median(found.rows("arm", "seed", "second", "first"), axis=(2, 3))
    above = np.where(np.isfinite(middle), typical - np.nan_to_num(middle, posinf=0), np.nan)
    return Labelled(above, {axis: found.axes[axis] for axis in ("arm", "seed")})


RISE = Quantity(
    "surface",
    "Rise around the weights",
    "For half of the plane the loss lies this far above the middle's, or further; the lower, the flatter.",
    "median rise (nats)",
    take=rise,
)


def verdict(settings: SurfaceSettings, results: Results) -> Verdict | None:
    """Compare how far the plane rises above its middle at the last measurement, twin by twin."""
    last = results.last("training")
    if last is None:
        return None
    rises = rise(results)
    none, batch = (rises.at(arm=arm).values for arm in (NONE, BATCH))
    ratio = ratio_of(none, batch)
    numbers = {"rise": ratio, "rise_none": float(np.median(none)), "rise_batch": float(np.median(batch))}
    if not ratio.count:
        return Verdict(None, twins.NOTHING_TO_COMPARE, numbers)
    answer = {1: "flatter", -1: "steeper"}.get(ratio.direction)
    headline = say(
        "After {step} steps the loss on the plane rises {ratio:median} times as far without a norm as with batch norm "
        "({ratio:range}): {none} nats above the middle against {batch} in the median.",
        step=last.step,
        ratio=ratio,
        none=twins.middle(none),
        batch=twins.middle(batch),
    )
    undecided = "" if answer else "The pairs do not agree on which is flatter."
    return Verdict(answer, headline, numbers, joined(undecided, _standing(results), twins.diverged(results)))


def _standing(results: Results) -> str:
    """Where the nets stand whose surroundings are compared."""
    none, batch = (twins.middle(LOSS.newest(results).at(arm=arm).values) for arm in (NONE, BATCH))
    return f"The plain net stands at a training loss of {none}, the net with batch norm at {batch}."


judge = rule(
    "median rise {rise_none} nats without, {rise_batch} with batch norm; ratio {rise}",
    supported=all_above("rise", 1),
    against=all_below("rise", 1),
)

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
    references=(LI_2018_LANDSCAPE, SANTURKAR),
    caveat=("surface", "plateau"),
    claims=(
        Claim("flat_surface", "With batch norm the loss rises less around the trained weights.", SANTURKAR, "trained", judge),
    ),
)
