"""What the units of a layer put out: mean, spread, dead and saturated units.

Every function takes a tensor whose last axes are (trials, batch, units), with any axes before them
(the step measurement passes all layers at once, (layers, trials, batch, units)), and reduces the last two
axes it names.

References:
    Lu et al. 2019, Dying ReLU and Initialization, arXiv:1903.06733 (dead units).
    Glorot & Bengio 2010 (saturation).
"""

import torch
from torch import Tensor


def mean_and_std(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and (biased) standard deviation over samples and units together, each (..., trials).

    Two passes: E[x^2] - E[x]^2 in float32 can go negative.
    """
    flat = values.flatten(-2)
    mean = flat.mean(-1, keepdim=True)
    spread = torch.linalg.vector_norm(flat - mean, dim=-1) / flat.shape[-1] ** 0.5
    return mean.squeeze(-1), spread


def dead_relu_count(post_activation: Tensor) -> Tensor:
    """Count the ReLU units that output exactly 0 for every sample of the batch.

    Not sparsity: for N(0, 1) pre-activations half the entries are 0 and no unit is dead.
    A count on one batch bounds the number dead on all inputs from above.

    Args:
        post_activation: ReLU output, shape (..., trials, batch, units).

    Returns:
        Dead units per trial, int64, shape (..., trials), between 0 and units.

    Raises:
        ValueError: fewer than three axes, an empty batch, a negative or a NaN entry.
    """
    if post_activation.ndim < 3 or not post_activation.shape[-2]:
        raise ValueError(f"post_activation: got shape {tuple(post_activation.shape)}, wanted (..., trials, batch >= 1, units)")
    if post_activation.numel() and not bool(post_activation.min() >= 0):
        raise ValueError("post_activation: got a negative or NaN entry, which no ReLU of a sane net puts out")
    return (post_activation.amax(-2) == 0).sum(-1)


def zero_fraction(post_activation: Tensor) -> Tensor:
    """Share of the entries that are exactly 0 (sparsity), shape (..., trials), of (..., trials, batch, units)."""
    nonzero = post_activation.sign().abs_()  # five times as fast as count_nonzero along an axis
    return 1 - nonzero.flatten(-2).mean(-1)


def saturated_fraction(post_activation: Tensor, linear_range: tuple[float, float]) -> Tensor:
    """Share of the entries outside `linear_range`, shape (..., trials), of (..., trials, batch, units).

    sigmoid: outside 0.05 to 0.95; tanh: |t| > 0.95 (`bnviz.registry.activations` holds the ranges).
    """
    low, high = linear_range
    outside = (post_activation < low) | (post_activation > high)
    return outside.flatten(-2).to(post_activation.dtype).mean(-1)
