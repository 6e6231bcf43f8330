"""Batches of a single class: what batch norm learns from them does not hold for a mixed test set."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import category_chart, norm_style, sweep_series
from bnviz.config.models import ArmConfig, BatchMode, Float, Int, NormName, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.errors import error_of, error_rows, reading, words
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain, spread_of
from bnviz.experiments.parts.batch_size.sources import IOFFE_2017, WU_JOHNSON

NORMS: tuple[NormName, ...] = ("none", "batch", "layer", "group", "rms")
MODES: dict[BatchMode, str] = {"iid": "mixed batches", "single_class": "one class a batch"}
LEARNED = 50.0  # % of test error: a net above it, with mixed batches, has learned too little to be broken
BREAKS, HOLDS = 3.0, 1.5  # times the error with mixed batches, in every trial: broken; in no trial: held
KEEP = ("train_loss", "test_accuracy", "inference_modes")


class NonIidSettings(Settings):
    """How the networks are trained."""

    batch_size: Int = Field(default=32, ge=2, le=100, title="Batch size", description="Samples of a batch.")
    lr: Float = Field(default=0.05, ge=0.001, le=1, title="Learning rate", description="Of plain SGD, the same for all.")
    depth: Int = Field(default=3, ge=1, le=10, title="Hidden layers", description="Of 32 ReLU units each.")
    steps: Int = Field(default=400, ge=20, le=3000, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=12, title="Seeds", description="Networks of each kind.")
    seed: Int = Field(default=0, ge=0, le=9999, title="First seed", description="Fixes data, initial weights and batches.")


def run_config(settings: NonIidSettings, mode: BatchMode) -> RunConfig:
    """The run with batches of this kind."""
    return RunConfig(
        arms=tuple(ArmConfig(norm=norm, depth=settings.depth, lr=settings.lr) for norm in NORMS),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        batch_mode=mode,
        steps=settings.steps,
        measure_every=max(settings.steps // 10, 1),
        seed=settings.seed,
    )


def stages(settings: NonIidSettings) -> tuple[Stage, ...]:
    """Mixed batches, then batches of one class."""
    return tuple(Stage(mode, label, run_config(settings, mode), KEEP) for mode, label in MODES.items())


def charts(settings: NonIidSettings) -> tuple[Chart, ...]:
    """Test error, test error with the statistics of mixed test batches, and the training loss."""
    styles, categories, arms = [norm_style(norm) for norm in NORMS], list(MODES.values()), range(len(NORMS))
    how = "Lower is better; guessing gets 90 % wrong. Left and right differ only in how batches are put together."
    error = category_chart("error", "Test error", how, "test error (%)", categories, styles, y_range=(0.0, 102.0))
    batch = category_chart(
        "batch",
        "Test error, batch statistics",
        "The same nets, normalized with the statistics of mixed test batches: running statistics are not to blame here.",
        "test error (%)",
        categories,
        styles,
        y_range=(0.0, 102.0),
    )
    loss = category_chart(
        "loss",
        "Training loss",
        "On the step's own batch, in training mode.",
        "training loss (nats)",
        categories,
        styles,
        y_log=True,
    )

    def errors(results: Results, arm: int, measure: str) -> NDArray[np.float64]:
        return error_rows(results, list(MODES), arm, settings.seeds, measure)

    def losses(results: Results, arm: int) -> NDArray[np.float64]:
        return np.array([reading(results, mode, "train_loss", arm, settings.seeds) for mode in MODES])

    return (
        Chart(error, lambda results: {"": [sweep_series(errors(results, arm, "test_accuracy")) for arm in arms]}),
        Chart(batch, lambda results: {"": [sweep_series(errors(results, arm, "inference_batch_accuracy")) for arm in arms]}),
        Chart(loss, lambda results: {"": [sweep_series(losses(results, arm)) for arm in arms]}),
    )


def verdict(settings: NonIidSettings, results: Results) -> Verdict | None:
    """Whose error with single-class batches is many times that with mixed ones."""
    if not results.finished(*MODES):
        return None
    mixed, single = ([error_of(results, mode, arm, settings.seeds) for arm in range(len(NORMS))] for mode in MODES)
    ratios = {norm: single[arm] / np.maximum(mixed[arm], 0.1) for arm, norm in enumerate(NORMS) if np.isfinite(mixed[arm]).all()}
    if any(np.median(errors) > LEARNED for errors in mixed):
        return Verdict(
            None, f"Nobody is misled who has not learned: without a norm the error is {words(mixed[0])} with mixed batches."
        )
    batch, none = NORMS.index("batch"), NORMS.index("none")
    others = max((float(np.median(values)) for norm, values in ratios.items() if norm != "batch"), default=np.nan)
    ends = [plain(spread_of(errors[none]).median) for errors in (mixed, single)]
    sentence = (
        f"With one class a batch, batch norm's test error goes from {plain(spread_of(mixed[batch]).median)} % to "
        f"{words(single[batch])}; without a norm it goes from {ends[0]} % to {ends[1]} %, and no other net's grows by more than "
        f"a factor of {plain(others)} in the median."
    )
    numbers = {f"ratio_{norm}_low": float(values.min()) for norm, values in ratios.items()}
    numbers |= {f"ratio_{norm}_high": float(values.max()) for norm, values in ratios.items()}
    numbers |= {"error_batch": float(np.median(single[batch])), "error_none": float(np.median(single[none]))}
    return Verdict(_answer(ratios), sentence, numbers)


def _answer(ratios: Mapping[str, NDArray[np.float64]]) -> str | None:
    """Who breaks in every trial, when all others hold in every trial; None when somebody is in between."""
    broken = {norm for norm, values in ratios.items() if values.min() > BREAKS}
    held = {norm for norm, values in ratios.items() if values.max() < HOLDS}
    if len(ratios) < len(NORMS) or broken | held != set(NORMS):
        return None
    if broken == {"batch"}:
        return "batch"
    return "all" if broken == set(NORMS) else "none" if not broken else None


def judge_non_iid(verdict: Verdict) -> Finding:
    """By the answer; mixed where batch norm breaks and some other net does not hold either."""
    batch, none = (verdict.numbers[f"error_{norm}"] for norm in ("batch", "none"))
    measured = f"test error {plain(batch)} % with BN, {plain(none)} % without a norm"
    if verdict.answer == "batch":
        return Finding("supported", measured)
    return Finding("mixed" if verdict.numbers["ratio_batch_low"] > BREAKS else "not supported in this setting", measured)


PART = Part(
    id="non_iid",
    title="Batches of one class",
    question="Every batch holds samples of one class only, and the classes take turns: who still learns to tell them apart?",
    choices=(
        Choice("none", "All of them"),
        Choice("batch", "All but the nets with batch norm"),
        Choice("all", "None of them"),
    ),
    settings=NonIidSettings,
    presets=(
        Preset(
            "digits",
            "Ten digits",
            "Five kinds of nets, first with mixed batches, then with one digit a batch. Compare left and right.",
            NonIidSettings(),
        ),
        Preset(
            "short",
            "Before anybody has learned",
            "20 small steps only: who still guesses cannot be misled. Watch how far left and right are apart.",
            NonIidSettings(steps=20, lr=0.002),
        ),
        Preset(
            "shallow",
            "One layer",
            "One hidden layer, a small learning rate. Watch who still gets the test set wrong.",
            NonIidSettings(depth=1, lr=0.02),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2017, WU_JOHNSON),
    caveat=("non_iid", "short"),
    claims=(
        Claim(
            "non_iid_batches",
            "Batch norm depends on batches that look like the data: with batches of one class it fails.",
            IOFFE_2017,
            "digits",
            judge_non_iid,
        ),
    ),
)
