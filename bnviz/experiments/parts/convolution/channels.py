"""A small convolutional net without a norm, with batch norm per channel and with group norm."""

from itertools import product
from typing import Any

import numpy as np
from pydantic import Field

from bnviz.charts.builders import heatmap_chart, heatmap_series
from bnviz.charts.spec import Selector
from bnviz.config.models import ArmConfig, Float, Int, NormName, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import FloatArray, Labelled
from bnviz.experiments.kit.learning import final_loss
from bnviz.experiments.kit.quantities import Quantity, norm_styles
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_at_least, rule, when
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import IOFFE_2015, WU_HE
from bnviz.experiments.kit.spread import Spread, spread_of, spread_of_finite
from bnviz.experiments.kit.ten_digits import ACCURACY, LOSS

NORMS: tuple[NormName, ...] = ("none", "batch", "group")
STYLES = norm_styles(*NORMS)
SCALE = Quantity(
    "pre_norm_std",
    "Scale by layer",
    "Standard deviation of the maps before the norm; without a norm they go on as they are.",
    "std of the pre-norm",
    log=True,
)
KEEP = (LOSS.measure, ACCURACY.measure, SCALE.measure, "channel_maps")
SIDE, SHOWN, REACH = 8, 3, 3.0  # pixels of a side; channels that are drawn; values of the colours' ends, minus and plus
SIDES = ("channel_maps_before", "channel_maps_after")  # of the norm
SOURCE = IOFFE_2015.at("section 3.2")
ANSWERS = {(True, True): "both", (True, False): "batch", (False, True): "group", (False, False): "neither"}
HEADLINES = {
    "both": "Batch norm and group norm both help",
    "batch": "Batch norm helps for every seed, group norm does not",
    "group": "Group norm helps for every seed, batch norm does not",
    "neither": "Neither norm helps for every seed",
}


class ChannelSettings(Settings):
    """Three convolutional nets on 8 x 8 digits that differ in their norm."""

    depth: Int = Field(default=5, ge=1, le=10, title="Convolutions", description="Layers of 3 x 3 kernels.")
    channels: Int = Field(
        default=8,
        ge=4,
        le=16,
        multiple_of=4,
        title="Channels",
        description="Maps of a layer; group norm takes four groups of them.",
    )
    lr: Float = knobs.learning_rate(0.1, most=3, of="Of plain SGD, the same for all nets.")
    batch_size: Int = knobs.batch_size(32, most=64, least=1, of="Images of a mini-batch.")
    steps: Int = knobs.steps(120, most=600, least=20)
    seeds: Int = knobs.seeds(4, most=8, of="Networks of each norm.")

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers of which maps are drawn, counted from 1: the first, the middle and the last."""
        return tuple(sorted({1, self.depth // 2 + 1, self.depth}))


def stages(settings: ChannelSettings) -> tuple[Stage, ...]:
    """One run: all norms from the same weights on the same batches."""
    arms = tuple(
        ArmConfig(norm=norm, architecture="conv", depth=settings.depth, width=settings.channels, lr=settings.lr) for norm in NORMS
    )
    run = RunConfig(
        arms=arms,
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // 20, 1),
        probe_size=32,
    )
    return (Stage("training", "training", run, KEEP),)


def charts(settings: ChannelSettings) -> tuple[Chart, ...]:
    """Loss and accuracy over the steps, maps before and after the norm, scale by layer."""
    return (
        LOSS.by_step("loss", STYLES, settings.steps),
        ACCURACY.by_step("accuracy", STYLES, settings.steps),
        _maps(settings),
        SCALE.by_layer("scales", STYLES, settings.depth, _scales),
    )


def _scales(results: Results) -> Labelled:
    """As measured last, by arm, seed and layer; NaN for what overflowed."""
    return results.newest(SCALE.measure).map(lambda values: np.where(np.isinf(values), np.nan, values))


def _maps(settings: ChannelSettings) -> Chart:
    panels = ("before the norm", "after the norm")
    how = "A map of the first probe image; equal colours are equal values. Choose the net, the layer and the map."
    pixels = [str(pixel + 1) for pixel in range(SIDE)]
    spec = heatmap_chart(
        "maps", "Maps", how, "column", "row", pixels, pixels[::-1], low=-REACH, high=REACH, panels=panels, unit="value"
    )
    layers = tuple((str(layer - 1), f"layer {layer}") for layer in settings.layers)
    nets = tuple((norm, style.label) for norm, style in STYLES.items())
    maps = tuple((str(channel), f"map {channel + 1}") for channel in range(SHOWN))
    spec.selectors = (
        Selector("net", "Net", nets, "batch"),
        Selector("layer", "Layer", layers, layers[-1][0]),
        Selector("map", "Map", maps, "0"),
    )
    spec.legend = ()
    return Chart(spec, lambda results: _views(settings, results))


def _views(settings: ChannelSettings, results: Results) -> dict[str, list[Any]]:
    """The maps of the first seed before and after the norm, by the values of the selectors."""
    sides = [results.newest(side).at(seed=0) for side in SIDES]
    return {
        f"{norm}/{layer - 1}/{channel}": [_image(side.at(arm=norm, layer=layer, channel=channel + 1)) for side in sides]
        for norm, layer, channel in product(NORMS, settings.layers, range(SHOWN))
    }


def _image(found: Labelled) -> str:
    """A map, packed from its last row up; values beyond the colours' ends take the end's."""
    pixels: FloatArray = found.rows("row", "column")[::-1]
    return heatmap_series(np.clip(pixels, -REACH, REACH), -REACH, REACH)


def verdict(settings: ChannelSettings, results: Results) -> Verdict | None:
    """A norm helps when its final training loss is below that of the net without one for every seed."""
    if not results.finished("training"):
        return None
    losses = final_loss(results)
    lower = {norm: int((losses.at(arm=norm).values < losses.at(arm="none").values).sum()) for norm in ("batch", "group")}
    numbers: dict[str, float | Spread] = {norm: spread_of(found.values) for norm, found in losses.along("arm")}
    for norm, count in lower.items():
        is_known = np.isfinite([losses.at(arm=norm).values, losses.at(arm="none").values]).any()
        numbers[f"lower_{norm}"] = count / settings.seeds if is_known else np.nan
    if not np.isfinite(losses.values).any():
        return Verdict(None, "Every net diverged, so there is nothing to compare.", numbers)
    answer = ANSWERS[numbers["lower_batch"] == 1, numbers["lower_group"] == 1]
    details = say(
        "The loss is lower than without a norm for {batch} of {seeds} seeds with batch norm and for {group} with group norm.",
        {"seeds": settings.seeds, **lower},
    )
    return Verdict(answer, _headline(answer, settings.steps, losses), numbers, details)


def _headline(answer: str, steps: int, losses: Labelled) -> str:
    return say(
        "{start}: after {steps} steps the training loss is {none} without a norm, {batch} with batch norm and {group} with group "
        "norm.",
        {
            "start": HEADLINES[answer],
            "steps": steps,
            **{norm: spread_of_finite(found.values) for norm, found in losses.along("arm")},
        },
    )


judge = rule(
    "training loss {batch} with batch norm per channel, {none} without",
    supported=all_at_least("lower_batch", 1),
    against=when(lambda numbers: numbers["lower_batch"] == 0),
)

PART = Part(
    id="channels",
    title="One norm per channel",
    question="Does a norm per channel help a small convolutional net to learn, and does it have to be batch norm?",
    choices=(
        Choice("both", "It helps; group norm helps too"),
        Choice("batch", "It helps; only batch norm does"),
        Choice("group", "Only group norm does"),
        Choice("neither", "Neither does, for every seed"),
    ),
    settings=ChannelSettings,
    presets=(
        Preset(
            "five",
            "Five convolutions",
            "Five layers of eight maps on 8 x 8 digits. Watch the losses, then step through the maps.",
            ChannelSettings(),
        ),
        Preset(
            "shallow",
            "Two convolutions",
            "A net that hardly needs a norm, at a small learning rate. Watch how close the lines are.",
            ChannelSettings(depth=2, lr=0.03),
        ),
        Preset(
            "fast",
            "High learning rate",
            "Three times the learning rate. Watch which nets still learn.",
            ChannelSettings(lr=0.3),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(SOURCE, WU_HE),
    caveat=("channels", "shallow"),
    claims=(Claim("convolution", "Batch norm per channel speeds up convolutional nets.", SOURCE, "five", judge),),
)
