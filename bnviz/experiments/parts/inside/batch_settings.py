"""The settings of one batch: its numbers as text, the norm's parameters, and the statistics it uses at inference."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from bnviz.config.models import Float
from bnviz.experiments.kit.base import Settings
from bnviz.experiments.parts.inside.tables import MAX_FEATURES, BadTable, as_text, per_feature, refusal, resized, rows_of, short

FloatArray = NDArray[np.float64]


class ArithmeticSettings(Settings):
    """One batch, the norm's parameters, and the statistics it uses at inference."""

    batch: str = Field(
        default="1,10;3,20;5,20;7,50",
        max_length=400,
        title="Batch x",
        description="1 to 8 samples, separated by semicolons; each has 1 to 3 features, separated by commas.",
    )
    upstream: str = Field(
        default="1,0.5;0,-0.5;0,1;0,0",
        max_length=400,
        title="Gradient dL/dy from above",
        description="In the order of the batch; a number that is missing counts as 0.",
    )
    gamma: str = Field(
        default="2", max_length=60, title="Gamma", description="One number a feature; the last stands for the rest."
    )
    beta: str = Field(default="1", max_length=60, title="Beta", description="One number a feature; the last stands for the rest.")
    eps: Float = Field(default=1e-5, ge=0, le=1, title="Epsilon", description="Added to the variance before the square root.")
    mode: Literal["training", "inference"] = Field(
        default="training",
        title="Mode",
        description="training: the batch's own mean and variance; inference: the running ones.",
    )
    running_mean: str = Field(
        default="3.5,22", max_length=60, title="Running mean", description="One number a feature; the last stands for the rest."
    )
    running_var: str = Field(
        default="4,100",
        max_length=60,
        title="Running variance",
        description="One number a feature, not below 0; the last stands for the rest.",
    )
    momentum: Float = Field(
        default=0.1, ge=0, le=1, title="Momentum", description="Weight of this batch in the running mean and variance."
    )

    @field_validator("batch", "upstream")
    @classmethod
    def _table(cls, value: str, info: ValidationInfo) -> str:
        try:
            rows = rows_of(value)
        except BadTable as error:
            raise refusal(error) from None
        if info.field_name == "upstream" and (batch := info.data.get("batch")):
            batch_rows = rows_of(batch)
            rows = resized(rows, len(batch_rows), len(batch_rows[0]))
        return as_text(rows)

    @field_validator("gamma", "beta", "running_mean", "running_var")
    @classmethod
    def _row(cls, value: str, info: ValidationInfo) -> str:
        batch = info.data.get("batch")
        try:
            values = per_feature(value, len(rows_of(batch)[0]) if batch else MAX_FEATURES)
        except BadTable as error:
            raise refusal(error) from None
        if info.field_name == "running_var" and min(values) < 0:
            raise PydanticCustomError("table", "no number below 0")
        if info.field_name == "running_var" and min(values) == info.data.get("eps") == 0:
            raise PydanticCustomError("table", "numbers above 0, since epsilon is 0")
        return short(values)

    @field_validator("eps")
    @classmethod
    def _no_division_by_zero(cls, value: float, info: ValidationInfo) -> float:
        if value == 0 and (batch := info.data.get("batch")) and not np.std(rows_of(batch), axis=0).all():
            raise PydanticCustomError("eps", "above 0, since a feature of the batch has variance 0 (0/0)")
        return value

    @property
    def x(self) -> FloatArray:
        """The batch, shape (samples, features)."""
        return np.array(rows_of(self.batch))

    @property
    def dy(self) -> FloatArray:
        """dL/dy, of the same shape."""
        return np.array(rows_of(self.upstream))

    def row(self, name: str) -> FloatArray:
        """gamma, beta, running_mean or running_var, shape (features,)."""
        return np.array(per_feature(getattr(self, name), self.x.shape[1]))
