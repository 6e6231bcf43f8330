"""The effective learning rate: larger weights that feed a batch norm are the same network at a smaller rate."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import add_level, norm_style, plain_styles, sweep_chart, sweep_series
from bnviz.charts.spec import Selector
from bnviz.config.models import ArmConfig, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Reference, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of

PROBE, TRAINED = "rescaled", "ordinary"
SCALES = (0.1, 1.0, 10.0)
ONE = SCALES.index(1.0)
SAME = 1e-6  # loss curves that differ by less, relative to the loss, are the same but for rounding
VIEWS = (
    ("batch_squared", "batch norm, rate × a²"),
    ("batch_equal", "batch norm, equal rates"),
    ("none_squared", "no norm, rate × a²"),
)
PLACES = {"batch_squared": (1, 0), "batch_equal": (1, 1), "none_squared": (0, 0)}  # (norm, rate) in the probe's arrays
STYLES = (norm_style("none", "no norm"), norm_style("batch", "batch norm"))

LAARHOVEN = Reference(
    "van Laarhoven 2017, L2 Regularization versus Batch and Weight Normalization", "https://arxiv.org/abs/1706.05350"
)
ARORA = Reference("Arora, Li & Lyu 2019, Auto Rate-Tuning by Batch Normalization", "https://arxiv.org/abs/1812.03981")


class EffectiveSettings(Settings):
    """Twins whose hidden weights start at 0.1, 1 and 10 times the same values, and an ordinary training."""

    depth: Int = Field(default=3, ge=1, le=10, title="Hidden layers", description="Depth of all nets.")
    width: Int = Field(default=32, ge=4, le=64, title="Width", description="Units of a hidden layer.")
    lr: Float = Field(
        default=0.3, ge=1e-3, le=10, title="Learning rate", description="At scale 1; scale a takes a² times as much."
    )
    batch_size: Int = Field(default=64, ge=4, le=256, title="Batch size", description="Samples of a mini-batch.")
    seeds: Int = Field(default=3, ge=1, le=8, title="Seeds", description="Networks of every scale.")
    steps: Int = Field(default=120, ge=10, le=500, title="Steps", description="Updates of the rescaled twins.")
    ordinary_steps: Int = Field(
        default=600, ge=50, le=3000, title="Steps of the ordinary training", description="All parameters are trained."
    )

    @property
    def every(self) -> int:
        """Steps between two measurements of the ordinary training."""
        return max(self.ordinary_steps // 30, 1)

    @property
    def shown(self) -> list[int]:
        """The steps of the rescaled twins that the probe shows."""
        return sorted({round(step) for step in np.linspace(0, self.steps, 31)})


def stages(settings: EffectiveSettings) -> tuple[Stage, ...]:
    """The rescaled twins (a probe), then an ordinary training of both nets."""
    names = ("seeds", "depth", "width", "batch_size", "lr", "steps")
    options: dict[str, Any] = {name: getattr(settings, name) for name in names} | {"scales": SCALES}
    arms = tuple(ArmConfig(norm=norm, depth=settings.depth, width=settings.width, lr=settings.lr) for norm in ("none", "batch"))
    run = RunConfig(
        arms=arms,
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.ordinary_steps,
        measure_every=settings.every,
    )
    seconds = settings.steps * (settings.depth + 1) * (2e-3 + 2e-9 * settings.seeds * settings.batch_size * settings.width**2)
    return (
        Stage(PROBE, "rescaled twins", probe="scale_invariance", options=options, seconds=seconds),
        Stage(TRAINED, "ordinary training", run, ("train_loss", "weight_norm", "effective_lr")),
    )


def _value(results: Results, name: str) -> NDArray[np.float64]:
    found = results.value(PROBE, name)
    assert found is not None
    return found


def charts(settings: EffectiveSettings) -> tuple[Chart, ...]:
    """Loss of the rescaled twins, the radial part of the gradient, the weights' growth, and the effective rate."""
    return _loss_chart(settings), _radial_chart(settings), _growth_chart(settings), _rate_chart(settings)


def _loss_chart(settings: EffectiveSettings) -> Chart:
    how = "Three nets that differ in the size of their hidden weights alone. One visible line would mean that they train alike."
    styles = plain_styles([f"weights × {scale:g}" for scale in SCALES])
    spec = sweep_chart("loss", "Rescaled twins", how, "step (updates)", "training loss (nats)", settings.shown, styles,
                       y_range=(0, 4), markers=False)  # fmt: skip
    spec.selectors = (Selector("view", "show", VIEWS, VIEWS[0][0]),)

    def draw(results: Results) -> dict[str, list]:
        losses = _value(results, "losses")  # (norms, rates, frames, scales, seeds)
        return {view: [sweep_series(losses[place][:, scale]) for scale in range(len(SCALES))] for view, place in PLACES.items()}

    return Chart(spec, draw)


def _radial_chart(settings: EffectiveSettings) -> Chart:
    how = "Cosine of the angle between a unit's weights and their gradient, the unit where it is largest. Near 1e-16: rounding."
    spec = sweep_chart("radial", "Gradient along weights", how, "step (updates)", "largest |cosine|", settings.shown, STYLES,
                       y_log=True, y_range=(1e-17, 1.0), markers=False)  # fmt: skip
    return Chart(spec, lambda results: {"": [sweep_series(np.maximum(row, 1e-17)) for row in _value(results, "radial")]})


def _growth_chart(settings: EffectiveSettings) -> Chart:
    how = "Squared length of the hidden weights over its start, and what right angles predict: start + sum of (lr |g|)²."
    measured, predicted = plain_styles(["batch norm, measured", "batch norm, predicted"])
    styles = (measured, predicted, norm_style("none", "no norm, measured"))
    spec = sweep_chart("growth", "Growth of the weights", how, "step (updates)", "|W|² / |W|² at start", settings.shown, styles,
                       markers=False)  # fmt: skip

    def draw(results: Results) -> dict[str, list]:
        growth = _value(results, "growth")  # (norms, measured | predicted, frames, seeds)
        return {"": [sweep_series(growth[place]) for place in ((1, 0), (1, 1), (0, 0))]}

    return Chart(spec, draw)


def _rate_chart(settings: EffectiveSettings) -> Chart:
    steps = sorted({*range(0, settings.ordinary_steps + 1, settings.every), settings.ordinary_steps})
    how = "lr / |w|² of a unit, mean over all hidden units, in the ordinary training; for no norm it is only a number."
    spec = sweep_chart("rate", "Effective rate", how, "step (updates)", "lr / |w|² over its start", steps, STYLES, markers=False)
    add_level(spec, 1.0, "start")
    spec.empty = "Comes with the ordinary training"

    def draw(results: Results) -> dict[str, list]:
        if results.last(TRAINED) is None:
            return {"": [sweep_series(np.full((len(steps), settings.seeds), np.nan))] * 2}
        padded = np.full((2, len(steps), settings.seeds), np.nan)
        for arm in (0, 1):
            rate = _relative_rate(results, arm)
            padded[arm, : len(rate)] = rate
        return {"": [sweep_series(row) for row in padded]}

    return Chart(spec, draw)


def _relative_rate(results: Results, arm: int) -> NDArray[np.float64]:
    """Effective rate over its start, mean over the layers, (frames, seeds)."""
    rate = results.curve(TRAINED, "effective_lr", arm).mean(axis=2)
    return rate / rate[0]


def difference(losses: NDArray[np.float64]) -> float:
    """Largest difference of the curves (frames, scales, seeds) from those at scale 1, relative; infinite if one breaks."""
    ones = losses[:, ONE : ONE + 1]
    if not np.isfinite(losses).all():
        return float("inf")
    return float(np.max(np.abs(losses - ones) / np.maximum(ones, 1e-3)))


def verdict(settings: EffectiveSettings, results: Results) -> Verdict | None:
    """Compare the rescaled twins, and say how far the effective rate fell in the ordinary training."""
    if not results.finished(PROBE):
        return None
    losses, growth = _value(results, "losses"), _value(results, "growth")
    apart = {view: difference(losses[place]) for view, place in PLACES.items()}
    end = np.abs(growth[1, 0, -1] / growth[1, 1, -1] - 1).max()
    numbers = {
        "difference": apart["batch_squared"],
        "difference_equal_rates": apart["batch_equal"],
        "difference_no_norm": apart["none_squared"],
        "radial_batch": float(np.nanmax(_value(results, "radial")[1])),
        "radial_none": float(np.nanmedian(_value(results, "radial")[0])),
        "growth": float(np.median(growth[1, 0, -1])),
        "growth_error": float(end),
    }
    ordinary, said = _ordinary(settings, results)
    answer = "same" if apart["batch_squared"] < SAME else "other" if np.isfinite(apart["batch_squared"]) else "diverges"
    sentence = (
        f"With batch norm, weights of 0.1, 1 and 10 times the size at 0.01, 1 and 100 times the rate gave the same loss at every "
        f"step to within {plain(apart['batch_squared'], 1)} (rounding); without a norm the losses differ "
        f"{_times(apart['none_squared'])}."
        if answer == "same"
        else f"The losses of the rescaled twins differ {_times(apart['batch_squared'])}: more than rounding."
    )
    return Verdict(answer, f"{sentence}{said}", numbers | ordinary)


def _times(difference: float) -> str:
    if not np.isfinite(difference):
        return "without bound: some diverge"
    return f"by up to {plain(difference)} times the loss" if difference < 1e6 else "by more than a million times the loss"


def _ordinary(settings: EffectiveSettings, results: Results) -> tuple[dict[str, float], str]:
    """The effective rate at the end of the ordinary training over that at its start, with batch norm."""
    if not results.finished(TRAINED):
        return {}, ""
    ratio = _relative_rate(results, 1)[-1]
    ratio = ratio[np.isfinite(ratio)]
    if not len(ratio):
        return {}, " In the ordinary training all seeds diverged."
    left = spread_of(ratio)
    grew = ": the weights grew" if left.high < 1 else ""
    said = f" In the ordinary training at rate {plain(settings.lr)} the effective rate ended at {left} of its start{grew}."
    return {"rate_left": left.median}, said


def judge(found: Verdict) -> Finding:
    """Supported when the rescaled twins agree to rounding and the plain ones do not."""
    agree = found.answer == "same"
    measured = f"largest difference of the losses {plain(found.numbers['difference'], 1)} of the loss"
    return Finding("supported" if agree else "not supported in this setting", measured)


PART = Part(
    id="effective",
    title="Effective rate",
    question="With batch norm, all hidden weights are made 10 times larger and their learning rate 100 times: what happens?",
    choices=(
        Choice("same", "It trains exactly as before"),
        Choice("other", "It trains, but differently"),
        Choice("diverges", "It diverges"),
    ),
    settings=EffectiveSettings,
    presets=(
        Preset(
            "twins",
            "Rescaled twins",
            "Hidden weights of three sizes. Watch how many lines there are, then choose another view on the first chart.",
            EffectiveSettings(),
        ),
        Preset(
            "fast",
            "A large rate",
            "The same at a rate of 3. Watch by how much the effective rate falls in the ordinary training.",
            EffectiveSettings(lr=3.0),
        ),
        Preset(
            "slow",
            "A small rate",
            "The same at a rate of 0.01. Watch how little the weights grow, so that the effective rate stays.",
            EffectiveSettings(lr=0.01),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LAARHOVEN, ARORA),
    caveat=("effective", "slow"),
    claims=(
        Claim(
            "scale_invariance",
            "With batch norm the size of the weights only sets the effective learning rate.",
            LAARHOVEN,
            "twins",
            judge,
        ),
    ),
)
