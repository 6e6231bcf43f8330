"""The activation functions, and what "saturated" means for each."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Activation(NamedTuple):
    """An activation function and the range outside which its output counts as saturated (None: never)."""

    function: Callable[[Tensor], Tensor]
    linear_range: tuple[float, float] | None = None


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(torch.relu),
    "leaky_relu": Activation(F.leaky_relu),
    "tanh": Activation(torch.tanh, (-0.95, 0.95)),
    "sigmoid": Activation(torch.sigmoid, (0.05, 0.95)),
    "gelu": Activation(F.gelu),
    "linear": Activation(lambda pre_activation: pre_activation),
}
