"""What the norms over the batch share: their axes, and running statistics."""

from torch import Tensor


def batch_axes(values: Tensor) -> tuple[int, ...]:
    """The axes over which a unit of (trials, batch, units), or a channel of (..., positions), takes its statistics."""
    return (1, 3) if values.ndim == 4 else (1,)


def keep_running(running: Tensor, value: Tensor, momentum: float) -> None:
    """Move a running statistic, (trials, units), towards the batch's `value` of as many entries, by `momentum`."""
    running.lerp_(value.detach().reshape(running.shape), momentum)
