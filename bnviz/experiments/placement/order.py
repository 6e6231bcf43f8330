"""Batch norm before or after five activations: which order trains to the lower loss, and what each hands on."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.numbers import shorts
from bnviz.charts.spec import Selector
from bnviz.charts.sweeps import category_chart, layer_chart, norm_style, sweep_series
from bnviz.charts.theme import ArmStyle
from bnviz.config import ArmConfig, Float, Int, NormName, NormPlacement, RunConfig
from bnviz.experiments.base import Chart, Choice, Claim, Finding, Part, Preset, Reference, Series, Settings, Stage, Verdict
from bnviz.experiments.errors import reading
from bnviz.experiments.results import Results
from bnviz.experiments.sweeps import final_losses, spread_of
from bnviz.records import PERCENTILES

FloatArray = NDArray[np.float64]
Shape = Literal["relu", "leaky_relu", "gelu", "tanh", "sigmoid"]
NAMES: dict[str, str] = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "gelu": "GELU", "tanh": "tanh", "sigmoid": "sigmoid"}
ADVICE = {"relu": "before", "leaky_relu": "before", "tanh": "after", "sigmoid": "after"}  # of the sources; none for GELU
ARMS: tuple[tuple[str, NormName, NormPlacement], ...] = (
    ("before", "batch", "before_activation"),
    ("after", "batch", "after_activation"),
    ("no norm", "none", "before_activation"),
)
BEFORE, AFTER, NONE = 0, 1, 2
STYLES = (
    norm_style("batch", "before the activation"),
    ArmStyle("after the activation", "#009E73", "dashdot", "diamond"),
    norm_style("none", "no norm"),
)
KEEP = ("train_loss", "test_accuracy", "layer_output")
SHOWN = (5, 50, 95)  # percentiles of the outputs

IOFFE = Reference("Ioffe & Szegedy 2015, Batch Normalization, section 3.2", "https://arxiv.org/abs/1502.03167")
MISHKIN = Reference("Mishkin et al. 2016, Systematic evaluation of CNN advances, section 3.2", "https://arxiv.org/abs/1606.02228")
BROWNLEE = Reference(
    "Brownlee 2019, A Gentle Introduction to Batch Normalization",
    "https://machinelearningmastery.com/batch-normalization-for-training-of-deep-neural-networks/",
)


class PlacementSettings(Settings):
    """Nets that differ in the activation and in the place of their batch norm."""

    activations: tuple[Shape, ...] = Field(
        default=("relu", "leaky_relu", "gelu", "tanh", "sigmoid"),
        min_length=1,
        max_length=5,
        title="Activations",
        description="One run for each.",
    )
    depth: Int = Field(default=6, ge=2, le=20, title="Hidden layers", description="Of each net.")
    width: Int = Field(default=32, ge=8, le=128, title="Width", description="Units of a hidden layer.")
    lr: Float = Field(default=0.1, ge=1e-3, le=3, title="Learning rate", description="Of plain SGD, the same for all nets.")
    batch_size: Int = Field(default=64, ge=2, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=200, ge=20, le=1000, title="Steps", description="Updates.")
    seeds: Int = Field(default=5, ge=1, le=12, title="Seeds", description="Networks of each kind.")

    @property
    def shapes(self) -> tuple[str, ...]:
        """The activations in the order of `NAMES`, each once."""
        return tuple(name for name in NAMES if name in self.activations)


def stages(settings: PlacementSettings) -> tuple[Stage, ...]:
    """One run an activation: both orders and a net without a norm, from the same weights on the same batches."""
    return tuple(Stage(name, NAMES[name], run_config(settings, name), KEEP) for name in settings.shapes)


def run_config(settings: PlacementSettings, activation: str) -> RunConfig:
    """The run of one activation."""
    shared = {"activation": activation, "depth": settings.depth, "width": settings.width, "lr": settings.lr}
    return RunConfig(
        arms=tuple(ArmConfig(name=name, norm=norm, norm_placement=place, **shared) for name, norm, place in ARMS),
        trials=settings.seeds,
        batch_size=settings.batch_size,
        steps=settings.steps,
        measure_every=max(settings.steps // 20, 1),
    )


def charts(settings: PlacementSettings) -> tuple[Chart, ...]:
    """Training loss and test accuracy by activation, and the distributions that layers hand on."""
    names = [NAMES[name] for name in settings.shapes]
    loss = category_chart(
        "loss",
        "Training loss",
        "Mean over the last tenth of the steps, from the best to the worst seed; lower is better.",
        "training loss (nats)",
        names,
        STYLES,
        y_log=True,
    )
    accuracy = category_chart(
        "accuracy", "Test accuracy", "With running statistics; higher is better.", "test accuracy (%)", names, STYLES
    )
    accuracy.y_range = (0.0, 102.0)
    return (
        Chart(loss, lambda results: {"": _rows(settings, results, final_losses_of)}),
        Chart(accuracy, lambda results: {"": _rows(settings, results, accuracies_of)}),
        _spread_chart(settings),
        _mean_chart(settings),
    )


def final_losses_of(results: Results, key: str, arm: int, seeds: int) -> FloatArray:
    """Training loss over the last tenth of the steps so far, (trials,); infinite once diverged, NaN if not measured."""
    return final_losses(results, key, arm) if results.last(key) else np.full(seeds, np.nan)


def accuracies_of(results: Results, key: str, arm: int, seeds: int) -> FloatArray:
    """Test accuracy in percent, (trials,)."""
    return 100 * reading(results, key, "test_accuracy", arm, seeds)


def _rows(settings: PlacementSettings, results: Results, what: Callable[[Results, str, int, int], FloatArray]) -> list[Series]:
    return [sweep_series([what(results, key, arm, settings.seeds) for key in settings.shapes])[:3] for arm in range(len(ARMS))]


def _spread_chart(settings: PlacementSettings) -> Chart:
    how = "Median, and the range from 5 to 95 % of all outputs of a layer. This is what the next layer is given."
    spec = layer_chart("handed_on", "What is handed on", how, "output of the layer", STYLES, settings.depth)
    spec.selectors = _selector(settings)
    places = [PERCENTILES.index(percentile) for percentile in SHOWN]

    def rows(results: Results, key: str, arm: int) -> Series:
        found = _extra(results, key, arm, "layer_output_percentiles")
        blank = [[None] * settings.depth] * 3
        return blank if found is None else [shorts(column) for column in np.nanmedian(found, axis=0)[:, places].T]

    return Chart(spec, lambda results: _views(settings, results, rows))


def _mean_chart(settings: PlacementSettings) -> Chart:
    how = "Mean over standard deviation of a layer's outputs: 0 is centred. Bands are over seeds."
    spec = layer_chart("off_centre", "Off centre", how, "mean / std of the output", STYLES, settings.depth)
    spec.selectors = _selector(settings)

    def rows(results: Results, key: str, arm: int) -> Series:
        mean, std = (_extra(results, key, arm, f"layer_output_{name}") for name in ("mean", "std"))
        if mean is None or std is None:
            return [[None] * settings.depth] * 3
        return sweep_series(np.divide(mean, std, out=np.full_like(mean, np.nan), where=std > 0).T)[:3]

    return Chart(spec, lambda results: _views(settings, results, rows))


def _selector(settings: PlacementSettings) -> tuple[Selector, ...]:
    options = tuple((name, NAMES[name]) for name in settings.shapes)
    return (Selector("activation", "Activation", options, options[0][0]),)


def _views(settings: PlacementSettings, results: Results, rows: Callable[[Results, str, int], Series]) -> dict[str, list[Series]]:
    return {key: [rows(results, key, arm) for arm in range(len(ARMS))] for key in settings.shapes}


def _extra(results: Results, key: str, arm: int, name: str) -> FloatArray | None:
    """An extra of an arm as measured last; None before that and where every trial diverged."""
    measured = results.arm(key, arm)
    if measured is None:
        return None
    values = np.asarray(measured.extras[name], np.float64)
    return None if np.isnan(values).all() else values


def winner(results: Results, key: str) -> str:
    """'before' or 'after', the order of which the final training loss is lower for every seed; else 'alike'."""
    before, after = (final_losses(results, key, arm) for arm in (BEFORE, AFTER))
    return "after" if (after < before).all() else "before" if (before < after).all() else "alike"


def verdict(settings: PlacementSettings, results: Results) -> Verdict | None:
    """Which order has the lower final training loss for every seed, activation by activation."""
    done = [key for key in settings.shapes if results.finished(key)]
    if len(done) < len(settings.shapes):
        return None
    found = {key: winner(results, key) for key in done}
    sentence = (
        f"Over {settings.seeds} seeds the training loss is lower {_listed(results, found)}. {_accuracy_words(settings, results)}"
    )
    return Verdict(_answer(found), sentence, _numbers(settings, results, found))


def _answer(found: dict[str, str]) -> str | None:
    """'after' or 'before' everywhere; 'advice' where each is as advised; else 'other'."""
    if set(found.values()) == {"alike"}:
        return "other"
    advised = {key: value for key, value in found.items() if key in ADVICE}
    if set(found.values()) == {"after"}:
        return "after"
    if set(found.values()) == {"before"}:
        return "before"
    return "advice" if advised and all(value == ADVICE[key] for key, value in advised.items()) else "other"


def _listed(results: Results, found: dict[str, str]) -> str:
    """'after the activation for tanh (1.7 times), ...; the seeds disagree for ReLU'."""
    parts = []
    for place, words in (("after", "with the norm after the activation for"), ("before", "with it before for")):
        chosen = [key for key, value in found.items() if value == place]
        if chosen:
            parts.append(f"{words} {', '.join(f'{NAMES[key]} ({_ratio(results, key, place)})' for key in chosen)}")
    unclear = [NAMES[key] for key, value in found.items() if value == "alike"]
    if unclear:
        parts.append(f"for {' and '.join(unclear)} the seeds disagree")
    return "; ".join(parts) if len(unclear) < len(found) else f"in neither order for every seed ({', '.join(unclear)})"


def ratios(results: Results, key: str) -> FloatArray:
    """Final training loss before over after, (trials,); NaN where either diverged."""
    before, after = (final_losses(results, key, arm) for arm in (BEFORE, AFTER))
    known = np.isfinite(before) & np.isfinite(after)
    return np.divide(before, after, out=np.full_like(before, np.nan), where=known)


def _ratio(results: Results, key: str, place: str) -> str:
    ratio = ratios(results, key)
    spread = spread_of(ratio if place == "after" else 1 / ratio)
    return f"{spread.median:.3g} times, {spread.low:.3g} to {spread.high:.3g}"


def _accuracy_words(settings: PlacementSettings, results: Results) -> str:
    """On the test set: where the median accuracies differ most."""
    gaps = {key: float(np.median(_gap(settings, results, key))) for key in settings.shapes}
    key = max(gaps, key=lambda name: abs(gaps[name]))
    which = "after" if gaps[key] > 0 else "before"
    return f"On the test set the orders differ most with {NAMES[key]}: {abs(gaps[key]):.2g} points in favour of {which}."


def _gap(settings: PlacementSettings, results: Results, key: str) -> FloatArray:
    """Test accuracy after less that before, in percentage points, (trials,)."""
    before, after = (np.nan_to_num(accuracies_of(results, key, arm, settings.seeds), posinf=0.0) for arm in (BEFORE, AFTER))
    return after - before


def _numbers(settings: PlacementSettings, results: Results, found: dict[str, str]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for key, value in found.items():
        numbers[f"ratio_{key}"] = spread_of(ratios(results, key)).median
        numbers[f"after_{key}"] = {"after": 1.0, "before": -1.0, "alike": 0.0}[value]
        numbers[f"gap_{key}"] = float(np.median(_gap(settings, results, key)))
        for arm, name in ((BEFORE, "loss_before"), (AFTER, "loss_after"), (NONE, "loss_none")):
            numbers[f"{name}_{key}"] = spread_of(final_losses(results, key, arm)).median
    return numbers


def _judge(keys: tuple[str, ...], sign: float) -> Callable[[Verdict], Finding]:
    """A judge of "after" (1) or "before" (-1) for these activations: in all of them, in some, in none for every seed."""

    def judge(found: Verdict) -> Finding:
        signs = [found.numbers.get(f"after_{key}", 0.0) for key in keys]
        measured = ", ".join(
            f"{NAMES[key]}: loss {found.numbers[f'loss_before_{key}']:.3g} before, {found.numbers[f'loss_after_{key}']:.3g} after"
            for key in keys
            if f"after_{key}" in found.numbers
        )
        if all(each == sign for each in signs):
            return Finding("supported", measured)
        return Finding("not supported in this setting" if all(each == -sign for each in signs) else "mixed", measured)

    return judge


PART = Part(
    id="order",
    title="Before or after",
    question="Does batch norm belong before the activation or after it?",
    choices=(
        Choice("before", "Before, with every activation"),
        Choice("after", "After, with every activation"),
        Choice("advice", "As advised: before ReLU, after s-shaped ones"),
        Choice("other", "The data show no such rule"),
    ),
    settings=PlacementSettings,
    presets=(
        Preset(
            "five",
            "Five activations",
            "Six layers with batch norm before or after each activation, from the same weights. Watch the losses pair by pair.",
            PlacementSettings(),
        ),
        Preset(
            "small_lr",
            "A small learning rate",
            "The same with a fifth of the learning rate. Watch which differences stay.",
            PlacementSettings(lr=0.02, steps=300),
        ),
        Preset(
            "large_lr",
            "A large learning rate",
            "Ten times the learning rate. Watch which order still learns.",
            PlacementSettings(lr=1.0),
        ),
        Preset(
            "deep",
            "Fifteen layers",
            "Only ReLU and tanh, in fifteen layers. Watch whether the order of the two boxes changes.",
            PlacementSettings(activations=("relu", "tanh"), depth=15),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE, MISHKIN, BROWNLEE),
    caveat=("order", "deep"),
    claims=(
        Claim("norm_before", "Batch norm belongs before the activation, ReLU above all.", IOFFE, "five",
              _judge(("relu", "leaky_relu"), -1.0)),
        Claim("norm_after", "With s-shaped activations batch norm belongs after the activation.", BROWNLEE, "five",
              _judge(("tanh", "sigmoid"), 1.0)),
    ),
)  # fmt: skip
