"""The stack that an arm asks for."""

from collections.abc import Sequence

import torch

from bnviz.config.models import ArmConfig
from bnviz.nets.conv import ConvStack
from bnviz.nets.dense import DenseStack
from bnviz.nets.recurrent import RecurrentStack
from bnviz.nets.stack import Stack

STACKS: dict[str, type[Stack]] = {"dense": DenseStack, "conv": ConvStack, "recurrent": RecurrentStack}


def build(
    arm: ArmConfig,
    *,
    inputs: int,
    classes: int,
    trials: int,
    seed: int,
    trial_seeds: Sequence[int] = (),
    dtype: torch.dtype = torch.float32,
) -> Stack:
    """The networks of one arm, by its architecture; arguments as of `Stack`.

    Raises:
        ValueError: the architecture reads images and the inputs are none.
    """
    kind = STACKS[arm.architecture]
    return kind(arm, inputs=inputs, classes=classes, trials=trials, seed=seed, trial_seeds=trial_seeds, dtype=dtype)
