"""A bias before batch norm under gradient descent, with the whole gradient and with detached statistics."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.config.models import ArmConfig, NormName
from bnviz.nets.norms import NORM_LAYERS, Norm

NORM_NAMES: tuple[NormName, ...] = ("batch", "batch_detached")
FRAMES = 40


def probe(
    *, steps: int, lr: float, spread: float, samples: int, seeds: int, learn_beta: bool
) -> Iterator[tuple[float, dict[str, NDArray[np.float64]]]]:
    """Train b, and beta if asked, of y = x_hat + beta with x = u + b, on the loss mean((y - target)^2) / 2.

    u are numbers drawn anew for each seed; the target is the normalized u plus 1, so an output that is 1 higher
    everywhere would have no loss. Full batch, float64, eps = 0.

    Args:
        steps: of gradient descent.
        lr: learning rate.
        spread: standard deviation that u are drawn with.
        samples: of the batch.
        seeds: draws of u.
        learn_beta: whether beta, which could give the target, is learned too.

    Yields:
        For batch norm and batch_detached: bias_<norm> and loss_<norm>, shape (FRAMES + 1, seeds), at evenly spaced
        steps, NaN where they are not reached yet; std, shape (seeds,), the standard deviation of each draw of u.
    """
    stream = torch.Generator().manual_seed(0)
    u = spread * torch.randn(seeds, samples, 1, generator=stream, dtype=torch.float64)
    target = (u - u.mean(1, keepdim=True)) / u.std(1, correction=0, keepdim=True) + 1
    learners = {name: _Learner(name, u, target, lr, learn_beta) for name in NORM_NAMES}
    at = np.rint(np.linspace(0, steps, FRAMES + 1)).astype(int).tolist()
    names = [f"{what}_{name}" for name in NORM_NAMES for what in ("bias", "loss")]
    values: dict[str, NDArray[np.float64]] = {name: np.full((len(at), seeds), np.nan) for name in names}
    values["std"] = u.std(1, correction=0).numpy().ravel()
    done = 0
    for frame, step in enumerate(at):
        for name, learner in learners.items():
            for _ in range(step - done):
                learner.update()
            values[f"bias_{name}"][frame] = learner.bias.detach().numpy().ravel()
            values[f"loss_{name}"][frame] = learner.loss().detach().numpy()
        done = step
        yield frame / FRAMES, {name: value.copy() for name, value in values.items()}


class _Learner:
    """One norm with its bias, for all seeds at once."""

    def __init__(self, name: NormName, u: Tensor, target: Tensor, lr: float, learn_beta: bool) -> None:
        self.u, self.target, self.lr = u, target, lr
        arm = ArmConfig(norm=name, norm_eps=0, width=1)
        self.norm: Norm = NORM_LAYERS[name](arm, len(u), 1, u.dtype)
        self.bias, self.beta = (torch.zeros(len(u), 1, 1, dtype=u.dtype, requires_grad=True) for _ in range(2))
        self.learned = [self.bias, self.beta] if learn_beta else [self.bias]

    def loss(self) -> Tensor:
        """Of every seed, shape (seeds,)."""
        y = self.norm(self.u + self.bias, [torch.ones_like(self.beta), self.beta], "train")
        return ((y - self.target) ** 2).mean((1, 2)) / 2

    def update(self) -> None:
        """One step of gradient descent."""
        gradients = torch.autograd.grad(self.loss().sum(), self.learned)
        with torch.no_grad():
            for parameter, gradient in zip(self.learned, gradients, strict=True):
                parameter -= self.lr * gradient
