"""The controls of the explore page: the path of a field, its words, and what the model says of it.

A value that all arms share has a path as `arms.*.lr`. Bounds, choices and help come from the models; only the words are here.
"""

from dataclasses import dataclass, field
from functools import cached_property

from bnviz.config.fields import FieldView, field_at
from bnviz.config.models import RunConfig
from bnviz.registry.activations import ACTIVATIONS
from bnviz.registry.datasets import DATASETS
from bnviz.registry.norms import NORMS
from bnviz.registry.optimizers import OPTIMIZERS

_STOPS = (1, 2, 5)  # of the logarithmic sliders, in every decade

CHOICES: dict[str, str] = {
    **{name: norm.label for name, norm in NORMS.items()},
    **{name: entry.choice for name, entry in DATASETS.items()},
    **{name: entry.choice or entry.label for name, entry in ACTIVATIONS.items()},
    **{name: entry.label for name, entry in OPTIMIZERS.items()},
    "before_activation": "before the activation",
    "after_activation": "after the activation",
    "he": "He",
    "xavier": "Xavier",
    "normal": "normal",
    "spread": "spread from 0.001 to 1000",
}


def word(value: object) -> str:
    """A value of a field as the page shows it."""
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else CHOICES.get(str(value), str(value))


@dataclass(frozen=True)
class Control:
    """One widget; `step` is what a press of + adds, `logarithmic` makes a slider over decades."""

    path: str
    label: str
    step: float | None = None
    logarithmic: bool = False
    usual_most: int | None = None  # where the control ends, unless a link goes further; None: where the model does
    more: str = field(default="", repr=False)

    @property
    def key(self) -> str:
        """Of the widget in the session state."""
        return f"control:{self.path}"

    @cached_property
    def field(self) -> FieldView:
        """What the model says of the field."""
        found = field_at(RunConfig, self.path)
        if found is None:
            raise LookupError(f"there is no field {self.path}")
        return found

    @property
    def help(self) -> str:
        """What the model says of the field, and more."""
        return f"{self.field.description} {self.more}".strip()

    def stops(self, *others: float) -> list[float]:
        """1, 2, 5, 10, ... from the least to the most value, and `others` among them."""
        least, most = self.field.bounds or (0.0, 0.0)
        series = (float(f"{stop}e{decade}") for decade in range(-8, 6) for stop in _STOPS)
        return sorted({least, most, *others, *(value for value in series if least <= value <= most)})


ADVANCED_KEY = "advanced"  # of the box that holds the other controls
COMPARED = tuple(name for name, norm in NORMS.items() if norm.in_compare)  # to choose from; the others belong to experiments
MAIN_ROWS = (  # what stands side by side
    (Control("dataset.name", "Data set"),),
    (Control("arms.*.activation", "Activation"),),
    (Control("arms.*.depth", "Hidden layers"), Control("arms.*.width", "Units per layer")),
    (Control("arms.*.lr", "Learning rate", logarithmic=True, more="How far a step goes along the gradient."),),
    (Control("arms.*.init_gain", "Size of the initial weights", logarithmic=True),),
    (
        Control("batch_size", "Batch size", more="Batch norm takes its mean and variance from these."),
        Control("steps", "Steps", step=50),
    ),
    (
        Control("trials", "Trials", usual_most=32, more="The lines in the charts are their medians."),
        Control("seed", "Seed", more="The same seed gives the same run, number for number."),
    ),
)
MAIN = tuple(control for row in MAIN_ROWS for control in row)
ADVANCED = (
    Control("arms.*.norm_placement", "Place of the norm"),
    Control("arms.*.residual", "Shortcuts (residual)"),
    Control("arms.*.init", "Initial weights"),
    Control("arms.*.optimizer", "Optimizer"),
    Control("arms.*.momentum", "Momentum", step=0.1),
    Control("arms.*.weight_decay", "Weight decay", step=1e-4),
    Control("arms.*.dropout", "Dropout", step=0.1),
    Control("arms.*.norm_momentum", "Momentum of the running statistics", step=0.05),
    Control("arms.*.norm_eps", "Epsilon of the norm", step=1e-5),
    Control("arms.*.group_count", "Groups of group norm"),
    Control("dataset.input_scale", "Scale of the inputs"),
    Control("dataset.noise", "Noise of the 2-D data", step=0.05),
    Control("dataset.features", "Features of random data"),
    Control("dataset.train_size", "Training samples"),
    Control("dataset.test_size", "Test samples"),
    Control("probe_size", "Probe samples"),
    Control("measure_every", "Measure every ... steps"),
)
COMPARE = Control("arms.*.norm", "Compare")  # one arm for each norm that is chosen
CONTROLS = (*MAIN, *ADVANCED)  # of one value each
