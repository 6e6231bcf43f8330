"""Two kinds of batches that say little of the data: very small ones, and ones of a single class."""

import numpy as np
from pydantic import Field

from bnviz.config.models import ArmConfig, BatchMode, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.parts.other_norms.common import (
    HALFWAY,
    IOFFE_2017,
    KEEP,
    NORMS,
    STAGE,
    STYLES,
    WU_HE,
    Learners,
    percent,
    training_charts,
)


class StressSettings(Settings):
    """Six nets that differ in their norm, and the batches that they are given."""

    batch_size: Int = Field(default=2, ge=1, le=128, title="Batch size", description="Samples of a mini-batch.")
    batch_mode: BatchMode = Field(
        default="iid", title="Batches", description="iid: of all classes at random; single_class: one class in every batch."
    )
    lr: Float = Field(default=0.02, ge=1e-3, le=1, title="Learning rate", description="Of plain SGD, the same for all nets.")
    depth: Int = Field(default=4, ge=1, le=12, title="Hidden layers", description="Of 32 ReLU units each.")
    steps: Int = Field(default=500, ge=20, le=2000, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=12, title="Seeds", description="Networks of each norm.")


def stages(settings: StressSettings) -> tuple[Stage, ...]:
    """One run: all norms on the same batches."""
    run = RunConfig(
        arms=tuple(ArmConfig(norm=norm, depth=settings.depth, lr=settings.lr) for norm in NORMS),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        batch_mode=settings.batch_mode,
        steps=settings.steps,
        measure_every=max(settings.steps // 25, 1),
    )
    return (Stage(STAGE, "training", run, KEEP),)


def charts(settings: StressSettings) -> tuple[Chart, ...]:
    """Accuracy and loss over the steps, accuracy by norm."""
    return training_charts(STYLES, settings.steps)


def verdict(settings: StressSettings, results: Results) -> Verdict | None:
    """Who is above halfway to perfect in every trial, and who in none."""
    if not results.finished(STAGE):
        return None
    learners = Learners.of(results, len(NORMS))
    batch = percent(learners.accuracies[NORMS.index("batch")])
    others = sorted(
        (percent(row), style.label, float(np.median(row)))
        for style, row in zip(STYLES, learners.accuracies, strict=True)
        if style.label != "batch norm"
    )
    worst, best = min(others, key=lambda other: other[2]), max(others, key=lambda other: other[2])
    kind = "of one class" if settings.batch_mode == "single_class" else "of all classes"
    start = {
        "batch": "Batch norm fails alone",
        "all": "All of them learned",
        "several": "Batch norm is not the only one that fails"
        if learners.fails[NORMS.index("batch")]
        else "Batch norm learned, another net did not",
        None: "The seeds do not agree on who learned",
    }[learners.answer]
    sentence = (
        f"{start}: after {settings.steps} batches of {settings.batch_size} {kind} its test accuracy is {batch}; of the others "
        f"{best[1]} has {best[0]}, {worst[1]}, the lowest, {worst[0]}, over {settings.seeds} seeds. "
        f"A net has learned when every seed is above {100 * HALFWAY:.0f} %, halfway from guessing."
    )
    return Verdict(learners.answer, sentence, learners.numbers())


def judge(found: Verdict) -> Finding:
    """Supported when batch norm fails and every other net learns in all trials."""
    lowest = min(found.numbers[f"{norm}_low"] for norm in NORMS if norm != "batch")
    measured = (
        f"test accuracy {plain(100 * found.numbers['batch'])} % with batch norm, at least {plain(100 * lowest)} % with the others"
    )
    if found.answer == "batch":
        return Finding("supported", measured)
    return Finding("mixed" if found.answer in ("several", None) else "not supported in this setting", measured)


CHOICES = (
    Choice("batch", "All but batch norm"),
    Choice("several", "Only some of the others"),
    Choice("all", "All of them"),
)

TINY = Part(
    id="tiny_batch",
    title="Batches of two",
    question="Every batch has only two samples: which of six nets still learn to read digits?",
    choices=CHOICES,
    settings=StressSettings,
    presets=(
        Preset(
            "two", "Two samples", "A mean and a variance of two samples. Watch the training loss of each norm.", StressSettings()
        ),
        Preset(
            "sixteen",
            "Sixteen samples",
            "The same nets on batches of sixteen. Watch how much is left of the differences.",
            StressSettings(batch_size=16, lr=0.1, steps=300),
        ),
        Preset(
            "one",
            "A single sample",
            "Batch norm then puts out beta, whatever the sample is. Watch whether its loss moves below guessing.",
            StressSettings(batch_size=1, lr=0.01, steps=800),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(WU_HE, IOFFE_2017),
    caveat=("tiny_batch", "sixteen"),
    claims=(Claim("needs_batches", "Norms that do not look at the batch work where batches are tiny.", WU_HE, "two", judge),),
)

SINGLE = Part(
    id="single_class",
    title="One class a batch",
    question="Every batch holds samples of one class only, each class in turn: which of six nets still learn?",
    choices=CHOICES,
    settings=StressSettings,
    presets=(
        Preset(
            "classes",
            "One class at a time",
            "Batches of 32 zeros, then 32 sevens, and so on. Watch the training loss, then the test accuracy.",
            StressSettings(batch_size=32, batch_mode="single_class", lr=0.1, steps=300),
        ),
        Preset(
            "mixed",
            "Mixed batches",
            "The same nets, rate and batch size, with all classes in a batch. Watch who learns now.",
            StressSettings(batch_size=32, batch_mode="iid", lr=0.1, steps=300),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2017, WU_HE),
    caveat=("single_class", "mixed"),
    claims=(
        Claim("needs_mixed_batches", "Batches that are unlike the data break batch norm alone.", IOFFE_2017, "classes", judge),
    ),
)
