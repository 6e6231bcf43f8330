"""The nets that are compared: five activations, batch norm before or after each, and no norm."""

from typing import Literal, get_args

from pydantic import Field

from bnviz.charts.builders import norm_style
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import ArmConfig, Float, Int, NormName, NormPlacement, RunConfig
from bnviz.experiments.kit.base import Settings, Stage
from bnviz.registry.activations import ACTIVATIONS

Shape = Literal["relu", "leaky_relu", "gelu", "tanh", "sigmoid"]
NAMES: dict[str, str] = {name: ACTIVATIONS[name].label for name in get_args(Shape)}
ARMS: tuple[tuple[str, NormName, NormPlacement], ...] = (
    ("before", "batch", "before_activation"),
    ("after", "batch", "after_activation"),
    ("no norm", "none", "before_activation"),
)
BEFORE, AFTER, NONE = 0, 1, 2
STYLES = (
    norm_style("batch", "before the activation"),
    ArmStyle("after the activation", "#009E73", "dashdot", "diamond"),
    norm_style("none", "no norm"),
)
KEEP = ("train_loss", "test_accuracy", "layer_output")


class PlacementSettings(Settings):
    """Nets that differ in the activation and in the place of their batch norm."""

    activations: tuple[Shape, ...] = Field(
        default=("relu", "leaky_relu", "gelu", "tanh", "sigmoid"),
        min_length=1,
        max_length=5,
        title="Activations",
        description="One run for each.",
    )
    depth: Int = Field(default=6, ge=2, le=20, title="Hidden layers", description="Of each net.")
    width: Int = Field(default=32, ge=8, le=128, title="Width", description="Units of a hidden layer.")
    lr: Float = Field(default=0.1, ge=1e-3, le=3, title="Learning rate", description="Of plain SGD, the same for all nets.")
    batch_size: Int = Field(default=64, ge=2, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=200, ge=20, le=1000, title="Steps", description="Updates.")
    seeds: Int = Field(default=5, ge=1, le=12, title="Seeds", description="Networks of each kind.")

    @property
    def shapes(self) -> tuple[str, ...]:
        """The activations in the order of `NAMES`, each once."""
        return tuple(name for name in NAMES if name in self.activations)


def stages(settings: PlacementSettings) -> tuple[Stage, ...]:
    """One run an activation: both orders and a net without a norm, from the same weights on the same batches."""
    return tuple(Stage(name, NAMES[name], run_config(settings, name), KEEP) for name in settings.shapes)


def run_config(settings: PlacementSettings, activation: str) -> RunConfig:
    """The run of one activation."""
    shared = {"activation": activation, "depth": settings.depth, "width": settings.width, "lr": settings.lr}
    return RunConfig(
        arms=tuple(ArmConfig(name=name, norm=norm, norm_placement=place, **shared) for name, norm, place in ARMS),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // 20, 1),
    )
