"""A small convolutional net without a norm, with batch norm per channel and with group norm."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import heatmap_chart, heatmap_series, layer_chart, norm_style, sweep_series
from bnviz.charts.spec import Selector
from bnviz.config.models import ArmConfig, Float, Int, NormName, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.errors import lower_share
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import final_losses, plain, spread_of
from bnviz.experiments.parts.convolution.common import IOFFE, STAGE, WU_HE, curves

FloatArray = NDArray[np.float64]
NORMS: tuple[NormName, ...] = ("none", "batch", "group")
STYLES = tuple(norm_style(norm) for norm in NORMS)
NONE, BATCH, GROUP = range(3)
KEEP = ("train_loss", "test_accuracy", "pre_norm_std", "channel_maps")
SIDE, SHOWN, REACH = 8, 3, 3.0  # pixels of a side; channels that are drawn; values of the colours' ends, minus and plus
SIDES = ("before", "after")


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
    lr: Float = Field(default=0.1, ge=1e-3, le=3, title="Learning rate", description="Of plain SGD, the same for all nets.")
    batch_size: Int = Field(default=32, ge=1, le=64, title="Batch size", description="Images of a mini-batch.")
    steps: Int = Field(default=120, ge=20, le=600, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=8, title="Seeds", description="Networks of each norm.")

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers of which maps are drawn, counted from 0: the first, the middle and the last."""
        return tuple(sorted({0, self.depth // 2, self.depth - 1}))


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
    return (Stage(STAGE, "training", run, KEEP),)


def charts(settings: ChannelSettings) -> tuple[Chart, ...]:
    """Loss and accuracy over the steps, maps before and after the norm, scale by layer."""
    return (*curves(STYLES, settings.steps), _maps(settings), _scales(settings))


def _maps(settings: ChannelSettings) -> Chart:
    panels = ("before the norm", "after the norm")
    how = "A map of the first probe image; equal colours are equal values. Choose the net, the layer and the map."
    pixels = [str(pixel + 1) for pixel in range(SIDE)]
    spec = heatmap_chart(
        "maps", "Maps", how, "column", "row", pixels, pixels[::-1], low=-REACH, high=REACH, panels=panels, unit="value"
    )
    layers = tuple((str(layer), f"layer {layer + 1}") for layer in settings.layers)
    nets = tuple((norm, style.label) for norm, style in zip(NORMS, STYLES, strict=True))
    maps = tuple((str(channel), f"map {channel + 1}") for channel in range(SHOWN))
    spec.selectors = (
        Selector("net", "Net", nets, "batch"),
        Selector("layer", "Layer", layers, layers[-1][0]),
        Selector("map", "Map", maps, "0"),
    )
    spec.legend = ()

    def draw(results: Results) -> dict[str, list[Any]]:
        places = product(enumerate(NORMS), settings.layers, range(SHOWN))
        return {
            f"{norm}/{layer}/{channel}": [_image(results, arm, layer, side, channel) for side in SIDES]
            for (arm, norm), layer, channel in places
        }

    return Chart(spec, draw)


def _image(results: Results, arm: int, layer: int, side: str, channel: int) -> str:
    """One map of the first trial, packed; values beyond the colours' ends take the end's."""
    measured = results.arm(STAGE, arm)
    assert measured is not None
    pixels = np.asarray(measured.extras[f"channel_maps_{side}"], np.float64)[0, layer, channel]
    return heatmap_series(np.clip(pixels[::-1], -REACH, REACH), -REACH, REACH)


def _scales(settings: ChannelSettings) -> Chart:
    how = "Standard deviation of the maps before the norm; without a norm they go on as they are."
    spec = layer_chart("scales", "Scale by layer", how, "std of the pre-norm", STYLES, settings.depth, y_log=True)

    def draw(results: Results) -> dict[str, list]:
        arms = [results.arm(STAGE, arm) for arm in range(len(NORMS))]
        return {"": [sweep_series(np.asarray(arm.layers["pre_norm_std"], np.float64).T)[:3] for arm in arms if arm]}

    return Chart(spec, draw)


def losses_of(results: Results) -> FloatArray:
    """Final training loss of each norm and seed, (norms, trials); infinite where a trial diverged."""
    return np.array([final_losses(results, STAGE, arm) for arm in range(len(NORMS))])


def verdict(settings: ChannelSettings, results: Results) -> Verdict | None:
    """A norm helps when its final training loss is below that of the net without one for every seed."""
    if not results.finished(STAGE):
        return None
    losses = losses_of(results)
    spreads = [spread_of(row) for row in losses]
    numbers = {norm: spread.median for norm, spread in zip(NORMS, spreads, strict=True)}
    lower = [lower_share(losses[arm], losses[NONE]) for arm in (NONE, BATCH, GROUP)]
    numbers |= {f"lower_{norm}": share for norm, share in zip(NORMS, lower, strict=True)}
    if not np.isfinite(losses).any():
        return Verdict(None, "Every net diverged, so there is nothing to compare.", numbers)
    answer = {(True, True): "both", (True, False): "batch", (False, True): "group", (False, False): "neither"}[
        (lower[BATCH] == 1, lower[GROUP] == 1)
    ]
    words = [f"{plain(spread.median)} ({plain(spread.low)} to {plain(spread.high)})" for spread in spreads]
    start = {
        "both": "Batch norm and group norm both help",
        "batch": "Batch norm helps for every seed, group norm does not",
        "group": "Group norm helps for every seed, batch norm does not",
        "neither": "Neither norm helps for every seed",
    }[answer]
    counts = [int((losses[arm] < losses[NONE]).sum()) for arm in (NONE, BATCH, GROUP)]
    sentence = (
        f"{start}: after {settings.steps} steps the training loss is {words[NONE]} without a norm, "
        f"{words[BATCH]} with batch norm (lower for {counts[BATCH]} of {settings.seeds} seeds) "
        f"and {words[GROUP]} with group norm (lower for {counts[GROUP]})."
    )
    return Verdict(answer, sentence, numbers)


def judge(found: Verdict) -> Finding:
    """Supported when batch norm's loss is lower for every seed."""
    share = found.numbers["lower_batch"]
    measured = (
        f"training loss {plain(found.numbers['batch'])} with batch norm per channel, {plain(found.numbers['none'])} without"
    )
    return Finding("supported" if share == 1 else "not supported in this setting" if share == 0 else "mixed", measured)


PART = Part(
    id="channels",
    title="One norm a channel",
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
            "Three times the learning rate. Watch who loses the thread.",
            ChannelSettings(lr=0.3),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE, WU_HE),
    caveat=("channels", "shallow"),
    claims=(Claim("convolution", "Batch norm per channel speeds up convolutional nets.", IOFFE, "five", judge),),
)
