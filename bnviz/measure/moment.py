"""What an extra measurement is given: one arm in the middle of one step."""

from dataclasses import dataclass

from torch import Tensor

from bnviz.config.models import RunConfig
from bnviz.datasets import Dataset
from bnviz.training import ArmState


@dataclass(frozen=True, slots=True)
class Moment:
    """One arm in the middle of one step: parameters after `step` updates, the gradients of the batch that comes next.

    An extra may call `arm.net.forward` in mode "probe" and autograd. It changes nothing: no parameter, no running
    statistic, no random stream, no state of the optimizer.
    """

    arm: ArmState
    inputs: Tensor  # of the step's batch, (trials, batch, features)
    labels: Tensor  # of the step's batch, (trials, batch)
    probe: Tensor  # the fixed probe batch, (trials, samples, features)
    config: RunConfig
    step: int
    dataset: Dataset
