"""What the three parts share: the pair of styles, references, and percent over trials."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnviz.charts.builders import norm_style
from bnviz.config.models import NormName
from bnviz.experiments.kit.base import Reference
from bnviz.experiments.kit.sweeps import plain, spread_of

FloatArray = NDArray[np.float64]

NORMS: tuple[NormName, ...] = ("none", "batch")
STYLES = tuple(norm_style(norm) for norm in NORMS)
PERCENT = (-2.0, 102.0)  # y range of shares

LU = Reference("Lu et al. 2019, Dying ReLU and Initialization", "https://arxiv.org/abs/1903.06733")
DOUGLAS = Reference("Douglas & Yu 2018, Why ReLU Units Sometimes Die", "https://arxiv.org/abs/1812.05981")
IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization", "https://arxiv.org/abs/1502.03167")
GLOROT = Reference(
    "Glorot & Bengio 2010, Understanding the Difficulty of Training Deep Networks",
    "https://proceedings.mlr.press/v9/glorot10a.html",
)
BJORCK = Reference("Bjorck et al. 2018, Understanding Batch Normalization", "https://arxiv.org/abs/1806.02375")


def percent_words(values: ArrayLike) -> str:
    """'69 % (46 to 92)': median, lowest and highest of the finite values; 'unknown' for none."""
    known = np.asarray(values, np.float64)
    spread = spread_of(known[np.isfinite(known)])
    if not spread.count:
        return "unknown"
    low, high = plain(spread.low), plain(spread.high)
    extremes = f" ({low} to {high})" if low != high else ""
    return f"{plain(spread.median)} %{extremes}"
