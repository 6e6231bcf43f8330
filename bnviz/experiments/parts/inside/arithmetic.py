"""One batch by hand, and the question what a bias before batch norm does: in training, and at inference."""

import numpy as np

from bnviz.charts.builders import add_theory_line, norm_style, plain_styles
from bnviz.charts.theme import ArmStyle
from bnviz.config.stages import Stage
from bnviz.experiments.kit.base import Chart, Choice, Claim, Part, Preset, Verdict
from bnviz.experiments.kit.labelled import FloatArray, Labelled, stacked
from bnviz.experiments.kit.numbers import number
from bnviz.experiments.kit.quantities import Quantity, Styles, Swept
from bnviz.experiments.kit.results import Results
from bnviz.experiments.kit.rules import all_below, rule
from bnviz.experiments.kit.sentences import listed, say
from bnviz.experiments.kit.sources import IOFFE_2015, WU_HE
from bnviz.experiments.parts.inside.batch_settings import ArithmeticSettings
from bnviz.experiments.parts.inside.tables import LARGEST

KEY, REACH, POINTS = "bias", 10.0, 41
SHIFTS: FloatArray = np.linspace(-REACH, REACH, POINTS)
BIASES = Swept("shift", tuple(SHIFTS.tolist()), "bias b before the norm")
ROUNDING = 1e-9  # of an output's size: float64 leaves some 1e-16 of the numbers that were subtracted, at most 1e6 times larger
STYLES: Styles = {
    "none": norm_style("none"),
    "training": norm_style("batch", "batch norm, training"),
    "inference": ArmStyle("batch norm, inference", "#56B4E9", "longdash", "diamond"),
}
MOVED = Quantity(
    "moved",
    "Outputs, moved",
    "A bias b is added to every sample. Level: the output does not change. Bands: lowest to highest of all outputs.",
    "change of the output y",
)
GRADIENT = Quantity(
    "gradient",
    "Gradient of b",
    "dL/db by automatic differentiation, at every b. At 0 the bias never learns, whatever the loss wants.",
    "dL/db",
)
ALONE = Quantity(
    "alone",
    "One sample moves",
    "Only sample 1 is moved by d, in training. The other samples' lines bend: a batch is normalized together.",
    "output y, feature 1",
)


def stages(settings: ArithmeticSettings) -> tuple[Stage, ...]:
    """One probe."""
    rows = ("gamma", "beta", "running_mean", "running_var")
    options = {name: settings.row(name).tolist() for name in rows} | {"eps": settings.eps, "shifts": SHIFTS.tolist()}
    options |= {"x": settings.x.tolist(), "dy": settings.dy.tolist()}
    return (Stage(KEY, "a bias before the norm", probe="inside_batch", options=options, seconds=1.0),)


def charts(settings: ArithmeticSettings) -> tuple[Chart, ...]:
    """How far the outputs move with the bias, its gradient, and the outputs when one sample moves alone."""
    return _moved_chart(settings), _gradient_chart(settings), _alone_chart(settings)


def _moved_chart(settings: ArithmeticSettings) -> Chart:
    chart = MOVED.by_value("moved", STYLES, BIASES, lambda results: _moved(settings, results), markers=False)
    add_theory_line(chart.spec, SHIFTS, SHIFTS * 0, "training: 0")
    add_theory_line(chart.spec, SHIFTS, SHIFTS * np.median(_slopes(settings)), "inference: bγ/σ")
    return chart


def _gradient_chart(settings: ArithmeticSettings) -> Chart:
    """Rounding errors are drawn as 0: they would fill a chart that has nothing else to show."""

    def cleaned(values: FloatArray) -> FloatArray:
        return np.where(np.abs(values) < ROUNDING, 0.0, values)

    chart = GRADIENT.by_value(
        "bias_gradient", STYLES, BIASES, lambda results: _gradients(settings, results).map(cleaned), markers=False
    )
    chart.spec.y_include = (-0.1, 0.1)
    return chart


def _alone_chart(settings: ArithmeticSettings) -> Chart:
    """Only the first sample moves; in training the others' outputs move with it."""
    samples = tuple(f"sample {i + 1}" for i in range(len(settings.x)))
    styles = dict(zip(samples, plain_styles(samples), strict=True))
    moves = Swept("shift", BIASES.places, "shift d of sample 1, feature 1")

    def outputs(results: Results) -> Labelled:
        """By bias and sample, each once."""
        found = results.probed(ALONE.measure, KEY, shift=tuple(moves.places), arm=samples)
        return Labelled(found.values[:, :, None], {**found.axes, "seed": (0,)})

    return ALONE.by_value("alone", styles, moves, outputs, markers=False)


def _moved(settings: ArithmeticSettings, results: Results) -> Labelled:
    """How far each output has moved, by arm (the mode), bias and output, which stands where charts have seeds."""
    return _by_mode(results, MOVED, settings.x.size)


def _gradients(settings: ArithmeticSettings, results: Results) -> Labelled:
    """dL/db by arm (the mode), bias and feature, which stands where charts have seeds."""
    return _by_mode(results, GRADIENT, settings.x.shape[1])


def _by_mode(results: Results, quantity: Quantity, count: int) -> Labelled:
    axes = {"shift": tuple(BIASES.places), "seed": tuple(range(count))}
    return stacked("arm", {mode: results.probed(f"{quantity.measure}_{mode}", KEY, **axes) for mode in STYLES})


def verdict(settings: ArithmeticSettings, results: Results) -> Verdict | None:
    """Whether the outputs stay where they are, or move by b times gamma over the running standard deviation."""
    if not results.finished(KEY):
        return None
    moved, gradients = (each(settings, results).at(arm=settings.mode).values for each in (_moved, _gradients))
    numbers = {
        "largest_move": float(np.abs(moved).max()),
        "largest_gradient": float(np.abs(gradients).max()),
        "autograd_gap": float(results.probed("gap", KEY, gap=(0,)).values.max()),
    }
    agreed = say("These formulas and automatic differentiation differ by at most {autograd_gap:1}.", numbers)
    if numbers["largest_move"] <= ROUNDING * max(1.0, float(np.abs(settings.x).max())):
        return Verdict("nothing", say(NOTHING, numbers), numbers, agreed)
    numbers["off_the_rule"] = _off_the_rule(settings, results)
    if settings.mode == "inference" and numbers["off_the_rule"] <= ROUNDING * LARGEST:
        slopes = listed([number(value) for value in dict.fromkeys(_slopes(settings).tolist())])
        return Verdict("scaled", say(SCALED, {**numbers, "slopes": slopes}), numbers, agreed)
    return Verdict(
        None, say("The outputs moved by up to {largest_move}, by no rule that was looked for.", numbers), numbers, agreed
    )


NOTHING = (
    "For b from -10 to 10 no output moved by more than {largest_move:1}, and |dL/db| was at most {largest_gradient:1}: "
    "rounding errors, no more."
)
SCALED = (
    "Every output moved in proportion to b, by {slopes} times b: γ / √(running variance + ε). dL/db is up to {largest_gradient}."
)


def _slopes(settings: ArithmeticSettings) -> FloatArray:
    """What b is multiplied by at inference, for each feature."""
    return settings.row("gamma") / np.sqrt(settings.row("running_var") + settings.eps)


def _off_the_rule(settings: ArithmeticSettings, results: Results) -> float:
    """How far the outputs at inference are from y(0) + b gamma / sqrt(running_var + eps), at most."""
    expected = SHIFTS[:, None] * np.tile(_slopes(settings), len(settings.x))
    return float(np.abs(_moved(settings, results).at(arm="inference").values - expected).max())


judge_useless = rule(
    "outputs moved by at most {largest_move:1}, dL/db at most {largest_gradient:1}",
    supported=all_below("largest_move", 1e-6) & all_below("largest_gradient", 1e-6),
)


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
    stages=stages,
    charts=charts,
    verdict=verdict,
    references=(IOFFE_2015, WU_HE),
    caveat=("arithmetic", "inference"),
    claims=(
        Claim(
            "bias_is_useless",
            "A bias before batch norm is cancelled by it, so it can be left out.",
            IOFFE_2015,
            "default",
            judge_useless,
        ),
    ),
    body="inside",
)
