"""What the parts on the loss landscape share: twins, the steps in which the plain net learns, sources."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import norm_style
from bnviz.config.models import ActivationName, ExtraName, Float, Int, RunConfig
from bnviz.experiments.kit import training_twins as twins
from bnviz.experiments.kit.base import Reference, Settings, Stage
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import guessing_loss
from bnviz.experiments.kit.training_twins import STAGE

FloatArray = NDArray[np.float64]

SANTURKAR = Reference(
    "Santurkar et al. 2018, How Does Batch Normalization Help Optimization?", "https://arxiv.org/abs/1805.11604"
)
GOODFELLOW = Reference("Goodfellow et al. 2016, Deep Learning, section 8.7.1", "https://www.deeplearningbook.org/")
LI = Reference("Li et al. 2018, Visualizing the Loss Landscape of Neural Nets", "https://arxiv.org/abs/1712.09913")

STYLES = (norm_style("none"), norm_style("batch"))
CLASSES = 10
LEFT_PLATEAU, DONE = 0.9, 0.1  # shares of the loss of guessing between which the plain net is said to be learning


class LandscapeSettings(Settings):
    """Twins with and without batch norm."""

    depth: Int = Field(default=6, ge=1, le=16, title="Hidden layers", description="Depth of both nets.")
    width: Int = Field(default=32, ge=4, le=64, title="Width", description="Units of a hidden layer.")
    activation: ActivationName = Field(default="relu", title="Activation", description="Of the hidden layers.")
    init: Literal["he", "xavier"] = Field(
        default="xavier", title="Initial weights", description="He: std sqrt(2 / inputs). Xavier: sqrt(2 / (inputs + outputs))."
    )
    lr: Float = Field(default=0.1, ge=1e-3, le=5, title="Learning rate", description="Of plain SGD, the same for both nets.")
    batch_size: Int = Field(default=128, ge=8, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=200, ge=4, le=800, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=8, title="Seeds", description="Pairs of twins.")


def training(settings: LandscapeSettings, extra: ExtraName, frames: int, keep: tuple[str, ...] = ("train_loss",)) -> Stage:
    """Both arms side by side, measured about `frames` times."""
    run = RunConfig(
        arms=(twins.arm_of(settings, "none"), twins.arm_of(settings, "batch")),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // frames, 1),
        extras=(extra,),
    )
    return Stage(STAGE, "training", run, (*keep, extra))


def learning(results: Results) -> NDArray[np.bool_]:
    """At which measurements each plain net is learning, (measurements, trials).

    From the first at which its loss is below `LEFT_PLATEAU` of the loss of guessing until the first after that below
    `DONE` of it. A trial that never left the plateau has none.
    """
    loss = results.curve(STAGE, "train_loss", 0)
    guess = guessing_loss(CLASSES)
    started = np.cumsum(loss < LEFT_PLATEAU * guess, axis=0) > 0
    done = np.cumsum(started & (loss < DONE * guess), axis=0) > 0
    return started & ~done


def while_learning(results: Results, measure: str, arm: int) -> FloatArray:
    """Median of an extra, (measurements, trials), over the steps in which the plain twin learns; over all where it never does."""
    values, window = results.curve(STAGE, measure, arm), learning(results)
    window = np.where(window.any(axis=0), window, True)
    columns = [values[window[:, trial], trial] for trial in range(values.shape[1])]
    return np.array([np.median(known) if len(known := column[np.isfinite(column)]) else np.nan for column in columns])


def plateau(results: Results) -> str:
    """A sentence on the pairs whose plain net never left the plateau; empty when all did."""
    stuck = int((~learning(results).any(axis=0)).sum())
    total = learning(results).shape[1]
    if not stuck:
        return " Compared over the steps in which the plain net learns."
    whose = f"{stuck} of {total} pairs" if stuck < total else "every pair" if total > 1 else "the pair"
    return f" In {whose} the plain net never left the plateau at the start, so it is the plateau that is compared there."
