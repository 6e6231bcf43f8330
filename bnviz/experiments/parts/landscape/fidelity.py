"""How much of the change that the gradient promises a step delivers."""

import numpy as np

from bnviz.charts.builders import add_level, sweep_chart, sweep_series
from bnviz.experiments.kit import training_twins as twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.experiments.kit.training_twins import STAGE
from bnviz.experiments.parts.landscape.common import GOODFELLOW, STYLES, LandscapeSettings, plateau, training, while_learning

FRAMES = 50
SCALES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # of the step, as bnviz.measure.fidelity takes them
SHOWN = (-1.0, 1.5)


def stages(settings: LandscapeSettings) -> tuple[Stage, ...]:
    """Both arms side by side."""
    return (training(settings, "fidelity", FRAMES),)


def charts(settings: LandscapeSettings) -> tuple[Chart, ...]:
    """The fidelity over the steps, for shorter and longer steps, and the loss."""
    steps = settings.steps
    over_steps = twins.by_step(
        "fidelity",
        "Promise kept",
        "Actual over predicted change of the batch's loss for the coming step; below 0 the step makes it worse.",
        "actual / predicted change",
        STYLES,
        steps,
        "fidelity",
        y_range=SHOWN,
    )
    profile = sweep_chart(
        "profile",
        "Shorter and longer steps",
        "The same for the step times a factor, now; short steps keep their promise in any smooth net.",
        "factor on the step",
        "actual / predicted change",
        SCALES,
        STYLES,
        x_log=True,
        y_range=SHOWN,
    )
    for chart in (over_steps.spec, profile):
        add_level(chart, 1.0, "the loss is a plane")
    return (
        over_steps,
        Chart(profile, _draw_profile),
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


def _draw_profile(results: Results) -> dict[str, list]:
    last = results.last(STAGE)
    assert last is not None
    return {"": [sweep_series(np.asarray(arm.extras["fidelity_profile"]).T) for arm in last.arms]}


def verdict(settings: LandscapeSettings, results: Results) -> Verdict | None:
    """Compare how close to 1 the fidelity is, twin by twin."""
    if len(results.history(STAGE)) < 2:
        return None
    none, batch = (while_learning(results, "fidelity", arm) for arm in (0, 1))
    known = np.isfinite(none) & np.isfinite(batch)
    gain = spread_of((np.abs(1 - none) - np.abs(1 - batch))[known])  # above 0: batch norm is closer to 1
    of_none, of_batch = spread_of(none[known]), spread_of(batch[known])
    numbers = {
        "fidelity_none": of_none.median,
        "fidelity_batch": of_batch.median,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "pairs": float(gain.count),
    }
    if not gain.count:
        return Verdict(None, "No pair of twins trained to the end, so there is nothing to compare.", numbers)
    answer = "closer" if gain.low > 0 else "further" if gain.high < 0 else None
    sentence = (
        f"A step changes the loss of its batch by {plain(of_none.median)} ({plain(of_none.low)} to {plain(of_none.high)}) of "
        f"what its gradient predicts without batch norm, and by {plain(of_batch.median)} ({plain(of_batch.low)} to "
        f"{plain(of_batch.high)}) with it ({gain.count} pairs).{'' if answer else ' The pairs do not agree on who is closer.'}"
        f"{plateau(results)}"
    )
    return Verdict(answer, sentence + twins.diverged(results, ("no norm", "batch norm")), numbers)


def judge(found: Verdict) -> Finding:
    """Supported when batch norm is closer to the prediction in every pair."""
    numbers = found.numbers
    measured = (
        f"{plain(numbers['fidelity_batch'])} of the predicted change with batch norm, {plain(numbers['fidelity_none'])} without"
    )
    low, high = numbers["gain_low"], numbers["gain_high"]
    return Finding("supported" if low > 0 else "not supported in this setting" if high < 0 else "mixed", measured)


PART = Part(
    id="fidelity",
    title="What a step delivers",
    question="The gradient predicts how much a step lowers the loss: with which net is that closer to the truth?",
    choices=(
        Choice("closer", "With batch norm"),
        Choice("further", "Without a norm"),
    ),
    settings=LandscapeSettings,
    presets=(
        Preset(
            "learning",
            "Six layers",
            "Twins of six layers; 1 is a promise kept in full. Watch the steps in which the plain net's loss falls.",
            LandscapeSettings(),
        ),
        Preset(
            "deeper",
            "Ten layers, small batches",
            "Ten layers and batches of 32. Watch whether batch norm still keeps its promises better.",
            LandscapeSettings(depth=10, batch_size=32),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(GOODFELLOW,),
    caveat=("fidelity", "deeper"),
    claims=(
        Claim(
            "first_order",
            "Batch norm reduces the effects of high order that make a step miss its prediction.",
            GOODFELLOW,
            "learning",
            judge,
        ),
    ),
)
