"""Sigmoids and tanhs on the flat ends of their curves, over a sweep of the initial weights' scale."""

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, layer_chart, sweep_chart, sweep_series
from bnviz.charts.spec import Selector
from bnviz.config.models import ArmConfig, DatasetConfig, Float, Int, PerTrial, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Series, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import by_value, plain, stacked
from bnviz.experiments.parts.dead_units.common import BJORCK, GLOROT, IOFFE, NORMS, PERCENT, STYLES, FloatArray, percent_words

STAGE = "gains"
ACTIVATIONS = ("sigmoid", "tanh")
FRAMES = 25
PROBE = 256
EDGES = {"sigmoid": math.log(19), "tanh": math.atanh(0.95)}  # inputs beyond which an output counts as saturated
COUNTS = 5.0  # percentage points: a smaller difference is none
Gain = Annotated[Float, Field(ge=0.01, le=100)]


class SaturationSettings(Settings):
    """Twins with sigmoid and twins with tanh, at several scales of the initial weights."""

    dataset: Literal["digits", "circles", "spirals"] = Field(
        default="digits", title="Data set", description="What the nets learn."
    )
    depth: Int = Field(default=5, ge=1, le=20, title="Hidden layers", description="Of all nets.")
    width: Int = Field(default=32, ge=4, le=128, title="Width", description="Units of a hidden layer.")
    gains: tuple[Gain, ...] = Field(
        default=(0.3, 1.0, 3.0, 10.0, 30.0),
        min_length=2,
        max_length=8,
        title="Gains",
        description="Factors on Xavier's initial weights.",
    )
    lr: Float = Field(default=0.3, ge=1e-3, le=10, title="Learning rate", description="Of plain SGD, the same for all nets.")
    batch_size: Int = Field(default=64, ge=4, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=200, ge=0, le=2000, title="Steps", description="Updates; 0 shows the initial weights.")
    seeds: Int = Field(default=3, ge=1, le=6, title="Seeds", description="Nets of each gain.")


def stages(settings: SaturationSettings) -> tuple[Stage, ...]:
    """All gains and seeds as one stack, an arm for each activation and norm."""
    gains, seeds = stacked(settings.gains, settings.seeds)
    shared = {"depth": settings.depth, "width": settings.width, "init": "xavier", "lr": settings.lr}
    run = RunConfig(
        dataset=DatasetConfig(name=settings.dataset),
        arms=tuple(
            ArmConfig(
                name=f"{activation}, {norm}", activation=activation, norm=norm, per_trial=PerTrial(init_gain=gains), **shared
            )
            for activation in ACTIVATIONS
            for norm in NORMS
        ),
        trials=len(gains),
        trial_seeds=seeds,
        steps=settings.steps,
        batch_size=settings.batch_size,
        probe_size=PROBE,
        measure_every=max(settings.steps // FRAMES, 1),
    )
    return (Stage(STAGE, "gains", run, ("saturated_fraction", "test_accuracy")),)


def saturated_at_birth(activation: str) -> float:
    """Percent of outputs that are saturated when the pre-activation is standard normal: P(|z| > edge)."""
    return 100 * math.erfc(EDGES[activation] / math.sqrt(2))


def measured(settings: SaturationSettings, results: Results, activation: str, norm: int, name: str) -> FloatArray | None:
    """A measure in percent as taken last, (gains, seeds, ...), infinite where a trial diverged; None: not yet."""
    arm = results.arm(STAGE, ACTIVATIONS.index(activation) * len(NORMS) + norm)
    if arm is None:
        return None
    table = arm.layers if name in arm.layers else arm.curves
    values = 100 * np.asarray(table[name], np.float64)
    gone = (np.asarray(arm.diverged_at) >= 0).reshape(-1, *[1] * (values.ndim - 1))
    return by_value(np.where(gone, np.inf, values), settings.gains, settings.seeds, axis=0)


def charts(settings: SaturationSettings) -> tuple[Chart, ...]:
    """Saturated outputs by gain, one chart an activation; by layer at a gain that can be chosen; and what is learned."""
    return (*(_by_gain(settings, activation) for activation in ACTIVATIONS), _by_layer(settings), _accuracy(settings))


def _by_gain(settings: SaturationSettings, activation: str) -> Chart:
    ends = {"sigmoid": "below 0.05 or above 0.95", "tanh": "beyond 0.95 in size"}[activation]
    spec = sweep_chart(
        f"saturated_{activation}",
        f"Saturated {activation}s",
        f"Outputs {ends}, all layers together: hardly any gradient passes there.",
        "gain of the initial weights",
        "saturated outputs (%)",
        settings.gains,
        STYLES,
        x_log=True,
        y_range=PERCENT,
    )
    share = saturated_at_birth(activation)
    add_level(spec, share, f"theory: normal inputs {share:.2g} %")

    def draw(results: Results) -> dict[str, list[Series]]:
        found = [measured(settings, results, activation, norm, "saturated_fraction") for norm in range(len(NORMS))]
        return {"": [_nothing(len(settings.gains)) if each is None else sweep_series(each.mean(axis=2)) for each in found]}

    return Chart(spec, draw)


def _by_layer(settings: SaturationSettings) -> Chart:
    gains = tuple((plain(gain), f"gain {plain(gain)}") for gain in settings.gains)
    spec = layer_chart(
        "saturated_by_layer",
        "Layer by layer",
        "The same at one gain. Choose it, and the activation, above the chart.",
        "saturated outputs (%)",
        STYLES,
        settings.depth,
        y_range=PERCENT,
    )
    activations = tuple((name, name) for name in ACTIVATIONS)
    spec.selectors = Selector("activation", "Activation", activations, "sigmoid"), Selector("gain", "Gain", gains, gains[-1][0])

    def draw(results: Results) -> dict[str, list[Series]]:
        views = {}
        for activation in ACTIVATIONS:
            found = [measured(settings, results, activation, norm, "saturated_fraction") for norm in range(len(NORMS))]
            for index, (gain, _) in enumerate(gains):
                rows = [_nothing(settings.depth) if each is None else sweep_series(each[index].T)[:3] for each in found]
                views[f"{activation}/{gain}"] = rows
        return views

    return Chart(spec, draw)


def _accuracy(settings: SaturationSettings) -> Chart:
    spec = sweep_chart(
        "accuracy",
        "Test accuracy",
        "Higher is better. A net can also fail to learn without one saturated output.",
        "gain of the initial weights",
        "test accuracy (%)",
        settings.gains,
        STYLES,
        x_log=True,
        y_range=PERCENT,
    )
    spec.selectors = (Selector("activation", "Activation", tuple((name, name) for name in ACTIVATIONS), "sigmoid"),)

    def draw(results: Results) -> dict[str, list[Series]]:
        views = {}
        for activation in ACTIVATIONS:
            found = [measured(settings, results, activation, norm, "test_accuracy") for norm in range(len(NORMS))]
            views[activation] = [_nothing(len(settings.gains)) if each is None else sweep_series(each) for each in found]
        return views

    return Chart(spec, draw)


def _nothing(count: int) -> Series:
    return [[None] * count for _ in range(3)]


def signs(bare: FloatArray, normed: FloatArray) -> list[int]:
    """By gain: 1 where batch norm saturates fewer outputs in every pair and by 5 points or more, -1 where more, else 0.

    `bare` and `normed` are saturated outputs in percent, (gains, seeds); not finite where a net diverged.
    """
    found = []
    for pair in zip(bare, normed, strict=True):
        gaps = np.subtract(*pair)
        gaps = gaps[np.isfinite(gaps)]
        clear = len(gaps) > 1 and abs(np.median(gaps)) >= COUNTS
        found.append(int(clear and gaps.min() > 0) - int(clear and gaps.max() < 0))
    return found


def verdict(settings: SaturationSettings, results: Results) -> Verdict | None:
    """At which gains batch norm saturates fewer outputs, with the numbers at the gain nearest 1 and at the largest."""
    if not results.finished(STAGE):
        return None
    order = np.argsort(settings.gains)
    near, far = int(np.argmin(np.abs(np.log(settings.gains)))), int(order[-1])
    far_words, near_words, counted, numbers = [], [], [], {}
    for activation in ACTIVATIONS:
        pair = [measured(settings, results, activation, norm, "saturated_fraction") for norm in range(len(NORMS))]
        bare, normed = (np.mean(each, axis=2) for each in pair if each is not None)
        ordered = [signs(bare, normed)[index] for index in order]
        counted.append(ordered)
        far_words.append((activation, percent_words(bare[far]), percent_words(normed[far])))
        near_words.append(f"{plain(_median(bare[near]))} % and {plain(_median(normed[near]))} % of the {activation}s")
        is_known = np.isfinite(bare - normed).any()
        for name, value in (("fewer", 1), ("more", -1)):
            numbers[f"{activation}_{name}"] = float(ordered.count(value)) if is_known else math.nan
        for name, values in (("bare", bare), ("batch", normed)):
            numbers |= {f"{activation}_{name}_near": _median(values[near]), f"{activation}_{name}_far": _median(values[far])}
    (first, *of_first), (second, *of_second) = far_words
    sentence = (
        f"After {settings.steps} steps at gain {plain(settings.gains[far])}, {of_first[0]} of the {first}s are saturated without "
        f"a norm and {of_first[1]} with batch norm; of the {second}s {of_second[0]} and {of_second[1]} ({settings.seeds} seeds)."
    )
    if near != far:
        sentence += f" At gain {plain(settings.gains[near])}: {', '.join(near_words)}."
    is_measured = not any(math.isnan(numbers[f"{activation}_fewer"]) for activation in ACTIVATIONS)
    return Verdict(answer(counted) if is_measured else None, sentence, numbers | {"gains": float(len(settings.gains))})


def answer(counted: list[list[int]]) -> str | None:
    """What the signs of both activations, each by ascending gain, say together."""
    every = [sign for row in counted for sign in row]
    if all(sign > 0 for sign in every):
        return "always"
    if not any(sign > 0 for sign in every):
        return "never"
    rises = all(row == sorted(row, key=lambda sign: sign > 0) and row[-1] > 0 for row in counted)
    return "large" if rises else None


def _median(values: FloatArray) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else math.nan


def judge_saturation(found: Verdict) -> Finding:
    """Supported when batch norm saturates fewer outputs at every gain, mixed when only at some."""
    fewer = [int(found.numbers[f"{activation}_fewer"]) for activation in ACTIVATIONS]
    gains = int(found.numbers["gains"])
    measured_words = "fewer saturated with batch norm at " + ", ".join(
        f"{count} of {gains} gains ({activation})" for activation, count in zip(ACTIVATIONS, fewer, strict=True)
    )
    judgement = "supported" if min(fewer) == gains else "mixed" if max(fewer) else "not supported in this setting"
    return Finding(judgement, measured_words)


PART = Part(
    id="saturation",
    title="Saturated sigmoids and tanhs",
    question="Does batch norm keep sigmoids and tanhs off the flat ends of their curves?",
    choices=(
        Choice("always", "Yes, whatever the initial weights"),
        Choice("large", "Only if the initial weights are large"),
        Choice("never", "No"),
    ),
    settings=SaturationSettings,
    presets=(
        Preset(
            "gains",
            "Gains 0.3 to 30",
            "Initial weights from a third to thirty times Xavier's. Watch where the two lines part, and where they meet.",
            SaturationSettings(),
        ),
        Preset(
            "usual",
            "Gains up to 1",
            "Initial weights as one would choose them. Watch whether there is anything to cure.",
            SaturationSettings(gains=(0.25, 0.5, 0.75, 1.0)),
        ),
        Preset(
            "large_rate",
            "Learning rate 1",
            "The same gains with larger steps. Watch the tanhs of the nets with batch norm at the largest gain.",
            SaturationSettings(lr=1.0),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE, GLOROT, BJORCK),
    caveat=("saturation", "usual"),
    claims=(Claim("no_saturation", "Batch norm keeps s-shaped units out of saturation.", IOFFE, "gains", judge_saturation),),
)
