"""Batch norm's own explosion of gradients at initialization, against its closed form."""

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, layer_chart, norm_style, plain_styles, sweep_chart, sweep_series
from bnviz.charts.spec import ChartSpec
from bnviz.closed_forms import gradient_growth as growth
from bnviz.closed_forms.functions import KnownActivation
from bnviz.config.models import Float, Int
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import fixed, plain, power_of_ten
from bnviz.experiments.parts.depth.common import ACTIVATION_NAMES, YANG, FloatArray, growth_per_layer, spread_words, times

BatchSize = Annotated[Int, Field(ge=6, le=256)]  # below 6 single batches decide the mean
PLAIN = "plain"  # key of the stage without a norm
LEVEL = np.log10(2)  # decades: a norm that changes by less than a factor of 2 over all layers is level


class GrowthSettings(Settings):
    """Fresh batch-norm networks of several activations, each with batches of several sizes."""

    activations: tuple[KnownActivation, ...] = Field(
        default=("relu", "tanh", "linear"), min_length=1, max_length=4, title="Activations", description="Of the hidden layers."
    )
    batch_sizes: tuple[BatchSize, ...] = Field(
        default=(8, 16, 64, 128),
        min_length=1,
        max_length=6,
        title="Batch sizes",
        description="Samples of a batch, 6 to 256 each.",
    )
    depth: Int = Field(default=30, ge=12, le=50, title="Hidden layers", description="Depth of the networks.")
    width: Int = Field(default=256, ge=32, le=512, title="Width", description="Units of every layer, and input features.")
    gain: Float = Field(default=1.0, ge=0.1, le=10, title="Gain", description="Factor on the initial weights.")
    gamma: Float = Field(default=1.0, ge=0.1, le=10, title="Gamma", description="Of every batch norm.")
    seeds: Int = Field(default=4, ge=1, le=12, title="Seeds", description="Networks of each kind.")


def stages(settings: GrowthSettings) -> tuple[Stage, ...]:
    """First the plain net, then every activation with every batch size, the largest batch first."""
    largest = _sizes(settings)[-1]
    plain = _stage(settings, PLAIN, "no norm", {"norm": "none", "activation": "relu"}, largest)
    rest = (
        _stage(
            settings,
            _key(activation, batch),
            f"{ACTIVATION_NAMES[activation]}, batches of {batch}",
            {"norm": "batch", "activation": activation, "gamma_init": settings.gamma, "init_gain": settings.gain},
            batch,
        )
        for batch in reversed(_sizes(settings))
        for activation in _activations(settings)
    )
    return (plain, *rest)


def _stage(settings: GrowthSettings, key: str, label: str, arm: dict[str, Any], batch: int) -> Stage:
    arm = {**arm, "depth": settings.depth, "width": settings.width}
    seconds = settings.seeds * settings.depth * (5e-4 + 1.5e-10 * batch * settings.width**2 + 6e-9 * settings.width**2)
    options = {"arm": arm, "batch_size": batch, "trials": settings.seeds, "features": settings.width}
    return Stage(key, label, probe="gradient_growth", options=options, seconds=seconds)


def _key(activation: str, batch: int) -> str:
    return f"{activation}_{batch}"


def _activations(settings: GrowthSettings) -> tuple[KnownActivation, ...]:
    return tuple(dict.fromkeys(settings.activations))


def _sizes(settings: GrowthSettings) -> list[int]:
    """The batch sizes, ascending, each once."""
    return sorted(set(settings.batch_sizes))


def charts(settings: GrowthSettings) -> tuple[Chart, ...]:
    """Gradient by layer, growth by layer, growth by batch size."""
    return _by_layer(settings), _each_layer(settings), _by_batch(settings)


def _by_layer(settings: GrowthSettings) -> Chart:
    activations, largest = _activations(settings), _sizes(settings)[-1]
    styles = [norm_style("none", "no norm, ReLU"), *_styles(settings)]
    how = f"Batches of {largest}. Read it from right to left, as the gradient goes: a line that climbs to the left explodes."
    spec = layer_chart(
        "by_layer", "Gradient by layer", how, "|dL/d pre-norm|² over the last layer's", styles, settings.depth, y_log=True
    )
    layers = np.arange(1, settings.depth + 1)
    for activation in activations:
        rate = growth.gradient_growth(activation, largest, gamma=settings.gamma)
        add_theory_line(spec, layers, rate ** (settings.depth - layers), f"theory, {ACTIVATION_NAMES[activation]}")
    keys = [PLAIN, *(_key(activation, largest) for activation in activations)]
    return Chart(spec, lambda results: {"": [sweep_series(_relative(results, key, settings).T) for key in keys]})


def _each_layer(settings: GrowthSettings) -> Chart:
    """|dL/dy_l|^2 over |dL/dy_(l+1)|^2 for every layer but the first, which is given the inputs, and the last."""
    largest = _sizes(settings)[-1]
    how = f"Batches of {largest}: how much larger |dL/d pre-norm|² is than one layer above. Above 1: it grows on its way down."
    layers = list(range(2, settings.depth))
    spec = layer_chart("each_layer", "Growth in each layer", how, "growth R of |dL/d pre-norm|²", _styles(settings), layers)
    for activation in _activations(settings):
        rate = growth.gradient_growth(activation, largest, gamma=settings.gamma)
        add_level(spec, rate, f"theory, {ACTIVATION_NAMES[activation]}")

    def draw(results: Results) -> dict[str, list[Any]]:
        squares = [_relative(results, _key(activation, largest), settings) for activation in _activations(settings)]
        return {"": [sweep_series((row[:, 1:-1] / row[:, 2:]).T) for row in squares]}

    return Chart(spec, draw)


def _by_batch(settings: GrowthSettings) -> Chart:
    sizes = _sizes(settings)
    spec = _batch_spec(settings, sizes)

    def draw(results: Results) -> dict[str, list[Any]]:
        return {"": [sweep_series(_growths(results, activation, settings)) for activation in _activations(settings)]}

    return Chart(spec, draw)


def _batch_spec(settings: GrowthSettings, sizes: list[int]) -> ChartSpec:
    how = "Fitted over the inner layers. Dotted: the closed form. The smaller the batch, the faster the gradient grows."
    spec = sweep_chart(
        "by_batch",
        "Growth by batch size",
        how,
        "samples in a batch",
        "growth R of |dL/d pre-norm|² per layer",
        sizes,
        _styles(settings),
        x_log=True,
    )
    fine = np.unique(np.rint(np.geomspace(sizes[0], sizes[-1], 16)).astype(int))
    for activation in _activations(settings):
        rates = [growth.gradient_growth(activation, int(size), gamma=settings.gamma) for size in fine]
        add_theory_line(spec, fine, rates, f"theory, {ACTIVATION_NAMES[activation]}")
    return spec


def _styles(settings: GrowthSettings) -> Any:
    return plain_styles([ACTIVATION_NAMES[activation] for activation in _activations(settings)])


def _relative(results: Results, key: str, settings: GrowthSettings) -> FloatArray:
    """|dL/dy|^2 over that of the last layer, (trials, layers); NaN while there is none."""
    squares = results.value(key, "pre_norm")
    return np.full((1, settings.depth), np.nan) if squares is None else squares / squares[:, -1:]


def _growths(results: Results, activation: str, settings: GrowthSettings) -> FloatArray:
    """Growth per layer, (batch sizes, trials), NaN where it is not measured."""
    rows = np.full((len(_sizes(settings)), settings.seeds), np.nan)
    for row, size in zip(rows, _sizes(settings), strict=True):
        squares = results.value(_key(activation, size), "pre_norm")
        if squares is not None:
            rates = growth_per_layer(squares)
            row[: len(rates)] = rates
    return rows


def verdict(settings: GrowthSettings, results: Results) -> Verdict | None:
    """The growth of the first activation at the largest batch, its closed form, and the worst deviation of all."""
    if not results.finished():
        return None
    first, largest = _activations(settings)[0], _sizes(settings)[-1]
    rates = _growths(results, first, settings)[-1]
    theory = growth.gradient_growth(first, largest, gamma=settings.gamma)
    decades = (settings.depth - 1) * np.log10(rates) / 2  # of the norm itself
    answer = _answer(decades)
    bare = growth_per_layer(_relative(results, PLAIN, settings))
    deviations = _deviations(settings, results)
    worst = max(abs(value) for value in deviations.values())
    sentence = (
        f"With batch norm ({ACTIVATION_NAMES[first]}) |dL/d pre-norm|² grows by a factor of {spread_words(rates, 4)} per layer "
        f"on its way down, in batches of {largest} (theory: {fixed(theory, 3)}): over {settings.depth} layers the gradient "
        f"becomes {times(power_of_ten(float(np.median(decades))))} times as long. "
        f"Without a norm the factor is {spread_words(bare)}. "
        f"All {len(deviations)} measured factors lie within {plain(100 * worst, 2)} % of theory."
    )
    numbers = {
        "growth": float(np.median(rates)),
        "growth_low": float(rates.min()),
        "theory": theory,
        "plain": float(np.median(bare)),
        "decades": float(np.median(decades)),
        "worst_deviation": worst,
    }
    return Verdict(answer, sentence, {**numbers, **{f"deviation_{key}": value for key, value in deviations.items()}})


def _answer(decades: FloatArray) -> str | None:
    """By what the norm does over the whole depth, in every network."""
    if (decades > LEVEL).all():
        return "explode"
    if (decades < -LEVEL).all():
        return "vanish"
    return "level" if (np.abs(decades) <= LEVEL).all() else None


def _deviations(settings: GrowthSettings, results: Results) -> dict[str, float]:
    """Measured (mean over trials of the logarithm) over theory minus 1, by stage."""
    return {
        _key(activation, size): float(
            np.exp(np.nanmean(np.log(row))) / growth.gradient_growth(activation, size, gamma=settings.gamma) - 1
        )
        for activation in _activations(settings)
        for size, row in zip(_sizes(settings), _growths(results, activation, settings), strict=True)
    }


def judge_explosion(verdict: Verdict) -> Finding:
    """Supported when every network's gradient at least doubles over the depth while the plain net's growth is below it."""
    numbers = verdict.numbers
    growths = [fixed(numbers[name], 3) for name in ("growth", "theory", "plain")]
    measured = f"|dL/d pre-norm|² grows by {growths[0]} per layer (theory {growths[1]}), without a norm by {growths[2]}"
    if verdict.answer == "explode" and numbers["growth_low"] > numbers["plain"]:
        return Finding("supported", measured)
    return Finding("mixed" if verdict.answer == "explode" else "not supported in this setting", measured)


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
