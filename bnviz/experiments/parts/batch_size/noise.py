"""How far the mean and the standard deviation of a mini-batch are off: measured, against their closed forms."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from bnviz.charts.builders import add_level, add_theory_line, plain_styles
from bnviz.closed_forms.batch_noise import EXCESS_KURTOSIS, batch_mean_variance, batch_std_variance, gaussian_batch_std_variance
from bnviz.config.models import Float, Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import FloatArray, Labelled, stacked
from bnviz.experiments.kit.quantities import Quantity, Styles, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import CRAMER, IOFFE_2015, LUO
from bnviz.experiments.kit.spread import Spread, spread_of

KEY, TRIALS = "noise", 8
MEAN, STD = "mean_variance", "std_variance"  # what the probe measures, and the names of the lines
STYLES: Styles = dict(zip((MEAN, STD), plain_styles(("batch mean", "batch std")), strict=True))
FACTORS = {"half": 0.5, "quarter": 0.25, "same": 1.0}  # of the scatter of the mean when the batch is four times as large
CLEAR = 1.2  # all repetitions within this factor of the answer's own factor
STRAIGHT = "Both axes are logarithmic: a straight line down to the right is a power of the batch size."
NOISE_OF_MEAN = Quantity(MEAN, "Noise of the mean", STRAIGHT, "variance of the batch mean", log=True)
NOISE_OF_STD = Quantity(STD, "Noise of the std", STRAIGHT, "variance of the batch std", log=True)
OVER_THEORY = Quantity(
    "",
    "Measured over theory",
    "At 1 the closed form is met. The one for the std leaves out terms that count in small batches.",
    "measured / theory",
    range=(0.0, 2.0),
)


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
    seed: Int = Field(default=0, ge=0, le=9999, title="Seed", description="Fixes the samples.")

    @field_validator("batch_sizes")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return knobs.ascending(value)

    @property
    def swept(self) -> Swept:
        """The batch sizes."""
        return Swept("batch_size", self.batch_sizes, "batch size M", log=True)


def stages(settings: NoiseSettings) -> tuple[Stage, ...]:
    """One probe."""
    options = {**settings.model_dump(), "batch_sizes": settings.batch_sizes, "trials": TRIALS}
    seconds = 0.2 + 3e-8 * settings.batches * sum(settings.batch_sizes)
    return (Stage(KEY, "drawing batches", probe="batch_noise", options=options, seconds=seconds),)


def theories(settings: NoiseSettings) -> dict[str, FloatArray]:
    """By size, (sizes,): sigma^2 / M, of the mean, and (excess kurtosis + 2) sigma^2 / (4 M), of the standard deviation."""
    excess, variance = EXCESS_KURTOSIS[settings.distribution], settings.std**2
    return {
        MEAN: np.array([batch_mean_variance(variance, size) for size in settings.batch_sizes]),
        STD: np.array([batch_std_variance(variance, size, excess) for size in settings.batch_sizes]),
    }


def charts(settings: NoiseSettings) -> tuple[Chart, ...]:
    """The variances of mean and standard deviation, and both over their closed forms."""
    ratio = OVER_THEORY.by_value("ratio", STYLES, settings.swept, lambda results: _over_theory(settings, results))
    add_level(ratio.spec, 1.0, "theory")
    return _mean_chart(settings), _std_chart(settings), ratio


def _mean_chart(settings: NoiseSettings) -> Chart:
    styles: Styles = {MEAN: STYLES[MEAN]}
    chart = NOISE_OF_MEAN.by_value("mean", styles, settings.swept, lambda results: measured(settings, results))
    add_theory_line(chart.spec, settings.batch_sizes, theories(settings)[MEAN], "theory: sigma²/M")
    return chart


def _std_chart(settings: NoiseSettings) -> Chart:
    styles: Styles = {STD: STYLES[STD]}
    theory = theories(settings)[STD]
    chart = NOISE_OF_STD.by_value("std", styles, settings.swept, lambda results: measured(settings, results))
    if theory[0] > 0:
        add_theory_line(chart.spec, settings.batch_sizes, theory, "theory, first order in 1/M")
    if settings.distribution == "normal":
        exact = [gaussian_batch_std_variance(settings.std**2, size) for size in settings.batch_sizes]
        add_theory_line(chart.spec, settings.batch_sizes, exact, "theory, exact")
    return chart


def measured(settings: NoiseSettings, results: Results) -> Labelled:
    """Both variances so far, by arm (of the mean, of the standard deviation), batch size and repetition."""
    axes = {"batch_size": settings.batch_sizes, "seed": tuple(range(TRIALS))}
    return stacked("arm", {name: results.probed(name, KEY, **axes) for name in STYLES})


def _over_theory(settings: NoiseSettings, results: Results) -> Labelled:
    """The same over their closed forms; NaN where these are 0."""
    theory = np.stack([theories(settings)[name] for name in STYLES])[:, :, None]
    return measured(settings, results).map(lambda values: values / np.where(theory > 0, theory, np.nan))


def factor_for_four(sizes: Sequence[int], variances: FloatArray) -> FloatArray:
    """Factor of the scatter (root of the variance, (sizes, trials)) per fourfold batch, from a line in logarithms, (trials,)."""
    slopes = np.polyfit(np.log(sizes), np.log(variances), 1)[0]
    return 4.0 ** (slopes / 2)


def verdict(settings: NoiseSettings, results: Results) -> Verdict | None:
    """The measured power law of the mean's scatter, and both variances beside their closed forms."""
    if results.last(KEY) is None:
        return None
    found, theory = measured(settings, results), theories(settings)
    factors = factor_for_four(settings.batch_sizes, found.at(arm=MEAN).rows("batch_size", "seed"))
    answer = next((key for key, value in FACTORS.items() if (abs(np.log(factors / value)) < np.log(CLEAR)).all()), None)
    pooled = found.over("seed", np.mean)
    numbers: dict[str, float | Spread] = {
        "factor": spread_of(factors, "repetitions"),
        "worst_mean_ratio": float(np.max(np.abs(pooled.at(arm=MEAN).values / theory[MEAN] - 1))),
        "mean_variance": float(pooled.at(arm=MEAN).values[-1]),
        "mean_theory": float(theory[MEAN][-1]),
        "std_variance": float(pooled.at(arm=STD).values[-1]),
        "std_theory": float(theory[STD][-1]),
    }
    return Verdict(answer, say(HEADLINE, numbers), numbers, say(DETAILS, {**numbers, "largest": settings.batch_sizes[-1]}))


HEADLINE = "In batches four times as large the mean scatters {factor:median} times as much ({factor:range}; theory 0.5)."
DETAILS = (
    "At M = {largest} the variance of the mean is {mean_variance} (theory {mean_theory}) and that of the standard deviation "
    "{std_variance} (theory {std_theory})."
)


def _preset(name: str, title: str, sentence: str, distribution: str) -> Preset[NoiseSettings]:
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
            "heavy",
            "Heavy tails",
            "Exponential values: a few are large. Watch the small batches leave the line of the theory.",
            "exponential",
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
    references=(IOFFE_2015, CRAMER.at("section 27.7"), LUO),
    caveat=("noise", "heavy"),
)
