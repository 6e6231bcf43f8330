"""The warning of the 2015 paper: a gradient that takes the batch statistics for constants lets biases run away."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bnviz.charts.builders import add_level, add_theory_line, norm_style, sweep_chart, sweep_series
from bnviz.charts.theme import ArmStyle
from bnviz.config.models import ArmConfig, Float, Int, NormName, RunConfig
from bnviz.config.schedule import measured_steps
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Reference, Settings, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain

FloatArray = NDArray[np.float64]
BIAS, NETWORK, FRAMES = "bias", "network", 40
NORMS: tuple[NormName, ...] = ("batch", "batch_detached")
DETACHED = 1
NO_MOVE = 1e-9  # of a bias or a loss that gradient descent did not move, in float64
STILL_GROWING = 1.5  # times its value at half time: 2 for a straight line, 1 for a bias that has settled

SECTION_2 = Reference("Ioffe & Szegedy 2015, Batch Normalization, section 2", "https://arxiv.org/abs/1502.03167")


class DetachedSettings(Settings):
    """One unit with a bias before its norm, and a network whose norms are detached."""

    learn_beta: bool = Field(
        default=False, title="Learn beta", description="Let the unit learn beta too, which can do what b cannot."
    )
    steps: Int = Field(default=400, ge=40, le=4000, title="Steps", description="Of gradient descent, for the single unit.")
    lr: Float = Field(default=0.1, ge=0.01, le=1, title="Learning rate", description="Of the unit and of the network.")
    spread: Float = Field(
        default=1.0, ge=0.1, le=10, title="Spread of the inputs", description="Standard deviation of the unit's inputs."
    )
    samples: Int = Field(default=256, ge=2, le=1024, title="Batch size", description="Samples of the unit's batch.")
    seeds: Int = Field(default=6, ge=1, le=16, title="Seeds", description="Draws of the inputs; networks of each kind.")
    depth: Int = Field(default=4, ge=1, le=20, title="Hidden layers", description="Of the network.")
    network_steps: Int = Field(default=300, ge=20, le=2000, title="Steps of the network", description="Updates of the network.")


def _network(settings: DetachedSettings) -> RunConfig:
    arms = tuple(ArmConfig(norm=norm, depth=settings.depth, width=32, lr=settings.lr) for norm in NORMS)
    return RunConfig(
        arms=arms, trials=settings.seeds, steps=settings.network_steps, measure_every=max(1, settings.network_steps // 30)
    )


def _stages(settings: DetachedSettings) -> tuple[Stage, ...]:
    names = ("steps", "lr", "spread", "samples", "seeds", "learn_beta")
    options = {name: getattr(settings, name) for name in names}
    return (
        Stage(BIAS, "one unit", probe="detached_bias", options=options, seconds=settings.steps / 400),
        Stage(NETWORK, "a network", run=_network(settings), keep=("train_loss", "pre_norm_mean")),
    )


def _styles() -> tuple[ArmStyle, ...]:
    return norm_style("batch"), norm_style("batch_detached", "statistics detached")


def _steps(settings: DetachedSettings) -> FloatArray:
    return np.rint(np.linspace(0, settings.steps, FRAMES + 1))


def expected_bias(settings: DetachedSettings, std: float) -> FloatArray:
    """The detached bias at each measured step, for inputs of this standard deviation.

    Without beta every step adds lr / std. With it, what is missing of the target shrinks by the factor 1 - lr at every
    step, and b has gone 1 / std times as far as beta.
    """
    steps = _steps(settings)
    return (1 - (1 - settings.lr) ** steps if settings.learn_beta else settings.lr * steps) / std


def _charts(settings: DetachedSettings) -> tuple[Chart, ...]:
    return _bias_chart(settings), _loss_chart(settings), _network_mean_chart(settings), _network_loss_chart(settings)


def _unit_chart(settings: DetachedSettings, what: str, title: str, how: str, y_title: str) -> Chart:
    spec = sweep_chart(what, title, how, "step (updates)", y_title, _steps(settings).tolist(), _styles(), markers=False)
    missing = np.full((FRAMES + 1, 1), np.nan)

    def draw(results: Results) -> dict[str, list[list[list[float | None]]]]:
        found = (results.value(BIAS, f"{what}_{norm}") for norm in NORMS)
        return {"": [sweep_series(missing if values is None else values) for values in found]}

    return Chart(spec, draw)


def _bias_chart(settings: DetachedSettings) -> Chart:
    how = "One unit. The line that climbs is pushed on at every step, though its bias cannot change the output."
    chart = _unit_chart(settings, "bias", "The bias", how, "bias b before the norm")
    add_theory_line(chart.spec, _steps(settings), expected_bias(settings, settings.spread), "detached, in theory")
    return chart


def _loss_chart(settings: DetachedSettings) -> Chart:
    how = "The same unit. Compare it with the bias: does the loss gain anything from where the bias goes?"
    chart = _unit_chart(settings, "loss", "Loss of the unit", how, "loss")
    chart.spec.y_floor = 0.0
    add_level(chart.spec, 0.5, "loss of an output that is 1 too low")
    return chart


def _network_chart(settings: DetachedSettings, measure: str, title: str, how: str, y_title: str) -> Chart:
    steps = measured_steps(_network(settings))
    spec = sweep_chart(measure, title, how, "step (updates)", y_title, steps, _styles(), markers=False)

    def draw(results: Results) -> dict[str, list[list[list[float | None]]]]:
        return {"": [sweep_series(_padded(_curve(results, measure, arm), len(steps))) for arm in range(len(NORMS))]}

    return Chart(spec, draw)


def _network_mean_chart(settings: DetachedSettings) -> Chart:
    how = "A whole network, mean size over its layers. Batch norm subtracts it all, so no output needs it."
    return _network_chart(settings, "pre_norm_mean", "Offset before norm", how, "|mean| of the pre-norm values")


def _network_loss_chart(settings: DetachedSettings) -> Chart:
    how = "A whole network, with gamma and beta, on handwritten digits: what the wrong gradient costs."
    chart = _network_chart(settings, "train_loss", "Loss of the network", how, "training loss (nats)")
    chart.spec.y_floor = 0.0
    return chart


def _curve(results: Results, measure: str, arm: int) -> FloatArray:
    """Of an arm of the network over the steps measured so far, shape (n, trials); layer measures as mean size over layers."""
    values = results.curve(NETWORK, measure, arm)
    return np.abs(values).mean(axis=2) if values.ndim == 3 else values


def _padded(values: FloatArray, rows: int) -> FloatArray:
    """With NaN where nothing was measured yet, shape (rows, trials)."""
    full = np.full((rows, values.shape[1] if values.ndim == 2 else 1), np.nan)
    full[: len(values)] = values.reshape(len(values), full.shape[1])
    return full


def _verdict(settings: DetachedSettings, results: Results) -> Verdict | None:
    if not results.finished(BIAS):
        return None
    found = [results.value(BIAS, name) for name in ("bias_batch", "bias_batch_detached", "loss_batch_detached", "std")]
    whole, bias, loss, std = (np.zeros((FRAMES + 1, 1)) if values is None else values for values in found)
    half = bias[FRAMES // 2]
    expected = np.stack([expected_bias(settings, float(each)) for each in std.flat], axis=1)
    numbers = {
        "bias": float(np.median(bias[-1])),
        "off_theory": float(np.abs(bias - expected).max() / np.abs(expected).max()),
        "bias_of_batch_norm": float(np.abs(whole).max()),
        "growth_since_half": float(np.median(bias[-1] / np.where(half == 0, np.nan, half))),
        "loss_start": float(np.median(loss[0])),
        "loss_change": float(np.median(loss[-1] - loss[0])),
    }
    is_still = bool(np.abs(loss - loss[0]).max() <= NO_MOVE)
    answer = _answer(float(np.abs(bias).max()), numbers["growth_since_half"], is_still)
    sentence = _of_the_unit(settings, bias[-1], numbers)
    return Verdict(answer, f"{sentence}{_of_the_network(results, numbers)}", numbers)


def _answer(largest: float, growth: float, is_still: bool) -> str | None:
    if largest <= NO_MOVE:
        return "stays"
    if is_still and growth >= STILL_GROWING:
        return "grows"
    return "settles" if not is_still and growth < STILL_GROWING else None


def _of_the_unit(settings: DetachedSettings, bias: FloatArray, numbers: dict[str, float]) -> str:
    spread = f"{plain(bias.min())} to {plain(bias.max())} over {len(bias)} seeds" if len(bias) > 1 else "one seed"
    start, change, growth, off = (numbers[name] for name in ("loss_start", "loss_change", "growth_since_half", "off_theory"))
    motion = f", {plain(growth)} times its value at half time" if np.isfinite(growth) else ""
    formula = "as the closed form says" if off < NO_MOVE else f"up to {plain(100 * off, 2)} % off the closed form"
    loss = f"stayed at {plain(start)}" if abs(change) <= NO_MOVE else f"went from {plain(start)} to {plain(start + change)}"
    return (
        f"With detached statistics the bias reached {plain(numbers['bias'])} in {settings.steps} steps ({spread}){motion}, "
        f"{formula}, and the loss {loss}; with the whole gradient the bias stayed within "
        f"{plain(numbers['bias_of_batch_norm'], 1)} of 0."
    )


def _of_the_network(results: Results, numbers: dict[str, float]) -> str:
    """A sentence on the network, once it is trained; adds its numbers."""
    if not results.finished(NETWORK):
        return ""
    means = [_median(_curve(results, "pre_norm_mean", arm)[-1]) for arm in range(len(NORMS))]
    losses = [_median(_curve(results, "train_loss", arm)[-1]) for arm in range(len(NORMS))]
    numbers |= {"offset": means[0], "offset_detached": means[DETACHED]}
    numbers |= {"network_loss": losses[0], "network_loss_detached": losses[DETACHED]}
    if not np.isfinite([*means, *losses]).all():
        return " In the network every seed of at least one kind diverged."
    return (
        f" In the network the offsets before the norms came to {plain(means[DETACHED])} against {plain(means[0])} "
        f"and the loss to {plain(losses[DETACHED])} against {plain(losses[0])} (detached against whole gradient, medians)."
    )


def _median(values: FloatArray) -> float:
    """Over the seeds that have not diverged; NaN when none is left."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def _judge(verdict: Verdict) -> Finding:
    """Supported when the bias goes on growing at an unchanged loss; mixed when only one of the two holds."""
    numbers = verdict.numbers
    grows, is_still = numbers["growth_since_half"] >= STILL_GROWING, abs(numbers["loss_change"]) <= NO_MOVE
    measured = f"bias {plain(numbers['bias'])}, still growing {plain(numbers['growth_since_half'])} times since half time, "
    measured += f"loss changed by {plain(numbers['loss_change'], 1)}"
    return Finding(("not supported in this setting", "mixed", "supported")[int(grows) + int(is_still)], measured)


PART = Part(
    id="detached",
    title="Detached statistics",
    question="If the gradient takes the batch's mean and variance for constants, what becomes of a bias before the norm?",
    choices=(
        Choice("grows", "It grows on and on, and the loss stays where it is"),
        Choice("settles", "It settles at a useful value, and the loss falls"),
        Choice("stays", "Nothing: it stays where it is"),
    ),
    settings=DetachedSettings,
    presets=(
        Preset(
            "default",
            "A bias alone",
            "The loss wants an output that is 1 higher everywhere. Only the bias is learned, and the norm takes it out again.",
            DetachedSettings(),
        ),
        Preset(
            "with_beta",
            "Beta learns too",
            "Beta comes after the norm, so it can give the loss what it wants. Watch what the bias does meanwhile.",
            DetachedSettings(learn_beta=True),
        ),
        Preset(
            "small_spread",
            "Inputs close together",
            "The inputs' standard deviation is 0.2 in place of 1. Watch the numbers on the axis of the bias.",
            DetachedSettings(spread=0.2),
        ),
    ),
    stages=_stages,
    charts=_charts,
    verdict=_verdict,
    references=(SECTION_2,),
    caveat=("detached", "with_beta"),
    claims=(
        Claim(
            "detached_bias",
            "If the gradient ignores that the statistics depend on the batch, a bias before the norm grows without bound "
            "while the loss does not change.",
            SECTION_2,
            "default",
            _judge,
        ),
    ),
)
