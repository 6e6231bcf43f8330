"""A recurrent net reads digits row by row, without a norm, with layer norm and with batch norm in three places."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from bnviz.charts.builders import layer_chart, norm_style, sweep_series
from bnviz.charts.theme import SPARE_DASHES, ArmStyle
from bnviz.config.models import Float, InitName, Int, NormName, RecurrentNorm, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Series, Settings, Verdict
from bnviz.experiments.kit.evidence import Numbers
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Conditions, Quantity
from bnviz.experiments.kit.readings import reading
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import rule, when
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import BA, COOIJMANS, LAURENT
from bnviz.experiments.kit.spread import Spread, spread_of, spread_of_finite
from bnviz.experiments.parts.other_norms.common import COLOR, KEEP, NONE, STAGE, side_by_side, training_charts

TIME_STEPS = 8  # rows of an image


@dataclass(frozen=True)
class Version:
    """A version of the net; `label` is the name of its arm, `words` those of a sentence."""

    label: str
    words: str
    norm: NormName
    where: RecurrentNorm
    color: str = ""  # empty: the norm's own


VERSIONS = {
    NONE: Version("no norm", "the plain net", "none", "hidden_shared"),
    "shared": Version("BN, shared statistics", "batch norm with shared statistics", "batch", "hidden_shared", "#0072B2"),
    "steps": Version("BN, statistics a step", "batch norm with statistics for every step", "batch", "hidden_per_step", "#56B4E9"),
    "input": Version("BN of the input only", "batch norm of the input only", "batch", "input_only", "#CC79A7"),
    "layer": Version("layer norm", "layer norm", "layer", "hidden_shared"),
}
BATCH_NORMS = tuple(key for key, version in VERSIONS.items() if version.norm == "batch")
TEST_LOSS = Quantity(
    "test_loss",
    "Test loss",
    "With running statistics, from the best to the worst seed; lower is better.",
    "test loss (nats)",
    floor=0.0,
    cap=1.2,
)
GRADIENT = "pre_norm_grad_norm"


class RecurrentSettings(Settings):
    """One tanh cell that reads the 8 x 8 digits row by row, in five versions."""

    width: Int = knobs.width(48, most=128, least=8, of="Units of the cell.")
    lr: Float = knobs.learning_rate(0.1, most=3, of="Of plain SGD, the same for all nets.")
    gamma_init: Float = Field(default=1.0, ge=0.01, le=3, title="Initial gamma", description="Of all norms.")
    init: InitName = Field(default="xavier", title="Initial weights", description="Of the cell and of the read-out.")
    batch_size: Int = knobs.batch_size(64, least=2)
    steps: Int = knobs.steps(300, most=2000, least=20)
    seeds: Int = knobs.seeds(4, most=12, of="Networks of each version.")


def styles() -> dict[str, ArmStyle]:
    """One style for each version, by the names of the arms: the norm's own, and shades of batch norm's."""
    found: dict[str, ArmStyle] = {}
    for version, dash in zip(VERSIONS.values(), SPARE_DASHES, strict=False):
        own = norm_style(version.norm)
        found[version.label] = ArmStyle(version.label, version.color or own.color, dash, own.symbol)
    return found


def stages(settings: RecurrentSettings) -> tuple[Stage, ...]:
    """One run: all versions from the same weights on the same batches."""
    fixed = {"architecture": "recurrent", "activation": "tanh"}
    run = RunConfig(
        arms=tuple(
            twins.arm_of(settings, version.norm, name=version.label, recurrent_norm=version.where, **fixed)
            for version in VERSIONS.values()
        ),
        trials=settings.seeds,
        measure_every=max(settings.steps // 25, 1),
        **settings.model_dump(include={"batch_size", "steps"}),
    )
    return (Stage(STAGE, "training", run, (*KEEP, GRADIENT)),)


def charts(settings: RecurrentSettings) -> tuple[Chart, ...]:
    """Accuracy and loss over the steps, test loss by version, gradient by time step."""
    versions = styles()
    conditions = Conditions("net", {label: label for label in versions})
    boxes = {"": ArmStyle("test loss", COLOR, "solid")}
    return (
        *training_charts(versions, settings.steps),
        TEST_LOSS.by_condition("test_loss", boxes, conditions, lambda results: side_by_side(TEST_LOSS.newest(results))),
        _gradient_chart(tuple(versions.values())),
    )


def _gradient_chart(versions: Sequence[ArmStyle]) -> Chart:
    spec = layer_chart(
        "through_time",
        "Gradient through time",
        "How much of it arrives at each row; the image is read from left to right, the answer is given at the end.",
        "|dL/d pre-activation|",
        versions,
        TIME_STEPS,
        x_title="time step (row of the image)",
        y_log=True,
    )
    return Chart(spec, lambda results: {"": _gradients(results)})


def _gradients(results: Results) -> list[Series]:
    """Gradient norm of every time step as measured last, version by version; nothing where it is 0 or was not measured."""
    found = results.newest(GRADIENT).map(lambda values: np.where(values > 0, values, np.nan))
    return [sweep_series(found.at(arm=version.label).rows("layer", "seed")) for version in VERSIONS.values()]


def by_version(results: Results, measure: str) -> dict[str, Labelled]:
    """A curve of every version as measured last, by seed; infinite once diverged."""
    found = reading(results, STAGE, measure)
    return {key: found.at(arm=version.label) for key, version in VERSIONS.items()}


def verdict(settings: RecurrentSettings, results: Results) -> Verdict | None:
    """A version is better than the plain net when its test loss is lower for every seed."""
    if not results.finished(STAGE):
        return None
    losses, training = by_version(results, "test_loss"), by_version(results, "train_loss")
    numbers: dict[str, Spread | float] = {key: spread_of(each.values) for key, each in losses.items()}
    numbers |= {f"train_{key}": spread_of(each.values) for key, each in training.items()}
    shares = {key: lower_share(each, losses[NONE]) for key, each in losses.items() if key != NONE}
    numbers |= {f"lower_{key}": share for key, share in shares.items()}
    if not any(np.isfinite(each.values).any() for each in losses.values()):
        return Verdict(None, "Every net diverged, so there is nothing to compare.", numbers)
    medians = {key: spread_of(each.values).median for key, each in losses.items()}
    best = min((key for key, share in shares.items() if share == 1), key=lambda key: medians[key], default=NONE)
    answer = "batch" if best in BATCH_NORMS else best
    words = {key: str(spread_of_finite(each.values)) for key, each in losses.items()}
    details = "; ".join(f"{version.words} {words[key]}" for key, version in VERSIONS.items())
    return Verdict(answer, _headline(best, words), numbers, f"Test loss of all versions: {details}.")


def _headline(best: str, words: dict[str, str]) -> str:
    if best == NONE:
        return f"No version beats the plain net for every seed. The plain net's test loss is {words[NONE]}."
    name = VERSIONS[best].words
    return (
        f"{name[:1].upper()}{name[1:]} beats the plain net for every seed: its test loss is {words[best]}, the plain net's "
        f"{words[NONE]}."
    )


def lower_share(losses: Labelled, reference: Labelled) -> float:
    """Share of the seeds with which the first loss is the lower one; a net that diverged counts as the highest.

    NaN when both diverged for every seed, which says nothing.
    """
    first, second = losses.values, reference.values
    return float((first < second).mean()) if np.isfinite([first, second]).any() else np.nan


def _most(numbers: Numbers) -> float:
    """The highest share of the seeds for which a batch norm has the lower test loss."""
    return max(numbers[f"lower_{key}"] for key in BATCH_NORMS)


def _measured(numbers: Numbers) -> str:
    return say(
        "test loss {best} with the best of three batch norms, {none} for the plain net; lower with batch norm for {most:.0f} % "
        "of the seeds at most",
        best=min(numbers[key].median for key in BATCH_NORMS),
        none=numbers[NONE].median,
        most=100 * _most(numbers),
    )


judge = rule(
    _measured,
    supported=when(lambda numbers: _most(numbers) == 0),
    against=when(lambda numbers: _most(numbers) == 1),
)


PART = Part(
    id="recurrent",
    title="A recurrent net",
    question="A recurrent net reads digits row by row. Which norm, if any, lowers its test loss?",
    choices=(
        Choice("none", "None: no version wins for every seed"),
        Choice("batch", "One of the batch norms"),
        Choice("layer", "Layer norm"),
    ),
    settings=RecurrentSettings,
    presets=(
        Preset(
            "rows",
            "Eight rows",
            "The same cell in five versions. Watch the training loss, then compare the test losses.",
            RecurrentSettings(),
        ),
        Preset(
            "small_gamma",
            "Gamma from 0.1",
            "As Cooijmans and others start it. Watch the test losses of shared statistics and of statistics for every step.",
            RecurrentSettings(gamma_init=0.1),
        ),
        Preset(
            "large_weights",
            "Large weights",
            "Normal weights of standard deviation 1: the tanh saturates without a norm. Watch who learns.",
            RecurrentSettings(init="normal"),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(LAURENT, COOIJMANS, BA),
    caveat=("recurrent", "large_weights"),
    claims=(Claim("no_rnn", "Batch norm does not suit recurrent nets.", BA, "rows", judge),),
)
