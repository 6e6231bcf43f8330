"""The same race at one small learning rate for both nets, where batch norm has nothing to gain from a larger one."""

from pydantic import Field

from bnviz.config.models import Float, Int
from bnviz.experiments.kit.base import Claim, Finding, Part, Preset, Reference, Verdict
from bnviz.experiments.parts.race import twins
from bnviz.experiments.parts.race.classic import BJORCK

YANG = Reference("Yang et al. 2019, A Mean Field Theory of Batch Normalization", "https://arxiv.org/abs/1902.08129")


class SmallRateSettings(twins.TwinSettings):
    """Twenty layers at a learning rate that suits the plain net."""

    depth: Int = Field(default=20, ge=1, le=40, title="Hidden layers", description="Depth of both nets.")
    width: Int = Field(default=64, ge=4, le=128, title="Width", description="Units of a hidden layer.")
    init: twins.InitName = Field(
        default="he", title="Initial weights", description="He: std sqrt(2 / inputs). Xavier: sqrt(2 / (inputs + outputs))."
    )
    lr: Float = Field(default=0.003, ge=1e-4, le=10, title="Learning rate", description="Of plain SGD, the same for both nets.")
    batch_size: Int = Field(default=32, ge=2, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=700, ge=10, le=3000, title="Steps", description="Updates.")
    seeds: Int = Field(
        default=6, ge=1, le=16, title="Seeds", description="Pairs of twins; a 95 % interval of the speed-up needs at least 6."
    )


def judge_no_gain(verdict: Verdict) -> Finding:
    """Supported when the interval of the speed-up has nothing above an even race, not supported when all of it is above 1."""
    numbers = verdict.numbers
    low, high = numbers["interval_low"], numbers["interval_high"]
    judgement = "supported" if high <= twins.NEARLY_EVEN[1] else "not supported in this setting" if low > 1 else "mixed"
    return Finding(judgement, twins.measured(verdict))


PART = Part(
    id="small_lr",
    title="At a small learning rate",
    question="Both nets must use the same small learning rate: which one learns in fewer steps?",
    choices=twins.CHOICES,
    settings=SmallRateSettings,
    presets=(
        Preset(
            "small_lr",
            "Small steps, 20 layers",
            "Twenty ReLU layers at a learning rate of 0.003, which suits the plain net. Watch the order of the lines.",
            SmallRateSettings(),
        ),
        Preset(
            "small_shallow",
            "Small steps, 4 layers",
            "Four layers at a learning rate of 0.01. Watch how close the two lines stay.",
            SmallRateSettings(depth=4, width=32, lr=0.01, batch_size=64, seeds=16),
        ),
        Preset(
            "large_lr",
            "Large steps, 20 layers",
            "The same twenty layers at a learning rate of 0.1, thirty times larger. Watch the order of the lines again.",
            SmallRateSettings(lr=0.1, steps=300),
        ),
    ),
    stages=twins.stages,
    charts=twins.charts,
    verdict=twins.verdict,
    references=(BJORCK, YANG),
    caveat=("small_lr", "large_lr"),
    claims=(
        Claim(
            "no_gain_at_small_rates",
            "At an equal, small learning rate batch norm does not train faster.",
            BJORCK,
            "small_lr",
            judge_no_gain,
        ),
    ),
)
