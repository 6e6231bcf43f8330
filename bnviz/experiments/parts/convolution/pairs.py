"""Batches of two images: batch norm in a dense net and in a convolutional one."""

import numpy as np

from bnviz.charts.builders import add_level, category_chart, norm_style, sweep_series
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import ArmConfig, Float, Int, NormName, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Series, Settings, Verdict
from bnviz.experiments.kit.grid import Grid
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Styles
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sentences import say
from bnviz.experiments.kit.sources import IOFFE_2015, WU_HE
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.ten_digits import ACCURACY, LOSS

HALFWAY = 55.0  # percent: halfway from guessing one of ten digits to all right; above it a net has learned
PIXELS = 64  # positions of a map
NORMS: tuple[NormName, ...] = ("none", "batch", "group")
NETS = Grid("{architecture}, {norm}", architecture=("dense", "conv"), norm=NORMS)
LABELS = {"dense": "dense", "conv": "convolution"}
COLORS = {
    "dense": {"none": "#D55E00", "batch": "#0072B2", "group": "#CC79A7"},
    "conv": {"none": "#E69F00", "batch": "#56B4E9", "group": "#7B5CD6"},
}
DASHES = {"dense": "solid", "conv": "dash"}
ANSWERS = {("fails", "works"): "survives", ("fails", "fails"): "breaks", ("works", "works"): "both"}  # dense, convolutional
HEADLINES = {
    "survives": "In the convolution batch norm still works",
    "breaks": "Batch norm breaks in both nets",
    "both": "Batch norm works in both nets",
    None: "The data do not decide",
}


class PairSettings(Settings):
    """A dense and a convolutional net, each without a norm, with batch norm and with group norm."""

    batch_size: Int = knobs.batch_size(2, most=32, least=1, of="Images of a mini-batch.")
    lr: Float = knobs.learning_rate(0.01, most=0.5, of="Of plain SGD, the same for all nets.")
    depth: Int = knobs.depth(4, most=8, of="Of 32 units, or of 8 maps.")
    steps: Int = knobs.steps(400, most=1000, least=20)
    seeds: Int = knobs.seeds(4, most=8, of="Networks of each kind.")


def styles() -> Styles:
    """Six nets: a dark colour for dense, a light one of the same kind for convolutional."""
    return {NETS.key(**net): _style(**net) for net in NETS}


def _style(architecture: str, norm: NormName) -> ArmStyle:
    own, color = norm_style(norm), COLORS[architecture][norm]
    return ArmStyle(f"{LABELS[architecture]}, {own.label}", color, DASHES[architecture], own.symbol)


def stages(settings: PairSettings) -> tuple[Stage, ...]:
    """One run: all six nets on the same batches."""
    sizes = {"dense": 32, "conv": 8}
    shared = {"depth": settings.depth, "lr": settings.lr}
    run = RunConfig(
        arms=tuple(ArmConfig.model_validate({**shared, **net, "width": sizes[net["architecture"]]}) for net in NETS),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // 20, 1),
    )
    return (Stage("training", "training", run, (LOSS.measure, ACCURACY.measure), arm_names=NETS.keys),)


def charts(settings: PairSettings) -> tuple[Chart, ...]:
    """Loss and accuracy over the steps, accuracy by norm for both kinds of nets."""
    steps = settings.steps
    return LOSS.by_step("loss", styles(), steps), ACCURACY.by_step("accuracy", styles(), steps), _by_norm()


def _by_norm() -> Chart:
    shown = {"dense": ArmStyle("dense", "#0072B2", "solid"), "conv": ArmStyle("convolution", "#E69F00", "dash", "square")}
    how = "The newest measurement, from the worst to the best seed."
    names = [norm_style(norm).label for norm in NORMS]
    spec = category_chart("by_norm", "Accuracy by norm", how, ACCURACY.axis, names, tuple(shown.values()))
    spec.y_range = ACCURACY.range
    add_level(spec, HALFWAY, "halfway from guessing")

    def draw(results: Results) -> dict[str, list[Series]]:
        found = NETS.unfolded(ACCURACY.newest(results))
        return {"": [sweep_series(found.at(architecture=kind).rows("norm", "seed")) for kind in shown]}

    return Chart(spec, draw)


def accuracies(results: Results) -> Labelled:
    """Test accuracy in percent: axes architecture, norm, seed; 0 for a net that diverged."""
    return NETS.unfolded(ACCURACY.newest(results)).map(lambda values: np.nan_to_num(values, nan=0.0))


def verdict(settings: PairSettings, results: Results) -> Verdict | None:
    """Whether batch norm learned in both kinds of nets: every seed, or none, above halfway from guessing."""
    if not results.finished("training"):
        return None
    found = accuracies(results)
    numbers = {f"{net['architecture']}_{net['norm']}": spread_of(found.at(**net).values, unit="%") for net in NETS}
    dense, conv = numbers["dense_batch"], numbers["conv_batch"]
    answer = ANSWERS.get((_state(dense), _state(conv)))
    headline = say(
        "{start}: with batches of {count} the dense net with batch norm has a test accuracy of {dense}, the convolutional one of "
        "{conv}.",
        start=HEADLINES[answer],
        count=settings.batch_size,
        dense=dense,
        conv=conv,
    )
    return Verdict(answer, headline, numbers, _details(settings.batch_size))


def _state(accuracy: Spread) -> str:
    return "works" if accuracy.low > HALFWAY else "fails" if accuracy.high < HALFWAY else "unclear"


def _details(count: int) -> str:
    values = f"{count} value{'s' if count > 1 else ''} per unit"
    return f"Its statistics are over {values} in the dense net and {count * PIXELS} per channel in the convolutional one."


PART = Part(
    id="pairs",
    title="Batches of two images",
    question="Batches of two break batch norm in a dense net. Do they in a convolutional one?",
    choices=(
        Choice("survives", "No: in a convolution it still works"),
        Choice("breaks", "Yes, in both"),
        Choice("both", "It breaks in neither"),
    ),
    settings=PairSettings,
    presets=(
        Preset(
            "two",
            "Two images",
            "A dense and a convolutional net on the same pairs of digits. Watch their batch norms.",
            PairSettings(),
        ),
        Preset(
            "one",
            "A single image",
            "One image per batch: one value per unit, 64 per channel. Watch what batch norm makes of that.",
            PairSettings(batch_size=1, steps=600),
        ),
        Preset(
            "sixteen",
            "Sixteen images",
            "Enough samples for a dense layer. Watch how close the nets come.",
            PairSettings(batch_size=16, lr=0.1, steps=120),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2015.at("section 3.2"), WU_HE),
    caveat=("pairs", "sixteen"),
)
