"""The classic race: ten layers, digits, one learning rate; the speed-up is paired by trial."""

from bnviz.experiments.kit.base import Claim, Finding, Part, Preset, Reference, Verdict
from bnviz.experiments.parts.race import twins
from bnviz.experiments.parts.race.twins import TwinSettings

IOFFE = Reference(
    "Ioffe & Szegedy 2015, Batch Normalization",
    "https://arxiv.org/abs/1502.03167",
)
BJORCK = Reference("Bjorck et al. 2018, Understanding Batch Normalization", "https://arxiv.org/abs/1806.02375")


def judge_speed(verdict: Verdict) -> Finding:
    """Supported when the whole interval of the speed-up lies above 1, not supported when all of it lies below."""
    numbers = verdict.numbers
    low, high = numbers["interval_low"], numbers["interval_high"]
    if low > 1:
        return Finding("supported", twins.measured(verdict))
    return Finding("not supported in this setting" if high < 1 else "mixed", twins.measured(verdict))


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
    references=(IOFFE, BJORCK),
    caveat=("small_lr", "small_lr"),
    claims=(
        Claim(
            "faster_training",
            "Batch norm makes training faster: fewer steps to the same accuracy.",
            IOFFE,
            "classic",
            judge_speed,
        ),
    ),
)
