"""How far the mean and the standard deviation of a mini-batch are off: measured, against their closed forms."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from bnviz.charts.builders import add_level, add_theory_line, plain_styles, sweep_chart, sweep_series
from bnviz.charts.spec import ChartSpec
from bnviz.closed_forms.batch_noise import EXCESS_KURTOSIS, batch_mean_variance, batch_std_variance, gaussian_batch_std_variance
from bnviz.config.models import Float, Int
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Series, Settings, Stage, Verdict
from bnviz.experiments.kit.lists import ascending
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.experiments.parts.batch_size.sources import CRAMER, IOFFE, LUO

KEY, TRIALS = "noise", 8
FACTORS = {"half": 0.5, "quarter": 0.25, "same": 1.0}  # of the scatter of the mean when the batch is four times as large
CLEAR = 1.2  # all repetitions within this factor of the answer's own factor


class NoiseSettings(Settings):
    """What is drawn."""

    distribution: Literal["normal", "uniform", "laplace", "exponential", "two_values", "rectified"] = Field(
        default="normal",
        title="Distribution",
        description="Of the samples, scaled to the same spread. rectified: what a ReLU makes of normal values; two_values: "
        "plus or minus one; laplace and exponential have heavy tails.",
    )
    batch_sizes: tuple[Annotated[Int, Field(ge=2, le=1024)], ...] = Field(
        default=(2, 4, 8, 16, 32, 64, 128, 256),
        title="Batch sizes",
        description="M, from 2 to 1024.",
        min_length=2,
        max_length=12,
    )
    std: Float = Field(default=1.0, ge=0.01, le=100, title="Sigma", description="Standard deviation of the samples.")
    batches: Int = Field(default=64_000, ge=1000, le=200_000, title="Batches", description="Drawn of each size.")
    seed: Int = Field(default=0, ge=0, le=9999, title="Seed", description="Of the samples.")

    @field_validator("batch_sizes")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return ascending(value)


def stages(settings: NoiseSettings) -> tuple[Stage, ...]:
    """One probe; sizes out of bounds are left out."""
    sizes = settings.batch_sizes
    options = {
        "distribution": settings.distribution,
        "batch_sizes": sizes,
        "std": settings.std,
        "batches": settings.batches,
        "trials": TRIALS,
        "seed": settings.seed,
    }
    seconds = 0.2 + 3e-8 * settings.batches * sum(sizes)
    return (Stage(KEY, "drawing batches", probe="batch_noise", options=options, seconds=seconds),)


def mean_theory(settings: NoiseSettings) -> NDArray[np.float64]:
    """sigma^2 / M for every size."""
    return np.array([batch_mean_variance(settings.std**2, size) for size in settings.batch_sizes])


def std_theory(settings: NoiseSettings) -> NDArray[np.float64]:
    """(excess kurtosis + 2) sigma^2 / (4 M) for every size."""
    excess = EXCESS_KURTOSIS[settings.distribution]
    return np.array([batch_std_variance(settings.std**2, size, excess) for size in settings.batch_sizes])


def charts(settings: NoiseSettings) -> tuple[Chart, ...]:
    """The variances of mean and standard deviation, and both over their closed forms."""
    sizes, measured = settings.batch_sizes, plain_styles(("batch mean", "batch std"))
    mean = _chart("mean", "Noise of the mean", "variance of the batch mean", settings, measured[:1])
    add_theory_line(mean, sizes, mean_theory(settings), "theory: sigma²/M")
    std = _chart("std", "Noise of the std", "variance of the batch std", settings, measured[1:])
    if std_theory(settings)[0] > 0:
        add_theory_line(std, sizes, std_theory(settings), "theory, first order in 1/M")
    if settings.distribution == "normal":
        exact = [gaussian_batch_std_variance(settings.std**2, size) for size in sizes]
        add_theory_line(std, sizes, exact, "theory, exact")
    ratio = sweep_chart(
        "ratio",
        "Measured over theory",
        "At 1 the closed form is met. The one for the std leaves out terms that count in small batches.",
        "batch size M",
        "measured / theory",
        sizes,
        measured,
        x_log=True,
        y_range=(0.0, 2.0),
    )
    add_level(ratio, 1.0, "theory")
    return (
        Chart(mean, lambda results: {"": [_series(results, "mean_variance")]}),
        Chart(std, lambda results: {"": [_series(results, "std_variance")]}),
        Chart(ratio, lambda results: {"": _ratios(settings, results)}),
    )


def _chart(id: str, title: str, quantity: str, settings: NoiseSettings, styles: tuple) -> ChartSpec:
    how = "Both axes are logarithmic: a straight line down to the right is a power of the batch size."
    return sweep_chart(id, title, how, "batch size M", quantity, settings.batch_sizes, styles, x_log=True, y_log=True)


def _value(results: Results, name: str) -> NDArray[np.float64]:
    value = results.value(KEY, name)
    assert value is not None
    return value


def _series(results: Results, name: str) -> Series:
    return sweep_series(_value(results, name))


def _ratios(settings: NoiseSettings, results: Results) -> list[Series]:
    std = std_theory(settings)[:, None]
    over = np.divide(_value(results, "std_variance"), std, where=std > 0, out=np.full((len(std), TRIALS), np.nan))
    return [sweep_series(_value(results, "mean_variance") / mean_theory(settings)[:, None]), sweep_series(over)]


def factor_for_four(sizes: Sequence[int], variances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factor of the scatter (root of the variance) per fourfold batch, from a straight line in logarithms, (trials,)."""
    slopes = np.polyfit(np.log(sizes), np.log(variances), 1)[0]
    return 4.0 ** (slopes / 2)


def verdict(settings: NoiseSettings, results: Results) -> Verdict | None:
    """The measured power law of the mean's scatter, and both variances beside their closed forms."""
    if results.last(KEY) is None:
        return None
    sizes, mean, std = settings.batch_sizes, _value(results, "mean_variance"), _value(results, "std_variance")
    factors = factor_for_four(sizes, mean)
    answer = next((key for key, value in FACTORS.items() if (abs(np.log(factors / value)) < np.log(CLEAR)).all()), None)
    pooled_mean, pooled_std = mean.mean(axis=1), std.mean(axis=1)
    spread = spread_of(factors)
    sentence = (
        f"In batches four times as large the mean scatters {plain(spread.median)} times as much "
        f"({plain(spread.low)} to {plain(spread.high)} over {TRIALS} repetitions; theory 0.5). At M = {sizes[-1]} the variance "
        f"of the mean is {plain(pooled_mean[-1])} (theory {plain(mean_theory(settings)[-1])}) and that of the standard deviation "
        f"{plain(pooled_std[-1])} (theory {plain(std_theory(settings)[-1])})."
    )
    numbers = {
        "factor": spread.median,
        "factor_low": spread.low,
        "factor_high": spread.high,
        "worst_mean_ratio": float(np.max(np.abs(pooled_mean / mean_theory(settings) - 1))),
        "std_variance": float(pooled_std[-1]),
        "std_theory": float(std_theory(settings)[-1]),
    }
    return Verdict(answer, sentence, numbers)


def _preset(name: str, title: str, sentence: str, distribution: str) -> Preset:
    return Preset(name, title, sentence, NoiseSettings.model_validate({"distribution": distribution}))


PART = Part(
    id="noise",
    title="Noise of the statistics",
    question="When a batch is four times as large, what happens to the typical error of its mean?",
    choices=(
        Choice("half", "It halves"),
        Choice("quarter", "It falls to a quarter"),
        Choice("same", "It stays about the same"),
    ),
    settings=NoiseSettings,
    presets=(
        _preset(
            "normal", "Normal values", "Batches of normal values. Watch both variances settle on their closed forms.", "normal"
        ),
        _preset(
            "rectified",
            "Behind a ReLU",
            "What a ReLU makes of normal values: half of them are 0. Watch the noise of the standard deviation.",
            "rectified",
        ),
        _preset(
            "heavy", "Heavy tails", "Exponential values: a few are large. Watch the small batches leave the line.", "exponential"
        ),
        _preset(
            "two_values",
            "Two values",
            "Plus or minus one: the closed form gives the standard deviation no noise at first order. Watch what is left.",
            "two_values",
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE, CRAMER, LUO),
    caveat=("noise", "heavy"),
)
