"""Deep batch-norm nets trained live: how deep they can be without and with skips."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import category_chart, curve_chart, curve_point, layer_chart, plain_styles, sweep_series
from bnviz.charts.theme import ArmStyle, norm_style
from bnviz.config.models import ArmConfig, Float, Int, RunConfig
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.parts.depth.common import DE_SMITH, YANG, FloatArray, spread_words

Depth = Annotated[Int, Field(ge=2, le=60)]
STAGE = "training"
GUESSING = 0.1  # accuracy of guessing one of ten digits
FAILED, LEARNED = 0.3, 0.6  # test accuracy of every seed below, above: a fifth and more than half of the way from guessing to 1


class TrainSettings(Settings):
    """Nets of several depths on the digits, all at one learning rate."""

    depths: tuple[Depth, ...] = Field(
        default=(10, 25, 50), min_length=1, max_length=4, title="Depths", description="Hidden layers without skips, 2 to 60 each."
    )
    activation: Literal["relu", "leaky_relu", "tanh", "linear"] = Field(
        default="relu", title="Activation", description="Of the hidden layers."
    )
    width: Int = Field(default=32, ge=8, le=64, title="Width", description="Units of a hidden layer.")
    lr: Float = Field(default=0.03, ge=1e-4, le=1, title="Learning rate", description="Of plain SGD, the same for all nets.")
    batch_size: Int = Field(default=64, ge=8, le=256, title="Batch size", description="Samples of a mini-batch.")
    steps: Int = Field(default=200, ge=20, le=1500, title="Steps", description="Updates.")
    plain: bool = Field(
        default=False, title="A net without a norm", description="Train the deepest net without a norm and skips too."
    )
    seeds: Int = Field(default=3, ge=1, le=6, title="Seeds", description="Networks of each kind.")

    @property
    def ordered(self) -> tuple[int, ...]:
        """The depths, ascending, each once."""
        return tuple(sorted(set(self.depths)))

    @property
    def deepest(self) -> int:
        """The depth at which skips are compared."""
        return self.ordered[-1]


def _arms(settings: TrainSettings) -> tuple[tuple[ArmConfig, ArmStyle], ...]:
    """Without skips at every depth, then the deepest with skips, then the one without a norm if it is asked for."""
    shared: dict[str, Any] = {"width": settings.width, "activation": settings.activation, "lr": settings.lr}
    labels = [f"{depth} layers" for depth in settings.ordered]
    skips = f"{settings.deepest} layers, skips"
    styles = plain_styles([*labels, skips])
    arms = [
        (ArmConfig(name=label, norm="batch", depth=depth, **shared), style)
        for label, depth, style in zip(labels, settings.ordered, styles[:-1], strict=True)
    ]
    arms.append((ArmConfig(name=skips, norm="batch", depth=settings.deepest, residual=True, **shared), styles[-1]))
    if settings.plain:
        label = f"{settings.deepest} layers, no norm"
        arms.append((ArmConfig(name=label, norm="none", depth=settings.deepest, **shared), norm_style("none", label)))
    return tuple(arms)


def stages(settings: TrainSettings) -> tuple[Stage, ...]:
    """One run: all nets side by side on the same batches."""
    run = RunConfig(
        arms=tuple(arm for arm, _ in _arms(settings)),
        trials=settings.seeds,
        steps=settings.steps,
        batch_size=settings.batch_size,
    )
    return (Stage(STAGE, "training", run, keep=("train_loss", "test_accuracy", "pre_norm_grad_norm")),)


def charts(settings: TrainSettings) -> tuple[Chart, ...]:
    """Loss and test accuracy over the steps, accuracy by net, gradient by layer."""
    styles = [style for _, style in _arms(settings)]
    percent = curve_chart(
        "accuracy", "Test accuracy", "Higher is better. At 10 % a net guesses.", "test accuracy (%)", styles, settings.steps
    )
    percent.y_range = (0.0, 102.0)
    loss = curve_chart(
        "loss",
        "Training loss",
        "Lower is better. At 2.3 a net guesses.",
        "cross-entropy (nats)",
        styles,
        settings.steps,
        y_log=True,
    )
    return (
        Chart(
            percent, lambda results: {"": [curve_point(100 * values) for values in _newest(results, "test_accuracy", settings)]}
        ),
        Chart(loss, lambda results: {"": [curve_point(values) for values in _newest(results, "train_loss", settings)]}),
        _by_net(settings),
        _gradients(settings, styles),
    )


def _by_net(settings: TrainSettings) -> Chart:
    arms = _arms(settings)
    labels = [style.label for _, style in arms]
    how = "Newest measurement, from the worst to the best seed."
    spec = category_chart("by_net", "Accuracy by net", how, "test accuracy (%)", labels, plain_styles(["test accuracy"]))
    spec.y_range = (0.0, 102.0)
    return Chart(
        spec, lambda results: {"": [sweep_series([100 * values for values in _newest(results, "test_accuracy", settings)])]}
    )


def _gradients(settings: TrainSettings, styles: list[ArmStyle]) -> Chart:
    how = "Scrub to step 0: before training it grows towards layer 1, the more the deeper the net. Then watch it."
    spec = layer_chart(
        "gradients", "Gradient by layer", how, "|dL/d pre-norm| of the batch", styles, max(settings.deepest, 2), y_log=True
    )

    def draw(results: Results) -> dict[str, list[Any]]:
        series = []
        for values in _newest(results, "pre_norm_grad_norm", settings):
            padded = np.full((settings.deepest, settings.seeds), np.nan)
            padded[: values.shape[1]] = np.where(values > 0, values, np.nan).T
            series.append(sweep_series(padded))
        return {"": series}

    return Chart(spec, draw)


def _newest(results: Results, name: str, settings: TrainSettings) -> list[FloatArray]:
    """A measure of every arm as last measured."""
    last = results.last(STAGE)
    if last is None:
        return [np.full((settings.seeds, 1) if "norm" in name else settings.seeds, np.nan) for _ in _arms(settings)]
    return [np.asarray((arm.layers if "norm" in name else arm.curves)[name], np.float64) for arm in last.arms]


def verdict(settings: TrainSettings, results: Results) -> Verdict | None:
    """Test accuracy of every net at the end; the deepest one without and with skips decides."""
    if not results.finished():
        return None
    accuracies = [np.nan_to_num(values, nan=0.0) for values in _newest(results, "test_accuracy", settings)]  # diverged: 0
    count = len(settings.ordered)
    deep, skips = accuracies[count - 1], accuracies[count]
    words = [f"{spread_words(100 * values)} % {_at(depth)}" for depth, values in zip(settings.ordered, accuracies, strict=False)]
    plain = f" Without a norm: {spread_words(100 * accuracies[-1])} %." if settings.plain else ""
    sentence = (
        f"Test accuracy after {settings.steps} steps at a learning rate of {settings.lr:g}: "
        f"with batch norm {', '.join(words)}; "
        f"with skips as well {spread_words(100 * skips)} % {_at(settings.deepest)}.{plain}"
    )
    numbers = {f"accuracy_{depth}": float(np.median(values)) for depth, values in zip(settings.ordered, accuracies, strict=False)}
    numbers |= {
        "deep": float(np.median(deep)),
        "deep_high": float(deep.max()),
        "skips": float(np.median(skips)),
        "skips_low": float(skips.min()),
        "shallow_low": float(accuracies[0].min()),
    }
    return Verdict(_answer(deep, skips), sentence, numbers)


def _at(depth: int) -> str:
    return f"at {depth} layers"


def _answer(deep: FloatArray, skips: FloatArray) -> str | None:
    """By every seed of the deepest nets."""
    if deep.max() < FAILED and skips.min() > LEARNED:
        return "skips"
    if deep.min() > LEARNED and skips.min() > LEARNED:
        return "both"
    return "neither" if deep.max() < FAILED and skips.max() < FAILED else None


def judge_depth(verdict: Verdict) -> Finding:
    """Supported when no seed of the deepest net without skips learns while every seed with skips and of the shallowest does."""
    numbers = verdict.numbers
    measured = f"test accuracy {plain(100 * numbers['deep'])} % without, {plain(100 * numbers['skips'])} % with skips"
    if verdict.answer == "skips":
        return Finding("supported", measured)
    return Finding("mixed" if numbers["deep_high"] < numbers["skips_low"] else "not supported in this setting", measured)


PART = Part(
    id="trainability",
    title="How deep can it train?",
    question="Can a net of fifty layers be trained when every layer has batch norm?",
    choices=(
        Choice("both", "Yes, batch norm is enough"),
        Choice("skips", "Only with skips as well"),
        Choice("neither", "No, with neither"),
    ),
    settings=TrainSettings,
    presets=(
        Preset(
            "default",
            "10, 25 and 50 layers",
            "Digits, ReLU, one learning rate for all. Watch the accuracy of the deeper nets, and their gradients at step 0.",
            TrainSettings(),
        ),
        Preset(
            "larger_lr",
            "Ten times the rate",
            "A learning rate of 0.3. Watch whether larger steps help the deepest net.",
            TrainSettings(lr=0.3),
        ),
        Preset(
            "linear",
            "Without a non-linearity",
            "Fifty linear layers: their gradients hardly grow. Watch the net without skips.",
            TrainSettings(activation="linear", depths=(10, 50)),
        ),
        Preset(
            "plain",
            "And without a norm",
            "The deepest net without a norm as well, in place of the shallow ones. Watch both nets without skips.",
            TrainSettings(depths=(50,), plain=True),
        ),
    ),
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(YANG, DE_SMITH),
    caveat=("trainability", "linear"),
    claims=(
        Claim(
            "fifty_layers_need_skips",
            "Very deep nets with batch norm and without skips do not train.",
            YANG,
            "default",
            judge_depth,
        ),
    ),
)
