"""How steady the loss and its gradient are along the gradient, while both nets train."""

from dataclasses import replace

import numpy as np

from bnviz.charts.builders import add_level, curve_chart
from bnviz.charts.numbers import shorts
from bnviz.config.stages import Stage
from bnviz.experiments.kit import twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Series, Verdict
from bnviz.experiments.kit.labelled import FloatArray
from bnviz.experiments.kit.learning import guessing_loss
from bnviz.experiments.kit.quantities import Quantity
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_above, all_below, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import SANTURKAR
from bnviz.experiments.kit.spread import Spread, ratio_of
from bnviz.experiments.kit.twins import BATCH, NONE, STYLES
from bnviz.experiments.parts.landscape.common import (
    CLASSES,
    LEFT_PLATEAU,
    LandscapeSettings,
    plateau,
    training,
    while_learning,
)

FRAMES = 50
MUCH = 5.0  # times wider
LOSSES = Quantity(
    "landscape_losses",
    "Loss along the gradient",
    "Lowest to highest loss within 0.5 to 4 learning rates along the gradient; first seed.",
    "loss (nats)",
    log=True,
)
CHANGES = Quantity(
    "landscape_changes",
    "Change of the gradient",
    "Least to most that the gradient changes on the same line; first seed. Low: it can be relied on.",
    "|change of g|",
    log=True,
)
SMOOTHNESS = Quantity(
    "landscape_smoothness",
    "Effective smoothness",
    "Change of the gradient over the length of the step, the largest on the line; lower is smoother.",
    "largest |change of g| / |step|",
)
LOSS = replace(twins.LOSS, how="Cross-entropy of the step's own mini-batch; above the dotted line a net sits on the plateau.")
COMPARED = {"range": "landscape_range", "change": "landscape_predictiveness", "smoothness": SMOOTHNESS.measure}


def stages(settings: LandscapeSettings) -> tuple[Stage, ...]:
    """Both arms side by side."""
    return (training(settings, "landscape", FRAMES),)


def charts(settings: LandscapeSettings) -> tuple[Chart, ...]:
    """The loss and the gradient's change along the gradient, the effective smoothness, the loss."""
    loss = LOSS.by_step("training", STYLES, settings.steps)
    add_level(loss.spec, LEFT_PLATEAU * guessing_loss(CLASSES), "plateau: above this", fit=False)
    return (
        _extent("losses", LOSSES, settings.steps),
        _extent("changes", CHANGES, settings.steps),
        SMOOTHNESS.by_step("smoothness", STYLES, settings.steps),
        loss,
    )


def _extent(id: str, line: Quantity, steps: int) -> Chart:
    """The extent of what was measured at the points of a line, over the steps, of the first seed."""
    spec = curve_chart(id, line.title, line.how, line.axis, tuple(STYLES.values()), steps, y_log=line.log)

    def draw(results: Results) -> dict[str, list[Series]]:
        found = results.newest(line.measure).at(seed=0)
        return {"": [_ends(found.at(arm=arm).values) for arm in STYLES]}

    return Chart(spec, draw)


def _ends(values: FloatArray) -> Series:
    """[lowest, median, highest] of the values on the line."""
    known = values[np.isfinite(values) & (values > 0)]
    return shorts([known.min(), float(np.median(known)), known.max()] if len(known) else [np.nan] * 3)


def verdict(settings: LandscapeSettings, results: Results) -> Verdict | None:
    """Compare the range of the loss and the change of the gradient, twin by twin."""
    if len(results.history("training")) < 2:
        return None
    ratios = {name: _ratio(results, measure) for name, measure in COMPARED.items()}
    if not ratios["range"].count or not ratios["change"].count:
        return Verdict(None, twins.NOTHING_TO_COMPARE, ratios)
    answer = _answer(ratios["range"], ratios["change"])
    headline = say(
        "Along the gradient the loss ranges {range:median} times as widely without batch norm as with it ({range:range}), and "
        "the gradient changes {change:median} times as much ({change:range}).",
        ratios,
    )
    return Verdict(answer, headline, ratios, _details(answer, ratios["smoothness"], results))


def _ratio(results: Results, measure: str) -> Spread:
    found = while_learning(results, measure)
    return ratio_of(found.at(arm=NONE).values, found.at(arm=BATCH).values)


def _answer(loss: Spread, change: Spread) -> str | None:
    """By what holds for both in every pair, and by the smaller of the two medians."""
    directions = {loss.direction, change.direction}
    if directions == {1}:
        return "much" if min(loss.median, change.median) >= MUCH else "some"
    return "rougher" if directions == {-1} else None


def _details(answer: str | None, smoothness: Spread, results: Results) -> str:
    return joined(
        say(
            "Effective smoothness, where lower is smoother, is {ratio:median} times as high without batch norm ({ratio:range}).",
            ratio=smoothness,
        ),
        "" if answer else "Loss and gradient do not agree in all pairs.",
        plateau(results),
        twins.diverged(results),
    )


judge = rule(
    "without batch norm the loss range is {range:median} times as wide ({range:range}), "
    "the gradient's change {change:median} times ({change:range})",
    supported=all_above("range", 1) & all_above("change", 1),
    against=all_below("range", 1) & all_below("change", 1),
)

PART = Part(
    id="bands",
    title="Along the gradient",
    question="How far can the gradient be relied on: does batch norm make the loss along it steadier?",
    choices=(
        Choice("much", "Yes, five times steadier or more"),
        Choice("some", "Yes, but less than five times"),
        Choice("rougher", "No, the plain net's is steadier"),
    ),
    settings=LandscapeSettings,
    presets=(
        Preset(
            "learning",
            "While the nets learn",
            "Twins of six layers. Watch the bands once the plain net's loss falls: they show what a step may meet.",
            LandscapeSettings(),
        ),
        Preset(
            "plateau",
            "The first 25 steps",
            "The same twins, stopped early. Watch whose band is the narrower one, and where its loss is.",
            LandscapeSettings(steps=25),
        ),
        Preset(
            "small_batches",
            "Small batches",
            "Batches of 16 instead of 128, so that the statistics are noisy. Watch how far apart the bands stay.",
            LandscapeSettings(batch_size=16),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(SANTURKAR,),
    caveat=("bands", "plateau"),
    claims=(Claim("smooth_landscape", "Batch norm makes the loss landscape smoother.", SANTURKAR, "learning", judge),),
)
