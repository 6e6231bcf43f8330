"""Dropout in front of a norm: the variance that the norm learns in training is not the one it meets at test time."""

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, plain_styles
from bnviz.closed_forms.dropout import dropout_variance_shift
from bnviz.config.models import ArmConfig, DatasetConfig, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled, stacked
from bnviz.experiments.kit.quantities import Conditions, Quantity, Styles, Swept
from bnviz.experiments.kit.readings import finite, reading
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import LI_2018_DROPOUT
from bnviz.experiments.kit.spread import Spread, spread_of

PROBE, TRAIN, TRIALS = "units", "nets", 6
KEEPS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
WITHOUT, BEFORE, AFTER = "no dropout", "before the norm", "after the norm"  # names of the arms
PLACES = Conditions("place", {name: name for name in (WITHOUT, BEFORE, AFTER)}, "dropout")
RUNNING, RECOMPUTED = "inference_running_loss", "inference_recomputed_loss"
MEASURED: Styles = {"measured": plain_styles(("measured",))[0]}
MODES: Styles = dict(zip((RUNNING, RECOMPUTED), plain_styles(("running statistics", "recomputed without dropout")), strict=True))
EVEN = 0.02  # a ratio this near to 1 is no shift
RATIO = Quantity(
    "ratio",
    "Variance, test over training",
    "At 1 nothing shifts. Below: at test time the norm's input is narrower than what the norm has learned.",
    "variance at test / in training",
    range=(0.0, 1.1),
)
LOSS = Quantity(
    "inference_modes",
    "Loss of trained nets",
    "Lower is better. Running statistics come from training, with dropout; recomputed ones from the same data without it.",
    "test loss (nats)",
)


class ShiftSettings(Settings):
    """What is dropped, and the nets that are trained with it."""

    mean: Float = Field(default=0.0, ge=-5, le=5, title="Mean of the inputs", description="c, in units of their spread.")
    keep: Float = Field(
        default=0.7, ge=0.3, le=0.95, title="Keep probability", description="p, of the trained nets; the probe sweeps it."
    )
    samples: Int = Field(default=60_000, ge=1000, le=400_000, title="Samples", description="Drawn in each repetition.")
    steps: Int = knobs.steps(200, most=1000, least=20, of="Updates of the trained nets, with batches of 64.")
    seed: Int = Field(default=0, ge=0, le=9999, title="Seed", description="Fixes samples, masks, weights and batches.")

    @property
    def nearest_keep(self) -> float:
        """The swept probability next to that of the nets."""
        return min(KEEPS, key=lambda keep: abs(keep - self.keep))


def run_config(settings: ShiftSettings) -> RunConfig:
    """Three nets with batch norm: without dropout, with dropout before the norm and after it."""
    drop = round(1 - settings.keep, 6)
    arms = (
        ArmConfig(name=WITHOUT, norm="batch", depth=4),
        ArmConfig(name=BEFORE, norm="batch", depth=4, dropout=drop, dropout_placement="before_norm"),
        ArmConfig(name=AFTER, norm="batch", depth=4, dropout=drop, dropout_placement="after_norm"),
    )
    return RunConfig(
        dataset=DatasetConfig(train_size=1000, test_size=500),
        arms=arms,
        trials=TRIALS,
        steps=settings.steps,
        measure_every=max(settings.steps // 10, 1),
        seed=settings.seed,
    )


def stages(settings: ShiftSettings) -> tuple[Stage, ...]:
    """First single units, then nets."""
    options = {"keeps": KEEPS, "mean": settings.mean, "samples": settings.samples, "trials": TRIALS, "seed": settings.seed}
    return (
        Stage(PROBE, "dropping inputs of a unit", probe="dropout_shift", options=options, seconds=0.3),
        Stage(TRAIN, "nets with dropout", run_config(settings), ("test_loss", "inference_modes")),
    )


def closed_form(settings: ShiftSettings, keep: float) -> float:
    """The ratio v / ((v + c^2)/p - c^2) with v = 1."""
    return dropout_variance_shift(keep, 1.0, settings.mean)


def charts(settings: ShiftSettings) -> tuple[Chart, ...]:
    """The ratio of the variances over p, and the loss of nets tested with either statistics."""
    ratio = RATIO.by_value("ratio", MEASURED, Swept("keep", KEEPS, "keep probability p"), _ratios)
    fine = np.linspace(KEEPS[0], KEEPS[-1], 40).tolist()
    add_theory_line(ratio.spec, fine, [closed_form(settings, keep) for keep in fine], "theory (Li 2018)")
    add_level(ratio.spec, 1.0, "no shift")
    return ratio, LOSS.by_condition("loss", MODES, PLACES, _losses)


def _ratios(results: Results) -> Labelled:
    """The ratio of the variances, by keep probability and repetition, of one arm."""
    return stacked("arm", {"measured": results.probed(RATIO.measure, PROBE, keep=KEEPS, seed=tuple(range(TRIALS)))})


def _losses(results: Results) -> Labelled:
    """Test loss by arm (the statistics), place of dropout and seed."""
    found = stacked("mode", {mode: reading(results, TRAIN, mode) for mode in MODES})
    return Labelled(found.values, {"arm": tuple(MODES), "place": found.axes["arm"], "seed": found.axes["seed"]})


def verdict(settings: ShiftSettings, results: Results) -> Verdict | None:
    """The measured ratio at p beside the closed form, and what the shift costs a net."""
    if not results.finished(PROBE):
        return None
    keep, ratios = settings.nearest_keep, _ratios(results).at(arm="measured")
    ratio, expected = spread_of(ratios.at(keep=keep).values, "repetitions"), closed_form(settings, keep)
    deviations = ratios.over("seed", np.mean).values / [closed_form(settings, each) for each in KEEPS] - 1
    numbers: dict[str, float | Spread] = {"ratio": ratio, "theory": expected, "worst_deviation": float(np.abs(deviations).max())}
    headline = say(HEADLINE, {**numbers, "keep": keep})
    if not results.finished(TRAIN):
        return Verdict(answer_of(ratio), headline, numbers)
    losses = _losses(results).at(place=BEFORE)
    numbers["cost"] = cost = _cost(losses)
    return Verdict(answer_of(ratio), headline, numbers, _details(losses, cost) if cost.count else DIVERGED)


HEADLINE = "With p = {keep} the variance at test time is {ratio:median} times that in training ({ratio:range}; theory {theory})."
DIVERGED = "A net with dropout before the norm diverged, so that what the shift costs is not known."


def _details(losses: Labelled, cost: Spread) -> str:
    running, recomputed = (spread_of(losses.at(arm=mode).values, unit="nats") for mode in MODES)
    return say(
        "A net with dropout before the norm has a test loss of {running:median} with running statistics and of "
        "{recomputed:median} once they are recomputed without dropout: a difference of {cost}.",
        running=running,
        recomputed=recomputed,
        cost=cost,
    )


def answer_of(ratio: Spread) -> str | None:
    """Whether the variance at test time is smaller in every repetition, or larger, or neither; None where it is unknown."""
    if not ratio.count:
        return None
    return "smaller" if ratio.high < 1 - EVEN else "larger" if ratio.low > 1 + EVEN else "same"


def _cost(losses: Labelled) -> Spread:
    """How much lower the loss is with recomputed statistics; unknown once a net has diverged."""
    known = finite(losses)
    costs = (known.at(arm=RUNNING) - known.at(arm=RECOMPUTED)).values
    return spread_of(costs if np.isfinite(costs).all() else [], "seeds", "nats")


PART = Part(
    id="variance_shift",
    title="Dropout before the norm",
    question="Dropout scales up what it keeps, so that means stay the same: is the variance at test time that of training, too?",
    choices=(
        Choice("same", "Yes: it stays the same"),
        Choice("smaller", "No: it is smaller at test time"),
        Choice("larger", "No: it is larger at test time"),
    ),
    settings=ShiftSettings,
    presets=(
        Preset(
            "centred",
            "Inputs of mean 0",
            "Inputs of a unit are dropped at random. Watch where the ratio of the variances lies for every p.",
            ShiftSettings(),
        ),
        Preset(
            "relu",
            "A mean away from 0",
            "Inputs with a mean, as behind a ReLU. Watch how far the ratio falls below the earlier line.",
            ShiftSettings(mean=1.0),
        ),
        Preset(
            "mild",
            "Hardly any dropout",
            "Only one input in twenty is dropped. Watch the two losses.",
            ShiftSettings(keep=0.95),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LI_2018_DROPOUT,),
    caveat=("variance_shift", "mild"),
)
