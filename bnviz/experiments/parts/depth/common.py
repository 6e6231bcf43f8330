"""What the parts about depth share: how a growth is fitted, words for spreads, references."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnviz.experiments.kit.base import Reference
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.registry.activations import ACTIVATIONS

FloatArray = NDArray[np.float64]
ACTIVATION_NAMES = {name: entry.label for name, entry in ACTIVATIONS.items()}
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
EDGE = 5  # layers left out at either end of a fit: the first are not at the fixed point, the last see the read-out

YANG = Reference("Yang et al. 2019, A Mean Field Theory of Batch Normalization", "https://arxiv.org/abs/1902.08129")
DE_SMITH = Reference(
    "De & Smith 2020, Batch Normalization Biases Residual Blocks Towards the Identity Function",
    "https://arxiv.org/abs/2002.10444",
)
BALDUZZI = Reference("Balduzzi et al. 2017, The Shattered Gradients Problem", "https://arxiv.org/abs/1702.08591")
DANESHMAND = Reference(
    "Daneshmand et al. 2020, Batch Normalization Provably Avoids Rank Collapse", "https://arxiv.org/abs/2003.01652"
)
HE = Reference("He et al. 2015, Delving Deep into Rectifiers", "https://arxiv.org/abs/1502.01852")
IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization", "https://arxiv.org/abs/1502.03167")


def interior(layers: int) -> slice:
    """The layers (from 0) that a fit over depth uses; fewer are left out of a shallow net."""
    edge = min(EDGE, layers // 5)
    return slice(edge, layers - edge)


def growth_per_layer(squares: ArrayLike) -> FloatArray:
    """Factor per layer, downwards, of squared norms of shape (trials, layers): a line through their logarithms.

    Least squares on the interior layers: the two ends differ from the rest. Trials that are not measured are left out.

    Raises:
        ValueError: fewer than two interior layers.
    """
    rows = np.asarray(squares, np.float64)
    inside = interior(rows.shape[1])
    layers = np.arange(rows.shape[1])[inside]
    if len(layers) < 2:
        raise ValueError(f"layers: received {rows.shape[1]}, allowed: 2 or more")
    known = rows[np.isfinite(rows).all(axis=1) & (rows > 0).all(axis=1)][:, inside]
    centred = layers - layers.mean()
    return np.exp(-(np.log(known) @ centred) / (centred @ centred)) if len(known) else np.empty(0)


def spread_words(values: ArrayLike, digits: int = 3) -> str:
    """'1.48 (1.47 to 1.49)': median with lowest and highest of what is known."""
    known = spread_of(values)
    middle, low, high = (plain(value, digits) for value in (known.median, known.low, known.high))
    return middle if low == high else f"{middle} ({low} to {high})"


def times(factor: float) -> str:
    """A factor for a sentence: 1.2, 23, 4,500, 7 × 10⁹; "infinite" beyond numbers, "unknown" for NaN."""
    if not factor >= 1e6 or math.isinf(factor):
        return f"{factor:,.0f}" if 100 <= factor < math.inf else plain(factor, 2)
    power = int(np.floor(np.log10(factor)))
    return f"{factor / 10.0**power:.0f} × 10{str(power).translate(SUPERSCRIPTS)}"


def listed(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else list(words))
