"""What tames batch norm's explosion at initialization, and what changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_theory_line, category_chart, norm_style, plain_styles, sweep_series
from bnviz.charts.theme import THEORY_COLOR, ArmStyle
from bnviz.closed_forms import gradient_growth as growth
from bnviz.config.models import Float, Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Quantity, Styles, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import joined, listed, say
from bnviz.experiments.kit.sources import DE_SMITH, YANG
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.parts.depth.common import growth_per_layer, interior, over_last_layer, power_of_depth, probed_by_arm

Group = Literal["reference", "scale", "shape"]
TAMED = 0.5  # an escape leaves at most this share of the plain batch-norm net's exponential growth
UNCHANGED = 0.9  # what changes nothing leaves at least this share
GROWS = 1.02  # per layer: below it there is nothing to tame
GRADIENT = Quantity(
    "output",
    "Gradient by layer",
    "Read it from right to left, as the gradient goes. Straight and steep: exponential. Level: it keeps its length.",
    "|dL/dh|² over the last layer's",
    log=True,
)
POWER = Quantity(
    "output",
    "With skips: a power",
    "Both axes logarithmic: a straight line is a power of depth. Its slope in theory: -{exponent:.3g}.",
    "|dL/dh|² over the last layer's",
    log=True,
)
BRANCH = Quantity(
    "branch_variance",
    "Branch over skip",
    "How much a layer adds to what its skip hands on: the deeper a layer, the closer it is to the identity.",
    "std of branch over std of skip",
)


class EscapeSettings(Settings):
    """Fresh ReLU networks of one depth, each with something else changed."""

    depth: Int = knobs.depth(30, most=50, least=15, of="Depth of all networks.")
    width: Int = knobs.width(256, most=512, least=32, of="Units of every layer, and input features.")
    batch_size: Int = knobs.batch_size(64, least=8, of="Samples of a batch.")
    beta: Float = Field(default=2.0, ge=0.1, le=5, title="Beta", description="Shift of the batch norms of one net.")
    gamma: Float = Field(default=0.3333, ge=0.05, le=10, title="Gamma", description="Scale of the batch norms of one net.")
    gain: Float = Field(default=0.3333, ge=0.05, le=10, title="Gain", description="Factor on the weights of one net.")
    seeds: Int = knobs.seeds(6, most=12, of="Networks of each kind.")


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


def _probed(settings: EscapeSettings, results: Results, name: str, *keys: str) -> Labelled:
    """A value of these arms' probes, by arm, seed and layer."""
    axes = {"seed": tuple(range(settings.seeds)), "layer": tuple(range(1, settings.depth + 1))}
    return probed_by_arm(results, name, {key: key for key in keys}, **axes)


def _relative(settings: EscapeSettings, results: Results) -> Labelled:
    """|dL/dh|^2 over that of the last layer, by arm, seed and layer."""
    return over_last_layer(_probed(settings, results, GRADIENT.measure, *(arm.key for arm in arms(settings))))


def charts(settings: EscapeSettings) -> tuple[Chart, ...]:
    """Gradient by layer, the residual net's power of depth, growth by arm, the residual net's variances."""
    styles: Styles = {arm.key: replace(arm.style, label=arm.label) for arm in arms(settings)}
    by_layer = GRADIENT.by_layer("by_layer", styles, settings.depth, lambda results: _relative(settings, results))
    by_layer.spec.wide = True
    skips: Styles = {"residual": styles["residual"]}
    return by_layer, _power(settings, skips), _by_arm(settings), _branches(settings, skips)


def _by_arm(settings: EscapeSettings) -> Chart:
    shown = arms(settings)
    styles = [*plain_styles(["measured"]), ArmStyle("closed form", THEORY_COLOR, "dot", "")]
    how = "Growth of |dL/dh|² per layer, over the inner layers. At 1 the gradient keeps its length."
    spec = category_chart("by_arm", "Growth per layer", how, "growth per layer", [arm.label for arm in shown], styles)
    spec.wide = True
    theory = [[arm.theory for arm in shown]] * 3

    def draw(results: Results) -> dict[str, list[Any]]:
        return {"": [sweep_series(growth_per_layer(_relative(settings, results)).rows("arm", "seed")), theory]}

    return Chart(spec, draw)


def _power(settings: EscapeSettings, styles: Styles) -> Chart:
    exponent = growth.residual_exponent("relu", settings.batch_size)
    layers = list(range(1, settings.depth + 1))
    swept = Swept("layer", layers, "hidden layer", log=True)
    quantity = POWER.worded(exponent=exponent)
    chart = quantity.by_value("power", styles, swept, lambda results: _relative(settings, results))
    add_theory_line(chart.spec, layers, growth.residual_growth(settings.depth, exponent))
    return chart


def _branches(settings: EscapeSettings, styles: Styles) -> Chart:
    blocks = np.arange(2, settings.depth + 1)
    chart = BRANCH.by_layer("branches", styles, blocks.tolist(), lambda results: _branch_over_skip(settings, results))
    add_theory_line(chart.spec, blocks, 1 / np.sqrt(blocks - 1), "theory, 1/√(layer - 1)")
    return chart


def _branch_over_skip(settings: EscapeSettings, results: Results) -> Labelled:
    """Standard deviation of what layer l computes over that of what its skip hands on, l = 2 ..., by arm, seed and layer."""
    branch, skip = (_probed(settings, results, name, "residual") for name in ("branch_variance", "skip_variance"))
    inner = branch.since("layer", 2)
    below = skip.rows("arm", "seed", "layer")[..., :-1]  # what the layer below hands on
    return Labelled(np.sqrt(inner.rows("arm", "seed", "layer") / below), inner.axes)


def verdict(settings: EscapeSettings, results: Results) -> Verdict | None:
    """Which nets keep less than half of the growth (in the logarithm) and which keep nearly all of it."""
    if not results.finished():
        return None
    shown, squares = arms(settings), _relative(settings, results)
    rates = {arm: spread_of(found.values) for arm, found in growth_per_layer(squares).along("arm")}
    logs = {key: float(np.log(rate.median)) for key, rate in rates.items()}
    if logs["plain"] <= np.log(GROWS):
        return Verdict(None, "In this setting batch norm's gradients hardly grow: there is nothing to tame.")
    share = {key: value / logs["plain"] for key, value in logs.items()}
    numbers: dict[str, Spread | float] = {
        **{f"growth_{key}": rate for key, rate in rates.items()},
        **{f"theory_{arm.key}": arm.theory for arm in shown},
        "power": spread_of(power_of_depth(squares.at(arm="residual")).values),
        "power_theory": growth.residual_exponent("relu", settings.batch_size),
    }
    template = "With batch norm |dL/dh|² grows by a factor of {growth_plain:median} per layer ({growth_plain:range})."
    power = say("With skips it grows by a power of depth, {power:median} ({power:range}; theory: {power_theory}).", numbers)
    effects = _effects([arm for arm in shown if arm.key != "plain"], rates, share)
    return Verdict(_answer(shown, share), say(template, numbers), numbers, joined(effects, power))


def _answer(shown: Sequence[Arm], share: Mapping[str, float]) -> str | None:
    scale = [share[arm.key] for arm in shown if arm.group == "scale"]
    shape = [share[arm.key] for arm in shown if arm.group == "shape"]
    if min(scale) >= UNCHANGED and max(shape) <= TAMED:
        return "shape"
    if max(scale) <= TAMED and min(shape) >= UNCHANGED:
        return "scale"
    return "nothing" if min(scale + shape) >= UNCHANGED else None


def _effects(changed: Sequence[Arm], rates: Mapping[str, Spread], share: Mapping[str, float]) -> str:
    """Sentences that list what changes nothing, a little and much, with the growth that is left."""
    groups = {
        "No change with": [arm for arm in changed if share[arm.key] >= UNCHANGED],
        "Partly tamed with": [arm for arm in changed if TAMED < share[arm.key] < UNCHANGED],
        "Tamed with": [arm for arm in changed if share[arm.key] <= TAMED],
    }
    words = {what: [f"{arm.label} ({rates[arm.key]:median})" for arm in chosen] for what, chosen in groups.items()}
    return joined(*(f"{what} {listed(told)}." for what, told in words.items() if told))


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
            "Fifty layers. Watch how the line of the net with skips bends while the line without skips stays straight.",
            EscapeSettings(depth=50),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(YANG, DE_SMITH),
    caveat=("escapes", "small_shift"),
)
