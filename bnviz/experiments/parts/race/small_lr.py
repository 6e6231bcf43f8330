"""The same race at one small learning rate for both nets, where batch norm has nothing to gain from a larger one."""

from bnviz.config.models import Float, Int
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Claim, Part, Preset
from bnviz.experiments.kit.rules import all_above, rule, when
from bnviz.experiments.kit.sources import BJORCK, YANG
from bnviz.experiments.parts.race import twins


class SmallRateSettings(twins.TwinSettings):
    """Twenty layers at a learning rate that suits the plain net."""

    depth: Int = knobs.depth(20, most=40)
    width: Int = knobs.width(64, most=128)
    init: twins.InitName = knobs.initial_weights("he")
    lr: Float = knobs.learning_rate(0.003, most=10, least=1e-4)
    batch_size: Int = knobs.batch_size(32, least=2)
    steps: Int = knobs.steps(700, most=3000)
    seeds: Int = knobs.seeds(6, most=16, of=twins.SEEDS)


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
            rule(
                twins.measured,
                supported=when(lambda numbers: numbers["speedup"].high <= twins.NEARLY_EVEN[1]),
                against=all_above("speedup", 1),
            ),
        ),
    ),
)
