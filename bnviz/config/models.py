"""What a run is: frozen, bounded models that describe a run completely.

One source of truth for the widgets' ranges, the API's validation, the docs and the URL:

    RunConfig -> DatasetConfig
              -> ArmConfig (1 to 6, one per condition that is compared)

A run is a pure function of its `RunConfig`; `run_id` is the hash of its canonical JSON, so equal
configurations share one run. Nothing here imports torch or streamlit.
"""

from math import isqrt
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from bnviz.config.base import Decay, Float, FrozenModel, Gain, IdentifiedModel, Int, Momentum, Rate
from bnviz.registry.activations import ActivationName
from bnviz.registry.datasets import ANY_FEATURES, DATASETS, IMAGE_DATASETS, PLANE_DATASETS, DatasetName
from bnviz.registry.measures import EXTRAS, ExtraName
from bnviz.registry.norms import NORMS, NormName
from bnviz.registry.optimizers import WITH_MOMENTUM, OptimizerName

InputScale = Literal["standardized", "raw", "spread"]
ArchitectureName = Literal["dense", "conv", "recurrent"]
RecurrentNorm = Literal["hidden_shared", "hidden_per_step", "input_only"]
DropoutPlacement = Literal["layer_end", "before_norm", "after_norm"]
BatchMode = Literal["iid", "single_class"]
NormPlacement = Literal["before_activation", "after_activation"]
InitName = Literal["he", "xavier", "normal", "orthogonal"]

MAX_ARMS, MAX_TRIALS, MAX_STEPS = 6, 128, 5000


class DatasetConfig(FrozenModel):
    """Which samples the networks see; seeded by the run's `seed`."""

    name: DatasetName = Field(default="digits", description="The data set. The 2-D ones also draw the decision boundary.")
    train_size: Int | None = Field(
        default=None, ge=2, le=60_000, description="Training samples; empty for the data set's own split."
    )
    test_size: Int | None = Field(default=None, ge=1, le=10_000, description="Test samples; empty for the data set's own split.")
    noise: Float = Field(default=0.1, ge=0, le=2, description="Standard deviation of the noise added to the 2-D data sets.")
    input_scale: InputScale = Field(
        default="standardized",
        description="standardized: every feature has mean 0 and variance 1 over the training set; raw: as it comes; "
        "spread: standardized, then put on scales from 0.001 to 1000.",
    )
    features: Int = Field(default=64, ge=1, le=1024, description=f"Input features ({', '.join(ANY_FEATURES)} only).")
    test_scale: Float = Field(
        default=1.0,
        ge=-100,
        le=100,
        description="The test inputs are multiplied by this, so that they differ from the training data.",
    )
    test_shift: Float = Field(default=0.0, ge=-100, le=100, description="Added to the test inputs, after the factor.")

    @field_validator("train_size", "test_size")
    @classmethod
    def _fits(cls, value: int | None, info: ValidationInfo) -> int | None:
        """Check a size against the rows that a data set of fixed size has."""
        entry = DATASETS.get(info.data.get("name", ""))
        if entry is None or value is None:
            return value
        train = info.data.get("train_size") or entry.split[0]
        allowed = entry.most_train() if info.field_name == "train_size" else entry.most_test(train)
        if allowed is not None and value > allowed:
            context = {"allowed": allowed, "name": entry.name, "rows": entry.rows}
            raise PydanticCustomError("too_many_rows", "at most {allowed}: {name} has {rows} samples", context)
        return value

    @property
    def sizes(self) -> tuple[int, int]:
        """(train, test) samples, with the data set's own split where none was asked for."""
        entry = DATASETS[self.name]
        train = self.train_size or entry.split[0]
        return train, self.test_size or min(entry.split[1], entry.most_test(train) or entry.split[1])

    @property
    def feature_count(self) -> int:
        """Input features: the data set's own number, or the one that is asked for."""
        return DATASETS[self.name].features or self.features


class PerTrial(FrozenModel):
    """Values that differ from trial to trial: a sweep along the trial axis. Each list is empty or has one value per trial."""

    lr: tuple[Rate, ...] = Field(default=(), max_length=MAX_TRIALS, description="Learning rates.")
    init_gain: tuple[Gain, ...] = Field(default=(), max_length=MAX_TRIALS, description="Gains.")
    momentum: tuple[Momentum, ...] = Field(default=(), max_length=MAX_TRIALS, description="Momenta.")
    weight_decay: tuple[Decay, ...] = Field(default=(), max_length=MAX_TRIALS, description="L2 penalties.")


class ArmConfig(FrozenModel):
    """One condition of the comparison: a network and how it is trained."""

    name: str = Field(default="", max_length=40, description="Label of the net; empty for that of its norm.")
    architecture: ArchitectureName = Field(
        default="dense",
        description="dense: fully connected layers; conv: 3 x 3 convolutions over an image of one channel; "
        "recurrent: one cell, usually with tanh, that reads an image row by row.",
    )
    norm: NormName = Field(default="none", description="The normalization in every hidden layer.")
    norm_on_input: bool = Field(default=False, description="A batch norm of its own on the input features.")
    norm_placement: NormPlacement = Field(
        default="before_activation", description="Whether the norm comes before or after the activation."
    )
    activation: ActivationName = Field(default="relu", description="The activation function of the hidden layers.")
    depth: Int = Field(default=6, ge=1, le=100, description="Hidden layers.")
    width: Int = Field(default=32, ge=1, le=512, description="Units of a hidden layer.")
    residual: bool = Field(default=False, description="Add each hidden layer's input to its output (from the second layer on).")
    init: InitName = Field(
        default="he",
        description="he: std sqrt(2 / inputs); xavier: sqrt(2 / (inputs + outputs)); normal: 1; "
        "orthogonal: orthonormal rows or columns.",
    )
    init_gain: Gain = Field(default=1.0, description="Factor on the initial hidden and output weights.")
    optimizer: OptimizerName = Field(default="sgd", description="How a gradient becomes a step.")
    lr: Rate = Field(default=0.1, description="Learning rate.")
    momentum: Momentum = Field(default=0.0, description=f"Momentum of {', '.join(WITH_MOMENTUM)}.")
    weight_decay: Decay = Field(default=0.0, description="L2 penalty, added to the gradient.")
    dropout: Float = Field(default=0.0, ge=0, le=0.95, description="Share of a hidden layer's outputs set to 0 while training.")
    dropout_placement: DropoutPlacement = Field(
        default="layer_end",
        description="layer_end: what a layer hands on; before_norm: what the norm is given; after_norm: what it returns.",
    )
    gamma_init: Float = Field(default=1.0, ge=-10, le=10, description="Initial gamma of the hidden layers' norms.")
    beta_init: Float = Field(default=0.0, ge=-10, le=10, description="Initial beta of the hidden layers' norms.")
    recurrent_norm: RecurrentNorm = Field(
        default="hidden_shared",
        description="Where a recurrent cell is normalized: hidden_shared: hidden-to-hidden, one set of running statistics for "
        "all time steps; hidden_per_step: a set for each time step; input_only: input-to-hidden only.",
    )
    norm_momentum: Float = Field(default=0.1, ge=0, le=1, description="Weight of the new value in the running statistics.")
    norm_eps: Float = Field(default=1e-5, ge=0, le=1, description="Added to the variance before the square root.")
    group_count: Int = Field(default=4, ge=1, le=64, description="Groups of group norm; must divide the width.")
    per_trial: PerTrial = Field(
        default=PerTrial(), description="Values for each trial in place of the arm's lr, init_gain, momentum or weight_decay."
    )

    @field_validator("group_count")
    @classmethod
    def _divides(cls, value: int, info: ValidationInfo) -> int:
        width = info.data.get("width")
        if info.data.get("norm") == "group" and width and width % value:
            allowed = ", ".join(str(n) for n in range(1, min(width, 64) + 1) if width % n == 0)
            raise PydanticCustomError(
                "group_count", "a divisor of the width {width}: {allowed}", {"width": width, "allowed": allowed}
            )
        return value

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable():
            raise PydanticCustomError("name", "printable characters only")
        return value


def _at_most(usual: int, data: dict[str, Any]) -> int:
    """A default number of samples: the usual one, or the whole training set where that is smaller."""
    dataset = data.get("dataset")
    return min(usual, dataset.sizes[0]) if dataset else usual


def _twins() -> tuple[ArmConfig, ...]:
    return ArmConfig(norm="none"), ArmConfig(norm="batch")


class RunConfig(IdentifiedModel):
    """A whole run: the data, the arms, and how it is trained and measured."""

    dataset: DatasetConfig = Field(default=DatasetConfig(), description="The data set.")
    arms: tuple[ArmConfig, ...] = Field(
        default_factory=_twins, min_length=1, max_length=MAX_ARMS, description="The nets that are compared."
    )
    trials: Int = Field(
        default=6, ge=1, le=MAX_TRIALS, description="Seeds trained at once in every net; the bands show their spread."
    )
    seed: Int = Field(default=0, ge=0, le=2**31 - 1, description="Fixes data, initial weights and batches.")
    trial_seeds: tuple[Annotated[Int, Field(ge=0, le=MAX_TRIALS - 1)], ...] = Field(
        default=(),
        max_length=MAX_TRIALS,
        description="Which random numbers each trial draws: trials of equal entries share initial weights and batches. "
        "Empty: every trial draws its own.",
    )
    batch_mode: BatchMode = Field(
        default="iid", description="iid: batches from the shuffled training set; single_class: every batch holds one class only."
    )
    batch_size: Int = Field(
        default_factory=lambda data: _at_most(64, data), ge=1, le=1024, description="Samples of a mini-batch."
    )
    steps: Int = Field(default=1000, ge=0, le=MAX_STEPS, description="Optimizer updates; 0 measures the initialization only.")
    measure_every: Int | None = Field(
        default=None, ge=1, le=MAX_STEPS, description="Steps between measurements; empty for automatic."
    )
    probe_size: Int = Field(
        default_factory=lambda data: _at_most(64, data),
        ge=2,
        le=1024,
        description="Fixed samples on which distributions are measured.",
    )
    extras: tuple[ExtraName, ...] = Field(
        default=(), max_length=len(EXTRAS), description="Costly measurements that a chart asks for."
    )

    @field_validator("arms")
    @classmethod
    def _images(cls, value: tuple[ArmConfig, ...], info: ValidationInfo) -> tuple[ArmConfig, ...]:
        """Check that the samples are square images, of more than one pixel, where an arm reads images.

        Of a single pixel nothing is left of either architecture: eight of nine weights of a kernel would never meet it, and
        a recurrent cell that reads one row recalls nothing.
        """
        dataset: DatasetConfig | None = info.data.get("dataset")
        reading = next((arm.architecture for arm in value if arm.architecture != "dense"), None)
        features = dataset.feature_count if dataset else 4
        if reading and (features < 4 or isqrt(features) ** 2 != features):
            message = "{architecture} with square images only: {names}, or gaussian with 4, 9, 16, 25, ... features"
            context = {"architecture": reading, "names": ", ".join(IMAGE_DATASETS)}
            raise PydanticCustomError("images_only", message, context)
        return value

    @field_validator("extras")
    @classmethod
    def _sorted_once(cls, value: tuple[ExtraName, ...]) -> tuple[ExtraName, ...]:
        return tuple(sorted(set(value)))

    @field_validator("trials")
    @classmethod
    def _per_trial_lengths(cls, value: int, info: ValidationInfo) -> int:
        for i, arm in enumerate(info.data.get("arms", ())):
            for name in PerTrial.model_fields:
                count = len(getattr(arm.per_trial, name))
                if count not in (0, value):
                    context = {"count": count, "where": f"arms.{i}.per_trial.{name}"}
                    raise PydanticCustomError("per_trial", "{count}, the number of values in {where}", context)
        return value

    @field_validator("trial_seeds")
    @classmethod
    def _one_seed_a_trial(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        trials = info.data.get("trials")
        if value and trials is not None and len(value) != trials:
            raise PydanticCustomError("trial_seeds", "one number per trial: {trials}", {"trials": trials})
        return value

    @field_validator("batch_size", "probe_size")
    @classmethod
    def _within_training_set(cls, value: int, info: ValidationInfo) -> int:
        dataset = info.data.get("dataset")
        if dataset is not None and value > dataset.sizes[0]:
            raise PydanticCustomError("too_many_rows", "at most {allowed}, the training samples", {"allowed": dataset.sizes[0]})
        return value

    @field_validator("extras")
    @classmethod
    def _plane_only(cls, value: tuple[ExtraName, ...], info: ValidationInfo) -> tuple[ExtraName, ...]:
        dataset = info.data.get("dataset")
        if "decision_boundary" in value and dataset is not None and dataset.name not in PLANE_DATASETS:
            context = {"names": ", ".join(PLANE_DATASETS)}
            raise PydanticCustomError("plane_only", "decision_boundary only with a 2-D data set: {names}", context)
        return value

    @property
    def arm_labels(self) -> tuple[str, ...]:
        """A label per arm: its own name, else its norm, made unique where two would be alike."""
        labels = [arm.name or NORMS[arm.norm].label for arm in self.arms]
        return tuple(label if labels.count(label) == 1 else f"{label} ({i + 1})" for i, label in enumerate(labels))
