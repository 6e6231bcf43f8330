"""Where weights that feed a norm settle under weight decay, in float64 and without torch.

References:
    van Laarhoven 2017, arXiv:1706.05350; Wan et al. 2020, arXiv:2006.08419 (scale-invariant weights with decay).
"""

import math


def equilibrium_norm(lr: float, weight_decay: float, unit_gradient_square: float) -> float:
    """Norm at which weights that feed a norm settle under SGD: ((lr / (2 lambda)) E|g_unit|^2)^(1/4).

    Args:
        lr: learning rate.
        weight_decay: lambda, above 0.
        unit_gradient_square: E|g|^2 of the gradient at weights of norm 1.

    References:
        van Laarhoven 2017; Wan et al. 2020.
    """
    return (lr / (2 * weight_decay) * unit_gradient_square) ** 0.25


def equilibrium_angle(lr: float, weight_decay: float) -> float:
    """Angle in radians by which such weights turn in a step once settled: sqrt(2 lr lambda) (Wan et al. 2020)."""
    return math.sqrt(2 * lr * weight_decay)
