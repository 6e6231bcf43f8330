"""The warning of the 2015 paper: a gradient that treats the batch statistics as constants lets biases run away."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, norm_style
from bnviz.config.models import ArmConfig, Float, Int, NormName, RunConfig
from bnviz.config.schedule import measured_steps
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import FloatArray, Labelled, laid_on, stacked
from bnviz.experiments.kit.quantities import Quantity, Styles, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import median_below, rule, when
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import IOFFE_2015
from bnviz.experiments.kit.spread import Spread, spread_of, spread_of_finite

BIAS, NETWORK, FRAMES = "bias", "network", 40
WHOLE, DETACHED = "batch", "batch_detached"  # names of the arms: the gradient is whole, or the statistics are detached
NORMS: tuple[NormName, ...] = (WHOLE, DETACHED)
STYLES: Styles = {WHOLE: norm_style("batch"), DETACHED: norm_style("batch_detached", "statistics detached")}
STEP = "step (updates)"
NO_MOVE = 1e-9  # of a bias or a loss that gradient descent did not move, in float64
STILL_GROWING = 1.5  # times its value at half time: 2 for a straight line, 1 for a bias that has settled
UNIT_BIAS = Quantity(
    "bias",
    "The bias",
    "One unit. The line that climbs is pushed on at every step, though its bias cannot change the output.",
    "bias b before the norm",
)
UNIT_LOSS = Quantity(
    "loss",
    "Loss of the unit",
    "The same unit. Compare it with the bias: does the loss gain anything from where the bias goes?",
    "loss",
    floor=0.0,
)
OFFSET = Quantity(
    "pre_norm_mean",
    "Offset before norm",
    "A whole network, mean size over its layers. Batch norm subtracts it all, so no output needs it.",
    "|mean| of the pre-norm values",
)
LOSS = Quantity(
    "train_loss",
    "Loss of the network",
    "A whole network, with gamma and beta, on handwritten digits: what the wrong gradient costs.",
    "training loss (nats)",
    floor=0.0,
)


class DetachedSettings(Settings):
    """One unit with a bias before its norm, and a network whose norms are detached."""

    learn_beta: bool = Field(
        default=False, title="Learn beta", description="Let the unit learn beta too, which can do what b cannot."
    )
    steps: Int = knobs.steps(400, most=4000, least=40, of="Of gradient descent, for the single unit.")
    lr: Float = knobs.learning_rate(0.1, most=1, least=0.01, of="Of the unit and of the network.")
    spread: Float = Field(
        default=1.0, ge=0.1, le=10, title="Spread of the inputs", description="Standard deviation of the unit's inputs."
    )
    samples: Int = knobs.batch_size(256, most=1024, least=2, of="Samples of the unit's batch.")
    seeds: Int = knobs.seeds(6, most=16, of="Draws of the inputs; networks of each kind.")
    depth: Int = knobs.depth(4, most=20, of="Of the network.")
    network_steps: Int = Field(default=300, ge=20, le=2000, title="Steps of the network", description="Updates of the network.")

    @property
    def unit_steps(self) -> FloatArray:
        """At which the unit is measured, (FRAMES + 1,)."""
        return np.rint(np.linspace(0, self.steps, FRAMES + 1))


def _network(settings: DetachedSettings) -> RunConfig:
    arms = tuple(ArmConfig(norm=norm, depth=settings.depth, width=32, lr=settings.lr) for norm in NORMS)
    every = max(1, settings.network_steps // 30)
    return RunConfig(arms=arms, trials=settings.seeds, steps=settings.network_steps, measure_every=every)


def stages(settings: DetachedSettings) -> tuple[Stage, ...]:
    """A single unit, then networks."""
    options = settings.model_dump(include={"steps", "lr", "spread", "samples", "seeds", "learn_beta"})
    return (
        Stage(BIAS, "one unit", probe="detached_bias", options=options, seconds=settings.steps / 400),
        Stage(NETWORK, "a network", run=_network(settings), keep=(LOSS.measure, OFFSET.measure)),
    )


def expected_bias(settings: DetachedSettings, std: float) -> FloatArray:
    """The detached bias at each measured step, shape (steps,), for inputs of this standard deviation.

    Without beta every step adds lr / std. With it, what is missing of the target shrinks by the factor 1 - lr at every
    step, and b has gone 1 / std times as far as beta.
    """
    steps = settings.unit_steps
    return (1 - (1 - settings.lr) ** steps if settings.learn_beta else settings.lr * steps) / std


def charts(settings: DetachedSettings) -> tuple[Chart, ...]:
    """Bias and loss of the unit, offsets and loss of the network."""
    unit_steps, steps = (Swept("step", at, STEP) for at in (settings.unit_steps.tolist(), measured_steps(_network(settings))))
    bias, loss = (
        each.by_value(each.measure, STYLES, unit_steps, partial(unit, settings, each), markers=False)
        for each in (UNIT_BIAS, UNIT_LOSS)
    )
    add_theory_line(bias.spec, settings.unit_steps, expected_bias(settings, settings.spread), "detached, in theory")
    add_level(loss.spec, 0.5, "loss of an output that is 1 too low")
    offset, network_loss = (
        each.by_value(each.measure, STYLES, steps, partial(network, settings, each), markers=False) for each in (OFFSET, LOSS)
    )
    return bias, loss, offset, network_loss


def unit(settings: DetachedSettings, quantity: Quantity, results: Results) -> Labelled:
    """Of the single unit, by arm, step and seed; NaN where nothing was measured yet."""
    axes = {"step": tuple(settings.unit_steps.tolist()), "seed": tuple(range(settings.seeds))}
    return stacked("arm", {norm: results.probed(f"{quantity.measure}_{norm}", BIAS, **axes) for norm in NORMS})


def network(settings: DetachedSettings, quantity: Quantity, results: Results) -> Labelled:
    """Of the networks, by step, arm and seed, layers as their mean size; NaN where nothing was measured yet."""
    steps = measured_steps(_network(settings))
    if results.last(NETWORK) is None:
        return Labelled(np.full((len(steps), len(NORMS), 1), np.nan), {"step": steps, "arm": NORMS, "seed": (0,)})
    return laid_on(_size(results.over_steps(quantity.measure, NETWORK)), "step", steps)


def _size(found: Labelled) -> Labelled:
    """Mean size over the layers; what has no layers as it is."""
    return found.map(np.abs).over("layer", np.mean) if "layer" in found.axes else found


def verdict(settings: DetachedSettings, results: Results) -> Verdict | None:
    """How far the detached bias went and what the loss had of it; the offsets and losses of the networks."""
    if not results.finished(BIAS):
        return None
    biases, losses = (unit(settings, quantity, results) for quantity in (UNIT_BIAS, UNIT_LOSS))
    bias, loss = biases.at(arm=DETACHED).values, losses.at(arm=DETACHED).values
    half = bias[FRAMES // 2]
    numbers: dict[str, float | Spread] = {
        "bias": (reached := _known(bias[-1])),
        "off_theory": _off_theory(settings, results, bias),
        "bias_of_batch_norm": float(np.abs(biases.at(arm=WHOLE).values).max()),
        "growth_since_half": (growth := _known(bias[-1] / np.where(half == 0, np.nan, half))),
        "loss_start": (start := _known(loss[0])),
        "loss_change": (change := _known(loss[-1] - loss[0])),
    }
    is_still = bool(np.abs(loss - loss[0]).max() <= NO_MOVE)
    answer = answer_of(float(np.abs(bias).max()), growth.median, is_still)
    headline = _headline(settings, reached, growth, start.median, change.median)
    found = _of_the_network(results) if results.finished(NETWORK) else {}
    return Verdict(answer, headline, {**numbers, **found}, joined(_of_the_unit(numbers), _in_words(found)))


def _known(values: FloatArray) -> Spread:
    """Over the seeds; of nothing where one is unknown."""
    return spread_of([] if np.isnan(values).any() else values)


def _off_theory(settings: DetachedSettings, results: Results, bias: FloatArray) -> float:
    """Largest distance of the detached bias from its closed form, in units of the form's largest value."""
    stds = results.probed("std", BIAS, seed=tuple(range(settings.seeds))).values
    expected = np.stack([expected_bias(settings, float(std)) for std in stds], axis=1)
    return float(np.abs(bias - expected).max() / np.abs(expected).max())


def answer_of(largest: float, growth: float, is_still: bool) -> str | None:
    """Whether the bias stays, grows at an unchanged loss, or settles while the loss falls; None for anything else."""
    if largest <= NO_MOVE:
        return "stays"
    if is_still and growth >= STILL_GROWING:
        return "grows"
    return "settles" if not is_still and growth < STILL_GROWING else None


def _headline(settings: DetachedSettings, bias: Spread, growth: Spread, start: float, change: float) -> str:
    motion = say(", {growth:median} times its value at half time", growth=growth) if growth.count else ""
    loss = "stayed at {start}" if abs(change) <= NO_MOVE else "went from {start} to {end}"
    return say(
        "With detached statistics the bias reached {bias} in {steps} steps{motion}, and the loss " + loss + ".",
        bias=bias,
        steps=settings.steps,
        motion=motion,
        start=start,
        end=start + change,
    )


def _of_the_unit(numbers: Mapping[str, Any]) -> str:
    off = numbers["off_theory"]
    formula = "follows the closed form" if off < NO_MOVE else say("is up to {off:2} % off the closed form", off=100 * off)
    words = "This bias {formula}; with the whole gradient it stayed within {bias_of_batch_norm:1} of 0."
    return say(words, {**numbers, "formula": formula})


def _of_the_network(results: Results) -> dict[str, Spread]:
    """Offsets before the norms and losses at the end, over the networks that have not diverged."""
    offset, loss = (_size(results.newest(quantity.measure, NETWORK)) for quantity in (OFFSET, LOSS))
    return {
        "offset": spread_of_finite(offset.at(arm=WHOLE).values),
        "offset_detached": spread_of_finite(offset.at(arm=DETACHED).values),
        "network_loss": spread_of_finite(loss.at(arm=WHOLE).values),
        "network_loss_detached": spread_of_finite(loss.at(arm=DETACHED).values),
    }


def _in_words(found: Mapping[str, Spread]) -> str:
    if not all(spread.count for spread in found.values()):
        return "In the network every seed of at least one kind diverged."
    words = (
        "In the network the offsets before the norms reached {offset_detached} with detached statistics against {offset} with "
        "the whole gradient, and the loss {network_loss_detached} against {network_loss}."
    )
    return say(words, found) if found else ""


_grows = ~median_below("growth_since_half", STILL_GROWING)
_is_still = when(lambda numbers: abs(numbers["loss_change"].median) <= NO_MOVE)
judge_detached = rule(
    "bias {bias}, {growth_since_half:median} times its value at half time; loss changed by {loss_change}",
    supported=_grows & _is_still,
    mixed=_grows | _is_still,
)


PART = Part(
    id="detached",
    title="Detached statistics",
    question="If the gradient treats the batch's mean and variance as constants, what becomes of a bias before the norm?",
    choices=(
        Choice("grows", "It grows on and on, and the loss stays where it is"),
        Choice("settles", "It settles at a useful value, and the loss falls"),
        Choice("stays", "Nothing: it stays where it is"),
    ),
    settings=DetachedSettings,
    presets=(
        Preset(
            "default",
            "A bias alone",
            "The loss wants an output that is 1 higher everywhere. Only the bias is learned, and the norm takes it out again.",
            DetachedSettings(),
        ),
        Preset(
            "with_beta",
            "Beta learns too",
            "Beta comes after the norm, so it can give the loss what it wants. Watch what the bias does meanwhile.",
            DetachedSettings(learn_beta=True),
        ),
        Preset(
            "small_spread",
            "Inputs close together",
            "The inputs' standard deviation is 0.2 instead of 1. Watch the numbers on the axis of the bias.",
            DetachedSettings(spread=0.2),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2015.at("section 2"),),
    caveat=("detached", "with_beta"),
    claims=(
        Claim(
            "detached_bias",
            "If the gradient ignores that the statistics depend on the batch, a bias before the norm grows without bound "
            "while the loss does not change.",
            IOFFE_2015.at("section 2"),
            "default",
            judge_detached,
        ),
    ),
)
