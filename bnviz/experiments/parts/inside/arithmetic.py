"""One batch by hand, and the question what a bias before batch norm does: in training, and at inference."""

import numpy as np
from numpy.typing import NDArray

from bnviz.charts.builders import add_theory_line, norm_style, plain_styles, sweep_chart, sweep_series
from bnviz.charts.theme import ArmStyle
from bnviz.experiments.kit.base import Chart, Choice, Claim, Finding, Part, Preset, Reference, Stage, Verdict
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.sweeps import plain
from bnviz.experiments.parts.inside.batch_settings import ArithmeticSettings
from bnviz.experiments.parts.inside.tables import LARGEST

FloatArray = NDArray[np.float64]
KEY, REACH, POINTS = "bias", 10.0, 41
SHIFTS: FloatArray = np.linspace(-REACH, REACH, POINTS)
ROUNDING = 1e-9  # of an output's size: float64 leaves some 1e-16 of the numbers that were subtracted, at most 1e6 times larger

PAPER = Reference("Ioffe & Szegedy 2015, Batch Normalization", "https://arxiv.org/abs/1502.03167")
GROUP_NORM = Reference("Wu & He 2018, Group Normalization", "https://arxiv.org/abs/1803.08494")


def _stages(settings: ArithmeticSettings) -> tuple[Stage, ...]:
    rows = ("gamma", "beta", "running_mean", "running_var")
    options = {name: settings.row(name).tolist() for name in rows} | {"eps": settings.eps, "shifts": SHIFTS.tolist()}
    return (
        Stage(
            KEY,
            "a bias before the norm",
            probe="inside_batch",
            options=options | {"x": settings.x.tolist(), "dy": settings.dy.tolist()},
            seconds=1.0,
        ),
    )


def _styles() -> tuple[ArmStyle, ...]:
    inference = ArmStyle("batch norm, inference", "#56B4E9", "longdash", "diamond")
    return norm_style("none"), norm_style("batch", "batch norm, training"), inference


def _value(results: Results, name: str, shape: tuple[int, ...]) -> FloatArray:
    value = results.value(KEY, name)
    return np.full(shape, np.nan) if value is None else value


def _charts(settings: ArithmeticSettings) -> tuple[Chart, ...]:
    return _moved_chart(settings), _gradient_chart(settings), _alone_chart(settings)


def _moved_chart(settings: ArithmeticSettings) -> Chart:
    spec = sweep_chart(
        "moved",
        "Outputs, moved",
        "A bias b is added to every sample. Level: the output does not notice. Bands: lowest to highest of all outputs.",
        "bias b before the norm",
        "change of the output y",
        SHIFTS.tolist(),
        _styles(),
        markers=False,
    )
    add_theory_line(spec, SHIFTS, SHIFTS * 0, "training: 0")
    add_theory_line(spec, SHIFTS, SHIFTS * np.median(_slopes(settings)), "inference: bγ/σ")
    shape = (POINTS, settings.x.size)
    names = ("moved_none", "moved_training", "moved_inference")
    return Chart(spec, lambda results: {"": [sweep_series(_value(results, name, shape)) for name in names]})


def _gradient_chart(settings: ArithmeticSettings) -> Chart:
    spec = sweep_chart(
        "bias_gradient",
        "Gradient of b",
        "dL/db by automatic differentiation, at every b. At 0 the bias never learns, whatever the loss wants.",
        "bias b before the norm",
        "dL/db",
        SHIFTS.tolist(),
        _styles(),
        markers=False,
    )
    spec.y_include = (-0.1, 0.1)
    shape = (POINTS, settings.x.shape[1])
    names = ("gradient_none", "gradient_training", "gradient_inference")
    return Chart(spec, lambda results: {"": [sweep_series(_clean(_value(results, name, shape))) for name in names]})


def _clean(values: FloatArray) -> FloatArray:
    """Rounding errors as 0: they would fill a chart that has nothing else to show."""
    return np.where(np.abs(values) < ROUNDING, 0.0, values)


def _alone_chart(settings: ArithmeticSettings) -> Chart:
    """Only the first sample moves; in training the others' outputs move with it."""
    samples = len(settings.x)
    spec = sweep_chart(
        "alone",
        "One sample moves",
        "Only sample 1 is moved by d, in training. The other samples' lines bend: a batch is normalized together.",
        "shift d of sample 1, feature 1",
        "output y, feature 1",
        SHIFTS.tolist(),
        plain_styles([f"sample {i + 1}" for i in range(samples)]),
        markers=False,
    )
    shape = (POINTS, samples)

    def draw(results: Results) -> dict[str, list[list[list[float | None]]]]:
        outputs = _value(results, "alone", shape)
        return {"": [sweep_series(outputs[:, i : i + 1]) for i in range(samples)]}

    return Chart(spec, draw)


def _verdict(settings: ArithmeticSettings, results: Results) -> Verdict | None:
    if not results.finished(KEY):
        return None
    move, slope = (float(np.abs(_value(results, f"{what}_{settings.mode}", (1,))).max()) for what in ("moved", "gradient"))
    gap = float(_value(results, "gap", (1,)).max())
    numbers = {"largest_move": move, "largest_gradient": slope, "autograd_gap": gap}
    agreed = f"These formulas and automatic differentiation differ by at most {plain(gap, 1)}."
    if move <= ROUNDING * max(1.0, float(np.abs(settings.x).max())):
        lead = f"For b from -10 to 10 no output moved by more than {plain(move, 1)}, and |dL/db| was at most {plain(slope, 1)}"
        return Verdict("nothing", f"{lead}: rounding errors, no more. {agreed}", numbers)
    numbers["off_the_rule"] = _off_the_rule(settings, results)
    if settings.mode == "inference" and numbers["off_the_rule"] <= ROUNDING * LARGEST:
        lead = f"Every output moved in proportion to b, by {_list(_slopes(settings))} times b"
        return Verdict("scaled", f"{lead}: γ / √(running variance + ε). dL/db is up to {plain(slope)}. {agreed}", numbers)
    return Verdict(None, f"The outputs moved by up to {plain(move)}, by no rule that was looked for. {agreed}", numbers)


def _slopes(settings: ArithmeticSettings) -> FloatArray:
    """What b is multiplied by at inference, for each feature."""
    return settings.row("gamma") / np.sqrt(settings.row("running_var") + settings.eps)


def _off_the_rule(settings: ArithmeticSettings, results: Results) -> float:
    """How far the outputs at inference are from y(0) + b gamma / sqrt(running_var + eps), at most."""
    expected = SHIFTS[:, None] * np.tile(_slopes(settings), len(settings.x))
    return float(np.abs(_value(results, "moved_inference", expected.shape) - expected).max())


def _list(values: FloatArray) -> str:
    return ", ".join(plain(value) for value in dict.fromkeys(values.tolist()))


def _judge(verdict: Verdict) -> Finding:
    """Supported when nothing moves beyond rounding and the bias gets no gradient."""
    move, gradient = verdict.numbers["largest_move"], verdict.numbers["largest_gradient"]
    measured = f"outputs moved by at most {plain(move, 1)}, dL/db at most {plain(gradient, 1)}"
    return Finding("supported" if max(move, gradient) < 1e-6 else "not supported in this setting", measured)


PART = Part(
    id="arithmetic",
    title="Step by step",
    question="Add the same number b to every sample before batch norm: what happens to its outputs?",
    choices=(
        Choice("plain", "They all move by b"),
        Choice("scaled", "They all move, by b times γ over a standard deviation"),
        Choice("nothing", "Nothing: they stay where they are"),
    ),
    settings=ArithmeticSettings,
    presets=(
        Preset(
            "default",
            "Four samples",
            "Four samples of two features. Change any number, then step through what becomes of it.",
            ArithmeticSettings(),
        ),
        Preset(
            "two",
            "Two samples",
            "Only two samples, far apart in one feature and close in the other. Look at x-hat in step 4.",
            ArithmeticSettings(batch="1,100;9,101", upstream="1,0;0,2", running_mean="5,100", running_var="16,4"),
        ),
        Preset(
            "one",
            "One sample",
            "A batch of one: its mean is the sample itself. Look at y in step 5, and at what comes back in step 10.",
            ArithmeticSettings(batch="4,-20", upstream="1,2"),
        ),
        Preset(
            "give_back",
            "Give the input back",
            "Gamma is the standard deviation and beta the mean. Compare y in step 5 with the batch.",
            ArithmeticSettings(
                batch="2;4;4;4;5;5;7;9",
                upstream="1;0;0;0;0;0;0;-1",
                gamma="2",
                beta="5",
                eps=0,
                running_mean="5",
                running_var="4",
            ),
        ),
        Preset(
            "flat",
            "No spread",
            "The second feature is the same for all samples: its variance is 0, and only epsilon keeps x-hat from being 0/0.",
            ArithmeticSettings(batch="1,5;2,5;6,5", upstream="1,1;0,0;0,0", eps=0.01),
        ),
        Preset(
            "inference",
            "At inference",
            "The norm uses its running mean and variance in place of the batch's. Does the bias still vanish?",
            ArithmeticSettings(mode="inference"),
        ),
    ),
    stages=_stages,
    charts=_charts,
    verdict=_verdict,
    references=(PAPER, GROUP_NORM),
    caveat=("arithmetic", "inference"),
    claims=(
        Claim("bias_is_useless", "A bias before batch norm is cancelled by it, so it can be left out.", PAPER, "default", _judge),
    ),
    body="inside",
)
