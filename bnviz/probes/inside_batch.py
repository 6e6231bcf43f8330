"""What a bias before batch norm does to one batch, by torch and its automatic differentiation, in float64."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.closed_forms import arithmetic

Values = dict[str, NDArray[np.float64]]
MODES = ("none", "training", "inference")


def probe(
    *,
    x: list[list[float]],
    dy: list[list[float]],
    gamma: list[float],
    beta: list[float],
    running_mean: list[float],
    running_var: list[float],
    eps: float,
    shifts: list[float],
) -> Iterator[tuple[float, Values]]:
    """Go through the biases: how far each output moves, dL/db, and the outputs when sample 1 alone is moved.

    Yields:
        moved_<mode>: y(b) - y(0), shape (biases, samples * features), for no norm, training and inference;
        gradient_<mode>: dL/db with L = sum(dy * y), shape (biases, features);
        alone: outputs of feature 1 in training, shape (biases, samples);
        gap: shape (1,), the largest difference between `bnviz.closed_forms.arithmetic` and torch in y, dx, dgamma or dbeta.
        NaN where nothing was measured yet.
    """
    tensors = {"gamma": gamma, "beta": beta, "running_mean": running_mean, "running_var": running_var}
    layer = _Layer({name: torch.tensor(value, dtype=torch.float64) for name, value in tensors.items()}, eps)
    batch, upstream = torch.tensor(x, dtype=torch.float64), torch.tensor(dy, dtype=torch.float64)
    values: Values = {f"moved_{mode}": np.full((len(shifts), batch.numel()), np.nan) for mode in MODES}
    values |= {f"gradient_{mode}": np.full((len(shifts), batch.shape[1]), np.nan) for mode in MODES}
    values |= {"alone": np.full((len(shifts), len(batch)), np.nan), "gap": np.array([_gap(layer, batch, upstream)])}
    start = {mode: layer(batch, mode) for mode in MODES}
    for i, shift in enumerate(shifts):
        for mode in MODES:
            bias = torch.full_like(batch[:1], shift, requires_grad=True)
            y = layer(batch + bias, mode)
            (gradient,) = torch.autograd.grad((upstream * y).sum(), bias)
            values[f"moved_{mode}"][i] = (y - start[mode]).detach().numpy().ravel()
            values[f"gradient_{mode}"][i] = gradient.numpy().ravel()
        moved = batch.clone()
        moved[0, 0] += shift
        values["alone"][i] = layer(moved, "training")[:, 0].numpy()
        if i % 2 == 0 or i == len(shifts) - 1:  # every second bias is a frame: the sweep takes some seconds to play
            yield (i + 1) / len(shifts), {name: value.copy() for name, value in values.items()}


class _Layer:
    """Batch norm as torch has it; "none" hands its input on."""

    def __init__(self, tensors: dict[str, Tensor], eps: float) -> None:
        self.tensors, self.eps = tensors, eps

    def __call__(self, x: Tensor, mode: str) -> Tensor:
        """Outputs for x, shape (samples, features)."""
        if mode == "none":
            return x
        mean, var = self.tensors["running_mean"], self.tensors["running_var"]
        gamma, beta = self.tensors["gamma"], self.tensors["beta"]
        return torch.batch_norm(x, gamma, beta, mean.clone(), var.clone(), mode == "training", 0.0, self.eps, False)


def _gap(layer: _Layer, batch: Tensor, upstream: Tensor) -> float:
    """The largest difference between the arithmetic of the page and torch."""
    x, gamma, beta = (tensor.clone().requires_grad_() for tensor in (batch, layer.tensors["gamma"], layer.tensors["beta"]))
    y = torch.batch_norm(x, gamma, beta, None, None, True, 0.0, layer.eps, False)
    gradients = torch.autograd.grad((upstream * y).sum(), (x, gamma, beta))
    done = arithmetic.forward(batch.numpy(), gamma.detach().numpy(), beta.detach().numpy(), layer.eps)
    back = arithmetic.backward(done, upstream.numpy())
    pairs = zip((done.y, back.dx, back.dgamma[0], back.dbeta[0]), (y.detach(), *gradients), strict=True)
    return max(float(np.abs(mine - theirs.numpy()).max()) for mine, theirs in pairs)
