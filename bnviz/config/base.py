"""What configurations are made of: frozen models, their identity, and numbers that are no booleans."""

import hashlib
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

SCHEMA_VERSION = 1  # raise it when the same configuration comes to mean another run; stored records follow the sources


def _not_bool(value: object) -> object:
    """Refuse True and False where a number is expected (pydantic would take them for 1 and 0)."""
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "a number, not true or false")
    return value


Int = Annotated[int, BeforeValidator(_not_bool)]
Float = Annotated[float, BeforeValidator(_not_bool), Field(allow_inf_nan=False)]
Rate = Annotated[Float, Field(ge=1e-6, le=100)]
Gain = Annotated[Float, Field(ge=1e-4, le=1e4)]
Momentum = Annotated[Float, Field(ge=0, le=0.999)]
Decay = Annotated[Float, Field(ge=0, le=1)]


class FrozenModel(BaseModel):
    """Cannot be changed, takes no field that it does not know, and checks its defaults too."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class IdentifiedModel(FrozenModel):
    """A model that describes all of a run or a study, so that its content names it."""

    @property
    def run_id(self) -> str:
        """16 hex digits that name this run or study: equal configurations share it."""
        return hashlib.sha256(f"{SCHEMA_VERSION}:{self.model_dump_json()}".encode()).hexdigest()[:16]
