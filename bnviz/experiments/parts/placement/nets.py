"""The nets that are compared: five activations, batch norm before or after each, and no norm."""

from typing import Literal, get_args

from pydantic import Field

from bnviz.charts.builders import norm_style
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import Float, Int, NormName, NormPlacement, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Settings
from bnviz.experiments.kit.grid import Grid
from bnviz.experiments.kit.quantities import Styles
from bnviz.experiments.kit.twins import arm_of
from bnviz.registry.activations import ACTIVATIONS

Shape = Literal["relu", "leaky_relu", "gelu", "tanh", "sigmoid"]
NAMES: dict[str, str] = {name: ACTIVATIONS[name].label for name in get_args(Shape)}
BEFORE, AFTER, NONE = "before", "after", "no norm"  # names of the arms
ARMS: dict[str, tuple[NormName, NormPlacement]] = {
    BEFORE: ("batch", "before_activation"),
    AFTER: ("batch", "after_activation"),
    NONE: ("none", "before_activation"),
}
STYLES: Styles = {
    BEFORE: norm_style("batch", "before the activation"),
    AFTER: ArmStyle("after the activation", "#009E73", "dashdot", "diamond"),
    NONE: norm_style("none", "no norm"),
}
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
    depth: Int = knobs.depth(6, most=20, least=2, of="Depth of all nets.")
    width: Int = knobs.width(32, most=128, least=8)
    lr: Float = knobs.learning_rate(0.1, most=3, of="Of plain SGD, the same for all nets.")
    batch_size: Int = knobs.batch_size(64, least=2)
    steps: Int = knobs.steps(200, most=1000, least=20)
    seeds: Int = knobs.seeds(5, most=12, of="Networks of each kind.")

    @property
    def shapes(self) -> tuple[str, ...]:
        """The activations in the order of `NAMES`, each once."""
        return tuple(name for name in NAMES if name in self.activations)

    @property
    def grid(self) -> Grid:
        """One stage for each activation."""
        return Grid("{activation}", activation=self.shapes)


def stages(settings: PlacementSettings) -> tuple[Stage, ...]:
    """One run for each activation: both orders and a net without a norm, from the same weights on the same batches."""
    grid = settings.grid
    return tuple(Stage(grid.key(activation=name), NAMES[name], run_config(settings, name), KEEP) for name in settings.shapes)


def run_config(settings: PlacementSettings, activation: str) -> RunConfig:
    """The run of one activation."""
    return RunConfig(
        arms=tuple(
            arm_of(settings, norm, name=name, norm_placement=place, activation=activation) for name, (norm, place) in ARMS.items()
        ),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // 20, 1),
    )
