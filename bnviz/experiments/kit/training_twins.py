"""Twins that train in one stage: typical values over the run, pairs of them, charts over the steps, words.

What the experiments on covariate shift and on the loss landscape share.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bnviz.charts.builders import curve_chart, curve_point
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import ArmConfig, NormName
from bnviz.experiments.kit.base import Chart, Settings
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import LAST_SHARE, Spread, plain, spread_of

FloatArray = NDArray[np.float64]

STAGE = "training"


def arm_of(settings: Settings, norm: NormName, **fields: object) -> ArmConfig:
    """An arm with the fields of a network that the settings name."""
    shared = settings.model_dump(include=set(ArmConfig.model_fields))
    return ArmConfig.model_validate({**shared, **fields, "norm": norm})


def over_run(results: Results, measure: str, arm: int, first_layer: int = 0) -> FloatArray:
    """Median of a layer measure or extra over all measurements and the layers from `first_layer` on, (trials,); NaN: unknown."""
    values = results.curve(STAGE, measure, arm)[:, :, first_layer:]
    return np.array([np.median(known) if len(known := row[np.isfinite(row)]) else np.nan for row in values.swapaxes(0, 1)])


def newest(results: Results, measure: str, arm: int, first_layer: int = 0) -> FloatArray:
    """The newest measurement, (trials,); of what is measured by layer the median over the layers from `first_layer` on."""
    last = results.arm(STAGE, arm)
    assert last is not None
    values = np.asarray((last.curves | last.layers | last.extras)[measure], np.float64)
    return values if values.ndim == 1 else np.median(values[:, first_layer:], axis=1)


def mean_loss(results: Results, arm: int) -> FloatArray:
    """Train loss averaged over the measurements so far, (trials,): the lower, the faster it fell; infinite once diverged."""
    losses = results.curve(STAGE, "train_loss", arm).mean(axis=0)
    return np.where(np.isfinite(losses), losses, np.inf)


def final_loss(results: Results, arm: int, share: float = LAST_SHARE) -> FloatArray:
    """Train loss averaged over the last part of the measurements, (trials,); infinite once diverged."""
    losses = results.curve(STAGE, "train_loss", arm)
    recent = losses[-max(round(share * len(losses)), 1) :].mean(axis=0)
    return np.where(np.isfinite(recent), recent, np.inf)


def ratio(values: ArrayLike, reference: ArrayLike) -> Spread:
    """The ratio of twins, pair by pair; pairs of which one is unknown or diverged are left out."""
    above, below = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    known = np.isfinite(above) & np.isfinite(below) & (below != 0)
    return spread_of(above[known] / below[known])


def direction(found: Spread) -> int:
    """1: above 1 in every pair, -1: below 1 in every pair, 0: they do not agree, or nothing is known."""
    return int(found.count > 0 and found.low > 1) - int(found.count > 0 and found.high < 1)


def middle(values: ArrayLike) -> str:
    """The median of what is finite, three digits."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return plain(float(np.median(known))) if len(known) else "diverged"


def lower_in(values: FloatArray, reference: FloatArray) -> str:
    """'in 3 of 3 pairs': in how many pairs the first value is the lower one; a diverged one counts as the highest."""
    return f"in {int((values < reference).sum())} of {len(values)} pairs"


def faster(batch: FloatArray, none: FloatArray) -> str:
    """A sentence on who learned faster, by the loss averaged over the run, pair by pair."""
    below = int((batch < none).sum())
    who = "faster" if below == len(batch) else "more slowly" if not below else "neither clearly faster nor slower"
    return (
        f"Batch norm trained {who}: its loss, averaged over the run, is {middle(batch)} against {middle(none)}, "
        f"the lower one {lower_in(batch, none)}."
    )


def diverged(results: Results, labels: Sequence[str]) -> str:
    """A sentence on diverged trials; empty when there are none."""
    last = results.last(STAGE)
    counts = [int((np.asarray(arm.diverged_at) >= 0).sum()) for arm in last.arms] if last else []
    said = [f"{count} of {label}" for count, label in zip(counts, labels, strict=False) if count]
    return f" Diverged and left out: {', '.join(said)}." if said else ""


def by_step(
    id: str,
    title: str,
    how: str,
    y_title: str,
    styles: Sequence[ArmStyle],
    steps: int,
    values: str | Callable[[Results, int], FloatArray],
    *,
    first_layer: int = 0,
    y_log: bool = False,
    y_range: tuple[float, float] | None = None,
) -> Chart:
    """A curve over the steps: of a measure (see `newest`), or of a function of the results and the arm, (trials,)."""
    spec = curve_chart(id, title, how, y_title, styles, steps, y_log=y_log, y_range=y_range)

    def of_arm(results: Results, arm: int) -> FloatArray:
        return newest(results, values, arm, first_layer) if isinstance(values, str) else values(results, arm)

    return Chart(spec, lambda results: {"": [curve_point(of_arm(results, arm)) for arm in range(len(styles))]})
