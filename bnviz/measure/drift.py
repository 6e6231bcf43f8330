"""How far a layer's distribution has moved since it was last measured."""

import numpy as np
from numpy.typing import NDArray

from bnviz.measure.moment import Moment, Results
from bnviz.records.records import PERCENTILES, TENSORS
from bnviz.registry.measures import MeasureEntry


@MeasureEntry(
    name="drift",
    place=25,
    always=True,
    wants=("percentiles",),
    source="Ioffe & Szegedy 2015, Batch Normalization, arXiv:1502.03167",
    caveat="NaN at the first measurement, where there was no spread, and in trials whose distributions are not recorded. It "
    "depends on how far apart the measurements are",
    results={
        "pre_norm_drift": {
            "definition": "mean distance that the five percentiles of the pre-norm moved since the previous measurement, over "
            "half the distance between the 15th and the 85th percentile then",
            "unit": "spreads",
            "axes": ("trial", "layer"),
        },
        "pre_activation_drift": {"definition": "of the pre-activation, likewise", "unit": "spreads", "axes": ("trial", "layer")},
        "post_activation_drift": {
            "definition": "of the post-activation, likewise",
            "unit": "spreads",
            "axes": ("trial", "layer"),
        },
    },
)
def measure_drift(moment: Moment) -> Results:
    """`drift` of each layer and tensor since the arm's previous measured step."""
    now = moment.percentiles
    before = moment.last_time("drift", now) or {name: np.full_like(values, np.nan) for name, values in now.items()}
    moved = drift(np.stack([before[name] for name in TENSORS]), np.stack([now[name] for name in TENSORS]))
    drifts = np.full((len(TENSORS), moment.config.trials, moved.shape[2]), np.nan, np.float32)
    drifts[:, : moment.shown] = moved
    return {f"{name}_drift": values for name, values in zip(TENSORS, drifts, strict=True)}


def drift(before: NDArray[np.float32], now: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far a distribution has moved between two measurements, in units of its spread.

    The mean distance that the PERCENTILES moved over half the distance between the 15th and the 85th of them
    before (one standard deviation, were it Gaussian): (..., len(PERCENTILES)) twice -> (...).
    NaN where there was no spread, as in a layer of dead units.

    This is "internal covariate shift" in the sense of Ioffe & Szegedy 2015: a distribution that changes while the net
    trains. It depends on how far apart the measurements are.
    """
    spread = (before[..., PERCENTILES.index(85)] - before[..., PERCENTILES.index(15)]) / 2
    moved = np.abs(now - before).mean(-1)
    return np.divide(moved, spread, out=np.full_like(moved, np.nan), where=spread > 0)
