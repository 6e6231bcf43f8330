"""How steady the loss and its gradient are along the gradient, while both nets train."""

from typing import Any

import numpy as np

from bnviz.charts.builders import add_level, curve_chart
from bnviz.charts.numbers import shorts
from bnviz.charts.spec import ChartSpec
from bnviz.experiments.kit import training_twins as twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import Spread, guessing_loss, plain
from bnviz.experiments.kit.training_twins import STAGE
from bnviz.experiments.parts.landscape.common import (
    CLASSES,
    LEFT_PLATEAU,
    SANTURKAR,
    STYLES,
    LandscapeSettings,
    plateau,
    training,
    while_learning,
)

RANGE, CHANGE, SMOOTHNESS = "landscape_range", "landscape_predictiveness", "landscape_smoothness"
FRAMES = 50
MUCH = 5.0  # times wider
GUESSING = guessing_loss(CLASSES)


def stages(settings: LandscapeSettings) -> tuple[Stage, ...]:
    """Both arms side by side."""
    return (training(settings, "landscape", FRAMES),)


def charts(settings: LandscapeSettings) -> tuple[Chart, ...]:
    """The loss and the gradient's change along the gradient, the effective smoothness, the loss."""
    steps = settings.steps
    smooth = twins.by_step(
        "smoothness",
        "Effective smoothness",
        "Change of the gradient over the length of the step, the largest on the line; lower is smoother.",
        "largest |change of g| / |step|",
        STYLES,
        steps,
        SMOOTHNESS,
    )
    loss = twins.by_step(
        "training",
        "Training loss",
        "Cross-entropy of the step's own mini-batch; above the dotted line a net sits on the plateau.",
        "training loss (nats)",
        STYLES,
        steps,
        "train_loss",
        y_log=True,
    )
    add_level(loss.spec, LEFT_PLATEAU * GUESSING, "plateau: above this", fit=False)
    return (
        _band(
            "losses",
            "Loss along the gradient",
            "Lowest to highest loss within 0.5 to 4 learning rates along the gradient; first seed.",
            "loss (nats)",
            steps,
            "landscape_losses",
        ),
        _band(
            "changes",
            "Change of the gradient",
            "Least to most that the gradient changes on the same line; first seed. Low: it can be relied on.",
            "|change of g|",
            steps,
            "landscape_changes",
        ),
        smooth,
        loss,
    )


def _band(id: str, title: str, how: str, y_title: str, steps: int, measure: str) -> Chart:
    spec: ChartSpec = curve_chart(id, title, how, y_title, STYLES, steps, y_log=True)

    def draw(results: Results) -> dict[str, list[Any]]:
        last = results.last(STAGE)
        assert last is not None
        return {"": [_extent(np.asarray(arm.extras[measure][0], np.float64)) for arm in last.arms]}

    return Chart(spec, draw)


def _extent(values: np.ndarray) -> list[float | None]:
    """[lowest, median, highest] of the first trial's values on the line."""
    known = values[np.isfinite(values) & (values > 0)]
    return shorts([known.min(), float(np.median(known)), known.max()] if len(known) else [np.nan] * 3)


def verdict(settings: LandscapeSettings, results: Results) -> Verdict | None:
    """Compare the range of the loss and the change of the gradient, twin by twin."""
    if len(results.history(STAGE)) < 2:
        return None
    ratios = {name: _ratio(results, measure) for name, measure in (("range", RANGE), ("change", CHANGE), ("smooth", SMOOTHNESS))}
    numbers = {
        f"{name}{end}": value
        for name, found in ratios.items()
        for end, value in (("_ratio", found.median), ("_low", found.low), ("_high", found.high))
    }
    numbers["pairs"] = float(ratios["change"].count)
    if not ratios["range"].count or not ratios["change"].count:
        return Verdict(None, "No pair of twins trained to the end, so there is nothing to compare.", numbers)
    answer = _answer(ratios["range"], ratios["change"])
    sentence = (
        f"Along the gradient the loss ranges {_span(ratios['range'])} times as widely without batch norm as with it, and the "
        f"gradient changes {_span(ratios['change'])} times as much ({ratios['change'].count} pairs; effective smoothness "
        f"times {plain(ratios['smooth'].median)}).{'' if answer else ' The two do not agree in all pairs.'}{plateau(results)}"
    )
    return Verdict(answer, sentence + twins.diverged(results, ("no norm", "batch norm")), numbers)


def _ratio(results: Results, measure: str) -> Spread:
    none, batch = (while_learning(results, measure, arm) for arm in (0, 1))
    return twins.ratio(none, batch)


def _span(found: Spread) -> str:
    return f"{plain(found.median)} ({plain(found.low)} to {plain(found.high)})"


def _answer(loss: Spread, change: Spread) -> str | None:
    """By what holds for both in every pair, and by the smaller of the two medians."""
    directions = {twins.direction(loss), twins.direction(change)}
    if directions == {1}:
        return "much" if min(loss.median, change.median) >= MUCH else "some"
    return "rougher" if directions == {-1} else None


def judge(found: Verdict) -> Finding:
    """Supported when both are wider without batch norm in every pair, not supported when neither is in any."""
    numbers = found.numbers
    measured = (
        f"loss range {plain(numbers['range_ratio'])} times and gradient change {plain(numbers['change_ratio'])} times as wide "
        f"without ({plain(numbers['change_low'])} to {plain(numbers['change_high'])} over {numbers['pairs']:.0f} pairs)"
    )
    lows, highs = ([numbers[f"{name}_{end}"] for name in ("range", "change")] for end in ("low", "high"))
    return Finding("supported" if min(lows) > 1 else "not supported in this setting" if max(highs) < 1 else "mixed", measured)


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
