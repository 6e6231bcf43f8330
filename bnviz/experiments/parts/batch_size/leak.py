"""The leak: with batch norm in training mode, the output for one sample depends on the others in its batch."""

from typing import Annotated

import numpy as np
from pydantic import Field, field_validator

from bnviz.config.models import Int, NormName
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Conditions, Quantity, Swept, norm_styles
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import IOFFE_2015, WU_JOHNSON
from bnviz.experiments.kit.spread import Spread, spread_of

KEY = "leak"
NORMS: tuple[NormName, ...] = ("none", "batch", "layer", "group")
STYLES = norm_styles(*NORMS)
BATCH = "batch"
TRAINING, TESTING = "training", "test"
MODES = {TRAINING: "training mode", TESTING: "test mode"}
ROUNDING = 1e-2  # % of the spread over samples: below, it is float32 and no leak
LEAK = Quantity(
    "leak",
    "Moved by companions",
    "0: the output depends on nothing but the sample. 100: its companions move it as much as another sample would.",
    "movement of the logits (%)",
)
FLIPS = Quantity(
    "flips",
    "Another class",
    "Share of the batches in which a sample is put into another class than it is most often.",
    "batches with another class (%)",
)
IN_BOTH = Quantity("leak", "Training and test", "Movement of the logits in batches of {size}, in either mode.", LEAK.axis)


class LeakSettings(Settings):
    """Which nets are looked at, and in which batches."""

    batch_sizes: tuple[Annotated[Int, Field(ge=2, le=256)], ...] = Field(
        default=(2, 4, 8, 16, 32, 64), title="Batch sizes", description="From 2 to 256.", min_length=2, max_length=8
    )
    steps: Int = knobs.steps(100, most=1000, least=0, of="Updates before the nets are looked at.")
    depth: Int = knobs.depth(3, most=8, of="Of 32 ReLU units each.")
    seeds: Int = knobs.seeds(4, most=8, of="Networks of each kind.")
    seed: Int = knobs.first_seed(of="Fixes data, weights and companions.")

    @field_validator("batch_sizes")
    @classmethod
    def _in_order(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return knobs.ascending(value)


def stages(settings: LeakSettings) -> tuple[Stage, ...]:
    """One probe."""
    options = {
        "norms": list(NORMS),
        "batch_sizes": settings.batch_sizes,
        "steps": settings.steps,
        "depth": settings.depth,
        "trials": settings.seeds,
        "seed": settings.seed,
    }
    seconds = 0.0015 * settings.steps * settings.depth + 0.4 * len(settings.batch_sizes)
    return (Stage(KEY, "one sample in many batches", probe="sample_leak", options=options, seconds=seconds),)


def charts(settings: LeakSettings) -> tuple[Chart, ...]:
    """How far the logits of a sample move, how often its class changes, and training against test mode."""
    sizes = Swept("batch_size", settings.batch_sizes, "batch size in training mode", log=True)
    first = settings.batch_sizes[0]
    return (
        LEAK.by_value("leak", STYLES, sizes, lambda results: percent(settings, results, LEAK).at(mode=TRAINING)),
        FLIPS.by_value("flips", STYLES, sizes, lambda results: percent(settings, results, FLIPS).at(mode=TRAINING)),
        IN_BOTH.worded(size=first).by_condition(
            "modes",
            STYLES,
            Conditions("mode", MODES),
            lambda results: percent(settings, results, IN_BOTH).at(batch_size=first),
        ),
    )


def percent(settings: LeakSettings, results: Results, quantity: Quantity) -> Labelled:
    """What the probe has measured so far, in percent, by arm, mode, batch size and seed."""
    sizes, seeds = settings.batch_sizes, tuple(range(settings.seeds))
    return 100 * results.probed(quantity.measure, KEY, arm=NORMS, mode=tuple(MODES), batch_size=sizes, seed=seeds)


def verdict(settings: LeakSettings, results: Results) -> Verdict | None:
    """Whose outputs move, and in which mode."""
    if results.last(KEY) is None:
        return None
    leak, sizes = percent(settings, results, LEAK), settings.batch_sizes
    if not np.isfinite(leak.values).all():
        return Verdict(None, "A net diverged in training: lower the number of steps.")
    flips = percent(settings, results, FLIPS).at(arm=BATCH, mode=TRAINING, batch_size=sizes[0])
    numbers: dict[str, float | Spread] = {
        "leak_small": _spread(leak, sizes[0]),
        "leak_large": _spread(leak, sizes[-1]),
        "flips_small": spread_of(flips.values, "nets", "%"),
        "leak_test_mode": largest(leak.at(arm=BATCH, mode=TESTING)),
        "leak_others": max(largest(leak.at(arm=norm)) for norm in NORMS if norm != BATCH),
    }
    words = {**numbers, "small": sizes[0], "large": sizes[-1]}
    return Verdict(answer_of(leak), say(HEADLINE, words), numbers, say(DETAILS, words))


HEADLINE = (
    "With batch norm in training mode, companions move a sample's logits by {leak_small:median} of their spread over samples "
    "({leak_small:range}) in batches of {small} and by {leak_large} in batches of {large}."
)
DETAILS = (
    "In test mode they move by {leak_test_mode} %, and those of the other nets by at most {leak_others} %, in either mode. "
    "In {flips_small:median} of the batches of {small}, a sample is put into another class than in most ({flips_small:range})."
)


def _spread(leak: Labelled, size: int) -> Spread:
    """Of batch norm's nets in training mode."""
    return spread_of(leak.at(arm=BATCH, mode=TRAINING, batch_size=size).values, "nets", "%")


def largest(leak: Labelled) -> float:
    """The largest movement of all."""
    return float(leak.values.max())


def answer_of(leak: Labelled) -> str | None:
    """In which modes batch norm's outputs move by more than rounding; None if another net's do as well."""
    if max(largest(leak.at(arm=norm)) for norm in leak.axes["arm"] if norm != BATCH) > ROUNDING:
        return None
    in_training = bool((leak.at(arm=BATCH, mode=TRAINING).values > ROUNDING).all())
    in_testing = largest(leak.at(arm=BATCH, mode=TESTING)) > ROUNDING
    return "always" if in_training and in_testing else "training" if in_training else "never" if not in_testing else None


PART = Part(
    id="leak",
    title="The leak between samples",
    question="The same sample is put into different batches: does a batch-norm net's output for it change?",
    choices=(
        Choice("never", "No"),
        Choice("training", "Yes, in training mode only"),
        Choice("always", "Yes, in training and at test time"),
    ),
    settings=LeakSettings,
    presets=(
        Preset(
            "trained",
            "Trained nets",
            "Four kinds of nets after 100 steps; test samples meet new companions again and again. Watch whose logits move.",
            LeakSettings(),
        ),
        Preset(
            "large",
            "Large batches",
            "Batches of 64 to 256. Watch how much the companions still matter.",
            LeakSettings(batch_sizes=(64, 128, 256)),
        ),
        Preset(
            "fresh", "Untrained nets", "The same before the first update. Compare how far the logits move.", LeakSettings(steps=0)
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2015, WU_JOHNSON),
    caveat=("leak", "large"),
)
