"""The settings that nearly every part has, with the words that all pages use."""

from typing import Any, TypeVar

from pydantic import Field
from pydantic_core import PydanticCustomError

Number = TypeVar("Number", int, float)


def depth(default: int, most: int, least: int = 1, of: str = "Depth of both nets.") -> Any:
    """Hidden layers."""
    return Field(default=default, ge=least, le=most, title="Hidden layers", description=of)


def width(default: int, most: int, least: int = 4, of: str = "Units of a hidden layer.") -> Any:
    """Units of a layer."""
    return Field(default=default, ge=least, le=most, title="Width", description=of)


def learning_rate(default: float, most: float, least: float = 1e-3, of: str = "Of plain SGD, the same for both nets.") -> Any:
    """Rate of the optimizer."""
    return Field(default=default, ge=least, le=most, title="Learning rate", description=of)


def batch_size(default: int, most: int = 256, least: int = 4, of: str = "Samples of a mini-batch.") -> Any:
    """Samples of a batch."""
    return Field(default=default, ge=least, le=most, title="Batch size", description=of)


def steps(default: int, most: int, least: int = 10, of: str = "Updates.") -> Any:
    """Updates of a run."""
    return Field(default=default, ge=least, le=most, title="Steps", description=of)


def seeds(default: int, most: int, least: int = 1, of: str = "Pairs of twins.") -> Any:
    """Networks of each kind, or pairs of them."""
    return Field(default=default, ge=least, le=most, title="Seeds", description=of)


def activation(default: str = "relu", of: str = "Of the hidden layers.") -> Any:
    """Activation function of the hidden layers."""
    return Field(default=default, title="Activation", description=of)


def first_seed(default: int = 0, of: str = "Fixes data, initial weights and batches.") -> Any:
    """The seed that fixes what is drawn at random."""
    return Field(default=default, ge=0, le=9999, title="First seed", description=of)


def initial_weights(default: str = "xavier") -> Any:
    """He's or Xavier's, the two that trained nets start from."""
    words = "He: std sqrt(2 / inputs). Xavier: sqrt(2 / (inputs + outputs))."
    return Field(default=default, title="Initial weights", description=words)


def ascending(values: tuple[Number, ...], least: int = 2) -> tuple[Number, ...]:
    """The values of a list in ascending order, each once. Raises an error for the page where fewer than `least` are left."""
    found = tuple(sorted(set(values)))
    if len(found) < least:
        raise PydanticCustomError("different_values", "at least {least} different values", {"least": least})
    return found
