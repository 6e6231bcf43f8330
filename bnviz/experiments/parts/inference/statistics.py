"""The statistics that a batch-norm net can be tested with, and its errors and losses with each."""

from collections.abc import Iterable

from bnviz.charts.theme import ArmStyle, plain_styles
from bnviz.experiments.kit.labelled import Labelled, stacked
from bnviz.experiments.kit.readings import error_of, reading
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.spread import Spread, spread_of, spread_of_finite

RUNNING, BATCH, RECOMPUTED = "running", "batch", "recomputed"
MODES = {RUNNING: "running statistics", BATCH: "batch statistics", RECOMPUTED: "recomputed statistics"}
KEEP = ("inference_modes",)


def styles(*modes: str) -> dict[str, ArmStyle]:
    """A line for each of these modes."""
    return dict(zip(modes, plain_styles([MODES[mode] for mode in modes]), strict=True))


def errors(results: Results, stage: str, modes: Iterable[str] = MODES) -> Labelled:
    """Test error in percent: axes mode, arm and seed; infinite once diverged, NaN before the stage began."""
    return stacked("mode", {mode: error_of(results, stage, f"inference_{mode}_accuracy") for mode in modes})


def losses(results: Results, stage: str, modes: Iterable[str] = MODES) -> Labelled:
    """Test loss in nats, with the axes of `errors`."""
    return stacked("mode", {mode: reading(results, stage, f"inference_{mode}_loss") for mode in modes})


def as_lines(found: Labelled) -> Labelled:
    """What is by mode, with modes for the lines of a chart: they take the place of arms."""
    return stacked("arm", dict(found.along("mode")))


def numbers_of(found: Labelled) -> dict[str, Spread]:
    """Numbers of a verdict, from errors by mode and seed; those that diverged count as infinite."""
    return {f"error_{mode}": spread_of(each.values, unit="%") for mode, each in found.along("mode")}


def in_words(found: Labelled) -> str:
    """'9.5 % (9 to 10 over 3 seeds) with running statistics, ...': errors of all modes, by mode and seed."""
    spreads = {mode: spread_of_finite(each.values, unit="%") for mode, each in found.along("mode")}
    return say(", ".join(f"{{{mode}}} with {MODES[mode]}" for mode in spreads), spreads)
