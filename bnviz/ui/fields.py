"""The controls, read from the configuration: a path, a label and what the model says of the field.

Paths: `steps` (of the run), `dataset.name`, and `arm.lr` for a value that all arms share. Bounds, choices and help come
from the models; only the words are here.
"""

from dataclasses import dataclass, field
from functools import cached_property
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from bnviz.config.models import NORM_LABELS, ArmConfig, DatasetConfig, RunConfig

_MODELS: dict[str, type[BaseModel]] = {"arm": ArmConfig, "dataset": DatasetConfig, "": RunConfig}
_STOPS = (1, 2, 5)  # of the logarithmic sliders, in every decade

CHOICES: dict[str, str] = {
    **NORM_LABELS,
    "digits": "handwritten digits",
    "breast_cancer": "breast cancer",
    "gaussian": "random numbers",
    "mnist": "MNIST (download)",
    "fashion_mnist": "Fashion-MNIST (download)",
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "gelu": "GELU",
    "linear": "none (linear)",
    "before_activation": "before the activation",
    "after_activation": "after the activation",
    "he": "He",
    "xavier": "Xavier",
    "normal": "normal",
    "sgd": "SGD",
    "adam": "Adam",
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
    def _field(self) -> Any:
        owner, _, name = self.path.rpartition(".")
        return _MODELS[owner].model_fields[name]

    @cached_property
    def type(self) -> Any:
        """The field's type without None and without its validators: int, float, bool or a Literal."""
        kind = self._field.annotation
        members = [member for member in get_args(kind) if member is not NoneType]
        if self.optional:
            kind = members[0]
        return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind

    @cached_property
    def optional(self) -> bool:
        """Whether it may be left empty."""
        return NoneType in get_args(self._field.annotation)

    @cached_property
    def bounds(self) -> tuple[Any, Any]:
        """(least, most), as the model checks them."""
        limits = {name: getattr(item, name) for item in self._field.metadata for name in ("ge", "le") if hasattr(item, name)}
        return self.type(limits["ge"]), self.type(limits["le"])

    @cached_property
    def choices(self) -> tuple[str, ...]:
        """The values of a Literal, else nothing."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def help(self) -> str:
        """What the model says of the field, and more."""
        return f"{self._field.description} {self.more}".strip()

    def stops(self, *others: float) -> list[float]:
        """1, 2, 5, 10, ... from the least to the most value, and `others` among them."""
        least, most = self.bounds
        series = (float(f"{stop}e{decade}") for decade in range(-8, 6) for stop in _STOPS)
        return sorted({least, most, *others, *(value for value in series if least <= value <= most)})


NORMS_KEY = "control:norms"
ADVANCED_KEY = "advanced"  # of the box that holds the other controls
NORMS = ("none", "batch", "layer", "group", "instance", "rms")  # to choose from; the others belong to experiments
MAIN_ROWS = (  # what stands side by side
    (Control("dataset.name", "Data set"),),
    (Control("arm.activation", "Activation"),),
    (Control("arm.depth", "Hidden layers"), Control("arm.width", "Units a layer")),
    (Control("arm.lr", "Learning rate", logarithmic=True, more="How far a step goes along the gradient."),),
    (Control("arm.init_gain", "Size of the initial weights", logarithmic=True),),
    (
        Control("batch_size", "Batch size", more="Batch norm takes its mean and variance from these."),
        Control("steps", "Steps", step=50),
    ),
    (
        Control("trials", "Trials", usual_most=32, more="A line in the charts is their median."),
        Control("seed", "Seed", more="The same seed gives the same run, number by number."),
    ),
)
MAIN = tuple(control for row in MAIN_ROWS for control in row)
ADVANCED = (
    Control("arm.norm_placement", "Place of the norm"),
    Control("arm.residual", "Shortcuts (residual)"),
    Control("arm.init", "Initial weights"),
    Control("arm.optimizer", "Optimizer"),
    Control("arm.momentum", "Momentum", step=0.1),
    Control("arm.weight_decay", "Weight decay", step=1e-4),
    Control("arm.dropout", "Dropout", step=0.1),
    Control("arm.norm_momentum", "Momentum of the running statistics", step=0.05),
    Control("arm.norm_eps", "Epsilon of the norm", step=1e-5),
    Control("arm.group_count", "Groups of group norm"),
    Control("dataset.input_scale", "Scale of the inputs"),
    Control("dataset.noise", "Noise of the 2-D data", step=0.05),
    Control("dataset.features", "Features of random data"),
    Control("dataset.train_size", "Training samples"),
    Control("dataset.test_size", "Test samples"),
    Control("probe_size", "Probe samples"),
    Control("measure_every", "Measure every ... steps"),
)
CONTROLS = (*MAIN, *ADVANCED)
