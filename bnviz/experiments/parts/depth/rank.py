"""Whether different samples still look different after many layers."""

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, layer_chart, norm_style, sweep_series
from bnviz.closed_forms import gradient_growth as growth
from bnviz.closed_forms.plain_nets import relu_correlation_map
from bnviz.config.models import Float, Int, NormName
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import fixed, plain
from bnviz.experiments.parts.depth.common import DANESHMAND, YANG, FloatArray, interior, spread_words

NORMS: tuple[NormName, ...] = ("none", "batch")
ALIGNED = 0.9  # cosine of 26 degrees: samples closer than that on average count as aligned


class RankSettings(Settings):
    """A batch on its way through fresh networks."""

    depth: Int = Field(default=30, ge=5, le=60, title="Hidden layers", description="Depth of the networks.")
    width: Int = Field(default=256, ge=32, le=512, title="Width", description="Units of every layer, and input features.")
    batch_size: Int = Field(default=32, ge=4, le=128, title="Batch size", description="Samples of the batch.")
    activation: Literal["relu", "tanh", "linear"] = Field(default="relu", title="Activation", description="Of the hidden layers.")
    similarity: Float = Field(
        default=0.0, ge=0, le=0.99, title="Similarity", description="Cosine of two inputs: what all samples have in common."
    )
    seeds: Int = Field(default=5, ge=1, le=12, title="Seeds", description="Networks of each arm.")


def stages(settings: RankSettings) -> tuple[Stage, ...]:
    """A probe without and one with batch norm."""
    one = settings.depth * (4e-4 + 1e-10 * settings.batch_size * settings.width**2 + 3e-7 * settings.batch_size**2)
    shared = {
        "batch_size": settings.batch_size,
        "trials": settings.seeds,
        "similarity": settings.similarity,
        "features": settings.width,
    }
    return tuple(
        Stage(
            norm,
            norm_style(norm).label,
            probe="representation_rank",
            options={"arm": {"norm": norm, **settings.model_dump(include={"depth", "width", "activation"})}, **shared},
            seconds=one * settings.seeds,
        )
        for norm in NORMS
    )


def charts(settings: RankSettings) -> tuple[Chart, ...]:
    """Cosine and effective rank of the representations by layer."""
    return _cosines(settings), _ranks(settings)


def _cosines(settings: RankSettings) -> Chart:
    spec = layer_chart(
        "cosine",
        "Alignment by layer",
        "Mean cosine of two samples' outputs. At 1 all samples point the same way: the layers above cannot tell them apart.",
        "cosine of two samples",
        [norm_style(norm) for norm in NORMS],
        settings.depth,
        y_range=(-0.1, 1.05) if settings.activation == "relu" else None,
    )
    add_level(spec, growth.batch_cosine(settings.activation, settings.batch_size), "theory, batch norm")
    if settings.activation == "relu":
        add_theory_line(spec, np.arange(1, settings.depth + 1), plain_cosines(settings), "theory, no norm")
    return Chart(spec, _drawer("mean_cosine", settings))


def _ranks(settings: RankSettings) -> Chart:
    spec = layer_chart(
        "rank",
        "Effective rank by layer",
        f"How many directions the {settings.batch_size} samples take up: from 1 (all alike) to {settings.batch_size}.",
        "effective rank",
        [norm_style(norm) for norm in NORMS],
        settings.depth,
        y_range=(0.0, 1.05 * settings.batch_size),
    )
    add_level(spec, effective_rank(settings), "theory, wide batch-norm net")
    return Chart(spec, _drawer("effective_rank", settings))


def _drawer(name: str, settings: RankSettings) -> Any:
    def draw(results: Results) -> dict[str, list[Any]]:
        return {"": [sweep_series(_values(results, norm, name, settings).T) for norm in NORMS]}

    return draw


def _values(results: Results, norm: str, name: str, settings: RankSettings) -> FloatArray:
    values = results.value(norm, name)
    return np.full((1, settings.depth), np.nan) if values is None else values


def plain_cosines(settings: RankSettings) -> FloatArray:
    """Cosine of two samples after each layer of a wide ReLU net without a norm: the map J again and again."""
    cosines, cosine = [], settings.similarity
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
    plateau = _values(results, "batch", "mean_cosine", settings)[:, interior(settings.depth)].mean(axis=1)
    last = _values(results, "none", "mean_cosine", settings)[:, -1]
    ranks = {norm: _values(results, norm, "effective_rank", settings)[:, -1] for norm in NORMS}
    if not all(np.isfinite(values).any() for values in (plateau, last)):
        return Verdict(None, "The signal died on its way: no layer's output is left to compare.")
    last, plateau = last[np.isfinite(last)], plateau[np.isfinite(plateau)]
    theory = growth.batch_cosine(settings.activation, settings.batch_size)
    sentence = (
        f"After {settings.depth} layers without a norm two samples have a cosine of {spread_words(last)}; with batch norm it "
        f"is {spread_words(plateau, 4)} in the inner layers (theory: {fixed(theory, 4)}). Of {settings.batch_size} samples' "
        f"directions {plain(np.nanmedian(ranks['none']))} are left without and "
        f"{plain(np.nanmedian(ranks['batch']))} with batch norm."
    )
    numbers = {
        "plateau": float(np.median(plateau)),
        "theory": theory,
        "plain": float(np.median(last)),
        "plain_low": float(last.min()),
        "rank_none": float(np.nanmedian(ranks["none"])),
        "rank_batch": float(np.nanmedian(ranks["batch"])),
    }
    return Verdict(_answer(last, plateau), sentence, numbers)


def _answer(plain: FloatArray, batch: FloatArray) -> str | None:
    if (plain > ALIGNED).all() and (batch <= ALIGNED).all():
        return "plain_only"
    if (plain > ALIGNED).all() and (batch > ALIGNED).all():
        return "both"
    return "neither" if (plain <= ALIGNED).all() and (batch <= ALIGNED).all() else None


def judge_rank(verdict: Verdict) -> Finding:
    """Supported when the plain net aligns its samples in every trial while the batch-norm net keeps them at its plateau."""
    numbers = verdict.numbers
    none, batch, theory = (plain(numbers[name]) for name in ("plain", "plateau", "theory"))
    measured = f"cosine {none} without, {batch} with batch norm (theory {theory})"
    return Finding("supported" if verdict.answer == "plain_only" else "not supported in this setting", measured)


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
