"""Gamma from 0.1 in a recurrent net: steeper tanhs at the start, and what becomes of them in training."""

from math import sqrt
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import add_theory_line, curve_chart, curve_point, plain_styles, sweep_chart, sweep_series
from bnviz.closed_forms.saturation import mean_tanh_slope
from bnviz.config.models import ArmConfig, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import final_losses, plain, spread_of
from bnviz.experiments.parts.other_norms.common import COOIJMANS, LAURENT, STAGE, newest

FloatArray = NDArray[np.float64]
KEEP = ("train_loss", "test_loss", "post_activation_mean", "post_activation_std", "pre_activation_std", "pre_norm_grad_norm")
SMALL, USUAL = 0.1, 1.0
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
    width: Int = Field(default=48, ge=8, le=128, title="Width", description="Units of the cell.")
    lr: Float = Field(default=0.1, ge=1e-3, le=3, title="Learning rate", description="Of plain SGD, the same for all.")
    steps: Int = Field(default=200, ge=20, le=1500, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=12, title="Seeds", description="Networks of each gamma.")

    @property
    def compared(self) -> tuple[float, ...]:
        """0.1 and 1, and up to four others, ascending, each once."""
        others = {*self.gammas} - {SMALL, USUAL}
        return tuple(sorted({SMALL, USUAL, *sorted(others)[:4]}))


def stages(settings: GammaSettings) -> tuple[Stage, ...]:
    """One run, an arm for each gamma."""
    arms = tuple(
        ArmConfig(
            name=f"gamma {gamma:g}",
            architecture="recurrent",
            activation="tanh",
            norm="batch",
            recurrent_norm="hidden_per_step",
            gamma_init=gamma,
            init=settings.init,
            width=settings.width,
            lr=settings.lr,
        )
        for gamma in settings.compared
    )
    run = RunConfig(arms=arms, trials=settings.seeds, steps=settings.steps, measure_every=max(settings.steps // 25, 1))
    return (Stage(STAGE, "training", run, KEEP),)


def start(results: Results, arm: int, measure: str) -> FloatArray:
    """A layer measure before the first update, (trials, time steps)."""
    return np.asarray(results.history(STAGE)[0].arms[arm].layers[measure], np.float64)


def slopes(results: Results, arm: int) -> FloatArray:
    """Mean of tanh' = 1 - tanh^2 over units, samples and the steps from the second on, at the start, (trials,)."""
    mean, std = (start(results, arm, f"post_activation_{name}")[:, 1:] for name in ("mean", "std"))
    return (1 - mean**2 - std**2).mean(axis=1)


def arriving(results: Results, arm: int) -> FloatArray:
    """Gradient at the first row over that at the last, before training, (trials,)."""
    gradient = start(results, arm, "pre_norm_grad_norm")
    return gradient[:, 0] / gradient[:, -1]


def charts(settings: GammaSettings) -> tuple[Chart, ...]:
    """Slope and gradient at the start over gamma, final loss over gamma, losses over the steps."""
    gammas = settings.compared
    arms = range(len(gammas))
    one = plain_styles(["measured"])
    slope = sweep_chart(
        "slope", "Slope of the tanh", "At the start, averaged over units and samples.", "initial gamma", "mean of tanh'", gammas,
        one, x_log=True, y_range=(0.0, 1.05),
    )  # fmt: skip
    fine = np.geomspace(gammas[0], gammas[-1], 41)
    add_theory_line(slope, fine, [mean_tanh_slope(sqrt(2) * gamma) for gamma in fine], "E[tanh'] at std √2 γ")
    first = sweep_chart(
        "arriving", "Gradient that arrives", "Before training: at the first row over the last.", "initial gamma",
        "first over last row", gammas, one, x_log=True, y_log=True,
    )  # fmt: skip
    final = sweep_chart(
        "final", "Training loss", "Mean over the last tenth of the steps; lower is better.", "initial gamma",
        "training loss (nats)", gammas, one, x_log=True, y_log=True,
    )  # fmt: skip
    labels = [f"gamma {gamma:g}" for gamma in gammas]
    loss = curve_chart("loss", "Loss over time", "Lower is better; at 2.3 a net guesses.", "training loss (nats)",
                       plain_styles(labels), settings.steps, y_log=True)  # fmt: skip
    return (
        Chart(slope, lambda results: {"": [sweep_series([slopes(results, arm) for arm in arms])]}),
        Chart(first, lambda results: {"": [sweep_series([arriving(results, arm) for arm in arms])]}),
        Chart(final, lambda results: {"": [sweep_series([final_losses(results, STAGE, arm) for arm in arms])]}),
        Chart(loss, lambda results: {"": [curve_point(values) for values in newest(results, "train_loss", len(gammas))]}),
    )


def verdict(settings: GammaSettings, results: Results) -> Verdict | None:
    """The final training loss from gamma 0.1 against that from gamma 1, paired by seed, and the slopes at the start."""
    if not results.finished(STAGE):
        return None
    small, usual = settings.compared.index(SMALL), settings.compared.index(USUAL)
    losses = {arm: final_losses(results, STAGE, arm) for arm in (small, usual)}
    lower = int((losses[small] < losses[usual]).sum())
    higher = int((losses[small] > losses[usual]).sum())
    answer = "better" if lower == settings.seeds else "worse" if higher == settings.seeds else "alike"
    slope = {arm: spread_of(slopes(results, arm)) for arm in (small, usual)}
    closed = {arm: mean_tanh_slope(sqrt(2) * gamma) for arm, gamma in ((small, SMALL), (usual, USUAL))}
    spreads = {arm: spread_of(values) for arm, values in losses.items()}
    start_words = {"better": "Better", "worse": "Worse", "alike": "No clear difference"}[answer]
    sentence = (
        f"{start_words}: after {settings.steps} steps the training loss from gamma 0.1 is {plain(spreads[small].median)} "
        f"({plain(spreads[small].low)} to {plain(spreads[small].high)}), from gamma 1 {plain(spreads[usual].median)} "
        f"({plain(spreads[usual].low)} to {plain(spreads[usual].high)}), higher from 0.1 for {higher} of {settings.seeds} seeds. "
        f"At the start the tanh is steeper, as the closed form has it: mean slope {plain(slope[small].median)} against "
        f"{plain(slope[usual].median)} (theory {plain(closed[small])} and {plain(closed[usual])}); of the last row's gradient "
        f"{plain(spread_of(arriving(results, small)).median, 2)} times as much arrives at the first row, from gamma 1 "
        f"{plain(spread_of(arriving(results, usual)).median, 2)} times."
    )
    numbers = {
        "loss_small": spreads[small].median,
        "loss_usual": spreads[usual].median,
        "lower": lower / settings.seeds,
        "slope_small": slope[small].median,
        "slope_usual": slope[usual].median,
        "theory_small": closed[small],
        "theory_usual": closed[usual],
        "arriving_small": spread_of(arriving(results, small)).median,
        "arriving_usual": spread_of(arriving(results, usual)).median,
    }
    return Verdict(answer, sentence, numbers)


def judge(found: Verdict) -> Finding:
    """Supported when gamma 0.1 ends lower for every seed."""
    from_small, from_usual = (plain(found.numbers[f"loss_{start}"]) for start in ("small", "usual"))
    measured = f"training loss {from_small} from gamma 0.1, {from_usual} from gamma 1"
    judgement = {"better": "supported", "worse": "not supported in this setting"}.get(found.answer or "", "mixed")
    return Finding(judgement, measured)  # type: ignore[arg-type]


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
        Claim("small_gamma", "In recurrent batch norm gamma should start at 0.1, so that gradients pass the tanh.", COOIJMANS,
              "gaussian", judge),
    ),
)  # fmt: skip
