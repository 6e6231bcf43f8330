"""Two kinds of batches that say little of the data: very small ones, and ones of a single class."""

from pydantic import Field

from bnviz.config.models import BatchMode, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.evidence import Numbers
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import IOFFE_2017, WU_HE
from bnviz.experiments.kit.spread import Spread
from bnviz.experiments.parts.other_norms.common import (
    BATCH,
    HALFWAY,
    KEEP,
    NORMS,
    STAGE,
    STYLES,
    WORDS,
    Learners,
    accuracy_by_norm,
    training_charts,
)


class StressSettings(Settings):
    """Six nets that differ in their norm, and the batches that they are given."""

    batch_size: Int = knobs.batch_size(2, most=128, least=1)
    batch_mode: BatchMode = Field(
        default="iid", title="Batches", description="iid: of all classes at random; single_class: one class in every batch."
    )
    lr: Float = knobs.learning_rate(0.02, most=1, of="Of plain SGD, the same for all nets.")
    depth: Int = knobs.depth(4, most=12, of="Of 32 ReLU units each.")
    steps: Int = knobs.steps(500, most=2000, least=20)
    seeds: Int = knobs.seeds(4, most=12, of="Networks of each norm.")


def stages(settings: StressSettings) -> tuple[Stage, ...]:
    """One run: all norms on the same batches."""
    run = RunConfig(
        arms=tuple(twins.arm_of(settings, norm) for norm in NORMS),
        trials=settings.seeds,
        measure_every=max(settings.steps // 25, 1),
        **settings.model_dump(include={"batch_size", "batch_mode", "steps"}),
    )
    return (Stage(STAGE, "training", run, KEEP),)


def charts(settings: StressSettings) -> tuple[Chart, ...]:
    """Accuracy and loss over the steps, accuracy by norm."""
    return *training_charts(STYLES, settings.steps), accuracy_by_norm()


def verdict(settings: StressSettings, results: Results) -> Verdict | None:
    """Who is above halfway to perfect in every trial, and who in none."""
    if not results.finished(STAGE):
        return None
    learners = Learners.of(results)
    spreads = learners.spreads
    headline = say(
        "{who}: after {steps} batches of {size} {kind} the test accuracy with batch norm is {batch}.",
        who=_who(learners),
        steps=settings.steps,
        size=settings.batch_size,
        kind="of one class" if settings.batch_mode == "single_class" else "of all classes",
        batch=spreads[BATCH],
    )
    return Verdict(learners.answer, headline, spreads, _others(spreads))


def _who(learners: Learners) -> str:
    if learners.answer == "batch":
        return "Only batch norm fails"
    if learners.answer == "all":
        return "All six nets learned"
    if learners.answer is None:
        return "The seeds do not agree on who learned"
    return "Batch norm is not the only one that fails" if learners.fails(BATCH) else "Batch norm learned, another net did not"


def _others(spreads: dict[str, Spread]) -> str:
    others = [norm for norm in spreads if norm != BATCH]
    worst, best = (choose(others, key=lambda norm: spreads[norm].median) for choose in (min, max))
    return say(
        "Of the other nets, the highest is {best_net} with {best}, the lowest {worst_net} with {worst}. A net has learned when "
        "every seed is above {halfway} %, halfway from guessing to all right.",
        best_net=WORDS[best],
        best=spreads[best],
        worst_net=WORDS[worst],
        worst=spreads[worst],
        halfway=100 * HALFWAY,
    )


def _measured(numbers: Numbers) -> str:
    lowest = min(numbers[norm].low for norm in NORMS if norm != BATCH)
    words = "test accuracy {batch:median} with batch norm, at least {lowest} % with the others"
    return say(words, batch=numbers[BATCH], lowest=lowest)


judge = rule(_measured, supported=answered("batch"), against=answered("all"))


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
            "Batch norm then outputs beta, whatever the sample is. Watch whether its loss moves below guessing.",
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
    title="One class per batch",
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
