"""Least squares with normalized weights: length and direction decoupled, and the rates that then converge."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, heatmap_chart, heatmap_series, norm_style, sweep_chart, sweep_series
from bnviz.config.models import Float, Int
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Reference, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import UsableRange, decades, fixed, plain, spread_of

STAGE = "descent"
THRESHOLD = 2.0  # gradient descent on a quadratic diverges above 2 over its largest curvature, which is 1 here
TARGET = 0.01  # an error below this counts as converged
LOWEST_SHOWN = 1e-8  # smaller errors are drawn as this
FEW, MANY = 3.0, 100.0
STYLES = (norm_style("none", "as it is"), norm_style("batch", "normalized"))

KOHLER = Reference(
    "Kohler et al. 2019, Exponential convergence rates for Batch Normalization", "https://arxiv.org/abs/1805.10694"
)
CAI = Reference("Cai, Li & Shen 2019, Effect of Batch Normalization on Gradient Descent", "https://arxiv.org/abs/1810.00122")


class LeastSquaresSettings(Settings):
    """A quadratic problem and the rates that are tried."""

    dimension: Int = Field(default=20, ge=2, le=100, title="Weights", description="Dimension of the problem.")
    condition: Float = Field(
        default=30.0, ge=1, le=1000, title="Condition number", description="Largest over smallest curvature; the largest is 1."
    )
    length: Literal["best", "same_rate"] = Field(
        default="best",
        title="Length",
        description="best: the length is the best one for the direction at every step; same_rate: it takes gradient steps "
        "of the same rate as the direction.",
    )
    lowest: Float = Field(default=1e-3, ge=1e-5, le=0.1, title="Lowest rate", description="Of the first column.")
    highest: Float = Field(default=1e5, ge=10, le=1e8, title="Highest rate", description="Of the last column.")
    rates: Int = Field(default=25, ge=5, le=40, title="Rates", description="Columns, evenly spaced in the logarithm.")
    seeds: Int = Field(default=5, ge=1, le=20, title="Seeds", description="Random problems and starts.")
    steps: Int = Field(default=2000, ge=50, le=10_000, title="Steps", description="Of gradient descent on all of the data.")

    @property
    def values(self) -> tuple[float, ...]:
        """The rates of the sweep."""
        return decades(self.lowest, self.highest, self.rates)


def stages(settings: LeastSquaresSettings) -> tuple[Stage, ...]:
    """One probe: both problems at all rates."""
    options = settings.model_dump(exclude={"lowest", "highest"}) | {"rates": settings.values}
    work = settings.steps * settings.rates * settings.seeds * (settings.dimension + 20)
    return (
        Stage(STAGE, "gradient descent", probe="least_squares", options=options, seconds=2e-4 * settings.steps + 4e-9 * work),
    )


def _errors(results: Results) -> NDArray[np.float64]:
    """Errors so far, (2, frames, rates, seeds)."""
    found = results.value(STAGE, "errors")
    assert found is not None
    return found


def _latest(results: Results) -> NDArray[np.float64]:
    """Newest errors of both problems, (2, rates, seeds)."""
    errors = _errors(results)
    known = np.flatnonzero(~np.isnan(errors).all(axis=(0, 2, 3)))
    return errors[:, known[-1] if len(known) else 0]


def charts(settings: LeastSquaresSettings) -> tuple[Chart, ...]:
    """Error against the rate, its history, and the rate that the direction feels."""
    return _error_chart(settings), _history_chart(settings), _effective_chart(settings)


def _error_chart(settings: LeastSquaresSettings) -> Chart:
    how = "The lower, the better; a cross: diverged. Dotted: the rate above which a quadratic of curvature 1 diverges."
    spec = sweep_chart("error", "Error by rate", how, "learning rate", "error (share not explained)", settings.values, STYLES,
                       x_log=True, y_log=True, y_range=(LOWEST_SHOWN, 10.0), markers=False)  # fmt: skip
    add_theory_line(spec, [THRESHOLD, THRESHOLD], [LOWEST_SHOWN, 10.0], "2 / largest curvature", fit=False)
    add_level(spec, TARGET, "converged: below this", fit=False)
    return Chart(spec, lambda results: {"": [sweep_series(np.maximum(error, LOWEST_SHOWN)) for error in _latest(results)]})


def _history_chart(settings: LeastSquaresSettings) -> Chart:
    rows = _shown_steps(settings.steps)
    how = "Each column is one rate, time runs upwards (in the logarithm); dark is a small error, red has diverged."
    spec = heatmap_chart("history", "Error over time", how, "learning rate", "step", settings.values, rows,
                         low=1e-6, high=1.0, log=True, panels=("as it is", "normalized"), unit="error")  # fmt: skip

    def draw(results: Results) -> dict[str, list[Any]]:
        return {"": [heatmap_series(np.median(error, axis=-1), 1e-6, 1.0, log=True) for error in _errors(results)]}

    return Chart(spec, draw)


def _shown_steps(steps: int) -> list[int]:
    """The steps that the probe shows: 0, then evenly spaced in the logarithm (see the probe's `frame_steps`)."""
    return [0, *sorted(set(np.rint(np.geomspace(1, steps, 40)).astype(int).tolist()))]


def _effective_chart(settings: LeastSquaresSettings) -> Chart:
    how = "The rate that the weights feel: lr (length / |w|)² once normalized. Dotted: the threshold."
    spec = sweep_chart("effective", "Effective rate", how, "learning rate", "effective rate", settings.values, STYLES,
                       x_log=True, y_log=True, y_range=(1e-4, 1e3), markers=False)  # fmt: skip
    add_level(spec, THRESHOLD, "2 / largest curvature", fit=False)

    def draw(results: Results) -> dict[str, list]:
        rates = results.value(STAGE, "effective_rates")
        assert rates is not None
        return {"": [sweep_series(np.where(np.isfinite(error), rate, np.inf)) for rate, error in zip(rates, _latest(results), strict=True)]}  # noqa: E501  # fmt: skip

    return Chart(spec, draw)


def verdict(settings: LeastSquaresSettings, results: Results) -> Verdict | None:
    """The highest rates that converge, and by how much they exceed the threshold of the plain problem."""
    if not results.finished(STAGE):
        return None
    usable = _latest(results) < TARGET
    none, normalized = (UsableRange(np.array(settings.values), each) for each in usable)
    above = spread_of(normalized.highest / THRESHOLD)
    numbers = {
        "highest_plain": spread_of(none.highest).median,
        "highest_normalized": spread_of(normalized.highest).median,
        "lowest_highest_normalized": spread_of(normalized.highest).low,
        "above_threshold": above.median,
        "span_plain": spread_of(none.span).median,
        "span_normalized": spread_of(normalized.span).median,
        "seeds": float(above.count),
    }
    if above.count < settings.seeds:
        sentence = f"Not every seed came below an error of {TARGET:g} in {settings.steps} steps at some rate: too few to compare."
        return Verdict(None, sentence, numbers)
    bound = "" if normalized.ends_inside else " or more"
    grid, spans = settings.values[1] / settings.values[0], (numbers["span_normalized"], numbers["span_plain"])
    sentence = (
        f"As it is, the problem converges (error below {TARGET:g}) up to a rate of {spread_of(none.highest)}; its threshold is 2 "
        f"and the rates tried differ by a factor of {plain(grid)}. Normalized it converges up to "
        f"{spread_of(normalized.highest)}{bound}, {plain(above.median)} times the threshold, and over "
        f"{fixed(np.log10(spans[0]), 1)} decades of rates against {fixed(np.log10(spans[1]), 1)}."
    )
    answer = "same" if above.median < FEW else None if above.low < FEW else "many" if above.median >= MANY else "few"
    return Verdict(answer, sentence, numbers)


def judge(found: Verdict) -> Finding:
    """Supported when the normalized problem converges at rates far above the threshold, the plain one at none."""
    numbers = found.numbers
    measured = (
        f"converges up to {plain(numbers['highest_normalized'])} normalized, up to {plain(numbers['highest_plain'])} as it is "
        "(threshold 2)"
    )
    holds = numbers["highest_plain"] < THRESHOLD
    return Finding(
        "supported" if holds and found.answer == "many" else "mixed" if holds else "not supported in this setting", measured
    )


PART = Part(
    id="least_squares",
    title="Length and direction",
    question="Least squares diverges above a learning rate of 2 / curvature: up to which rate does it converge when normalized?",
    choices=(
        Choice("same", "Up to the same threshold"),
        Choice("few", "Up to some ten times the threshold"),
        Choice("many", "Up to a hundred times the threshold, or more"),
    ),
    settings=LeastSquaresSettings,
    presets=(
        Preset(
            "decoupled",
            "Length solved, direction learned",
            "The simplest problem there is, at 25 rates over eight decades. Watch what happens to the right of the dotted line.",
            LeastSquaresSettings(),
        ),
        Preset(
            "same_rate",
            "One rate for both",
            "The length takes gradient steps of the same rate as the direction. Watch the dotted line again.",
            LeastSquaresSettings(length="same_rate"),
        ),
        Preset(
            "ill",
            "Badly conditioned",
            "Curvatures that differ by a factor of 1000. Watch how the valley of good rates narrows.",
            LeastSquaresSettings(condition=1000.0, steps=4000),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(KOHLER, CAI),
    caveat=("least_squares", "same_rate"),
    claims=(
        Claim(
            "length_direction", "Batch norm decouples the length of the weights from their direction.", KOHLER, "decoupled", judge
        ),
    ),
)
