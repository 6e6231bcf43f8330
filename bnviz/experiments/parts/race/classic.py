"""The classic race: ten layers, digits, one learning rate; the speed-up is paired by trial."""

from bnviz.experiments.kit.base import Claim, Part, Preset
from bnviz.experiments.kit.rules import all_above, all_below, rule
from bnviz.experiments.kit.sources import BJORCK, IOFFE_2015
from bnviz.experiments.parts.race import twins
from bnviz.experiments.parts.race.twins import TwinSettings

PART = Part(
    id="classic",
    title="The classic race",
    question="Twins differ in batch norm alone: which one learns in fewer steps?",
    choices=twins.CHOICES,
    settings=TwinSettings,
    presets=(
        Preset(
            "classic",
            "Ten layers",
            "Ten ReLU layers learn to read digits at a learning rate of 0.1. Watch how soon each accuracy climbs.",
            TwinSettings(),
        ),
        Preset(
            "spirals",
            "Two spirals",
            "Two classes wound around each other in the plane, six layers. Watch who follows the turns first.",
            TwinSettings(dataset="spirals", depth=6, init="he"),
        ),
        Preset(
            "shallow",
            "One layer",
            "One hidden layer: the gradient has no way to go. Watch how far the lines are apart now.",
            TwinSettings(depth=1, init="he", steps=400),
        ),
        Preset(
            "sigmoid",
            "Sigmoid",
            "Five sigmoid layers, as slow as nets used to be. Watch the gradient of layer 1.",
            TwinSettings(depth=5, activation="sigmoid", lr=0.5),
        ),
    ),
    stages=twins.stages,
    charts=twins.charts,
    verdict=twins.verdict,
    references=(IOFFE_2015, BJORCK),
    caveat=("small_lr", "small_lr"),
    claims=(
        Claim(
            "faster_training",
            "Batch norm makes training faster: fewer steps to the same accuracy.",
            IOFFE_2015,
            "classic",
            rule(twins.measured, supported=all_above("speedup", 1), against=all_below("speedup", 1)),
        ),
    ),
)
