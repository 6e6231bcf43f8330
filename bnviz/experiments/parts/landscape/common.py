"""What the parts on the loss landscape share: twins, and the steps in which the plain net learns."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bnviz.config.models import ActivationName, ExtraName, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Settings
from bnviz.experiments.kit.labelled import Labelled, known_median
from bnviz.experiments.kit.learning import guessing_loss
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.twins import LOSS, NONE

CLASSES = 10
LEFT_PLATEAU, DONE = 0.9, 0.1  # shares of the loss of guessing between which the plain net is said to be learning


class LandscapeSettings(Settings):
    """Twins with and without batch norm."""

    depth: Int = knobs.depth(6, most=16)
    width: Int = knobs.width(32, most=64)
    activation: ActivationName = knobs.activation()
    init: Literal["he", "xavier"] = knobs.initial_weights()
    lr: Float = knobs.learning_rate(0.1, most=5)
    batch_size: Int = knobs.batch_size(128, least=8)
    steps: Int = knobs.steps(200, most=800, least=4)
    seeds: Int = knobs.seeds(4, most=8)


def training(settings: LandscapeSettings, extra: ExtraName, frames: int) -> Stage:
    """Both arms side by side, measured about `frames` times."""
    run = RunConfig(
        arms=(twins.arm_of(settings, "none"), twins.arm_of(settings, "batch")),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // frames, 1),
        extras=(extra,),
    )
    return Stage("training", "training", run, (LOSS.measure, extra))


def learning(results: Results) -> NDArray[np.bool_]:
    """At which measurements each plain net is learning, (measurements, seeds).

    From the first at which its loss is below `LEFT_PLATEAU` of the loss of guessing until the first after that below
    `DONE` of it. A net that never left the plateau has none.
    """
    loss = results.over_steps(LOSS.measure).at(arm=NONE).rows("step", "seed")
    guess = guessing_loss(CLASSES)
    started = np.cumsum(loss < LEFT_PLATEAU * guess, axis=0) > 0
    done = np.cumsum(started & (loss < DONE * guess), axis=0) > 0
    return started & ~done


def while_learning(results: Results, measure: str) -> Labelled:
    """Median of an extra over the steps in which the plain twin learns, or over all where it never does, by arm and seed."""
    window = learning(results)
    window = np.where(window.any(axis=0), window, True)
    found = results.over_steps(measure)
    rows = found.rows("arm", "step", "seed")
    seen = np.where(window & np.isfinite(rows), rows, np.nan)
    axes = {axis: found.axes[axis] for axis in ("arm", "step", "seed")}
    return Labelled(seen, axes).over_all(known_median, "step")


def plateau(results: Results) -> str:
    """A sentence on the pairs whose plain net never left the plateau, or that all did."""
    learned = learning(results).any(axis=0)
    stuck, total = int((~learned).sum()), learned.size
    if not stuck:
        return "Compared over the steps in which the plain net learns."
    whose = f"{stuck} of {total} pairs" if stuck < total else "every pair" if total > 1 else "the pair"
    return f"In {whose} the plain net never left the plateau at the start, so it is the plateau that is compared there."
