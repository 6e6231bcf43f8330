"""Configurations that put a visitor in front of an effect in one click.

Each one says what to watch and leaves the verdict to the run; tests/experiments/test_presets.py runs them all.
"""

from dataclasses import dataclass
from typing import Any

from bnviz.config.models import ArmConfig, DatasetConfig, NormName, RunConfig

DEFAULT_PRESET = "classic"
TWINS: tuple[NormName, ...] = ("none", "batch")


@dataclass(frozen=True, slots=True)
class RunPreset:
    """A named configuration: `sentence` says what is set up, `what_to_see` where to look."""

    name: str
    title: str
    sentence: str
    what_to_see: str
    config: RunConfig


def _arms(norms: tuple[NormName, ...] = TWINS, **shared: Any) -> tuple[ArmConfig, ...]:
    return tuple(ArmConfig(norm=norm, **shared) for norm in norms)


_ALL = (
    RunPreset(
        "classic",
        "The classic race",
        "Ten ReLU layers learn to read handwritten digits, with and without batch norm; everything else is equal.",
        "Watch how soon each accuracy climbs, and by how much the bands overlap.",
        RunConfig(arms=_arms(depth=10, width=32, lr=0.1, init="xavier"), steps=600),
    ),
    RunPreset(
        "sigmoid_2015",
        "2015 paper, figure 1",
        "Three sigmoid layers of 100 units, small Gaussian initial weights, batches of 60, as Ioffe and Szegedy had them.",
        "Compare the accuracies at step 100, then the bands of the last layer's input in the Drift chart.",
        RunConfig(
            arms=_arms(depth=3, width=100, activation="sigmoid", init="normal", init_gain=0.09, lr=0.5), batch_size=60, steps=400
        ),
    ),
    RunPreset(
        "high_lr",
        "Too high a learning rate",
        "Six ReLU layers with a learning rate of 1: ten times that of the classic race.",
        "Watch which nets keep learning, which fall back to guessing (10 %), and which diverge.",
        RunConfig(arms=_arms(lr=1.0), steps=400),
    ),
    RunPreset(
        "dying_relu",
        "Dying ReLUs",
        "Six ReLU layers, a learning rate of 0.15 and a momentum of 0.9: large steps.",
        "Watch the chart of dead ReLU units, then the accuracy of the net that lost its units.",
        RunConfig(arms=_arms(lr=0.15, momentum=0.9), steps=400),
    ),
    RunPreset(
        "deep_30",
        "30 layers deep",
        "Thirty ReLU layers without shortcuts between them: the gradient has far to go.",
        "Watch the gradient by layer: how much of it arrives at layer 1? Then see who learns.",
        RunConfig(arms=_arms(depth=30, init="xavier", lr=0.1), trials=6, steps=300),
    ),
    RunPreset(
        "tiny_batch",
        "Tiny batches",
        "Batches of only 2 samples: their mean and variance are mostly noise. Four nets, one for each norm.",
        "Compare batch norm with layer and group norm, which do not look at the batch.",
        RunConfig(arms=_arms(("none", "batch", "layer", "group"), depth=4, lr=0.02), batch_size=2, steps=500),
    ),
    RunPreset(
        "spirals",
        "Two spirals",
        "Two classes wound around each other in the plane; the colours show what each net answers at each point.",
        "Watch how soon each boundary follows the spirals.",
        RunConfig(dataset=DatasetConfig(name="spirals"), arms=_arms(lr=0.1), steps=600, extras=("decision_boundary",)),
    ),
    RunPreset(
        "small_steps",
        "Small steps",
        "Four ReLU layers with a learning rate of 0.01, small enough for every net.",
        "Does batch norm still help? Then raise the learning rate tenfold and press Run.",
        RunConfig(arms=_arms(depth=4, lr=0.01), trials=16, steps=600),
    ),
    RunPreset(
        "raw_inputs",
        "Raw inputs",
        "Medical measurements as they come: some features are ten thousand times larger than others.",
        "Watch which nets diverge; batch norm rescales what each unit is given.",
        RunConfig(
            dataset=DatasetConfig(name="breast_cancer", input_scale="raw"),
            arms=_arms(depth=4, lr=0.1),
            batch_size=32,
            trials=16,
            steps=800,
        ),
    ),
)
PRESETS: dict[str, RunPreset] = {preset.name: preset for preset in _ALL}
