"""The effective learning rate: larger weights that feed a batch norm are the same network at a smaller rate."""

from typing import Any

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, norm_style, plain_styles, sweep_chart, sweep_series
from bnviz.charts.spec import Selector
from bnviz.config.models import Float, Int, RunConfig
from bnviz.config.schedule import measured_steps
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled, laid_on, unknown
from bnviz.experiments.kit.quantities import Quantity, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import ARORA, LAARHOVEN
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.twins import BATCH, NONE, STYLES, arm_of

PROBE, TRAINED = "rescaled", "ordinary"
SCALES = (0.1, 1.0, 10.0)
SQUARED, EQUAL = "squared", "equal"  # the rates: that of scale a times a², or the same
SAME = 1e-6  # loss curves that differ by less, relative to the loss, are the same but for rounding
LEAST_SHOWN = 1e-17  # smaller cosines are drawn as this
VIEWS = (
    ("batch_squared", "batch norm, rate × a²"),
    ("batch_equal", "batch norm, equal rates"),
    ("none_squared", "no norm, rate × a²"),
)
RADIAL = Quantity(
    "radial",
    "Gradient along weights",
    "Cosine of the angle between a unit's weights and their gradient, the unit where it is largest. Near 1e-16: rounding.",
    "largest |cosine|",
    log=True,
    range=(LEAST_SHOWN, 1.0),
)
RATE = Quantity(
    "effective_lr",
    "Effective rate",
    "lr / |w|² of a unit, mean over all hidden units, in the ordinary training; without a norm it is only a number.",
    "lr / |w|² over its start",
)


class EffectiveSettings(Settings):
    """Twins whose hidden weights start at 0.1, 1 and 10 times the same values, and an ordinary training."""

    depth: Int = knobs.depth(3, most=10, of="Depth of all nets.")
    width: Int = knobs.width(32, most=64)
    lr: Float = knobs.learning_rate(0.3, most=10, of="At scale 1; scale a takes a² times as much.")
    batch_size: Int = knobs.batch_size(64)
    seeds: Int = knobs.seeds(3, most=8, of="Networks of every scale.")
    steps: Int = knobs.steps(120, most=500, of="Updates of the rescaled twins.")
    ordinary_steps: Int = Field(
        default=600, ge=50, le=3000, title="Steps of the ordinary training", description="All parameters are trained."
    )

    @property
    def shown(self) -> tuple[int, ...]:
        """The steps of the rescaled twins that the probe shows."""
        return tuple(sorted({round(step) for step in np.linspace(0, self.steps, 31)}))

    @property
    def ordinary(self) -> RunConfig:
        """The ordinary training of both nets."""
        return RunConfig(
            arms=(arm_of(self, "none"), arm_of(self, "batch")),
            trials=self.seeds,
            batch_size=self.batch_size,
            steps=self.ordinary_steps,
            measure_every=max(self.ordinary_steps // 30, 1),
        )


def stages(settings: EffectiveSettings) -> tuple[Stage, ...]:
    """The rescaled twins (a probe), then an ordinary training of both nets."""
    names = {"seeds", "depth", "width", "batch_size", "lr", "steps"}
    options = settings.model_dump(include=names) | {"scales": SCALES}
    seconds = settings.steps * (settings.depth + 1) * (2e-3 + 2e-9 * settings.seeds * settings.batch_size * settings.width**2)
    return (
        Stage(PROBE, "rescaled twins", probe="scale_invariance", options=options, seconds=seconds),
        Stage(TRAINED, "ordinary training", settings.ordinary, ("train_loss", "weight_norm", "effective_lr")),
    )


def _losses(settings: EffectiveSettings, results: Results) -> dict[str, Labelled]:
    """Losses of the rescaled twins by view, axes step, scale and seed."""
    axes = {"step": settings.shown, "scale": SCALES, "seed": tuple(range(settings.seeds))}
    found = results.probed("losses", PROBE, arm=(NONE, BATCH), rate=(SQUARED, EQUAL), **axes)
    places = {view: view.split("_") for view, _ in VIEWS}
    return {view: found.at(arm=arm, rate=rate) for view, (arm, rate) in places.items()}


def _radial(settings: EffectiveSettings, results: Results) -> Labelled:
    return results.probed("radial", PROBE, arm=(NONE, BATCH), step=settings.shown, seed=tuple(range(settings.seeds)))


def _growth(settings: EffectiveSettings, results: Results) -> Labelled:
    """Squared length of the weights over its start, by arm, whether it was measured or predicted, step and seed."""
    axes = {"step": settings.shown, "seed": tuple(range(settings.seeds))}
    return results.probed("growth", PROBE, arm=(NONE, BATCH), source=("measured", "predicted"), **axes)


def _relative_rate(results: Results) -> Labelled:
    """Effective rate over its start, mean over the layers, by step, arm and seed."""
    rates = results.over_steps(RATE.measure, TRAINED).over("layer", np.mean)
    start = rates.at(step=rates.axes["step"][0])
    with np.errstate(divide="ignore", invalid="ignore"):
        return Labelled(rates.rows("step", "arm", "seed") / start.rows("arm", "seed"), rates.axes)


def charts(settings: EffectiveSettings) -> tuple[Chart, ...]:
    """Loss of the rescaled twins, the radial part of the gradient, the weights' growth, and the effective rate."""
    shown = Swept("step", settings.shown, "step (updates)")

    def visible(results: Results) -> Labelled:
        return _radial(settings, results).map(lambda cosines: np.maximum(cosines, LEAST_SHOWN))

    return (
        _loss_chart(settings),
        RADIAL.by_value("radial", STYLES, shown, visible, markers=False),
        _growth_chart(settings),
        _rate_chart(settings),
    )


def _loss_chart(settings: EffectiveSettings) -> Chart:
    how = "Three nets that differ in the size of their hidden weights alone. One visible line would mean that they train alike."
    styles = plain_styles([f"weights × {scale:g}" for scale in SCALES])
    spec = sweep_chart(
        "loss", "Rescaled twins", how, "step (updates)", "training loss (nats)", settings.shown, styles,
        y_range=(0, 4), markers=False,
    )  # fmt: skip
    spec.selectors = (Selector("view", "show", VIEWS, VIEWS[0][0]),)

    def draw(results: Results) -> dict[str, list[Any]]:
        losses = _losses(settings, results)
        return {view: [sweep_series(found.at(scale=a).rows("step", "seed")) for a in SCALES] for view, found in losses.items()}

    return Chart(spec, draw)


def _growth_chart(settings: EffectiveSettings) -> Chart:
    how = "Squared length of the hidden weights over its start, and what right angles predict: start + sum of (lr |g|)²."
    measured, predicted = plain_styles(["batch norm, measured", "batch norm, predicted"])
    styles = (measured, predicted, norm_style("none", "no norm, measured"))
    spec = sweep_chart(
        "growth", "Growth of the weights", how, "step (updates)", "|W|² / |W|² at start", settings.shown, styles, markers=False
    )
    shown = ({"arm": BATCH, "source": "measured"}, {"arm": BATCH, "source": "predicted"}, {"arm": NONE, "source": "measured"})

    def draw(results: Results) -> dict[str, list[Any]]:
        growth = _growth(settings, results)
        return {"": [sweep_series(growth.at(**place).rows("step", "seed")) for place in shown]}

    return Chart(spec, draw)


def _rate_chart(settings: EffectiveSettings) -> Chart:
    steps = measured_steps(settings.ordinary)

    def take(results: Results) -> Labelled:
        if results.last(TRAINED) is None:
            return unknown(arm=(NONE, BATCH), step=steps, seed=tuple(range(settings.seeds)))
        return laid_on(_relative_rate(results), "step", steps)

    chart = RATE.by_value("rate", STYLES, Swept("step", steps, "step (updates)"), take, markers=False)
    add_level(chart.spec, 1.0, "start")
    chart.spec.empty = "Comes with the ordinary training"
    return chart


def difference(losses: Labelled) -> float:
    """Largest difference of the curves (step, scale, seed) from those at scale 1, relative; infinite if one breaks."""
    curves, ones = losses.rows("scale", "step", "seed"), losses.at(scale=1.0).rows("step", "seed")
    if not np.isfinite(curves).all():
        return float("inf")
    return float(np.max(np.abs(curves - ones) / np.maximum(ones, 1e-3)))


def verdict(settings: EffectiveSettings, results: Results) -> Verdict | None:
    """Compare the rescaled twins, and say how far the effective rate fell in the ordinary training."""
    if not results.finished(PROBE):
        return None
    apart = {view: difference(found) for view, found in _losses(settings, results).items()}
    growth, radial = _growth(settings, results).at(arm=BATCH, step=settings.shown[-1]), _radial(settings, results)
    measured, predicted = (growth.at(source=source).values for source in ("measured", "predicted"))
    left = _rate_left(results)
    numbers = {
        "difference": apart["batch_squared"],
        "difference_equal_rates": apart["batch_equal"],
        "difference_no_norm": apart["none_squared"],
        "radial_batch": float(np.nanmax(radial.at(arm=BATCH).values)),
        "radial_none": float(np.nanmedian(radial.at(arm=NONE).values)),
        "growth": spread_of(measured),
        "growth_error": float(np.abs(measured / predicted - 1).max()),
        **({"rate_left": left} if left and left.count else {}),
    }
    answer = "same" if apart["batch_squared"] < SAME else "other" if np.isfinite(apart["batch_squared"]) else "diverges"
    if answer == "same":
        headline = say(
            "With batch norm, weights of 0.1, 1 and 10 times the size at 0.01, 1 and 100 times the rate gave the same loss at "
            "every step, to within rounding (largest difference: {batch_squared:1} of the loss).",
            apart,
        )
        without = f"Without a norm the losses differ {_times(apart['none_squared'])}."
        return Verdict(answer, headline, numbers, joined(without, _ordinary(settings, left)))
    headline = f"With batch norm the losses of the rescaled twins differ {_times(apart['batch_squared'])}: more than rounding."
    return Verdict(answer, headline, numbers, _ordinary(settings, left))


def _times(difference: float) -> str:
    if not np.isfinite(difference):
        return "without bound: some nets diverged"
    if difference >= 1e6:
        return "by more than a million times the loss"
    return say("by up to {difference} times the loss", difference=difference)


def _rate_left(results: Results) -> Spread | None:
    """The effective rate at the end of the ordinary training over that at its start, with batch norm; None before its end."""
    if not results.finished(TRAINED):
        return None
    rates = _relative_rate(results).at(arm=BATCH)
    last = rates.at(step=rates.axes["step"][-1]).values
    return spread_of(last[np.isfinite(last)])


def _ordinary(settings: EffectiveSettings, left: Spread | None) -> str:
    """What became of the effective rate."""
    if left is None:
        return ""
    if not left.count:
        return "In the ordinary training all seeds diverged."
    grew = ": the weights grew" if left.high < 1 else ""
    said = say("In the ordinary training at rate {lr} the effective rate ended at {left} of its start", lr=settings.lr, left=left)
    return f"{said}{grew}."


judge = rule("largest difference of the losses {difference:1} of the loss", supported=answered("same"))


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
