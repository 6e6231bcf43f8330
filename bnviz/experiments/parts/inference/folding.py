"""At inference batch norm is y = a x + c: it folds into the linear layer before it and costs nothing."""

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, plain_styles, sweep_chart, sweep_series
from bnviz.charts.spec import ChartSpec
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Series, Settings, Verdict
from bnviz.experiments.kit.evidence import Numbers
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Quantity
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import IOFFE_2015, JACOB
from bnviz.experiments.kit.spread import spread_of

KEY = "folding"
POINTS, BATCHES = 33, 200  # of the probe: grid values, batches around each
EPS = {"float32": 2.0**-23, "float64": 2.0**-52}  # rounding of a number near 1
ROUNDING = 1000  # times that, summed over a layer's inputs: still rounding
CLOSE = 0.01  # relative difference
DIFFERENCE = Quantity(
    "difference",
    "Folded against written out",
    "Largest difference of any pre-activation of the test set, over the largest value. The grey lines: one rounding.",
    "relative difference",
    log=True,
)


class FoldingSettings(Settings):
    """The net that is folded, and the unit that is drawn."""

    depth: Int = knobs.depth(4, most=10, of="Of 32 ReLU units each, with batch norm.")
    steps: Int = knobs.steps(150, most=2000, least=0, of="Updates before the net is folded.")
    batch_size: Int = knobs.batch_size(8, least=2, of="Of the batches in training mode.")
    unit: Int = Field(default=0, ge=0, le=31, title="Unit", description="Of the last hidden layer, drawn in the first chart.")
    seeds: Int = knobs.seeds(4, most=12, of="Networks.")
    seed: Int = knobs.first_seed(of="Of data, weights and batches.")


def stages(settings: FoldingSettings) -> tuple[Stage, ...]:
    """One probe."""
    options = settings.model_dump(include={"depth", "steps", "batch_size", "unit", "seed"})
    options |= {"layer": settings.depth, "trials": settings.seeds}
    seconds = 0.5 + 0.0004 * settings.steps * settings.depth
    return (Stage(KEY, "one net, folded", probe="folding", options=options, seconds=seconds),)


def differences(settings: FoldingSettings, results: Results) -> Labelled:
    """Largest difference between the folded net and the one written out: axes arm (the precision), layer, seed."""
    layers, seeds = tuple(range(1, settings.depth + 1)), tuple(range(settings.seeds))
    return results.probed("difference", arm=tuple(EPS), layer=layers, seed=seeds)


def charts(settings: FoldingSettings) -> tuple[Chart, ...]:
    """One unit's input and output in both modes; the difference that folding makes, layer by layer."""
    styles = dict(zip(EPS, plain_styles(tuple(EPS)), strict=True))
    difference = DIFFERENCE.by_layer("difference", styles, settings.depth, lambda results: differences(settings, results))
    for name, eps in EPS.items():
        add_level(difference.spec, eps, f"rounding of {name}")
    return Chart(_map_chart(), lambda results: {"": _map(results)}), difference


def _map_chart() -> ChartSpec:
    styles = (
        *plain_styles(("training mode, many batches", "test mode")),
        ArmStyle("a x + c", "#808080", "dot", ""),
    )
    return sweep_chart(
        "map",
        "One unit, two modes",
        "In test mode a straight line. In training mode the same input gives another output in every batch: the band.",
        "pre-norm x (running stds from the mean)",
        "pre-activation",
        np.linspace(-3, 3, POINTS).tolist(),
        styles,
        markers=False,
    )


def map_in_training_mode(results: Results) -> Labelled:
    """What the unit makes of each point in batches of training samples: axes point, batch."""
    return results.probed("training", point=tuple(range(POINTS)), batch=tuple(range(BATCHES)))


def map_in_test_mode(results: Results, name: str) -> Labelled:
    """What the unit ("eval") or the line a x + c ("line") makes of each point in test mode."""
    return results.probed(name, point=tuple(range(POINTS)))


def _map(results: Results) -> list[Series]:
    lines = (map_in_test_mode(results, name).values[:, None] for name in ("eval", "line"))
    return [sweep_series(values) for values in (map_in_training_mode(results).rows("point", "batch"), *lines)]


def verdict(settings: FoldingSettings, results: Results) -> Verdict | None:
    """The largest difference between the folded net and the one written out, in both precisions."""
    if not results.finished(KEY):
        return None
    found = differences(settings, results)
    if not np.isfinite(found.values).all():
        return Verdict(None, "A net diverged in training: lower the number of steps.")
    by_net = found.over("layer", np.max)
    worst = {name: spread_of(by_net.at(arm=name).values, "nets") for name in EPS}
    numbers = {
        **worst,
        "agreement": spread_of(results.probed("agreement", seed=tuple(range(settings.seeds))).values, "nets"),
        "scatter": float(np.nanstd(map_in_training_mode(results).values, axis=1).mean()),
        "line_error": float(np.abs((map_in_test_mode(results, "eval") - map_in_test_mode(results, "line")).values).max()),
    }
    is_rounding = all(worst[name].high < ROUNDING * eps for name, eps in EPS.items())
    answer = "same" if is_rounding else "close" if worst["float32"].high < CLOSE else "other"
    return Verdict(answer, _headline(settings, numbers), numbers, _unit_shown(results))


def _headline(settings: FoldingSettings, numbers: Numbers) -> str:
    share = numbers["agreement"].low
    return say(
        "Folded into the weights, the whole net differs by at most {float32} in float32 and {float64} in float64, relative to "
        "the largest value, over {nets} nets; {same} gets the same class.",
        float32=numbers["float32"].high,
        float64=numbers["float64"].high,
        nets=settings.seeds,
        same="the whole test set" if share == 1 else say("at least {share} % of the test set", share=100 * share),
    )


def _unit_shown(results: Results) -> str:
    slope, shift = (float(results.probed(name, net=(0,)).at(net=0).values) for name in ("slope", "shift"))
    sign = "+" if shift >= 0 else "-"
    return say("The unit shown computes {slope} x {sign} {shift} in test mode.", slope=slope, sign=sign, shift=abs(shift))


PART = Part(
    id="folding",
    title="Folding it away",
    question="After training, batch norm is multiplied into the weights and removed: how far does the net's output change?",
    choices=(
        Choice("same", "Not at all, but for rounding"),
        Choice("close", "By a little, up to a percent"),
        Choice("other", "It becomes another net"),
    ),
    settings=FoldingSettings,
    presets=(
        Preset(
            "digits",
            "Four layers",
            "A trained net, written out and folded. Watch the straight line of the test mode and the differences by layer.",
            FoldingSettings(),
        ),
        Preset(
            "pairs",
            "Batches of two",
            "In training mode with batches of two, a unit says only which sample is larger. Watch the band: nothing here folds.",
            FoldingSettings(batch_size=2),
        ),
        Preset("deep", "Ten layers", "Ten layers to fold. Watch whether rounding adds up with depth.", FoldingSettings(depth=10)),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2015.at("algorithm 2"), JACOB.at("section 3.2 (folding)")),
    caveat=("folding", "pairs"),
)
