"""Weight decay with batch norm: the norm at which weights settle, and how far they then turn in a step."""

from typing import Any

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, norm_style, plain_styles
from bnviz.closed_forms.weight_decay import equilibrium_angle
from bnviz.config.models import ArmConfig, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import FloatArray, Labelled, unknown
from bnviz.experiments.kit.quantities import Quantity, Styles, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import LAARHOVEN, WAN
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.trials import decades, swept_stage

PROBE, TRAINED = "noise", "digits"
GRADIENT_SCALES, STARTS = (1.0, 10.0), (0.5, 2.0)
CONDITIONS = ("small start", "large start", "10 × the gradients")
SMALL, LARGE, STEEP = CONDITIONS
STYLES: Styles = dict(zip(CONDITIONS, plain_styles(CONDITIONS), strict=True))
LAST = 1 / 3  # of the frames, over which the settled values are averaged
CLOSE = 0.05  # ratios to the closed form within this share of 1 agree with it
FRAMES = 40
ANGLE = "angle a step (radians)"
TURNING = Quantity(
    "angle",
    "Turning over time",
    "Angle by which a unit's weights turn in a step, at decay {decay:.3g}. Dotted: sqrt(2 lr decay).",
    ANGLE,
    log=True,
)
SETTLED = Quantity(
    "angle", "Settled angle", "Mean over the last third of the steps so far. Dotted: sqrt(2 lr decay).", ANGLE, log=True
)
LENGTH = Quantity(
    "norm",
    "Settled length",
    "Length of a unit's weights over the closed form, (lr / (2 decay) E|g|²)^(1/4). 1: as predicted.",
    "|w| over prediction",
)
ON_DIGITS = Quantity(
    "unit_angle",
    "A net on digits",
    "The same angle in an ordinary training on digits, all layers, over the last third of its steps. Dotted: the closed form.",
    ANGLE,
    log=True,
)


class DecaySettings(Settings):
    """A layer with batch norm trained on noise, and an ordinary training, at several weight decays."""

    lr: Float = knobs.learning_rate(0.2, most=1, least=0.01, of="Of both trainings.")
    lowest: Float = Field(default=0.01, ge=1e-3, le=0.02, title="Smallest decay", description="Of the sweep.")
    highest: Float = Field(default=0.1, ge=0.03, le=0.2, title="Largest decay", description="Of the sweep.")
    decays: Int = Field(default=4, ge=2, le=8, title="Decays", description="Values, evenly spaced in the logarithm.")
    seeds: Int = knobs.seeds(2, most=4, of="Networks of every condition.")
    steps: Int = Field(default=1500, ge=200, le=5000, title="Steps on noise", description="Updates of the first stage.")
    digits_steps: Int = Field(default=800, ge=50, le=4000, title="Steps on digits", description="Updates of the second stage.")

    @property
    def values(self) -> tuple[float, ...]:
        """The decays of the sweep."""
        return decades(self.lowest, self.highest, self.decays)

    @property
    def shown(self) -> tuple[int, ...]:
        """The steps at which the probe shows a frame."""
        return tuple(sorted({round(end) for end in np.linspace(0, self.steps, FRAMES + 1)} - {0}))

    @property
    def trials(self) -> dict[str, tuple[float, ...]]:
        """The axes of both stages' trials."""
        return {"weight_decay": self.values, "seed": tuple(range(self.seeds))}

    @property
    def closed_form(self) -> FloatArray:
        """The angle of settled weights at every decay, (decays,)."""
        return np.array([equilibrium_angle(self.lr, value) for value in self.values])


def stages(settings: DecaySettings) -> tuple[Stage, ...]:
    """The layer on noise (a probe), then a batch-norm net on digits with all parameters trained and decayed."""
    options = {
        "decays": settings.values,
        "lr": settings.lr,
        "gradient_scales": GRADIENT_SCALES,
        "starts": STARTS,
        "seeds": settings.seeds,
        "steps": settings.steps,
        "width": 16,
    }
    arm = ArmConfig(norm="batch", depth=3, width=32, lr=settings.lr)
    run = RunConfig(arms=(arm,), steps=settings.digits_steps, measure_every=max(settings.digits_steps // FRAMES, 1))
    kept = ("train_loss", "weight_norm", "effective_lr")
    seconds = settings.steps * (1e-3 + 6e-5 * 3 * settings.decays * settings.seeds)
    return (
        Stage(PROBE, "one layer on noise", probe="weight_decay", options=options, seconds=seconds),
        swept_stage(TRAINED, "a net on digits", run, "weight_decay", settings.values, settings.seeds, kept),
    )


def _noise(settings: DecaySettings, results: Results, name: str) -> Labelled:
    """A value of the layer on noise, by condition (axis arm), step, decay and seed."""
    return results.probed(name, PROBE, arm=CONDITIONS, step=settings.shown, **settings.trials)


def settled(settings: DecaySettings, results: Results) -> dict[str, Labelled]:
    """Means over the last third of the frames so far, each by condition, decay and seed.

    `norm`: (E|w|^4)^(1/4) over its closed form from the measured E|g_unit|^2; `angle`: root mean square; `moved`: by which
    share the angle changed between the halves of that third.
    """
    fourth, gradient, angle = (_noise(settings, results, name) for name in ("fourth", "gradient", "angle"))
    known = int((~np.isnan(fourth.at(arm=SMALL, weight_decay=settings.values[0], seed=0).values)).sum())
    count = max(round(known * LAST), 1)
    start, half = known - count, max(known - count // 2, 1)
    late = slice(start, known)
    decay = np.array(settings.values)[:, None]
    norm = _mean(fourth, late) ** 0.25
    predicted = (settings.lr / (2 * decay) * _mean(gradient, late)) ** 0.25
    moved = _root_mean(angle, slice(half - 1, known)) / _root_mean(angle, slice(start, half)) - 1
    axes = {"arm": CONDITIONS, **settings.trials}
    found = {"norm": norm / predicted, "angle": _root_mean(angle, late), "moved": moved}
    return {name: Labelled(values, axes) for name, values in found.items()}


def _mean(found: Labelled, frames: slice) -> FloatArray:
    return found.rows("step", "arm", "weight_decay", "seed")[frames].mean(axis=0)


def _root_mean(angle: Labelled, frames: slice) -> FloatArray:
    """Root mean square over the frames, (conditions, decays, seeds)."""
    return np.sqrt(_mean(angle.map(np.square), frames))


def _digits_angle(results: Results) -> Labelled:
    """Root mean square angle over layers and the last third of the measured steps, by arm, decay and seed."""
    angle = results.over_steps(ON_DIGITS.measure, TRAINED)
    steps = angle.axes["step"]
    late = angle.since("step", steps[-max(round(len(steps) * LAST), 1)])
    return late.map(np.square).over_all(np.mean, "step", "layer").map(np.sqrt)


def charts(settings: DecaySettings) -> tuple[Chart, ...]:
    """Angle over time, settled angle and norm against the decay, and the angle of the ordinary training."""
    decays = Swept("weight_decay", settings.values, "weight decay", log=True)
    angle = SETTLED.by_value("angle", STYLES, decays, lambda results: settled(settings, results)["angle"])
    add_theory_line(angle.spec, settings.values, settings.closed_form)
    length = LENGTH.by_value("norm", STYLES, decays, lambda results: settled(settings, results)["norm"])
    add_level(length.spec, 1.0)
    length.spec.y_include = (0.9, 1.0, 1.1)
    return _turning_chart(settings), angle, length, _digits_chart(settings, decays)


def _turning_chart(settings: DecaySettings) -> Chart:
    largest = settings.values[-1]

    def take(results: Results) -> Labelled:
        return _noise(settings, results, TURNING.measure).at(weight_decay=largest)

    steps = Swept("step", settings.shown, "step (updates)")
    chart = TURNING.worded(decay=largest).by_value("turning", STYLES, steps, take, markers=False)
    add_level(chart.spec, equilibrium_angle(settings.lr, largest))
    return chart


def _digits_chart(settings: DecaySettings, decays: Swept) -> Chart:
    def take(results: Results) -> Labelled:
        return unknown(arm=("batch",), **settings.trials) if results.last(TRAINED) is None else _digits_angle(results)

    chart = ON_DIGITS.by_value("digits", {"batch": norm_style("batch")}, decays, take)
    add_theory_line(chart.spec, settings.values, settings.closed_form)
    chart.spec.empty = "Comes with the second stage"
    return chart


def verdict(settings: DecaySettings, results: Results) -> Verdict | None:
    """Compare the settled angle with the closed form, and across gradients and starts."""
    if not results.finished(PROBE):
        return None
    found = settled(settings, results)
    ratio = _over_theory(settings, found["angle"])
    over, moved = spread_of(ratio.values, of="nets"), float(np.abs(found["moved"].values).max())
    by_start, by_gradient = (_largest_change(ratio, arm) for arm in (LARGE, STEEP))
    numbers: dict[str, Any] = {
        "angle": over,
        "norm": spread_of(found["norm"].values, of="nets"),
        "by_start": by_start,
        "by_gradient": by_gradient,
        "moved": moved,
    }
    if not over.count:
        return Verdict(None, "Every net was lost, so there is no angle to compare.", numbers)
    digits = _digits(settings, results)
    if digits:
        numbers["digits"] = digits
    agrees = max(abs(over.low - 1), abs(over.high - 1)) < CLOSE
    answer = None if moved > CLOSE else "rate_decay" if agrees else "start" if by_start > by_gradient else "gradient"
    headline, details = _settled(numbers) if answer else _unsettled(moved, by_start)
    return Verdict(answer, headline, numbers, joined(details, _digits_words(digits)))


def _over_theory(settings: DecaySettings, angle: Labelled) -> Labelled:
    """An angle by arm, decay and seed over the closed form."""
    return Labelled(angle.rows("arm", "weight_decay", "seed") / settings.closed_form[:, None], angle.axes)


def _largest_change(ratio: Labelled, condition: str) -> float:
    """By which share a condition changes the angle at most."""
    return float(np.abs((ratio.at(arm=condition) / ratio.at(arm=SMALL)).values - 1).max())


def _settled(numbers: dict[str, Any]) -> tuple[str, str]:
    """The angle over its closed form, and what changes it."""
    headline = say("Settled weights turn by {angle:median} times sqrt(2 lr decay) a step ({angle:range}).", numbers)
    details = say(
        "Gradients ten times larger change the angle by at most {gradient:2} %, another start by {start:2} %.",
        gradient=100 * numbers["by_gradient"],
        start=100 * numbers["by_start"],
    )
    return headline, details


def _unsettled(moved: float, by_start: float) -> tuple[str, str]:
    headline = say(
        "The weights have not settled: the angle still moved by up to {moved:.0f} % within the last third of the steps.",
        moved=100 * moved,
    )
    start = say("Another start changes it by up to {start:.0f} %.", start=100 * by_start)
    return headline, f"{start} Weights settle with more steps, or with more decay."


def _digits(settings: DecaySettings, results: Results) -> Spread | None:
    """The ordinary training's angle over the closed form; None before its end, or when all nets were lost."""
    if not results.finished(TRAINED):
        return None
    found = spread_of(_over_theory(settings, _digits_angle(results)).values, of="nets")
    return found if found.count else None


def _digits_words(found: Spread | None) -> str:
    template = "On digits, with gradients that shrink as the net learns, it is {found:median} times the form ({found:range})."
    return say(template, found=found) if found else ""


judge = rule(
    "angle {angle:median} times sqrt(2 lr decay) ({angle:range})", supported=answered("rate_decay"), mixed=~answered("rate_decay")
)


PART = Part(
    id="decay",
    title="Weight decay",
    question="Weights that feed a batch norm, with weight decay: what decides how far they turn in a step, once settled?",
    choices=(
        Choice("rate_decay", "The learning rate and the decay alone"),
        Choice("gradient", "Above all, how large the gradients are"),
        Choice("start", "Above all, how large the weights began"),
    ),
    settings=DecaySettings,
    presets=(
        Preset(
            "settle",
            "Three ways to the same angle",
            "A small start, a large start and ten times the gradients. Watch whether the three lines meet.",
            DecaySettings(),
        ),
        Preset(
            "early",
            "Too few steps",
            "A tenth of the decay and few steps. Watch how far the three lines are apart at the end.",
            DecaySettings(lowest=1e-3, highest=0.03, steps=300, digits_steps=200),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LAARHOVEN, WAN),
    caveat=("decay", "early"),
    claims=(
        Claim(
            "equilibrium",
            "With batch norm, learning rate and weight decay alone set how fast weights turn.",
            WAN,
            "settle",
            judge,
        ),
    ),
)
