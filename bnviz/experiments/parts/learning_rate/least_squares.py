"""Least squares with normalized weights: length and direction decoupled, and the rates that then converge."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, heatmap_chart, heatmap_series, norm_style
from bnviz.config.models import Float, Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Quantity, Styles, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import Condition, answered, median_below, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import CAI, KOHLER
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.trials import decades
from bnviz.experiments.kit.usable_range import UsableRange

STAGE = "descent"
THRESHOLD = 2.0  # gradient descent on a quadratic diverges above 2 over its largest curvature, which is 1 here
TARGET = 0.01  # an error below this counts as converged
LOWEST_SHOWN = 1e-8  # smaller errors are drawn as this
FEW, MANY = 3.0, 100.0
PLAIN, NORMALIZED = "plain", "normalized"  # the problem as it is, and with normalized weights
STYLES: Styles = {PLAIN: norm_style("none", "as it is"), NORMALIZED: norm_style("batch", "normalized")}
ERROR = Quantity(
    "errors",
    "Error by rate",
    "The lower, the better; a cross: diverged. Dotted: the rate above which a quadratic of curvature 1 diverges.",
    "error (share not explained)",
    log=True,
    range=(LOWEST_SHOWN, 10.0),
)
EFFECTIVE = Quantity(
    "effective_rates",
    "Effective rate",
    "The rate that the weights feel: lr (length / |w|)² once normalized. Dotted: the threshold.",
    "effective rate",
    log=True,
    range=(1e-4, 1e3),
)


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
    seeds: Int = knobs.seeds(5, most=20, of="Random problems and starts.")
    steps: Int = knobs.steps(2000, most=10_000, least=50, of="Of gradient descent on all of the data.")

    @property
    def values(self) -> tuple[float, ...]:
        """The rates of the sweep."""
        return decades(self.lowest, self.highest, self.rates)

    @property
    def shown(self) -> tuple[int, ...]:
        """The steps that the probe shows: 0, then evenly spaced in the logarithm (see the probe's `frame_steps`)."""
        return (0, *sorted(set(np.rint(np.geomspace(1, self.steps, 40)).astype(int).tolist())))

    @property
    def trials(self) -> dict[str, tuple[float, ...]]:
        """The axes of what is measured at one step."""
        return {"lr": self.values, "seed": tuple(range(self.seeds))}


def stages(settings: LeastSquaresSettings) -> tuple[Stage, ...]:
    """One probe: both problems at all rates."""
    options = settings.model_dump(exclude={"lowest", "highest"}) | {"rates": settings.values}
    work = settings.steps * settings.rates * settings.seeds * (settings.dimension + 20)
    return (
        Stage(STAGE, "gradient descent", probe="least_squares", options=options, seconds=2e-4 * settings.steps + 4e-9 * work),
    )


def _errors(settings: LeastSquaresSettings, results: Results) -> Labelled:
    """Errors so far, by problem (axis arm), step, rate and seed."""
    return results.probed(ERROR.measure, STAGE, arm=tuple(STYLES), step=settings.shown, **settings.trials)


def _latest(settings: LeastSquaresSettings, results: Results) -> Labelled:
    """Newest errors, by problem, rate and seed."""
    errors = _errors(settings, results)
    known = [step for step, found in errors.along("step") if not np.isnan(found.values).all()]
    return errors.at(step=known[-1] if known else 0)


def charts(settings: LeastSquaresSettings) -> tuple[Chart, ...]:
    """Error against the rate, its history, and the rate that the direction feels."""
    rates = Swept("lr", settings.values, "learning rate", log=True)
    return _error_chart(settings, rates), _history_chart(settings), _effective_chart(settings, rates)


def _error_chart(settings: LeastSquaresSettings, rates: Swept) -> Chart:
    def visible(results: Results) -> Labelled:
        return _latest(settings, results).map(lambda errors: np.maximum(errors, LOWEST_SHOWN))

    chart = ERROR.by_value("error", STYLES, rates, visible, markers=False)
    add_theory_line(chart.spec, [THRESHOLD, THRESHOLD], [LOWEST_SHOWN, 10.0], "2 / largest curvature", fit=False)
    add_level(chart.spec, TARGET, "converged: below this", fit=False)
    return chart


def _history_chart(settings: LeastSquaresSettings) -> Chart:
    how = "Each column is one rate, time runs upwards (in the logarithm); dark is a small error, red has diverged."
    panels = [style.label for style in STYLES.values()]
    spec = heatmap_chart(
        "history", "Error over time", how, "learning rate", "step", settings.values, settings.shown,
        low=1e-6, high=1.0, log=True, panels=panels, unit="error",
    )  # fmt: skip

    def draw(results: Results) -> dict[str, list[Any]]:
        middle = _errors(settings, results).over("seed")
        return {"": [heatmap_series(middle.at(arm=arm).rows("step", "lr"), 1e-6, 1.0, log=True) for arm in STYLES]}

    return Chart(spec, draw)


def _effective_chart(settings: LeastSquaresSettings, rates: Swept) -> Chart:
    def take(results: Results) -> Labelled:
        felt = results.probed(EFFECTIVE.measure, STAGE, arm=tuple(STYLES), **settings.trials)
        return Labelled(np.where(np.isfinite(_latest(settings, results).values), felt.values, np.inf), felt.axes)

    chart = EFFECTIVE.by_value("effective", STYLES, rates, take, markers=False)
    add_level(chart.spec, THRESHOLD, "2 / largest curvature", fit=False)
    return chart


def verdict(settings: LeastSquaresSettings, results: Results) -> Verdict | None:
    """The highest rates that converge, and by how much they exceed the threshold of the plain problem."""
    if not results.finished(STAGE):
        return None
    errors = _latest(settings, results)
    plain, normalized = (
        UsableRange(np.array(settings.values), errors.at(arm=arm).rows("lr", "seed") < TARGET) for arm in (PLAIN, NORMALIZED)
    )
    above = spread_of(normalized.highest / THRESHOLD)
    numbers = {
        "highest_plain": spread_of(plain.highest),
        "highest_normalized": spread_of(normalized.highest),
        "above_threshold": above,
        "span_plain": spread_of(plain.span),
        "span_normalized": spread_of(normalized.span),
    }
    if above.count < settings.seeds:
        few = say("Not every seed came below an error of {target} in {steps} steps", target=TARGET, steps=settings.steps)
        return Verdict(None, f"{few} at some rate: too few to compare.", numbers)
    headline = say(
        "The normalized problem converges up to {above:median} times the threshold ({above:range}){bound}.",
        above=above,
        bound="" if normalized.ends_inside else "; some seeds converge at the highest rate that was tried",
    )
    return Verdict(_answer(above), headline, numbers, joined(_highest(settings, numbers), _spans(numbers)))


def _answer(above: Spread) -> str | None:
    return "same" if above.median < FEW else None if above.low < FEW else "many" if above.median >= MANY else "few"


def _highest(settings: LeastSquaresSettings, numbers: Mapping[str, Spread]) -> str:
    highest = say("Highest rate with an error below {target}: ", target=TARGET)
    both = say("{highest_normalized} normalized, {highest_plain} as it is, where the threshold is 2.", numbers)
    return highest + both + say(" Neighbouring rates differ by a factor of {grid}.", grid=settings.values[1] / settings.values[0])


def _spans(numbers: Mapping[str, Spread]) -> str:
    normalized, plain = (float(np.log10(numbers[name].median)) for name in ("span_normalized", "span_plain"))
    template = "The problem converges over {normalized:.1f} decades of rates normalized, over {plain:.1f} as it is."
    return say(template, normalized=normalized, plain=plain)


HOLDS: Condition = median_below("highest_plain", THRESHOLD)
judge = rule(
    "converges up to a rate of {highest_normalized} normalized, up to {highest_plain} as it is (threshold 2)",
    supported=HOLDS & answered("many"),
    mixed=HOLDS,
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
