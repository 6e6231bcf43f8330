"""Deep batch-norm nets trained live: how deep they can be without and with skips."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from bnviz.charts.builders import category_chart, plain_styles, sweep_series
from bnviz.charts.theme import ArmStyle, norm_style
from bnviz.config.models import ArmConfig, Float, Int, RunConfig
from bnviz.config.stages import Stage
from bnviz.experiments.kit import knobs
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Settings, Verdict
from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.quantities import Quantity, Styles
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import answered, rule, when
from bnviz.experiments.kit.sentences import joined, listed, say
from bnviz.experiments.kit.sources import DE_SMITH, YANG
from bnviz.experiments.kit.spread import Spread, spread_of
from bnviz.experiments.kit.twins import arm_of

Depth = Annotated[Int, Field(ge=2, le=60)]
FAILED, LEARNED = (
    30.0,
    60.0,
)  # test accuracy of every seed below, above: a fifth and more than half of the way from guessing to 100 %
ACCURACY = Quantity(
    "test_accuracy",
    "Test accuracy",
    "Higher is better. At 10 % a net guesses.",
    "test accuracy (%)",
    range=(0.0, 102.0),
    factor=100.0,
)
LOSS = Quantity("train_loss", "Training loss", "Lower is better. At 2.3 a net guesses.", "cross-entropy (nats)", log=True)
GRADIENT = Quantity(
    "pre_norm_grad_norm",
    "Gradient by layer",
    "Scrub to step 0: before training it grows towards layer 1, the more the deeper the net. Then watch it.",
    "|dL/d pre-norm| of the batch",
    log=True,
)
KEEP = (LOSS.measure, ACCURACY.measure, GRADIENT.measure)


class TrainSettings(Settings):
    """Nets of several depths on the digits, all at one learning rate."""

    depths: tuple[Depth, ...] = Field(
        default=(10, 25, 50), min_length=1, max_length=4, title="Depths", description="Hidden layers without skips, 2 to 60 each."
    )
    activation: Literal["relu", "leaky_relu", "tanh", "linear"] = knobs.activation()
    width: Int = knobs.width(32, most=64, least=8)
    lr: Float = knobs.learning_rate(0.03, most=1, least=1e-4, of="Of plain SGD, the same for all nets.")
    batch_size: Int = knobs.batch_size(64, least=8)
    steps: Int = knobs.steps(200, most=1500, least=20)
    plain: bool = Field(
        default=False, title="A plain net", description="Train the deepest net without a norm and without skips too."
    )
    seeds: Int = knobs.seeds(3, most=6, of="Networks of each kind.")

    @property
    def ordered(self) -> tuple[int, ...]:
        """The depths, ascending, each once."""
        return tuple(sorted(set(self.depths)))

    @property
    def deepest(self) -> int:
        """The depth at which skips are compared."""
        return self.ordered[-1]


def _name(depth: int) -> str:
    return f"{depth} layers"


def _skips(settings: TrainSettings) -> str:
    return f"{_name(settings.deepest)}, skips"


def _plain(settings: TrainSettings) -> str:
    return f"{_name(settings.deepest)}, no norm"


def _arms(settings: TrainSettings) -> tuple[ArmConfig, ...]:
    """Without skips at every depth, then the deepest with skips, then the one without a norm if it is asked for."""
    deepest = settings.deepest
    arms = [arm_of(settings, "batch", name=_name(depth), depth=depth) for depth in settings.ordered]
    arms.append(arm_of(settings, "batch", name=_skips(settings), depth=deepest, residual=True))
    if settings.plain:
        arms.append(arm_of(settings, "none", name=_plain(settings), depth=deepest))
    return tuple(arms)


def _styles(settings: TrainSettings) -> Styles:
    """Of all nets, by their names."""
    labels = [*map(_name, settings.ordered), _skips(settings)]
    plain = {_plain(settings): norm_style("none", _plain(settings))} if settings.plain else {}
    return dict[str, ArmStyle](zip(labels, plain_styles(labels), strict=True)) | plain


def stages(settings: TrainSettings) -> tuple[Stage, ...]:
    """One run: all nets side by side on the same batches."""
    run = RunConfig(arms=_arms(settings), trials=settings.seeds, steps=settings.steps, batch_size=settings.batch_size)
    return (Stage("training", "training", run, KEEP),)


def charts(settings: TrainSettings) -> tuple[Chart, ...]:
    """Loss and test accuracy over the steps, accuracy by net, gradient by layer."""
    styles = _styles(settings)
    accuracy = ACCURACY.by_step("accuracy", styles, settings.steps)
    loss = LOSS.by_step("loss", styles, settings.steps)
    gradients = GRADIENT.by_layer("gradients", styles, max(settings.deepest, 2), _gradients)
    return accuracy, loss, _by_net(styles), gradients


def _gradients(results: Results) -> Labelled:
    """Gradients above 0 by net, seed and layer: a logarithmic axis shows no others."""
    return results.newest(GRADIENT.measure).map(lambda norms: np.where(norms > 0, norms, np.nan))


def _by_net(styles: Styles) -> Chart:
    labels = [style.label for style in styles.values()]
    how = "Newest measurement, from the worst to the best seed."
    spec = category_chart("by_net", "Accuracy by net", how, ACCURACY.axis, labels, plain_styles(["test accuracy"]))
    spec.y_range = ACCURACY.range
    return Chart(spec, lambda results: {"": [sweep_series(ACCURACY.newest(results).rows("arm", "seed"))]})


def verdict(settings: TrainSettings, results: Results) -> Verdict | None:
    """Test accuracy of every net at the end; the deepest one without and with skips decides."""
    if not results.finished():
        return None
    accuracies = ACCURACY.newest(results).map(lambda values: np.nan_to_num(values, nan=0.0))  # diverged: 0
    found = {arm: spread_of(each.values, unit="%") for arm, each in accuracies.along("arm")}
    deep, skips = found[_name(settings.deepest)], found[_skips(settings)]
    numbers = {
        **{f"accuracy_{depth}": found[_name(depth)] for depth in settings.ordered},
        "deep": deep,
        "skips": skips,
        "shallow": found[_name(settings.ordered[0])],
    }
    headline = say(
        "With batch norm a net of {depth} layers comes to a test accuracy of {deep}, with skips as well to {skips}.",
        depth=settings.deepest,
        deep=deep,
        skips=skips,
    )
    return Verdict(_answer(deep, skips), headline, numbers, _details(settings, found))


def _details(settings: TrainSettings, found: Mapping[str, Spread]) -> str:
    """The other nets, and how long they were trained."""
    others = [f"{found[_name(depth)]} at {_name(depth)}" for depth in settings.ordered[:-1]]
    plain = f"Without a norm: {found[_plain(settings)]}." if settings.plain else ""
    trained = say("Trained for {steps} steps at a learning rate of {lr}.", steps=settings.steps, lr=settings.lr)
    return joined(f"With batch norm alone: {listed(others)}." if others else "", plain, trained)


def _answer(deep: Spread, skips: Spread) -> str | None:
    """By every seed of the deepest nets."""
    if deep.high < FAILED and skips.low > LEARNED:
        return "skips"
    if deep.low > LEARNED and skips.low > LEARNED:
        return "both"
    return "neither" if deep.high < FAILED and skips.high < FAILED else None


def _every_seed_above(numbers: Mapping[str, Any]) -> bool:
    return numbers["deep"].high < numbers["skips"].low


judge_depth = rule("test accuracy {deep} without, {skips} with skips", supported=answered("skips"), mixed=when(_every_seed_above))


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
            "The deepest net without a norm too, in place of the shallow ones. Watch both nets without skips.",
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
