"""The activation functions, element by element: the pre-activation, of any shape, to the post-activation.

Each stands below its `ActivationEntry`; a new one is a function with an entry, here or in a file of its own beside this one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from bnviz.registry.activations import ActivationEntry


@ActivationEntry(name="relu", place=10, label="ReLU", formula="max(z, 0)", dies=True, slope_below_zero=0.0)
def relu(pre_activation: Tensor) -> Tensor:
    """Pass what is above 0.

    Works element by element, on any shape.
    """
    return torch.relu(pre_activation)


@ActivationEntry(name="leaky_relu", place=20, label="leaky ReLU", formula="max(z, 0.01 z)", slope_below_zero=0.01)
def leaky_relu(pre_activation: Tensor) -> Tensor:
    """Pass what is above 0, and a hundredth of what is below.

    Works element by element, on any shape.
    """
    return F.leaky_relu(pre_activation)


@ActivationEntry(name="tanh", place=30, label="tanh", formula="tanh z", linear_range=(-0.95, 0.95))
def tanh(pre_activation: Tensor) -> Tensor:
    """An s-shaped curve from -1 to 1.

    Works element by element, on any shape.
    """
    return torch.tanh(pre_activation)


@ActivationEntry(name="sigmoid", place=40, label="sigmoid", formula="1 / (1 + exp(-z))", linear_range=(0.05, 0.95))
def sigmoid(pre_activation: Tensor) -> Tensor:
    """An s-shaped curve from 0 to 1.

    Works element by element, on any shape.
    """
    return torch.sigmoid(pre_activation)


@ActivationEntry(name="gelu", place=50, label="GELU", formula="z Φ(z), Φ the standard normal distribution")
def gelu(pre_activation: Tensor) -> Tensor:
    """A smooth ReLU: the input times the share of a standard normal that is below it.

    Works element by element, on any shape.
    """
    return F.gelu(pre_activation)


@ActivationEntry(name="linear", place=60, label="linear", choice="none (linear)", formula="z", slope_below_zero=1.0)
def linear(pre_activation: Tensor) -> Tensor:
    """Pass everything as it is.

    Works element by element, on any shape.
    """
    return pre_activation
