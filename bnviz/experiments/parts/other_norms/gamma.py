"""Gamma from 0.1 in a recurrent net: steeper tanhs at the start, and what becomes of them in training."""

from math import sqrt
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_theory_line, plain_styles
from bnviz.closed_forms.saturation import mean_tanh_slope
from bnviz.config.models import Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.evidence import Numbers
from bnviz.experiments.kit.labelled import Labelled, stacked
from bnviz.experiments.kit.learning import final_loss
from bnviz.experiments.kit.quantities import Quantity, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import COOIJMANS, LAURENT
from bnviz.experiments.kit.spread import spread_of
from bnviz.experiments.parts.other_norms.common import STAGE

KEEP = ("train_loss", "test_loss", "post_activation_mean", "post_activation_std", "pre_activation_std", "pre_norm_grad_norm")
SMALL, USUAL = 0.1, 1.0
MEASURED = "measured"
Gamma = Annotated[Float, Field(ge=0.01, le=4)]


class GammaSettings(Settings):
    """A tanh cell with batch norm on both of its terms, statistics for every time step, at six initial gammas."""

    gammas: tuple[Gamma, ...] = Field(
        default=(0.05, 0.1, 0.25, 0.5, 1.0, 2.0),
        min_length=2,
        max_length=6,
        title="Initial gammas",
        description="From 0.01 to 4; 0.1 and 1 are compared.",
    )
    init: Literal["xavier", "orthogonal"] = Field(
        default="xavier", title="Initial weights", description="orthogonal: the hidden-to-hidden weights keep every length."
    )
    width: Int = knobs.width(48, most=128, least=8, of="Units of the cell.")
    lr: Float = knobs.learning_rate(0.1, most=3, of="Of plain SGD, the same for all nets.")
    steps: Int = knobs.steps(200, most=1500, least=20)
    seeds: Int = knobs.seeds(4, most=12, of="Networks of each gamma.")

    @property
    def compared(self) -> tuple[float, ...]:
        """0.1 and 1, and up to four others, ascending, each once."""
        others = {*self.gammas} - {SMALL, USUAL}
        return tuple(sorted({SMALL, USUAL, *sorted(others)[:4]}))


def arm_name(gamma: float) -> str:
    """'gamma 0.1': all digits, so that no two gammas share a name."""
    return f"gamma {gamma!r}".removesuffix(".0")


def stages(settings: GammaSettings) -> tuple[Stage, ...]:
    """One run, an arm for each gamma."""
    fixed = {"architecture": "recurrent", "activation": "tanh", "recurrent_norm": "hidden_per_step"}
    run = RunConfig(
        arms=tuple(
            twins.arm_of(settings, "batch", name=arm_name(gamma), gamma_init=gamma, **fixed) for gamma in settings.compared
        ),
        trials=settings.seeds,
        steps=settings.steps,
        measure_every=max(settings.steps // 25, 1),
    )
    return (Stage(STAGE, "training", run, KEEP),)


def start(results: Results, measure: str) -> Labelled:
    """A layer measure before the first update: axes arm, seed, layer (the time steps)."""
    found = results.over_steps(measure)
    return found.at(step=found.axes["step"][0])


def slopes(results: Results) -> Labelled:
    """Mean of tanh' = 1 - tanh^2 over units, samples and the steps from the second on, at the start, by arm and seed."""
    mean, std = (start(results, f"post_activation_{name}").since("layer", 2) for name in ("mean", "std"))
    return Labelled(1 - mean.values**2 - std.values**2, mean.axes).over("layer", np.mean)


def arriving(results: Results) -> Labelled:
    """Gradient at the first row over that at the last, before training, by arm and seed."""
    gradient = start(results, "pre_norm_grad_norm")
    rows = gradient.axes["layer"]
    return gradient.at(layer=rows[0]) / gradient.at(layer=rows[-1])


SLOPE = Quantity(
    "post_activation_std",
    "Slope of the tanh",
    "At the start, averaged over units and samples.",
    "mean of tanh'",
    range=(0.0, 1.05),
    take=lambda results, stage: slopes(results),
)
ARRIVING = Quantity(
    "pre_norm_grad_norm",
    "Gradient that arrives",
    "Before training: at the first row over the last.",
    "first over last row",
    log=True,
    take=lambda results, stage: arriving(results),
)
FINAL = Quantity(
    "train_loss",
    "Training loss",
    "Mean over the last tenth of the steps; lower is better.",
    "training loss (nats)",
    log=True,
    take=final_loss,
)
LOSS = Quantity("train_loss", "Loss over time", "Lower is better; at 2.3 a net guesses.", "training loss (nats)", log=True)


def charts(settings: GammaSettings) -> tuple[Chart, ...]:
    """Slope and gradient at the start over gamma, final loss over gamma, losses over the steps."""
    gammas = settings.compared
    names = [arm_name(gamma) for gamma in gammas]
    slope = _by_gamma("slope", SLOPE, gammas)
    fine = np.geomspace(gammas[0], gammas[-1], 41)
    add_theory_line(slope.spec, fine, [mean_tanh_slope(sqrt(2) * gamma) for gamma in fine], "E[tanh'] at std √2 γ")
    return (
        slope,
        _by_gamma("arriving", ARRIVING, gammas),
        _by_gamma("final", FINAL, gammas),
        LOSS.by_step("loss", dict(zip(names, plain_styles(names), strict=True)), settings.steps),
    )


def _by_gamma(id: str, quantity: Quantity, gammas: tuple[float, ...]) -> Chart:
    """A line over the initial gammas."""

    def line(results: Results) -> Labelled:
        """The quantity's newest: axes arm (one), gamma, seed."""
        found = quantity.newest(results)
        return stacked("arm", {MEASURED: stacked("gamma", {gamma: found.at(arm=arm_name(gamma)) for gamma in gammas})})

    (style,) = plain_styles([MEASURED])
    return quantity.by_value(id, {MEASURED: style}, Swept("gamma", gammas, "initial gamma", log=True), line)


def verdict(settings: GammaSettings, results: Results) -> Verdict | None:
    """The final training loss from gamma 0.1 against that from gamma 1, paired by seed, and the slopes at the start."""
    if not results.finished(STAGE):
        return None
    compared = {"small": SMALL, "usual": USUAL}
    losses = {name: final_loss(results).at(arm=arm_name(gamma)).values for name, gamma in compared.items()}
    lower, higher = int((losses["small"] < losses["usual"]).sum()), int((losses["small"] > losses["usual"]).sum())
    answer = "better" if lower == settings.seeds else "worse" if higher == settings.seeds else "alike"
    slope, first = slopes(results), arriving(results)
    numbers: Numbers = {
        **{f"loss_{name}": spread_of(values) for name, values in losses.items()},
        "lower": lower / settings.seeds,
        **{f"slope_{name}": spread_of(slope.at(arm=arm_name(gamma)).values) for name, gamma in compared.items()},
        **{f"theory_{name}": mean_tanh_slope(sqrt(2) * gamma) for name, gamma in compared.items()},
        **{f"arriving_{name}": spread_of(first.at(arm=arm_name(gamma)).values, digits=2) for name, gamma in compared.items()},
    }
    headline = say(
        "{who}: after {steps} steps the training loss from gamma 0.1 is {loss_small}, from gamma 1 {loss_usual}, higher from 0.1 "
        "for {higher} of {seeds} seeds.",
        {**numbers, "who": WHO[answer], "steps": settings.steps, "higher": higher, "seeds": settings.seeds},
    )
    return Verdict(answer, headline, numbers, say(AT_THE_START, numbers))


WHO = {"better": "Better", "worse": "Worse", "alike": "No clear difference"}
AT_THE_START = (
    "At the start the mean slope of the tanh is {slope_small} from gamma 0.1 and {slope_usual} from gamma 1 (theory "
    "{theory_small} and {theory_usual}); the gradient at the first row is {arriving_small} times that at the last, from gamma 1 "
    "{arriving_usual} times."
)
judge = rule(
    "training loss {loss_small:median} from gamma 0.1, {loss_usual:median} from gamma 1",
    supported=answered("better"),
    against=answered("worse"),
)


PART = Part(
    id="gamma",
    title="A small gamma",
    question="Gamma from 0.1 keeps a recurrent net's tanhs in their steep part. Does the net then learn better than from 1?",
    choices=(
        Choice("better", "Better, for every seed"),
        Choice("worse", "Worse, for every seed"),
        Choice("alike", "No clear difference"),
    ),
    settings=GammaSettings,
    presets=(
        Preset(
            "gaussian",
            "Gaussian weights",
            "Batch norm on both terms, statistics for each row, six initial gammas. Watch the slope, then the loss.",
            GammaSettings(),
        ),
        Preset(
            "orthogonal",
            "Orthogonal weights",
            "The same with orthogonal weights, which by themselves keep lengths from row to row. Watch the loss over gamma.",
            GammaSettings(init="orthogonal"),
        ),
        Preset(
            "fast",
            "Higher learning rate",
            "Five times the learning rate. Watch how much of the difference is left.",
            GammaSettings(lr=0.5),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(COOIJMANS, LAURENT),
    caveat=("gamma", "fast"),
    claims=(
        Claim(
            "small_gamma",
            "In recurrent batch norm gamma should start at 0.1, so that gradients pass the tanh.",
            COOIJMANS,
            "gaussian",
            judge,
        ),
    ),
)
