"""Running statistics start at 0 and 1 and forget it as (1 - m)^t; a run shorter than that is tested with the wrong ones."""

from typing import Annotated

import numpy as np
from pydantic import Field, field_validator

from bnviz.charts.builders import add_theory_line, plain_styles
from bnviz.closed_forms.batch_noise import running_start_error
from bnviz.config.models import Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs, twins
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled, stacked
from bnviz.experiments.kit.quantities import Quantity, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import IOFFE_2015, TORCH, WU_JOHNSON
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.parts.inference.statistics import (
    BATCH,
    KEEP,
    MODES,
    RECOMPUTED,
    RUNNING,
    as_lines,
    errors,
    in_words,
    numbers_of,
    styles,
)

PROBE, TRAIN, TRIALS = "layer", "nets", 6
UPDATES = 200
SHOWN = tuple(range(0, UPDATES + 1, 5))  # updates at which the charts have a point
MOMENTA = {f"m = {momentum}": momentum for momentum in (0.5, 0.1, 0.01)}  # of the single layer
MIDDLE, AT = "m = 0.1", 20  # the line and the update of which the verdict speaks
BROKEN = 1.5  # times the error with recomputed statistics: in every trial above it, broken; in no trial, held
LEAST_ERROR = 0.1  # %, below which an error counts as this in a ratio
DEFAULT_SWEEP = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
LEFT = Quantity(
    "",
    "What is left: {what}",
    "1: still the start value. 0: arrived. Measured on one layer; the grey lines are the closed form.",
    "share left",
    range=(-0.1, 1.05),
)
ERROR = Quantity(
    "inference_modes",
    "Error after {steps} steps",
    "Lower is better. The nets are the same at every momentum; only the statistics they are tested with differ.",
    "test error (%)",
    range=(0.0, 102.0),
)


class StartUpSettings(Settings):
    """The nets that are trained, one for every momentum."""

    momenta: tuple[Annotated[Float, Field(ge=0.0001, le=1)], ...] = Field(
        default=DEFAULT_SWEEP, title="Running momenta", description="One net each, 0.0001 to 1.", min_length=2, max_length=6
    )
    steps: Int = knobs.steps(100, most=2000, least=5, of="Updates with batches of 64.")
    lr: Float = knobs.learning_rate(0.1, most=2, of="Of plain SGD.")
    depth: Int = knobs.depth(4, most=12, of="Of 32 ReLU units each, with batch norm.")
    seeds: Int = knobs.seeds(4, most=12, of="Networks of each momentum.")
    seed: Int = knobs.first_seed()

    @field_validator("momenta")
    @classmethod
    def _in_order(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        return knobs.ascending(value)


def arm_name(momentum: float) -> str:
    """'momentum 0.1': all digits, so that no two momenta share a name."""
    return f"momentum {momentum!r}".removesuffix(".0")


def run_config(settings: StartUpSettings) -> RunConfig:
    """One arm for each momentum: the same net, because running statistics take no part in training."""
    return RunConfig(
        arms=tuple(twins.arm_of(settings, "batch", name=arm_name(m), norm_momentum=m) for m in settings.momenta),
        trials=settings.seeds,
        measure_every=max(settings.steps // 15, 1),
        **settings.model_dump(include={"steps", "seed"}),
    )


def stages(settings: StartUpSettings) -> tuple[Stage, ...]:
    """A layer that is given batches of known statistics, then nets that train."""
    options = {"momenta": tuple(MOMENTA.values()), "updates": UPDATES, "trials": TRIALS, "units": 256, "batch_size": 64}
    return (
        Stage(PROBE, "one layer, known statistics", probe="running_start", options=options | {"seed": settings.seed}),
        Stage(TRAIN, "nets", run_config(settings), KEEP),
    )


def charts(settings: StartUpSettings) -> tuple[Chart, ...]:
    """What is left of the start values of mean and variance, and the error of nets tested with each of the statistics."""
    error, momenta = ERROR.worded(steps=settings.steps), Swept("momentum", settings.momenta, "running momentum m", log=True)
    return (
        _left_chart("mean", "mean_error"),
        _left_chart("variance", "var_error"),
        error.by_value("error", styles(*MODES), momenta, lambda results: as_lines(errors_by_momentum(settings, results))),
    )


def _left_chart(what: str, name: str) -> Chart:
    lines = dict(zip(MOMENTA, plain_styles(tuple(MOMENTA)), strict=True))
    updates = Swept("update", SHOWN, "batches seen t")
    chart = LEFT.worded(what=what).by_value(what, lines, updates, lambda results: _shown(left(results, name)), markers=False)
    for momentum in MOMENTA.values():
        add_theory_line(chart.spec, SHOWN, [running_start_error(momentum, t) for t in SHOWN], f"(1 - {momentum})^t")
    return chart


def left(results: Results, name: str) -> Labelled:
    """Share of the start value that is left in the layer's "mean_error" or "var_error": axes arm, update, seed."""
    return results.probed(name, PROBE, arm=tuple(MOMENTA), update=tuple(range(UPDATES + 1)), seed=tuple(range(TRIALS)))


def _shown(found: Labelled) -> Labelled:
    return Labelled(found.rows("arm", "update", "seed")[:, SHOWN], {**found.axes, "update": SHOWN})


def errors_by_momentum(settings: StartUpSettings, results: Results) -> Labelled:
    """Test error in percent: axes mode, momentum, seed."""
    found = errors(results, TRAIN)
    by_momentum = stacked("momentum", {momentum: found.at(arm=arm_name(momentum)) for momentum in settings.momenta})
    return stacked("mode", dict(by_momentum.along("mode")))


def verdict(settings: StartUpSettings, results: Results) -> Verdict | None:
    """Where the running statistics are after t batches, beside the closed form; which statistics the smallest m breaks."""
    if not results.finished(PROBE):
        return None
    numbers: dict[str, Spread | float] = {
        "left": spread_of(left(results, "mean_error").at(arm=MIDDLE, update=AT).values, "repetitions"),
        "left_theory": running_start_error(MOMENTA[MIDDLE], AT),
    }
    words = "After {at} batches at {middle} the running mean has {left} of its start left (theory {left_theory})."
    layer = say(words, {**numbers, "at": AT, "middle": MIDDLE})
    if not results.finished(TRAIN):
        return Verdict(None, layer, numbers)
    found = errors_by_momentum(settings, results).at(momentum=settings.momenta[0])
    ratios = over_recomputed(found)
    numbers |= numbers_of(found) | {f"{mode}_over_recomputed": ratio for mode, ratio in ratios.items()}
    answer = answer_of(ratios)
    return Verdict(answer, _headline(settings, answer, found), numbers, layer)


def _headline(settings: StartUpSettings, answer: str | None, found: Labelled) -> str:
    smallest = settings.momenta[0]
    return say(
        "{who}: after {steps} training steps at m = {m}, where {left} of the start is left, the test error is {errors}.",
        who=SUFFERS[answer] if answer else "The nets do not agree on what suffers",
        steps=settings.steps,
        m=smallest,
        left=running_start_error(smallest, settings.steps),
        errors=in_words(found),
    )


def over_recomputed(found: Labelled) -> dict[str, Spread]:
    """Error, by mode and seed, over that with recomputed statistics; nothing where a net diverged."""
    if not np.isfinite(found.values).all():
        return {}
    base = found.at(mode=RECOMPUTED).map(lambda errors: np.maximum(errors, LEAST_ERROR))
    return {mode: spread_of((found.at(mode=mode) / base).values) for mode in (RUNNING, BATCH)}


SUFFERS = {
    "nothing": "Testing with running statistics does not suffer",
    "testing": "Testing with running statistics suffers most",
    "both": "Testing suffers with running and with batch statistics",
}


def answer_of(ratios: dict[str, Spread]) -> str | None:
    """What the ratios of `over_recomputed` bear out for every net; None where they do not agree or there are none."""
    if not ratios:
        return None
    running, batch = ratios[RUNNING], ratios[BATCH]
    if running.high < BROKEN:
        return "nothing"
    if running.low > BROKEN and batch.high < running.low:
        return "testing"
    return "both" if min(running.low, batch.low) > BROKEN else None


judge_momentum = rule(
    "test error " + ", ".join(f"{{error_{mode}:median}} with {label}" for mode, label in MODES.items()),
    supported=answered("testing"),
    against=answered("nothing"),
)


PART = Part(
    id="start_up",
    title="Starting up",
    question="The running statistics take in only a thousandth of every batch, and training ends after 100 steps: what suffers?",
    choices=(
        Choice("nothing", "Nothing"),
        Choice("testing", "Only testing with running statistics"),
        Choice("both", "The net itself: any test goes wrong"),
    ),
    settings=StartUpSettings,
    presets=(
        Preset(
            "short",
            "100 steps",
            "One layer gets batches of known mean and variance, then nets train for 100 steps. Watch the left end of the errors.",
            StartUpSettings(),
        ),
        Preset(
            "long",
            "Long enough",
            "The usual momenta and 400 steps, so that nothing of the start is left. Watch whether the lines still part.",
            StartUpSettings(momenta=(0.03, 0.1, 0.3), steps=400),
        ),
        Preset(
            "very_short",
            "20 steps",
            "A few steps only: at m = 0.1 about an eighth of the start is left. Watch the right end of the error lines.",
            StartUpSettings(steps=20),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(TORCH, IOFFE_2015.at("algorithm 2"), WU_JOHNSON),
    caveat=("start_up", "long"),
    claims=(
        Claim(
            "running_statistics",
            "A net with batch norm can train well and yet fail when tested, because its running statistics lag behind.",
            WU_JOHNSON,
            "short",
            judge_momentum,
        ),
    ),
)
