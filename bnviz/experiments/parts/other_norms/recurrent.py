"""A recurrent net reads digits row by row, without a norm, with layer norm and with batch norm in three places."""

import numpy as np
from pydantic import Field

from bnviz.charts.builders import category_chart, layer_chart, norm_style, sweep_series
from bnviz.charts.theme import SPARE_DASHES, ArmStyle
from bnviz.config.models import ArmConfig, Float, InitName, Int, NormName, RecurrentNorm, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.errors import lower_share, reading
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.experiments.parts.other_norms.common import BA, COOIJMANS, LAURENT, STAGE, newest, training_charts

TIME_STEPS = 8  # rows of an image
ARMS: tuple[tuple[str, str, NormName, RecurrentNorm], ...] = (
    ("none", "no norm", "none", "hidden_shared"),
    ("shared", "BN, shared statistics", "batch", "hidden_shared"),
    ("steps", "BN, statistics a step", "batch", "hidden_per_step"),
    ("input", "BN of the input only", "batch", "input_only"),
    ("layer", "layer norm", "layer", "hidden_shared"),
)
COLORS = {"shared": "#0072B2", "steps": "#56B4E9", "input": "#CC79A7"}
MEASURES = ("train_loss", "test_loss", "test_accuracy", "pre_norm_grad_norm")


class RecurrentSettings(Settings):
    """One tanh cell that reads the 8 x 8 digits row by row, in five versions."""

    width: Int = Field(default=48, ge=8, le=128, title="Width", description="Units of the cell.")
    lr: Float = Field(default=0.1, ge=1e-3, le=3, title="Learning rate", description="Of plain SGD, the same for all nets.")
    gamma_init: Float = Field(default=1.0, ge=0.01, le=3, title="Initial gamma", description="Of all norms.")
    init: InitName = Field(default="xavier", title="Initial weights", description="Of the cell and of the read-out.")
    batch_size: Int = Field(default=64, ge=2, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=300, ge=20, le=2000, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=12, title="Seeds", description="Networks of each version.")


def styles() -> list[ArmStyle]:
    """One style a version: the norm's own, and shades of batch norm's."""
    found = []
    for index, (key, label, norm, _) in enumerate(ARMS):
        own = norm_style(norm, label)
        found.append(ArmStyle(label, COLORS.get(key, own.color), SPARE_DASHES[index], own.symbol))
    return found


def stages(settings: RecurrentSettings) -> tuple[Stage, ...]:
    """One run: all versions from the same weights on the same batches."""
    arms = tuple(
        ArmConfig(
            name=label,
            architecture="recurrent",
            activation="tanh",
            norm=norm,
            recurrent_norm=where,
            width=settings.width,
            lr=settings.lr,
            gamma_init=settings.gamma_init,
            init=settings.init,
        )
        for _, label, norm, where in ARMS
    )
    run = RunConfig(
        arms=arms,
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // 25, 1),
    )
    return (Stage(STAGE, "training", run, MEASURES),)


def charts(settings: RecurrentSettings) -> tuple[Chart, ...]:
    """Accuracy and loss over the steps, test loss by version, gradient by time step."""
    versions = styles()
    count = len(versions)
    by_version = category_chart(
        "test_loss",
        "Test loss",
        "With running statistics, from the best to the worst seed; lower is better.",
        "test loss (nats)",
        [style.label for style in versions],
        [ArmStyle("test loss", "#0072B2", "solid")],
    )
    by_version.y_floor, by_version.y_cap = 0.0, 1.2
    gradient = layer_chart(
        "through_time",
        "Gradient through time",
        "How much of it arrives at each row; the image is read from left to right, the answer is given at the end.",
        "|dL/d pre-activation|",
        versions,
        TIME_STEPS,
        x_title="time step (row of the image)",
        y_log=True,
    )
    return (
        *training_charts(versions, settings.steps)[:2],
        Chart(by_version, lambda results: {"": [sweep_series(newest(results, "test_loss", count))]}),
        Chart(gradient, lambda results: {"": [sweep_series(_gradient(results, arm)) for arm in range(count)]}),
    )


def _gradient(results: Results, arm: int) -> np.ndarray:
    """Gradient norm of every time step as measured last, (time steps, trials); NaN where it is 0 or was not measured."""
    measured = results.arm(STAGE, arm)
    assert measured is not None
    values = np.asarray(measured.layers["pre_norm_grad_norm"], np.float64).T
    return np.where(values > 0, values, np.nan)


def verdict(settings: RecurrentSettings, results: Results) -> Verdict | None:
    """A version is better than the net without a norm when its test loss is lower for every seed."""
    if not results.finished(STAGE):
        return None
    losses = np.array([reading(results, STAGE, "test_loss", arm, settings.seeds) for arm in range(len(ARMS))])
    training = np.array([reading(results, STAGE, "train_loss", arm, settings.seeds) for arm in range(len(ARMS))])
    better = [arm for arm in range(1, len(ARMS)) if (losses[arm] < losses[0]).all()]
    numbers = {key: float(np.median(row)) for (key, *_), row in zip(ARMS, losses, strict=True)}
    numbers |= {f"train_{key}": float(np.median(row)) for (key, *_), row in zip(ARMS, training, strict=True)}
    numbers |= {f"lower_{key}": lower_share(row, losses[0]) for (key, *_), row in zip(ARMS, losses, strict=True)}
    if not np.isfinite(losses).any():
        return Verdict(None, "Every net diverged, so there is nothing to compare.", numbers)
    best = min(better, key=lambda arm: float(np.median(losses[arm]))) if better else 0
    answer = {0: "none", 4: "layer"}.get(best, "batch")
    start = f"{ARMS[best][1]} beats the net without a norm for every seed" if best else "No version beats the net without a norm"
    parts = ", ".join(f"{label} {_spread(row)}" for (_, label, *_), row in zip(ARMS, losses, strict=True))
    over = f"test loss over {settings.seeds} seeds"
    return Verdict(answer, f"{start[:1].upper()}{start[1:]} ({over}): {parts}.", numbers)


def _spread(losses: np.ndarray) -> str:
    spread = spread_of(losses)
    return f"{plain(spread.median)} ({plain(spread.low)} to {plain(spread.high)})"


def judge(found: Verdict) -> Finding:
    """Supported when no seed has a lower test loss with a batch norm; not, when one of them is lower for every seed."""
    versions = ("shared", "steps", "input")
    best = min(found.numbers[key] for key in versions)
    shares = [found.numbers[f"lower_{key}"] for key in versions]
    measured = (
        f"test loss {plain(best)} with the best of three batch norms, {plain(found.numbers['none'])} without a norm; "
        f"lower with it for {100 * max(shares):.0f} % of the seeds at most"
    )
    if max(shares) == 0:
        return Finding("supported", measured)
    return Finding("not supported in this setting" if max(shares) == 1 else "mixed", measured)


PART = Part(
    id="recurrent",
    title="A recurrent net",
    question="A recurrent net reads digits row by row. Which norm, if any, lowers its test loss?",
    choices=(
        Choice("none", "None: no version wins for every seed"),
        Choice("batch", "One of the batch norms"),
        Choice("layer", "Layer norm"),
    ),
    settings=RecurrentSettings,
    presets=(
        Preset(
            "rows",
            "Eight rows",
            "The same cell in five versions. Watch the training loss, then compare the test losses.",
            RecurrentSettings(),
        ),
        Preset(
            "small_gamma",
            "Gamma from 0.1",
            "As Cooijmans start it. Watch the test losses of shared statistics and of statistics for every step.",
            RecurrentSettings(gamma_init=0.1),
        ),
        Preset(
            "large_weights",
            "Large weights",
            "Normal weights of standard deviation 1: the tanh saturates without a norm. Watch who learns.",
            RecurrentSettings(init="normal"),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LAURENT, COOIJMANS, BA),
    caveat=("recurrent", "large_weights"),
    claims=(Claim("no_rnn", "Batch norm does not suit recurrent nets.", BA, "rows", judge),),
)
