"""Twins that train in one stage, a plain net and one with batch norm, and what a verdict says of any pair of them."""

import numpy as np

from bnviz.config.models import ArmConfig, NormName
from bnviz.experiments.kit.base import Settings
from bnviz.experiments.kit.labelled import FloatArray, Labelled
from bnviz.experiments.kit.numbers import number
from bnviz.experiments.kit.quantities import Quantity, Styles, norm_styles
from bnviz.experiments.kit.results import Results

NONE, BATCH = "none", "batch"  # names of the arms
STYLES = norm_styles("none", "batch")
LOSS = Quantity(
    "train_loss",
    "Training loss",
    "Cross-entropy of the step's own mini-batch; the lower, the better.",
    "training loss (nats)",
    log=True,
)
NOTHING_TO_COMPARE = "No pair of twins trained to the end, so there is nothing to compare."


def arm_of(settings: Settings, norm: NormName, **fields: object) -> ArmConfig:
    """An arm with the fields of a network that the settings name."""
    shared = settings.model_dump(include=set(ArmConfig.model_fields))
    return ArmConfig.model_validate({**shared, **fields, "norm": norm})


def mean_loss(results: Results, stage: str = "") -> Labelled:
    """Train loss averaged over the measurements so far, by arm and seed: low when it fell fast; infinite once diverged."""
    losses = results.over_steps("train_loss", stage).over("step", np.mean)
    return losses.map(lambda values: np.where(np.isfinite(values), values, np.inf))


def known_pairs(found: Labelled) -> tuple[FloatArray, FloatArray]:
    """Of an array by arm and seed the plain nets' values and those with batch norm, each (pairs,), where both are finite."""
    none, batch = found.at(arm=NONE).values, found.at(arm=BATCH).values
    known = np.isfinite(none) & np.isfinite(batch)
    return none[known], batch[known]


def faster_pairs(results: Results) -> int:
    """Pairs in which the averaged loss is the lower one with batch norm; a net that diverged counts as the highest."""
    losses = mean_loss(results)
    return int((losses.at(arm=BATCH).values < losses.at(arm=NONE).values).sum())


def faster(results: Results) -> str:
    """A sentence on who learned faster, by the loss averaged over the run, pair by pair."""
    losses = mean_loss(results)
    batch, none = losses.at(arm=BATCH).values, losses.at(arm=NONE).values
    below, pairs = faster_pairs(results), len(batch)
    who = {pairs: "trained faster", 0: "trained more slowly"}.get(below, "was not clearly faster or slower")
    return (
        f"Batch norm {who}: its loss, averaged over the run, is {middle(batch)} against {middle(none)}, "
        f"lower in {below} of {pairs} pairs."
    )


def middle(values: FloatArray) -> str:
    """The median of what is finite among values of any shape, three digits."""
    known = values[np.isfinite(values)]
    return number(float(np.median(known))) if len(known) else "diverged"


def diverged(results: Results, stage: str = "", styles: Styles = STYLES) -> str:
    """A sentence on diverged trials of the arms that have these styles; empty when there are none."""
    lost = results.diverged(stage).over("seed", np.sum)
    said = [f"{int(lost.at(arm=arm).values)} of {style.label}" for arm, style in styles.items() if lost.at(arm=arm).values]
    return f"Diverged and left out: {', '.join(said)}." if said else ""
