"""Sigmoids and tanhs on the flat ends of their curves, over a sweep of the initial weights' scale."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, layer_chart, sweep_chart, sweep_series
from bnviz.charts.spec import Selector
from bnviz.config.models import ArmConfig, DatasetConfig, Float, Int, PerTrial, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Series, Settings, Verdict
from bnviz.experiments.kit.grid import Grid
from bnviz.experiments.kit.labelled import FloatArray, Labelled
from bnviz.experiments.kit.numbers import number
from bnviz.experiments.kit.quantities import PERCENT, Quantity, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import rule, when
from bnviz.experiments.kit.sentences import joined, listed, say
from bnviz.experiments.kit.sources import BJORCK, GLOROT, IOFFE_2015
from bnviz.experiments.kit.spread import spread_of_finite
from bnviz.experiments.kit.twins import BATCH, NONE, STYLES

ACTIVATIONS = ("sigmoid", "tanh")
NETS = Grid("{activation}, {arm}", activation=ACTIVATIONS, arm=(NONE, BATCH))
FRAMES = 25
PROBE = 256
EDGES = {"sigmoid": math.log(19), "tanh": math.atanh(0.95)}  # inputs beyond which an output counts as saturated
ENDS = {"sigmoid": "below 0.05 or above 0.95", "tanh": "beyond 0.95 in size"}
COUNTS = 5.0  # percentage points: a smaller difference is none
GAIN, SHARE, ACCURACY = "gain of the initial weights", "saturated outputs (%)", "test accuracy (%)"
SATURATED = Quantity(
    "saturated_fraction",
    "Saturated {activation}s",
    "Outputs {ends}, all layers together: hardly any gradient passes there.",
    SHARE,
    range=PERCENT,
)
KEEP = (SATURATED.measure, "test_accuracy")
Gain = Annotated[Float, Field(ge=0.01, le=100)]


class SaturationSettings(Settings):
    """Twins with sigmoid and twins with tanh, at several scales of the initial weights."""

    dataset: Literal["digits", "circles", "spirals"] = Field(
        default="digits", title="Data set", description="What the nets learn."
    )
    depth: Int = knobs.depth(5, most=20, of="Of all nets.")
    width: Int = knobs.width(32, most=128)
    gains: tuple[Gain, ...] = Field(
        default=(0.3, 1.0, 3.0, 10.0, 30.0),
        min_length=2,
        max_length=8,
        title="Gains",
        description="Factors on Xavier's initial weights.",
    )
    lr: Float = knobs.learning_rate(0.3, most=10, of="Of plain SGD, the same for all nets.")
    batch_size: Int = knobs.batch_size(64)
    steps: Int = knobs.steps(200, most=2000, least=0, of="Updates; 0 shows the initial weights.")
    seeds: Int = knobs.seeds(3, most=6, of="Nets of each gain.")


def stages(settings: SaturationSettings) -> tuple[Stage, ...]:
    """All gains and seeds as one stack, an arm for each activation and norm."""
    trials = Grid(gain=settings.gains, seed=tuple(range(settings.seeds)))
    shared = {"depth": settings.depth, "width": settings.width, "init": "xavier", "lr": settings.lr}
    gains = PerTrial(init_gain=trials.places("gain"))
    arms = [{"name": NETS.key(**net), "activation": net["activation"], "norm": net["arm"], "per_trial": gains} for net in NETS]
    run = RunConfig(
        dataset=DatasetConfig(name=settings.dataset),
        arms=tuple(ArmConfig.model_validate(shared | arm) for arm in arms),
        trials=len(trials.keys),
        trial_seeds=trials.places("seed"),
        steps=settings.steps,
        batch_size=settings.batch_size,
        probe_size=PROBE,
        measure_every=max(settings.steps // FRAMES, 1),
    )
    return (Stage("gains", "gains", run, KEEP, trial_axes=trials.axes),)


def saturated_at_birth(activation: str) -> float:
    """Percent of outputs that are saturated when the pre-activation is standard normal: P(|z| > edge)."""
    return 100 * math.erfc(EDGES[activation] / math.sqrt(2))


def measured(results: Results, measure: str) -> Labelled:
    """A measure in percent as taken last: axes activation, arm, gain, seed, ...; infinite where a net diverged."""
    return NETS.unfolded(100 * results.newest(measure, diverged=np.inf))


def saturated(results: Results) -> Labelled:
    """Saturated outputs of all layers together in percent: axes activation, arm, gain, seed."""
    return measured(results, SATURATED.measure).over("layer", np.mean)


def charts(settings: SaturationSettings) -> tuple[Chart, ...]:
    """Saturated outputs by gain, one chart an activation; by layer at a gain that can be chosen; and what is learned."""
    return (*(_by_gain(settings, activation) for activation in ACTIVATIONS), _by_layer(settings), _accuracy(settings))


def _by_gain(settings: SaturationSettings, activation: str) -> Chart:
    chart = SATURATED.worded(activation=activation, ends=ENDS[activation]).by_value(
        f"saturated_{activation}",
        STYLES,
        Swept("gain", settings.gains, GAIN, log=True),
        lambda results: saturated(results).at(activation=activation),
    )
    share = saturated_at_birth(activation)
    add_level(chart.spec, share, f"theory: normal inputs {share:.2g} %")
    return chart


def _by_layer(settings: SaturationSettings) -> Chart:
    gains = tuple((number(gain), f"gain {number(gain)}") for gain in settings.gains)
    how = "The same at one gain. Choose it, and the activation, above the chart."
    styles = tuple(STYLES.values())
    spec = layer_chart("saturated_by_layer", "Layer by layer", how, SHARE, styles, settings.depth, y_range=PERCENT)
    spec.selectors = _activation_selector(), Selector("gain", "Gain", gains, gains[-1][0])

    def draw(results: Results) -> dict[str, list[Series]]:
        views: dict[str, list[Series]] = {}
        for activation, found in measured(results, SATURATED.measure).along("activation"):
            for (gain, _), rows in zip(gains, found.rows("gain", "arm", "layer", "seed"), strict=True):
                views[f"{activation}/{gain}"] = [sweep_series(values)[:3] for values in rows]
        return views

    return Chart(spec, draw)


def _accuracy(settings: SaturationSettings) -> Chart:
    how = "Higher is better. A net can also fail to learn without one saturated output."
    styles = tuple(STYLES.values())
    spec = sweep_chart("accuracy", "Test accuracy", how, GAIN, ACCURACY, settings.gains, styles, x_log=True, y_range=PERCENT)
    spec.selectors = (_activation_selector(),)

    def draw(results: Results) -> dict[str, list[Series]]:
        accuracies = measured(results, "test_accuracy").along("activation")
        return {name: [sweep_series(found.at(arm=arm).rows("gain", "seed")) for arm in STYLES] for name, found in accuracies}

    return Chart(spec, draw)


def _activation_selector() -> Selector:
    return Selector("activation", "Activation", tuple((name, name) for name in ACTIVATIONS), "sigmoid")


def verdict(settings: SaturationSettings, results: Results) -> Verdict | None:
    """At which gains batch norm saturates fewer outputs, with the numbers at the gain nearest 1 and at the largest."""
    if not results.finished("gains"):
        return None
    shares = saturated(results)
    near, far = min(settings.gains, key=lambda gain: abs(math.log(gain))), max(settings.gains)
    counted = {activation: signs(found) for activation, found in shares.along("activation")}
    numbers = {"gains": float(len(settings.gains)), **_counts(shares, counted), **_spreads(shares, near, far)}
    unknown = [f"{activation}s" for activation in ACTIVATIONS if math.isnan(numbers[f"{activation}_fewer"])]
    details = _details({"steps": settings.steps, "near": near, "far": far, **numbers})
    if unknown:
        return Verdict(None, f"No pair of nets with {listed(unknown)} trained to the end.", numbers, details)
    headline = say(
        "With batch norm clearly fewer sigmoids are saturated at {sigmoid_fewer} of {gains} gains, and clearly fewer tanhs at "
        "{tanh_fewer} of {gains}.",
        numbers,
    )
    return Verdict(answer(list(counted.values())), headline, numbers, details)


def signs(found: Labelled) -> list[int]:
    """By ascending gain: 1 where batch norm saturates fewer outputs in every pair and by 5 points or more, -1: more, else 0.

    `found` are saturated outputs in percent, axes arm, gain, seed; not finite where a net diverged.
    """
    order = np.argsort(found.axes["gain"])
    return [_sign(gaps[np.isfinite(gaps)]) for gaps in _gaps(found)[order]]


def _gaps(found: Labelled) -> FloatArray:
    """How many fewer outputs batch norm saturates, (gains, seeds)."""
    none, batch = (found.at(arm=arm).rows("gain", "seed") for arm in (NONE, BATCH))
    with np.errstate(invalid="ignore"):  # both diverged
        return none - batch


def _sign(gaps: FloatArray) -> int:
    clear = len(gaps) > 1 and abs(np.median(gaps)) >= COUNTS
    return int(clear and gaps.min() > 0) - int(clear and gaps.max() < 0)


def _counts(shares: Labelled, counted: Mapping[str, list[int]]) -> dict[str, float]:
    """At how many gains batch norm saturates fewer, and more; NaN where no pair is known."""
    numbers: dict[str, float] = {}
    for activation, found in shares.along("activation"):
        is_known = np.isfinite(_gaps(found)).any()
        for name, sign in (("fewer", 1), ("more", -1)):
            numbers[f"{activation}_{name}"] = float(counted[activation].count(sign)) if is_known else math.nan
    return numbers


def _spreads(shares: Labelled, near: float, far: float) -> dict[str, Any]:
    """Saturated outputs of every net, at the gain nearest 1 and at the largest."""
    return {
        f"{net['activation']}_{net['arm']}_{name}": spread_of_finite(shares.at(**net, gain=gain).values, unit="%")
        for net in NETS
        for name, gain in (("near", near), ("far", far))
    }


def _details(numbers: Mapping[str, Any]) -> str:
    at_far = (
        "After {steps} steps at gain {far} the share of saturated sigmoids is {sigmoid_none_far} without a norm and "
        "{sigmoid_batch_far} with batch norm, that of saturated tanhs {tanh_none_far} and {tanh_batch_far}."
    )
    at_near = (
        "At gain {near}: {sigmoid_none_near:median} and {sigmoid_batch_near:median} of the sigmoids, "
        "{tanh_none_near:median} and {tanh_batch_near:median} of the tanhs."
    )
    return joined(say(at_far, numbers), say(at_near, numbers) if numbers["near"] != numbers["far"] else "")


def answer(counted: list[list[int]]) -> str | None:
    """What the signs of both activations, each by ascending gain, say together."""
    every = [sign for row in counted for sign in row]
    if all(sign > 0 for sign in every):
        return "always"
    if not any(sign > 0 for sign in every):
        return "never"
    rises = all(row == sorted(row, key=lambda sign: sign > 0) and row[-1] > 0 for row in counted)
    return "large" if rises else None


def _fewer(numbers: Mapping[str, Any]) -> list[float]:
    return [numbers[f"{activation}_fewer"] for activation in ACTIVATIONS]


judge_saturation = rule(
    "fewer saturated with batch norm at {sigmoid_fewer} of {gains} gains (sigmoid), {tanh_fewer} of {gains} gains (tanh)",
    supported=when(lambda numbers: min(_fewer(numbers)) == numbers["gains"]),
    mixed=when(lambda numbers: max(_fewer(numbers)) > 0),
)

PART = Part(
    id="saturation",
    title="Saturated sigmoids and tanhs",
    question="Does batch norm keep sigmoids and tanhs off the flat ends of their curves?",
    choices=(
        Choice("always", "Yes, whatever the initial weights"),
        Choice("large", "Only if the initial weights are large"),
        Choice("never", "No"),
    ),
    settings=SaturationSettings,
    presets=(
        Preset(
            "gains",
            "Gains 0.3 to 30",
            "Initial weights from a third to thirty times Xavier's. Watch where the two lines part, and where they meet.",
            SaturationSettings(),
        ),
        Preset(
            "usual",
            "Gains up to 1",
            "Initial weights as one would choose them. Watch whether there is anything to cure.",
            SaturationSettings(gains=(0.25, 0.5, 0.75, 1.0)),
        ),
        Preset(
            "large_rate",
            "Learning rate 1",
            "The same gains with larger steps. Watch the tanhs of the nets with batch norm at the largest gain.",
            SaturationSettings(lr=1.0),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2015, GLOROT, BJORCK),
    caveat=("saturation", "usual"),
    claims=(Claim("no_saturation", "Batch norm keeps s-shaped units out of saturation.", IOFFE_2015, "gains", judge_saturation),),
)
