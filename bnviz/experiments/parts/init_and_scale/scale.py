"""Inputs on very different scales: as they are, standardized, and with a batch norm on the input."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import add_level, category_chart, plain_styles, sweep_chart, sweep_series
from bnviz.config.models import ArmConfig, DatasetConfig, Float, InputScale, Int, PerTrial, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Judgement, Part, Preset, Reference, Settings, Stage, Verdict
from bnviz.experiments.kit.order_statistics import first_crossing
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import Spread, by_value, decades, guessing_loss, plain, spread_of, stacked
from bnviz.registry.datasets import DATASETS

LABELS = ("as they are", "batch norm on the input", "standardized")
STYLES = plain_styles(LABELS)
PLACES = (("spread", 0), ("spread", 1), ("standardized", 0))  # (stage, arm) of each label
TARGET_SHARE = 0.3  # of the loss of guessing
AS_MUCH = 1.5  # steps within this factor of those with standardized inputs are as few
KEEP = ("train_loss", "input_condition")
FRAMES = 40

LECUN = Reference("LeCun et al. 1998, Efficient BackProp, section 4.3", "https://doi.org/10.1007/3-540-49430-8_2")
IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization", "https://arxiv.org/abs/1502.03167")


class ScaleSettings(Settings):
    """A small net without any norm in its hidden layers, on features of very different sizes."""

    dataset: Literal["wine", "breast_cancer", "digits"] = Field(
        default="wine", title="Data", description="Standardized features, then multiplied by factors from 0.001 to 1000."
    )
    depth: Int = Field(default=1, ge=1, le=4, title="Hidden layers", description="Depth of the net.")
    width: Int = Field(default=16, ge=4, le=64, title="Width", description="Units of a hidden layer.")
    batch_size: Int = Field(default=32, ge=8, le=64, title="Batch size", description="Samples of a mini-batch.")
    eps: Float = Field(
        default=1e-5, ge=0, le=0.1, title="Epsilon", description="Added to the variance of the norm on the input; 1e-5 is usual."
    )
    rates: Int = Field(
        default=13, ge=4, le=20, title="Rates", description="Learning rates from 0.000001 to 1: the best one counts."
    )
    seeds: Int = Field(default=5, ge=1, le=6, title="Seeds", description="Networks at every rate.")
    steps: Int = Field(default=400, ge=50, le=2000, title="Steps", description="Updates of plain SGD.")

    @property
    def values(self) -> tuple[float, ...]:
        """The learning rates."""
        return decades(1e-6, 1.0, self.rates)

    @property
    def every(self) -> int:
        """Steps between two measurements."""
        return max(self.steps // FRAMES, 1)

    @property
    def measured(self) -> list[int]:
        """The steps that are measured."""
        return sorted({*range(0, self.steps + 1, self.every), self.steps})

    @property
    def target(self) -> float:
        """The training loss to reach."""
        return TARGET_SHARE * guessing_loss(DATASETS[self.dataset].classes)


def stages(settings: ScaleSettings) -> tuple[Stage, ...]:
    """The spread features with both nets, then the standardized ones with the net without a norm."""
    rates, seeds = stacked(settings.values, settings.seeds)
    shape = settings.model_dump(include={"depth", "width"}) | {"norm_eps": settings.eps, "per_trial": PerTrial(lr=rates)}
    arms = {
        "spread": (ArmConfig(norm_on_input=False, **shape), ArmConfig(norm_on_input=True, **shape)),
        "standardized": (ArmConfig(norm_on_input=False, **shape),),
    }
    scales: tuple[tuple[InputScale, str], ...] = (
        ("spread", "features on many scales"),
        ("standardized", "standardized features"),
    )
    return tuple(
        Stage(
            scale,
            label,
            RunConfig(
                dataset=DatasetConfig(name=settings.dataset, input_scale=scale),
                arms=arms[scale],
                trials=len(rates),
                trial_seeds=seeds,
                batch_size=settings.batch_size,
                steps=settings.steps,
                measure_every=settings.every,
            ),
            KEEP,
        )
        for scale, label in scales
    )


@dataclass(frozen=True)
class Best:
    """What an arm reached at the rate that was best for it: fewest median steps, then lowest final loss."""

    rate: float
    steps: NDArray[np.float64]  # to the target, (seeds,); infinite where it was not reached
    curves: NDArray[np.float64]  # loss, (frames, seeds)


def steps_by_rate(settings: ScaleSettings, results: Results, stage: str, arm: int) -> NDArray[np.float64]:
    """Steps to the target loss, (rates, seeds), infinite where it was not reached."""
    crossed = first_crossing(results.steps(stage), -results.curve(stage, "train_loss", arm), -settings.target)
    return by_value(crossed, settings.values, settings.seeds)


def best(settings: ScaleSettings, results: Results, stage: str, arm: int) -> Best | None:
    """An arm at its best rate; None before it was measured."""
    if results.last(stage) is None:
        return None
    steps = steps_by_rate(settings, results, stage, arm)
    losses = by_value(results.curve(stage, "train_loss", arm), settings.values, settings.seeds)  # (frames, rates, seeds)
    final = np.where(np.isfinite(losses[-3:]).all(0), losses[-3:].mean(0), np.inf)
    index = min(range(len(settings.values)), key=lambda i: (spread_of(steps[i]).median, spread_of(final[i]).median))
    return Best(settings.values[index], steps[index], losses[:, index])


def conditions(results: Results) -> dict[str, float]:
    """Condition number of the inputs by label, of those measured so far."""
    found = {}
    for label, (stage, arm) in zip(LABELS, PLACES, strict=True):
        if (last := results.arm(stage, arm)) is not None:
            found[label] = float(np.asarray(last.extras["input_condition_after" if arm else "input_condition_before"])[0])
    return found


def charts(settings: ScaleSettings) -> tuple[Chart, ...]:
    """Steps to the target by rate, loss at the best rate, condition numbers."""
    return _steps_chart(settings), _loss_chart(settings), _condition_chart()


def _steps_chart(settings: ScaleSettings) -> Chart:
    how = f"Updates until the training loss is below {plain(settings.target)}; no point: it never was."
    spec = sweep_chart("steps", "Steps to target", how, "learning rate", "steps (updates)", settings.values, STYLES,
                       x_log=True, y_range=(0, settings.steps))  # fmt: skip

    def draw(results: Results) -> dict[str, list]:
        rows = []
        for stage, arm in PLACES:
            known = results.last(stage) is not None
            steps = steps_by_rate(settings, results, stage, arm) if known else np.full((settings.rates, settings.seeds), np.nan)
            rows.append(sweep_series(np.where(np.isinf(steps), np.nan, steps)))
        return {"": rows}

    return Chart(spec, draw)


def _loss_chart(settings: ScaleSettings) -> Chart:
    how = "Training loss at the rate that is best for each net so far. Dotted: the target."
    spec = sweep_chart("loss", "Loss, best rate", how, "step (updates)", "training loss (nats)", settings.measured, STYLES,
                       y_log=True, markers=False)  # fmt: skip
    add_level(spec, settings.target, "target")

    def draw(results: Results) -> dict[str, list]:
        rows = []
        for stage, arm in PLACES:
            padded = np.full((len(settings.measured), settings.seeds), np.nan)
            if (found := best(settings, results, stage, arm)) is not None:
                padded[: len(found.curves)] = found.curves
            rows.append(sweep_series(padded))
        return {"": rows}

    return Chart(spec, draw)


def _condition_chart() -> Chart:
    how = "Largest over smallest eigenvalue of the inputs' second moments. 1: uncorrelated and on one scale."
    spec = category_chart("condition", "Condition number", how, "condition number", LABELS, plain_styles(("inputs",)), y_log=True,
                          y_range=(1, 1e20))  # fmt: skip
    add_level(spec, 1.0, "uncorrelated", fit=False)

    def draw(results: Results) -> dict[str, list]:
        found = conditions(results)
        values = np.array([[found.get(label, np.nan)] for label in LABELS])
        return {"": [sweep_series(np.where(np.isinf(values), np.nan, values))]}

    return Chart(spec, draw)


def verdict(settings: ScaleSettings, results: Results) -> Verdict | None:
    """Compare the steps to the target at each arm's best rate, and the condition numbers."""
    if not results.finished():
        return None
    found = [best(settings, results, stage, arm) for stage, arm in PLACES]
    raw, normed, standard = (each for each in found if each is not None)
    ratio = spread_of(_ratio(normed.steps, standard.steps))
    gain = spread_of(_ratio(raw.steps, normed.steps))
    condition = conditions(results)
    numbers = {
        "steps_raw": spread_of(raw.steps).median,
        "steps_norm": spread_of(normed.steps).median,
        "steps_standardized": spread_of(standard.steps).median,
        "ratio": ratio.median,
        "gain": gain.median,
        **{f"condition_{name}": value for name, value in zip(("raw", "norm", "standardized"), condition.values(), strict=True)},
    }
    answer = None if not ratio.count else "as_much" if ratio.median <= AS_MUCH else "partly" if gain.median > AS_MUCH else "none"
    sentence = (
        f"At its best of {settings.rates} rates each net came to the target: {_steps(settings, LABELS[0], raw)}, "
        f"{_steps(settings, LABELS[1], normed)}, {_steps(settings, LABELS[2], standard)}. {_conditions(condition)}"
    )
    return Verdict(answer, sentence, numbers)


def _ratio(steps: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Paired ratios; infinite where only `steps` is, NaN where `other` never got there."""
    return np.where(np.isinf(other), np.nan, np.maximum(steps, 1) / np.maximum(np.where(np.isinf(other), 1, other), 1))


def _steps(settings: ScaleSettings, label: str, found: Best) -> str:
    steps: Spread = spread_of(found.steps)
    if np.isinf(steps.median):
        return f"{label} not in {settings.steps} steps"
    low, high = (f"{value:.0f}" if np.isfinite(value) else "never" for value in (steps.low, steps.high))
    return f"{label} in {steps.median:.0f} steps ({low} to {high})"


def _conditions(condition: dict[str, float]) -> str:
    parts = ", ".join(f"{label} {plain(value)}" for label, value in condition.items())
    return f"Condition number: {parts}; what is above 1 after standardizing is correlation, which batch norm leaves."


def judge(found: Verdict) -> Finding:
    """Supported when batch norm on the input needs about as few steps as standardized inputs, mixed when it helps in part."""
    measured = f"steps to the target over those with standardized inputs: {plain(found.numbers['ratio'])}"
    judgements: dict[str | None, Judgement] = {"as_much": "supported", "partly": "mixed"}
    return Finding(judgements.get(found.answer, "not supported in this setting"), measured)


PART = Part(
    id="scale",
    title="Input scale",
    question="Features on scales from 0.001 to 1000: does batch norm on the input do what standardizing does?",
    choices=(
        Choice("as_much", "Yes, as well"),
        Choice("partly", "It helps, but less"),
        Choice("none", "It does not help"),
    ),
    settings=ScaleSettings,
    presets=(
        Preset(
            "wine",
            "Wine",
            "13 measurements of 178 wines. Watch at which learning rates each net reaches the target at all.",
            ScaleSettings(),
        ),
        Preset(
            "correlated",
            "Correlated features",
            "30 measurements of cell nuclei, many nearly copies of others. Watch the condition number after standardizing.",
            ScaleSettings(dataset="breast_cancer"),
        ),
        Preset(
            "large_eps",
            "A large epsilon",
            "An epsilon of 0.1, above the variance of the small features. Watch the condition number of batch norm on the input.",
            ScaleSettings(eps=0.1),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LECUN, IOFFE),
    caveat=("scale", "correlated"),
    claims=(Claim("unscaled_inputs", "With batch norm on the input, inputs need not be scaled.", IOFFE, "wine", judge),),
)
