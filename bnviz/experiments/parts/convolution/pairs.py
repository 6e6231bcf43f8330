"""Batches of two images: batch norm in a dense net and in a convolutional one."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import add_level, category_chart, norm_style, sweep_series
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import ArchitectureName, ArmConfig, Float, Int, NormName, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.parts.convolution.common import IOFFE, STAGE, WU_HE, curves, newest
from bnviz.experiments.parts.other_norms.common import HALFWAY, percent

PIXELS = 64  # positions of a map
KEEP = ("train_loss", "test_accuracy")
NORMS: tuple[NormName, ...] = ("none", "batch", "group")
KINDS: tuple[tuple[ArchitectureName, str], ...] = (("dense", "dense"), ("conv", "convolution"))
ARMS: tuple[tuple[ArchitectureName, NormName], ...] = tuple((kind, norm) for kind, _ in KINDS for norm in NORMS)
COLORS = {"none": ("#D55E00", "#E69F00"), "batch": ("#0072B2", "#56B4E9"), "group": ("#CC79A7", "#7B5CD6")}


class PairSettings(Settings):
    """A dense and a convolutional net, each without a norm, with batch norm and with group norm."""

    batch_size: Int = Field(default=2, ge=1, le=32, title="Batch size", description="Images of a mini-batch.")
    lr: Float = Field(default=0.01, ge=1e-3, le=0.5, title="Learning rate", description="Of plain SGD, the same for all nets.")
    depth: Int = Field(default=4, ge=1, le=8, title="Hidden layers", description="Of 32 units, or of 8 maps.")
    steps: Int = Field(default=400, ge=20, le=1000, title="Steps", description="Updates.")
    seeds: Int = Field(default=4, ge=1, le=8, title="Seeds", description="Networks of each kind.")


def styles() -> tuple[ArmStyle, ...]:
    """Six nets: a dark colour for dense, a light one of the same kind for convolutional."""
    found = []
    for index, (_, label) in enumerate(KINDS):
        for norm in NORMS:
            own = norm_style(norm)
            found.append(ArmStyle(f"{label}, {own.label}", COLORS[norm][index], "dash" if index else "solid", own.symbol))
    return tuple(found)


def stages(settings: PairSettings) -> tuple[Stage, ...]:
    """One run: all six nets on the same batches."""
    arms = tuple(
        ArmConfig(architecture=kind, norm=norm, depth=settings.depth, width=8 if kind == "conv" else 32, lr=settings.lr)
        for kind, norm in ARMS
    )
    run = RunConfig(
        arms=arms,
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // 20, 1),
    )
    return (Stage(STAGE, "training", run, KEEP),)


def charts(settings: PairSettings) -> tuple[Chart, ...]:
    """Loss and accuracy over the steps, accuracy by norm for both kinds of nets."""
    kinds = (ArmStyle("dense", "#0072B2", "solid"), ArmStyle("convolution", "#E69F00", "dash", "square"))
    how = "The newest measurement, from the worst to the best seed."
    spec = category_chart(
        "by_norm", "Accuracy by norm", how, "test accuracy (%)", [norm_style(norm).label for norm in NORMS], kinds
    )
    spec.y_range = (0.0, 102.0)
    add_level(spec, 100 * HALFWAY, "halfway from guessing")

    def draw(results: Results) -> dict[str, list[list[list[float | None]]]]:
        rows = 100 * np.array(newest(results, "test_accuracy", len(ARMS)))
        return {"": [sweep_series(half) for half in np.split(rows, len(KINDS))]}

    return (*curves(styles(), settings.steps), Chart(spec, draw))


def accuracies(results: Results) -> NDArray[np.float64]:
    """Test accuracy, (kinds, norms, trials); 0 for a trial that diverged."""
    found = np.nan_to_num(np.array(newest(results, "test_accuracy", len(ARMS))), nan=0.0)
    return found.reshape(len(KINDS), len(NORMS), -1)


def verdict(settings: PairSettings, results: Results) -> Verdict | None:
    """Whether batch norm learned in both kinds of nets: every seed, or none, above halfway from guessing."""
    if not results.finished(STAGE):
        return None
    dense, conv = accuracies(results)
    batch = NORMS.index("batch")
    states = [_state(rows[batch]) for rows in (dense, conv)]
    answer = {("fails", "works"): "survives", ("fails", "fails"): "breaks", ("works", "works"): "both"}.get(
        (states[0], states[1])
    )
    start = {
        "survives": "In the convolution it still works",
        "breaks": "It breaks in both",
        "both": "It works in both",
        None: "The data do not decide",
    }[answer]
    count = settings.batch_size
    values = f"{count} value{'s' if count > 1 else ''} a unit"
    sentence = (
        f"{start}: with batches of {count} and batch norm the dense net has {percent(dense[batch])} test accuracy, "
        f"the convolutional one {percent(conv[batch])}, over {settings.seeds} seeds. "
        f"Its statistics are over {values} in the one, {count * PIXELS} a channel in the other."
    )
    numbers = {f"{kind}_{norm}": float(np.median(rows[place])) for kind, rows in (("dense", dense), ("conv", conv))
               for place, norm in enumerate(NORMS)}  # fmt: skip
    numbers |= {"conv_batch_low": float(conv[batch].min()), "dense_batch_high": float(dense[batch].max())}
    return Verdict(answer, sentence, numbers)


def _state(values: NDArray[np.float64]) -> str:
    return "works" if values.min() > HALFWAY else "fails" if values.max() < HALFWAY else "unclear"


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
            "One image a batch: one value a unit, 64 a channel. Watch what batch norm makes of that.",
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
    references=(IOFFE, WU_HE),
    caveat=("pairs", "sixteen"),
)
