"""Batch norm's own explosion of gradients at initialization, against its closed form."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, norm_style, plain_styles
from bnviz.closed_forms import gradient_growth as growth
from bnviz.closed_forms.functions import KnownActivation
from bnviz.config.models import Float, Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.grid import Grid
from bnviz.experiments.kit.labelled import FloatArray, Labelled, stacked
from bnviz.experiments.kit.numbers import power_of_ten
from bnviz.experiments.kit.quantities import Quantity, Styles, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule, when
from bnviz.experiments.kit.sentences import joined, say
from bnviz.experiments.kit.sources import YANG
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.parts.depth.common import growth_per_layer, over_last_layer, probed_by_arm
from bnviz.registry.activations import ACTIVATIONS

BatchSize = Annotated[Int, Field(ge=6, le=256)]  # below 6 single batches decide the mean
PLAIN = "plain"  # key of the stage without a norm
LEVEL = np.log10(2)  # decades: a norm that changes by less than a factor of 2 over all layers is level
BY_LAYER = Quantity(
    "pre_norm",
    "Gradient by layer",
    "Batches of {batch}. Read it from right to left, as the gradient goes: a line that climbs to the left explodes.",
    "|dL/d pre-norm|² over the last layer's",
    log=True,
)
EACH_LAYER = Quantity(
    "pre_norm",
    "Growth in each layer",
    "Batches of {batch}: how much larger |dL/d pre-norm|² is than one layer above. Above 1: it grows on its way down.",
    "growth R of |dL/d pre-norm|²",
)
BY_BATCH = Quantity(
    "pre_norm",
    "Growth by batch size",
    "Fitted over the inner layers. Dotted: the closed form. The smaller the batch, the faster the gradient grows.",
    "growth R of |dL/d pre-norm|² per layer",
)


class GrowthSettings(Settings):
    """Fresh batch-norm networks of several activations, each with batches of several sizes."""

    activations: tuple[KnownActivation, ...] = Field(
        default=("relu", "tanh", "linear"), min_length=1, max_length=4, title="Activations", description="Of the hidden layers."
    )
    batch_sizes: tuple[BatchSize, ...] = Field(
        default=(8, 16, 64, 128), min_length=1, max_length=6, title="Batch sizes", description="Samples of a batch, 6 to 256."
    )
    depth: Int = knobs.depth(30, most=50, least=12, of="Depth of the networks.")
    width: Int = knobs.width(256, most=512, least=32, of="Units of every layer, and input features.")
    gain: Float = Field(default=1.0, ge=0.1, le=10, title="Gain", description="Factor on the initial weights.")
    gamma: Float = Field(default=1.0, ge=0.1, le=10, title="Gamma", description="Of every batch norm.")
    seeds: Int = knobs.seeds(4, most=12, of="Networks of each kind.")

    @property
    def shown(self) -> tuple[KnownActivation, ...]:
        """The activations, each once."""
        return tuple(dict.fromkeys(self.activations))

    @property
    def sizes(self) -> tuple[int, ...]:
        """The batch sizes, ascending, each once."""
        return tuple(sorted(set(self.batch_sizes)))

    @property
    def grid(self) -> Grid:
        """The batch-norm nets, the largest batch first."""
        return Grid("{activation}_{batch}", batch=self.sizes[::-1], activation=self.shown)


def stages(settings: GrowthSettings) -> tuple[Stage, ...]:
    """First the plain net, then every activation with every batch size, the largest batch first."""
    plain = _stage(settings, PLAIN, "no norm", {"norm": "none", "activation": "relu"}, settings.sizes[-1])
    fields = {"norm": "batch", "gamma_init": settings.gamma, "init_gain": settings.gain}
    rest = (
        _stage(
            settings,
            settings.grid.key(**point),
            f"{_written(point['activation'])}, batches of {point['batch']}",
            fields | {"activation": point["activation"]},
            point["batch"],
        )
        for point in settings.grid
    )
    return (plain, *rest)


def _stage(settings: GrowthSettings, key: str, label: str, arm: dict[str, Any], batch: int) -> Stage:
    arm = {**arm, "depth": settings.depth, "width": settings.width}
    seconds = settings.seeds * settings.depth * (5e-4 + 1.5e-10 * batch * settings.width**2 + 6e-9 * settings.width**2)
    options = {"arm": arm, "batch_size": batch, "trials": settings.seeds, "features": settings.width}
    return Stage(key, label, probe="gradient_growth", options=options, seconds=seconds)


def _written(activation: str) -> str:
    return ACTIVATIONS[activation].label


def _theory(settings: GrowthSettings, activation: KnownActivation, batch: int) -> float:
    return growth.gradient_growth(activation, batch, gamma=settings.gamma)


def _relative(settings: GrowthSettings, results: Results, keys: Mapping[str, str]) -> Labelled:
    """|dL/dy|^2 over that of the last layer, by arm, seed and layer. `keys`: stages by arm."""
    axes = {"seed": tuple(range(settings.seeds)), "layer": tuple(range(1, settings.depth + 1))}
    return over_last_layer(probed_by_arm(results, "pre_norm", keys, **axes))


def _keys(settings: GrowthSettings, batch: int) -> dict[str, str]:
    """The stages of a batch size by activation."""
    return {name: settings.grid.key(activation=name, batch=batch) for name in settings.shown}


def _growths(settings: GrowthSettings, results: Results) -> Labelled:
    """Growth per layer, by batch size, activation (axis arm) and seed."""
    return stacked(
        "batch", {size: growth_per_layer(_relative(settings, results, _keys(settings, size))) for size in settings.sizes}
    )


def charts(settings: GrowthSettings) -> tuple[Chart, ...]:
    """Gradient by layer, growth by layer, growth by batch size."""
    labels = [_written(name) for name in settings.shown]
    styles: Styles = dict(zip(settings.shown, plain_styles(labels), strict=True))
    return _by_layer(settings, styles), _each_layer(settings, styles), _by_batch(settings, styles)


def _by_layer(settings: GrowthSettings, styles: Styles) -> Chart:
    largest, layers = settings.sizes[-1], np.arange(1, settings.depth + 1)

    def take(results: Results) -> Labelled:
        return _relative(settings, results, {PLAIN: PLAIN} | _keys(settings, largest))

    shown = {PLAIN: norm_style("none", "no norm, ReLU"), **styles}
    chart = BY_LAYER.worded(batch=largest).by_layer("by_layer", shown, settings.depth, take)
    for name in settings.shown:
        line = _theory(settings, name, largest) ** (settings.depth - layers)
        add_theory_line(chart.spec, layers, line, f"theory, {_written(name)}")
    return chart


def _each_layer(settings: GrowthSettings, styles: Styles) -> Chart:
    largest = settings.sizes[-1]
    layers = tuple(range(2, settings.depth))  # the first is given the inputs, the last has none above

    def take(results: Results) -> Labelled:
        squares = _relative(settings, results, _keys(settings, largest))
        rows = squares.rows("arm", "seed", "layer")
        return Labelled(rows[..., 1:-1] / rows[..., 2:], {**squares.axes, "layer": layers})

    chart = EACH_LAYER.worded(batch=largest).by_layer("each_layer", styles, layers, take)
    for name in settings.shown:
        add_level(chart.spec, _theory(settings, name, largest), f"theory, {_written(name)}")
    return chart


def _by_batch(settings: GrowthSettings, styles: Styles) -> Chart:
    sizes = settings.sizes
    swept = Swept("batch", sizes, "samples in a batch", log=True)
    chart = BY_BATCH.by_value("by_batch", styles, swept, lambda results: _growths(settings, results))
    fine = np.unique(np.rint(np.geomspace(sizes[0], sizes[-1], 16)).astype(int))
    for name in settings.shown:
        rates = [_theory(settings, name, int(size)) for size in fine]
        add_theory_line(chart.spec, fine, rates, f"theory, {_written(name)}")
    return chart


def verdict(settings: GrowthSettings, results: Results) -> Verdict | None:
    """The growth of the first activation at the largest batch, its closed form, and the worst deviation of all."""
    if not results.finished():
        return None
    first, largest = settings.shown[0], settings.sizes[-1]
    growths = _growths(settings, results)
    rates = growths.at(batch=largest, arm=first).values
    decades = (settings.depth - 1) * np.log10(rates) / 2  # of the norm itself
    deviations = _deviations(settings, growths)
    numbers: dict[str, Spread | float] = {
        "growth": spread_of(rates, digits=4),
        "theory": _theory(settings, first, largest),
        "plain": spread_of(growth_per_layer(_relative(settings, results, {PLAIN: PLAIN})).values),
        "decades": spread_of(decades),
        "worst_deviation": max(abs(value) for value in deviations.values()),
        **{f"deviation_{key}": value for key, value in deviations.items()},
    }
    headline = say(
        "With batch norm ({name}) |dL/d pre-norm|² grows by a factor of {growth:median} per layer on its way down "
        "({growth:range}; theory: {theory:.3f}).",
        numbers | {"name": _written(first)},
    )
    return Verdict(_answer(decades), headline, numbers, _details(settings, numbers, len(deviations)))


def _details(settings: GrowthSettings, numbers: Mapping[str, Any], count: int) -> str:
    """What that comes to over all layers, the plain net, and how well the closed form fits."""
    worst = numbers["worst_deviation"]
    over = say(
        "In batches of {batch} the gradient becomes {factor:x} times as long over {depth} layers.",
        batch=settings.sizes[-1],
        factor=power_of_ten(numbers["decades"].median),
        depth=settings.depth,
    )
    plain = say("Without a norm the factor is {plain}.", numbers)
    worst = say(
        "All {count} measured factors lie within {worst:2} % of theory.", count=count, worst=100 * numbers["worst_deviation"]
    )
    return joined(over, plain, worst)


def _answer(decades: FloatArray) -> str | None:
    """By what the norm does over the whole depth, in every network."""
    if (decades > LEVEL).all():
        return "explode"
    if (decades < -LEVEL).all():
        return "vanish"
    return "level" if (np.abs(decades) <= LEVEL).all() else None


def _deviations(settings: GrowthSettings, growths: Labelled) -> dict[str, float]:
    """Measured (mean over the seeds of the logarithm) over theory minus 1, by stage."""
    return {
        settings.grid.key(activation=name, batch=size): float(
            np.exp(np.nanmean(np.log(growths.at(arm=name, batch=size).values))) / _theory(settings, name, size) - 1
        )
        for name in settings.shown
        for size in settings.sizes
    }


judge_explosion = rule(
    "|dL/d pre-norm|² grows by {growth:median} per layer ({growth:range}; theory {theory:.3f}), without a norm by {plain}",
    supported=answered("explode") & when(lambda numbers: numbers["growth"].low > numbers["plain"].median),
    mixed=answered("explode"),
)

PART = Part(
    id="growth",
    title="Batch norm's own explosion",
    question="In a fresh deep net with batch norm in every layer: what happens to the gradient on its way down?",
    choices=(
        Choice("vanish", "It vanishes"),
        Choice("level", "It keeps its length"),
        Choice("explode", "It explodes"),
    ),
    settings=GrowthSettings,
    presets=(
        Preset(
            "default",
            "Three activations, four batch sizes",
            "Thirty layers before any training. Watch how steep the lines are, and how close they keep to the dotted ones.",
            GrowthSettings(),
        ),
        Preset(
            "wide",
            "Twice as wide, larger batches",
            "Layers of 512 units, for which the closed form is made, and batches up to 256. It takes a little longer.",
            GrowthSettings(activations=("relu", "tanh"), batch_sizes=(16, 64, 256), width=512, seeds=3),
        ),
        Preset(
            "linear",
            "Without a non-linearity",
            "Linear layers with large batches. Watch how level the line becomes.",
            GrowthSettings(activations=("linear", "sigmoid"), batch_sizes=(64, 128, 256)),
        ),
        Preset(
            "knobs",
            "Large weights, small gamma",
            "Weights three times as large and gamma at a third. Compare the growth with the first preset.",
            GrowthSettings(activations=("relu",), gain=3.0, gamma=0.3333),
        ),
        Preset(
            "narrow",
            "Narrow layers",
            "The closed form holds for wide layers; these have 32 units. Watch how the measurements scatter around it.",
            GrowthSettings(activations=("relu",), width=32, seeds=12),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(YANG,),
    caveat=("growth", "linear"),
    claims=(
        Claim("explodes_gradients", "Batch norm explodes the gradients of very deep nets.", YANG, "default", judge_explosion),
    ),
)
