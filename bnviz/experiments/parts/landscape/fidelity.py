"""How much of the change that the gradient promises a step delivers."""

import numpy as np

from bnviz.charts.builders import add_level
from bnviz.config.stages import Stage
from bnviz.experiments.kit import twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Quantity, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_above, all_below, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import GOODFELLOW
from bnviz.experiments.kit.spread import spread_of
from bnviz.experiments.kit.twins import LOSS, STYLES
from bnviz.experiments.parts.landscape.common import LandscapeSettings, plateau, training, while_learning

FRAMES = 50
SCALES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # of the step, as bnviz.measure.fidelity takes them
SHOWN = (-1.0, 1.5)
FIDELITY = Quantity(
    "fidelity",
    "Promise kept",
    "Actual over predicted change of the batch's loss for the coming step; below 0 the step makes it worse.",
    "actual / predicted change",
    range=SHOWN,
)
PROFILE = Quantity(
    "fidelity_profile",
    "Shorter and longer steps",
    "The same for the step times a factor, now; short steps keep their promise in any smooth net.",
    FIDELITY.axis,
    range=SHOWN,
)
SOURCE = GOODFELLOW.at("section 8.7.1")


def stages(settings: LandscapeSettings) -> tuple[Stage, ...]:
    """Both arms side by side."""
    return (training(settings, "fidelity", FRAMES),)


def charts(settings: LandscapeSettings) -> tuple[Chart, ...]:
    """The fidelity over the steps, for shorter and longer steps, and the loss."""
    over_steps = FIDELITY.by_step("fidelity", STYLES, settings.steps)
    profile = PROFILE.by_value("profile", STYLES, Swept("scale", SCALES, "factor on the step", log=True), _profile)
    for chart in (over_steps, profile):
        add_level(chart.spec, 1.0, "the loss is a plane")
    return (over_steps, profile, LOSS.by_step("training", STYLES, settings.steps))


def _profile(results: Results) -> Labelled:
    return results.newest(PROFILE.measure).renamed("layer", "scale", SCALES)


def verdict(settings: LandscapeSettings, results: Results) -> Verdict | None:
    """Compare how close to 1 the fidelity is, twin by twin."""
    if len(results.history("training")) < 2:
        return None
    none, batch = twins.known_pairs(while_learning(results, FIDELITY.measure))
    gain = spread_of(np.abs(1 - none) - np.abs(1 - batch), "pairs")  # above 0: batch norm is closer to 1
    numbers = {"fidelity_none": spread_of(none, "pairs"), "fidelity_batch": spread_of(batch, "pairs"), "gain": gain}
    if not gain.count:
        return Verdict(None, twins.NOTHING_TO_COMPARE, numbers)
    answer = "closer" if gain.low > 0 else "further" if gain.high < 0 else None
    headline = say(
        "With batch norm a step changes the loss of its batch by {fidelity_batch} of what its gradient predicts, without a norm "
        "by {fidelity_none}.",
        numbers,
    )
    undecided = "" if answer else "The pairs do not agree on which net is closer."
    return Verdict(answer, headline, numbers, joined(undecided, plateau(results), twins.diverged(results)))


judge = rule(
    "{fidelity_batch} of the predicted change with batch norm, {fidelity_none} without",
    supported=all_above("gain", 0),
    against=all_below("gain", 0),
)

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
    references=(SOURCE,),
    caveat=("fidelity", "deeper"),
    claims=(
        Claim(
            "first_order",
            "Batch norm reduces the effects of high order that make a step miss its prediction.",
            SOURCE,
            "learning",
            judge,
        ),
    ),
)
