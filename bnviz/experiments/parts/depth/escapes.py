"""What tames batch norm's explosion at initialization, and what changes nothing."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import (
    add_theory_line,
    category_chart,
    layer_chart,
    norm_style,
    plain_styles,
    sweep_chart,
    sweep_series,
)
from bnviz.charts.theme import THEORY_COLOR, ArmStyle
from bnviz.closed_forms import gradient_growth as growth
from bnviz.config.models import Float, Int
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.parts.depth.common import DE_SMITH, YANG, FloatArray, growth_per_layer, interior, listed, spread_words

Group = Literal["reference", "scale", "shape"]
TAMED = 0.5  # an escape leaves at most this share of the plain batch-norm net's exponential growth
UNCHANGED = 0.9  # what changes nothing leaves at least this share


class EscapeSettings(Settings):
    """Fresh ReLU networks of one depth, each with something else changed."""

    depth: Int = Field(default=30, ge=15, le=50, title="Hidden layers", description="Depth of all networks.")
    width: Int = Field(default=256, ge=32, le=512, title="Width", description="Units of every layer, and input features.")
    batch_size: Int = Field(default=64, ge=8, le=256, title="Batch size", description="Samples of a batch.")
    beta: Float = Field(default=2.0, ge=0.1, le=5, title="Beta", description="Shift of the batch norms of one arm.")
    gamma: Float = Field(default=0.3333, ge=0.05, le=10, title="Gamma", description="Scale of the batch norms of one arm.")
    gain: Float = Field(default=0.3333, ge=0.05, le=10, title="Gain", description="Factor on the weights of one arm.")
    seeds: Int = Field(default=6, ge=1, le=12, title="Seeds", description="Networks of each arm.")


@dataclass(frozen=True)
class Arm:
    """One network: what is changed, how it is drawn, and what the closed form says of its growth per layer."""

    key: str
    label: str
    group: Group
    fields: dict[str, Any]
    style: ArmStyle
    theory: float  # geometric mean over the interior layers, of |dL/dh|^2


def arms(settings: EscapeSettings) -> tuple[Arm, ...]:
    """The plain batch-norm net, then what scales it, then what reshapes it."""
    batch, edges = settings.batch_size, interior(settings.depth)
    rate = growth.gradient_growth("relu", batch)
    grown = growth.residual_growth(settings.depth, growth.residual_exponent("relu", batch))
    skip = float((grown[edges][0] / grown[edges][-1]) ** (1 / (len(grown[edges]) - 1)))
    shifted = growth.gradient_growth("relu", batch, beta=settings.beta)
    gamma, gain, beta, residual = plain_styles(["gamma", "weights", "beta", "skips"])
    gamma, gain = replace(gamma, dash="dash"), replace(gain, dash="dot")  # so that lines on top of each other all show
    bn: dict[str, Any] = {"norm": "batch"}
    return (
        Arm("plain", "batch norm", "reference", bn, norm_style("batch"), rate),
        Arm("gamma", f"gamma {settings.gamma:.3g}", "scale", bn | {"gamma_init": settings.gamma}, gamma, rate),
        Arm("gain", f"weights × {settings.gain:.3g}", "scale", bn | {"init_gain": settings.gain}, gain, rate),
        Arm("beta", f"beta {settings.beta:.3g}", "shape", bn | {"beta_init": settings.beta}, beta, shifted),
        Arm("residual", "skips", "shape", bn | {"residual": True}, residual, skip),
        Arm("layer", "layer norm", "shape", {"norm": "layer"}, norm_style("layer"), 1.0),
        Arm("none", "no norm", "shape", {"norm": "none"}, norm_style("none"), 1.0),
    )


def stages(settings: EscapeSettings) -> tuple[Stage, ...]:
    """A probe for every arm."""
    return tuple(_stage(settings, arm) for arm in arms(settings))


def _stage(settings: EscapeSettings, arm: Arm) -> Stage:
    fields = {"depth": settings.depth, "width": settings.width, "activation": "relu", **arm.fields}
    one = settings.depth * (5e-4 + 1.5e-10 * settings.batch_size * settings.width**2 + 6e-9 * settings.width**2)
    options = {"arm": fields, "batch_size": settings.batch_size, "trials": settings.seeds, "features": settings.width}
    return Stage(arm.key, arm.label, probe="gradient_growth", options=options, seconds=one * settings.seeds)


def charts(settings: EscapeSettings) -> tuple[Chart, ...]:
    """Gradient by layer, the residual net's power of depth, growth by arm, the residual net's variances."""
    return _by_layer(settings), _power(settings), _by_arm(settings), _branches(settings)


def _by_layer(settings: EscapeSettings) -> Chart:
    shown = arms(settings)
    styles = [replace(arm.style, label=arm.label) for arm in shown]
    how = "Read it from right to left, as the gradient goes. Straight and steep: exponential. Level: it keeps its length."
    spec = layer_chart("by_layer", "Gradient by layer", how, "|dL/dh|² over the last layer's", styles, settings.depth, y_log=True)
    spec.wide = True
    return Chart(spec, lambda results: {"": [sweep_series(_relative(results, arm.key, settings.depth).T) for arm in shown]})


def _by_arm(settings: EscapeSettings) -> Chart:
    shown = arms(settings)
    styles = [*plain_styles(["measured"]), ArmStyle("closed form", THEORY_COLOR, "dot", "")]
    how = "Growth of |dL/dh|² per layer, over the inner layers. At 1 the gradient keeps its length."
    spec = category_chart("by_arm", "Growth per layer", how, "growth per layer", [arm.label for arm in shown], styles)
    spec.wide = True
    theory = [[arm.theory for arm in shown]] * 3

    def draw(results: Results) -> dict[str, list[Any]]:
        rows = np.full((len(shown), settings.seeds), np.nan)
        for row, arm in zip(rows, shown, strict=True):
            rates = growth_per_layer(_relative(results, arm.key, settings.depth))
            row[: len(rates)] = rates
        return {"": [sweep_series(rows), theory]}

    return Chart(spec, draw)


def _power(settings: EscapeSettings) -> Chart:
    exponent = growth.residual_exponent("relu", settings.batch_size)
    layers = list(range(1, settings.depth + 1))
    style = _style(settings, "residual", "skips")
    how = f"Both axes logarithmic: a straight line is a power of depth. Its slope in theory: -{plain(exponent)}."
    spec = sweep_chart(
        "power",
        "With skips: a power",
        how,
        "hidden layer",
        "|dL/dh|² over the last layer's",
        layers,
        [style],
        x_log=True,
        y_log=True,
    )
    add_theory_line(spec, layers, growth.residual_growth(settings.depth, exponent))
    return Chart(spec, lambda results: {"": [sweep_series(_relative(results, "residual", settings.depth).T)]})


def _branches(settings: EscapeSettings) -> Chart:
    blocks = np.arange(2, settings.depth + 1)
    style = _style(settings, "residual", "skips")
    how = "How much a layer adds to what its skip hands on: the deeper a layer, the closer it is to the identity."
    spec = layer_chart("branches", "Branch over skip", how, "std of branch over std of skip", [style], blocks.tolist())
    add_theory_line(spec, blocks, 1 / np.sqrt(blocks - 1), "theory, 1/√(layer - 1)")
    return Chart(spec, lambda results: {"": [sweep_series(_branch_over_skip(results, settings.depth).T)]})


def _style(settings: EscapeSettings, key: str, label: str) -> ArmStyle:
    style = next(arm.style for arm in arms(settings) if arm.key == key)
    return replace(style, label=label)


def _relative(results: Results, key: str, depth: int) -> FloatArray:
    """|dL/dh|^2 over that of the last layer, (trials, layers); NaN while there is none."""
    squares = results.value(key, "output")
    return np.full((1, depth), np.nan) if squares is None else squares / squares[:, -1:]


def _branch_over_skip(results: Results, depth: int) -> FloatArray:
    """Standard deviation of what layer l computes over that of what its skip hands on, l = 2 ..., (trials, layers - 1)."""
    branch, skip = results.value("residual", "branch_variance"), results.value("residual", "skip_variance")
    return np.full((1, depth - 1), np.nan) if branch is None or skip is None else np.sqrt(branch[:, 1:] / skip[:, :-1])


def residual_power(squares: FloatArray) -> FloatArray:
    """Power of the layer's number by which |dL/dh_l|^2 falls, fitted on the inner layers: (trials, layers) -> (trials,)."""
    inside = interior(squares.shape[1])
    logs = np.log(np.arange(1, squares.shape[1] + 1))[inside]
    known = squares[np.isfinite(squares).all(axis=1)][:, inside]
    centred = logs - logs.mean()
    return -(np.log(known) @ centred) / (centred @ centred)


def verdict(settings: EscapeSettings, results: Results) -> Verdict | None:
    """Which arms keep less than half of the growth (in the logarithm) and which keep nearly all of it."""
    if not results.finished():
        return None
    shown = arms(settings)
    rates = {arm.key: growth_per_layer(_relative(results, arm.key, settings.depth)) for arm in shown}
    logs = {key: float(np.log(np.median(values))) for key, values in rates.items()}
    if logs["plain"] <= np.log(1.02):
        return Verdict(None, "In this setting batch norm's gradients hardly grow: there is nothing to tame.")
    share = {key: value / logs["plain"] for key, value in logs.items()}
    power = residual_power(_relative(results, "residual", settings.depth))
    exponent = growth.residual_exponent("relu", settings.batch_size)
    kept = [arm for arm in shown[1:] if share[arm.key] >= UNCHANGED]
    partly = [arm for arm in shown[1:] if TAMED < share[arm.key] < UNCHANGED]
    tamed = [arm for arm in shown[1:] if share[arm.key] <= TAMED]
    effects = "".join(
        _words(what, chosen, rates) for what, chosen in (("No change by", kept), ("Partly tamed by", partly), ("Tamed by", tamed))
    )
    sentence = (
        f"|dL/dh|² grows by a factor of {spread_words(rates['plain'])} per layer with batch norm. {effects}"
        f"With skips it grows by a power of depth, {spread_words(power)} (theory: {plain(exponent)})."
    )
    numbers = {f"growth_{key}": float(np.median(values)) for key, values in rates.items()}
    numbers |= {f"theory_{arm.key}": arm.theory for arm in shown}
    return Verdict(_answer(shown, share), sentence, {**numbers, "power": float(np.median(power)), "power_theory": exponent})


def _answer(shown: tuple[Arm, ...], share: dict[str, float]) -> str | None:
    scale = [share[arm.key] for arm in shown if arm.group == "scale"]
    shape = [share[arm.key] for arm in shown if arm.group == "shape"]
    if min(scale) >= UNCHANGED and max(shape) <= TAMED:
        return "shape"
    if max(scale) <= TAMED and min(shape) >= UNCHANGED:
        return "scale"
    return "nothing" if min(scale + shape) >= UNCHANGED else None


def _words(what: str, chosen: list[Arm], rates: dict[str, FloatArray]) -> str:
    """A sentence that lists some arms with their growth; nothing for none."""
    words = [f"{arm.label} ({plain(np.median(rates[arm.key]))})" for arm in chosen]
    return f"{what}: {listed(words)}. " if words else ""


PART = Part(
    id="escapes",
    title="Escapes",
    question="What tames the growth of gradients in a fresh deep batch-norm net?",
    choices=(
        Choice("scale", "Smaller weights or a smaller gamma"),
        Choice("shape", "Skips, a positive beta, or another norm or none"),
        Choice("nothing", "None of these"),
    ),
    settings=EscapeSettings,
    presets=(
        Preset(
            "default",
            "Six attempts",
            "Thirty ReLU layers with batch norm, and six ways to change them. Watch which lines leave the first one.",
            EscapeSettings(),
        ),
        Preset(
            "small_shift",
            "A small beta",
            "A beta of 0.5 and twice the weights. Compare its line with that of beta 2 in the first preset.",
            EscapeSettings(beta=0.5, gamma=2, gain=2),
        ),
        Preset(
            "deep",
            "50 layers",
            "Fifty layers. Watch how the line of the net with skips bends while that of the net without stays straight.",
            EscapeSettings(depth=50),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(YANG, DE_SMITH),
    caveat=("escapes", "small_shift"),
)
