"""Weight decay with batch norm: the norm at which weights settle, and how far they then turn in a step."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, norm_style, plain_styles, sweep_chart, sweep_series
from bnviz.closed_forms.weight_decay import equilibrium_angle
from bnviz.config.models import ArmConfig, Float, Int, PerTrial, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Reference, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import Spread, by_value, decades, fixed, plain, spread_of, stacked
from bnviz.experiments.parts.learning_rate.effective import LAARHOVEN

PROBE, TRAINED = "noise", "digits"
GRADIENT_SCALES, STARTS = (1.0, 10.0), (0.5, 2.0)
STYLES = plain_styles(("small start", "large start", "10 × the gradients"))
LAST = 1 / 3  # of the frames, over which the settled values are averaged
CLOSE = 0.05  # ratios to the closed form within this share of 1 agree with it
FRAMES = 40

WAN = Reference("Wan et al. 2020, Spherical Motion Dynamics", "https://arxiv.org/abs/2006.08419")


class DecaySettings(Settings):
    """A layer with batch norm trained on noise, and an ordinary training, at several weight decays."""

    lr: Float = Field(default=0.2, ge=0.01, le=1, title="Learning rate", description="Of both trainings.")
    lowest: Float = Field(default=0.01, ge=1e-3, le=0.02, title="Smallest decay", description="Of the sweep.")
    highest: Float = Field(default=0.1, ge=0.03, le=0.2, title="Largest decay", description="Of the sweep.")
    decays: Int = Field(default=4, ge=2, le=8, title="Decays", description="Values, evenly spaced in the logarithm.")
    seeds: Int = Field(default=2, ge=1, le=4, title="Seeds", description="Networks of every condition.")
    steps: Int = Field(default=1500, ge=200, le=5000, title="Steps on noise", description="Updates of the first stage.")
    digits_steps: Int = Field(default=800, ge=50, le=4000, title="Steps on digits", description="Updates of the second stage.")

    @property
    def values(self) -> tuple[float, ...]:
        """The decays of the sweep."""
        return decades(self.lowest, self.highest, self.decays)

    @property
    def every(self) -> int:
        """Steps between two measurements on digits."""
        return max(self.digits_steps // FRAMES, 1)

    @property
    def shown(self) -> list[int]:
        """The steps at which the probe shows a frame."""
        return sorted({round(end) for end in np.linspace(0, self.steps, FRAMES + 1)} - {0})


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
    decays, seeds = stacked(settings.values, settings.seeds)
    arm = ArmConfig(norm="batch", depth=3, width=32, lr=settings.lr, per_trial=PerTrial(weight_decay=decays))
    run = RunConfig(arms=(arm,), trials=len(decays), trial_seeds=seeds, steps=settings.digits_steps, measure_every=settings.every)
    seconds = settings.steps * (1e-3 + 6e-5 * 3 * settings.decays * settings.seeds)
    return (
        Stage(PROBE, "one layer on noise", probe="weight_decay", options=options, seconds=seconds),
        Stage(TRAINED, "a net on digits", run, ("train_loss", "weight_norm", "effective_lr")),
    )


def settled(settings: DecaySettings, results: Results) -> dict[str, NDArray[np.float64]]:
    """Means over the last third of the frames so far, each (conditions, decays, seeds).

    `norm`: (E|w|^4)^(1/4); `predicted_norm`: the closed form from the measured E|g_unit|^2; `angle`: root mean square;
    `moved`: by which share the angle changed between the halves of that third.
    """
    fourth, gradient, angle = (results.value(PROBE, name) for name in ("fourth", "gradient", "angle"))
    assert fourth is not None
    assert gradient is not None
    assert angle is not None
    known = int((~np.isnan(fourth[0, :, 0, 0])).sum())
    count = max(round(known * LAST), 1)
    last, half = slice(known - count, known), max(known - count // 2, 1)
    decay = np.array(settings.values)[:, None]
    return {
        "norm": fourth[:, last].mean(1) ** 0.25,
        "predicted_norm": (settings.lr / (2 * decay) * gradient[:, last].mean(1)) ** 0.25,
        "angle": _root_mean(angle[:, last]),
        "moved": _root_mean(angle[:, half - 1 : known]) / _root_mean(angle[:, known - count : half]) - 1,
    }


def _root_mean(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square over the frames of (conditions, frames, decays, seeds)."""
    return np.sqrt((angle**2).mean(1))


def charts(settings: DecaySettings) -> tuple[Chart, ...]:
    """Angle over time, settled angle and norm against the decay, and the angle of the ordinary training."""
    return _turning_chart(settings), _angle_chart(settings), _norm_chart(settings), _digits_chart(settings)


def _turning_chart(settings: DecaySettings) -> Chart:
    value = settings.values[-1]
    how = f"Angle by which a unit's weights turn in a step, at decay {plain(value)}. Dotted: sqrt(2 lr decay)."
    spec = sweep_chart("turning", "Turning over time", how, "step (updates)", "angle a step (radians)", settings.shown, STYLES,
                       y_log=True, markers=False)  # fmt: skip
    add_level(spec, equilibrium_angle(settings.lr, value))

    def draw(results: Results) -> dict[str, list]:
        angle = results.value(PROBE, "angle")
        assert angle is not None
        return {"": [sweep_series(condition[:, -1]) for condition in angle]}

    return Chart(spec, draw)


def _angle_chart(settings: DecaySettings) -> Chart:
    how = "Mean over the last third of the steps so far. Dotted: sqrt(2 lr decay)."
    spec = sweep_chart("angle", "Settled angle", how, "weight decay", "angle a step (radians)", settings.values, STYLES,
                       x_log=True, y_log=True)  # fmt: skip
    add_theory_line(spec, settings.values, [equilibrium_angle(settings.lr, value) for value in settings.values])
    return Chart(spec, lambda results: {"": [sweep_series(row) for row in settled(settings, results)["angle"]]})


def _norm_chart(settings: DecaySettings) -> Chart:
    how = "Length of a unit's weights over the closed form, (lr / (2 decay) E|g|²)^(1/4). 1: as predicted."
    spec = sweep_chart("norm", "Settled length", how, "weight decay", "|w| over prediction", settings.values, STYLES, x_log=True)
    add_level(spec, 1.0)
    spec.y_include = (0.9, 1.0, 1.1)

    def draw(results: Results) -> dict[str, list]:
        found = settled(settings, results)
        return {"": [sweep_series(row) for row in found["norm"] / found["predicted_norm"]]}

    return Chart(spec, draw)


def _digits_chart(settings: DecaySettings) -> Chart:
    how = (
        "The same angle in an ordinary training on digits, all layers, over the last third of its steps. Dotted: the closed form."
    )
    spec = sweep_chart("digits", "A net on digits", how, "weight decay", "angle a step (radians)", settings.values,
                       (norm_style("batch", "batch norm"),), x_log=True, y_log=True)  # fmt: skip
    add_theory_line(spec, settings.values, [equilibrium_angle(settings.lr, value) for value in settings.values])
    spec.empty = "Comes with the second stage"

    def draw(results: Results) -> dict[str, list]:
        if results.last(TRAINED) is None:
            return {"": [sweep_series(np.full((len(settings.values), settings.seeds), np.nan))]}
        return {"": [sweep_series(_digits_angle(settings, results))]}

    return Chart(spec, draw)


def _digits_angle(settings: DecaySettings, results: Results) -> NDArray[np.float64]:
    """Root mean square angle over layers and the last third of the measured steps, (decays, seeds)."""
    angle = results.curve(TRAINED, "unit_angle")  # (frames, trials, layers)
    last = angle[-max(round(len(angle) * LAST), 1) :]
    return by_value(np.sqrt((last**2).mean(axis=(0, 2))), settings.values, settings.seeds)


def verdict(settings: DecaySettings, results: Results) -> Verdict | None:
    """Compare the settled angle with the closed form, and across gradients and starts."""
    if not results.finished(PROBE):
        return None
    found = settled(settings, results)
    theory = np.array([equilibrium_angle(settings.lr, value) for value in settings.values])
    angle = found["angle"] / theory[:, None]  # (conditions, decays, seeds)
    norm = found["norm"] / found["predicted_norm"]
    by_start, by_gradient = (float(np.abs(angle[i] / angle[0] - 1).max()) for i in (1, 2))
    over = spread_of(angle)
    numbers = {
        "angle_median": over.median,
        "angle_low": over.low,
        "angle_high": over.high,
        "norm_median": spread_of(norm).median,
        "norm_low": spread_of(norm).low,
        "norm_high": spread_of(norm).high,
        "by_start": by_start,
        "by_gradient": by_gradient,
        "moved": float(np.abs(found["moved"]).max()),
    }
    if not over.count:
        return Verdict(None, "Every net was lost, so there is no angle to compare.", numbers)
    moved = numbers["moved"]
    agrees = max(abs(over.low - 1), abs(over.high - 1)) < CLOSE
    answer = None if moved > CLOSE else "rate_decay" if agrees else "start" if by_start > by_gradient else "gradient"
    sentence = _settled(over, by_gradient, by_start) if answer else _unsettled(moved, by_start)
    digits, said = _digits(settings, results, theory)
    return Verdict(answer, sentence + said, numbers | digits)


def _settled(over: Spread, by_gradient: float, by_start: float) -> str:
    """The angle over its closed form, and what changes it."""
    middle, low, high = (fixed(value, 3) for value in (over.median, over.low, over.high))
    return (
        f"Settled weights turn by {middle} times sqrt(2 lr decay) a step ({low} to {high} over all "
        f"decays, starts, gradient sizes and seeds). Gradients ten times larger change the angle by at most "
        f"{plain(100 * by_gradient, 2)} %, another start by {plain(100 * by_start, 2)} %."
    )


def _unsettled(moved: float, by_start: float) -> str:
    return (
        f"The weights have not settled: the angle still moved by up to {100 * moved:.0f} % within the last third of the "
        f"steps, and another start changes it by up to {100 * by_start:.0f} %. More steps, or more decay, would let them."
    )


def _digits(settings: DecaySettings, results: Results, theory: NDArray[np.float64]) -> tuple[dict[str, float], str]:
    """The ordinary training's angle over the closed form."""
    if not results.finished(TRAINED):
        return {}, ""
    ratio = spread_of(_digits_angle(settings, results) / theory[:, None])
    if not ratio.count:
        return {}, ""
    low, high = fixed(ratio.low, 2), fixed(ratio.high, 2)
    said = f" On digits, with gradients that shrink as the net learns, it is {low} to {high} times the form."
    return {"digits_low": ratio.low, "digits_high": ratio.high, "digits_median": ratio.median}, said


def judge(found: Verdict) -> Finding:
    """Supported when the angle agrees with the closed form in all conditions."""
    numbers = found.numbers
    measured = f"angle {plain(numbers['angle_low'])} to {plain(numbers['angle_high'])} times sqrt(2 lr decay)"
    return Finding("supported" if found.answer == "rate_decay" else "mixed", measured)


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
