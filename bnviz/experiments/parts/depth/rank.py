"""Whether different samples still look different after many layers."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line
from bnviz.closed_forms import gradient_growth as growth
from bnviz.closed_forms.plain_nets import relu_correlation_map
from bnviz.config.models import Float, Int
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import FloatArray, Labelled
from bnviz.experiments.kit.quantities import Quantity
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import DANESHMAND, YANG
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.twins import BATCH, NONE, STYLES
from bnviz.experiments.parts.depth.common import interior, probed_by_arm

ALIGNED = 0.9  # cosine of 26 degrees: samples closer than that on average count as aligned
COSINE = Quantity(
    "mean_cosine",
    "Alignment by layer",
    "Mean cosine of two samples' outputs. At 1 all samples point the same way: the layers above cannot tell them apart.",
    "cosine of two samples",
)
RANK = Quantity(
    "effective_rank",
    "Effective rank by layer",
    "How many directions the {batch} samples take up: from 1 (all alike) to {batch}.",
    "effective rank",
)


class RankSettings(Settings):
    """A batch on its way through fresh networks."""

    depth: Int = knobs.depth(30, most=60, least=5, of="Depth of the networks.")
    width: Int = knobs.width(256, most=512, least=32, of="Units of every layer, and input features.")
    batch_size: Int = knobs.batch_size(32, most=128, of="Samples of the batch.")
    activation: Literal["relu", "tanh", "linear"] = knobs.activation()
    similarity: Float = Field(
        default=0.0, ge=0, le=0.99, title="Similarity", description="Cosine of two inputs: what all samples have in common."
    )
    seeds: Int = knobs.seeds(5, most=12, of="Networks of each kind.")


def stages(settings: RankSettings) -> tuple[Stage, ...]:
    """A probe without and one with batch norm."""
    one = settings.depth * (4e-4 + 1e-10 * settings.batch_size * settings.width**2 + 3e-7 * settings.batch_size**2)
    net = settings.model_dump(include={"depth", "width", "activation"})
    shared = {
        "batch_size": settings.batch_size,
        "trials": settings.seeds,
        "similarity": settings.similarity,
        "features": settings.width,
    }
    return tuple(
        Stage(
            norm,
            style.label,
            probe="representation_rank",
            options={"arm": {"norm": norm, **net}, **shared},
            seconds=one * settings.seeds,
        )
        for norm, style in STYLES.items()
    )


def _probed(settings: RankSettings, results: Results, quantity: Quantity) -> Labelled:
    """A quantity by arm, seed and layer."""
    axes = {"seed": tuple(range(settings.seeds)), "layer": tuple(range(1, settings.depth + 1))}
    return probed_by_arm(results, quantity.measure, {NONE: NONE, BATCH: BATCH}, **axes)


def charts(settings: RankSettings) -> tuple[Chart, ...]:
    """Cosine and effective rank of the representations by layer."""
    return _cosines(settings), _ranks(settings)


def _cosines(settings: RankSettings) -> Chart:
    quantity = replace(COSINE, range=(-0.1, 1.05) if settings.activation == "relu" else None)
    chart = quantity.by_layer("cosine", STYLES, settings.depth, lambda results: _probed(settings, results, COSINE))
    add_level(chart.spec, growth.batch_cosine(settings.activation, settings.batch_size), "theory, batch norm")
    if settings.activation == "relu":
        add_theory_line(chart.spec, np.arange(1, settings.depth + 1), plain_cosines(settings), "theory, no norm")
    return chart


def _ranks(settings: RankSettings) -> Chart:
    quantity = replace(RANK.worded(batch=settings.batch_size), range=(0.0, 1.05 * settings.batch_size))
    chart = quantity.by_layer("rank", STYLES, settings.depth, lambda results: _probed(settings, results, RANK))
    add_level(chart.spec, effective_rank(settings), "theory, wide batch-norm net")
    return chart


def plain_cosines(settings: RankSettings) -> FloatArray:
    """Cosine of two samples after each layer of a wide ReLU net without a norm, (layers,): the map J again and again."""
    cosines: list[float] = []
    cosine = settings.similarity
    for _ in range(settings.depth):
        cosine = relu_correlation_map(min(cosine, 1.0))
        cosines.append(cosine)
    return np.array(cosines)


def effective_rank(settings: RankSettings) -> float:
    """Of samples that all have the same length and the same cosine c, in wide layers.

    The Gram matrix then has the eigenvalue 1 + (B - 1) c once and 1 - c for all others; the singular values are their roots.
    """
    batch, cosine = settings.batch_size, growth.batch_cosine(settings.activation, settings.batch_size)
    values = np.sqrt(np.maximum([1 + (batch - 1) * cosine, *[1 - cosine] * (batch - 1)], 0))
    shares = values[values > 0] / values.sum()
    return math.exp(-float(shares @ np.log(shares)))


def verdict(settings: RankSettings, results: Results) -> Verdict | None:
    """The plateau of the batch-norm net against the closed form, and where the plain net has come to."""
    if not results.finished():
        return None
    cosines, ranks = _probed(settings, results, COSINE), _probed(settings, results, RANK).at(layer=settings.depth)
    plateau = cosines.at(arm=BATCH).rows("seed", "layer")[:, interior(settings.depth)].mean(axis=1)
    last = cosines.at(arm=NONE, layer=settings.depth).values
    if not all(np.isfinite(values).any() for values in (plateau, last)):
        return Verdict(None, "The signal died on its way: no layer's output is left to compare.")
    last, plateau = last[np.isfinite(last)], plateau[np.isfinite(plateau)]
    numbers: dict[str, Spread | float] = {
        "plateau": spread_of(plateau, digits=4),
        "theory": growth.batch_cosine(settings.activation, settings.batch_size),
        "plain": spread_of(last),
        "rank_none": spread_of(ranks.at(arm=NONE).values),
        "rank_batch": spread_of(ranks.at(arm=BATCH).values),
    }
    template = "After {depth} layers without a norm two samples have a cosine of {plain:median} ({plain:range})."
    headline = say(template, numbers | {"depth": settings.depth})
    return Verdict(_answer(last, plateau), headline, numbers, _details(settings, numbers))


def _details(settings: RankSettings, numbers: Mapping[str, Spread | float]) -> str:
    return say(
        "With batch norm it is {plateau:median} in the inner layers ({plateau:range}; theory: {theory:.4f}). "
        "Of {samples} samples' directions {rank_none} are left without and {rank_batch} with batch norm.",
        dict(numbers) | {"samples": settings.batch_size},
    )


def _answer(plain: FloatArray, batch: FloatArray) -> str | None:
    if (plain > ALIGNED).all() and (batch <= ALIGNED).all():
        return "plain_only"
    if (plain > ALIGNED).all() and (batch > ALIGNED).all():
        return "both"
    return "neither" if (plain <= ALIGNED).all() and (batch <= ALIGNED).all() else None


judge_rank = rule(
    "cosine {plain} without, {plateau} with batch norm (theory {theory})",
    supported=answered("plain_only"),
)


PART = Part(
    id="rank",
    title="Samples that stay apart",
    question="After many layers of random weights: can different samples still be told apart?",
    choices=(
        Choice("plain_only", "With batch norm yes; without a norm they all look alike"),
        Choice("both", "No, they look alike in both nets"),
        Choice("neither", "Yes, in both nets"),
    ),
    settings=RankSettings,
    presets=(
        Preset(
            "default",
            "30 ReLU layers",
            "Thirty-two unrelated inputs. Watch where the cosine of two samples goes as the layers add up.",
            RankSettings(),
        ),
        Preset(
            "similar",
            "Similar inputs",
            "Inputs that share most of what they are, cosine 0.95. Watch the very first layer.",
            RankSettings(similarity=0.95),
        ),
        Preset(
            "shallow",
            "5 layers",
            "Only five layers. Watch how far the plain net has come.",
            RankSettings(depth=5),
        ),
        Preset(
            "tiny",
            "A batch of four",
            "Four samples only. Compare the level of the batch-norm net with the first preset.",
            RankSettings(batch_size=4, seeds=12),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(DANESHMAND, YANG),
    caveat=("rank", "similar"),
    claims=(
        Claim("keeps_samples_apart", "Batch norm keeps the samples of a deep net apart.", DANESHMAND, "default", judge_rank),
    ),
)
