"""How likely a ReLU net is constant from birth, in float64 and without torch.

References:
    Lu et al. 2019, Dying ReLU and Initialization, arXiv:1903.06733.
"""

import math


def born_dead_probability(width: int, depth: int) -> float:
    """Probability that a ReLU net is constant from birth: 1 - (1 - 2^-width)^depth.

    For one input (or inputs on one ray), symmetric weights and zero bias: a layer passes nothing when all its
    `width` units see a negative sum, which happens with 2^-width, independently in each of `depth` layers.

    References:
        Lu et al. 2019, theorem 3.3.
    """
    if width < 1 or depth < 1:
        raise ValueError(f"width, depth: received {width}, {depth}, allowed: 1 or more")
    return -math.expm1(depth * math.log1p(-(2.0**-width)))
