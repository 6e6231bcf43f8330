"""What the probes at initialization share: one network and one batch per trial, and a random linear read-out.

Trial t has the same inputs, weights and read-out in every arm of one shape.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from bnviz.config.models import ArmConfig
from bnviz.nets import Activations, DenseStack
from bnviz.nets.initialization import generator

INPUTS, READ_OUT = 11, 12  # purposes of random numbers, beside those of `bnviz.nets.initialization`


def network(arm: Mapping[str, Any], features: int, seed: int, trials: Sequence[int]) -> DenseStack:
    """Fresh dense networks: `arm` holds fields of `ArmConfig`, `trials` says which seeds they are of."""
    config = ArmConfig.model_validate(arm)
    return DenseStack(config, inputs=features, classes=1, trials=len(trials), seed=seed, trial_seeds=tuple(trials))


def gaussian(seed: int, trials: Sequence[int], purpose: int, *shape: int) -> Tensor:
    """Standard normal numbers, (trials, *shape), each trial from a stream of its own."""
    return torch.stack([torch.randn(shape, generator=generator(seed, trial, purpose)) for trial in trials])


def passed(net: DenseStack, inputs: Tensor) -> Activations:
    """The tensors of the hidden layers for a batch of training, (trials, batch, features); nothing is updated."""
    kept = Activations()
    net.hidden(inputs, "probe", kept)
    return kept
