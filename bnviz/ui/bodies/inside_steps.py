"""The steps through one batch: for each its formula, the same with the numbers put in, and a table. Knows no Streamlit."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnviz.closed_forms.arithmetic import Backward, Forward

FloatArray = NDArray[np.float64]
FORWARD, BACKWARD = "forward", "backward"
ALL = "all samples"


@dataclass(frozen=True)
class Step:
    """One step: `formula` and `filled` are LaTeX, `values` has one row per sample, or one for the whole batch."""

    way: str
    title: str
    words: str
    formula: str
    filled: str
    symbol: str
    values: FloatArray

    @property
    def row_names(self) -> list[str]:
        """What the rows of `values` belong to."""
        return [ALL] if len(self.values) == 1 else [f"sample {i + 1}" for i in range(len(self.values))]


@dataclass(frozen=True)
class _Numbers:
    """Both passes, seen from one sample and one feature; samples count from 1 in what is shown."""

    done: Forward
    back: Backward
    sample: int
    feature: int

    def column(self, values: FloatArray) -> list[str]:
        """A quantity of the feature, all samples, as LaTeX."""
        return [tex(value) for value in self.one_feature(values)]

    def one_feature(self, values: FloatArray) -> FloatArray:
        """A quantity of the feature, for all samples or for the batch."""
        full = np.broadcast_to(values, (len(values), self.done.x.shape[1]))
        return full[:, self.feature]

    def one(self, values: FloatArray, signed: bool = False) -> str:
        """A quantity of the feature, of the sample or of the batch; in brackets when negative and `signed`."""
        column = self.one_feature(values)
        text = tex(column[self.sample] if len(column) > 1 else column[0])
        return bracketed(text) if signed else text

    @property
    def i(self) -> int:
        """The sample's number, from 1."""
        return self.sample + 1

    @property
    def root(self) -> str:
        return rf"\sqrt{{{self.one(self.done.var)} + {tex(self.done.eps)}}}"


def steps(done: Forward, back: Backward, sample: int = 0, feature: int = 0) -> tuple[Step, ...]:
    """All steps of batch norm over (samples, features), with the numbers of one sample and one feature put in.

    Args:
        done: the forward pass.
        back: the backward pass, with attached statistics.
        sample: index of the sample.
        feature: index of the feature.
    """
    numbers = _Numbers(done, back, sample, feature)
    return tuple(step(numbers) for step in _STEPS)


def tex(value: float) -> str:
    """Four significant digits as LaTeX, rounding errors as what they are: 2.2 x 10^-16."""
    text = f"{value:.4g}"
    if "e" not in text:
        return text
    digits, exponent = text.split("e")
    return rf"{digits} \times 10^{{{int(exponent)}}}"


def bracketed(text: str) -> str:
    """In brackets, when it starts with a minus sign."""
    return f"({text})" if text.startswith("-") else text


def _sum(parts: Iterable[str]) -> str:
    return " + ".join(bracketed(part) for part in parts)


def _products(first: Iterable[str], second: Iterable[str]) -> str:
    return " + ".join(rf"{bracketed(a)} \cdot {bracketed(b)}" for a, b in zip(first, second, strict=True))


def _mean(at: _Numbers) -> Step:
    return Step(
        FORWARD,
        "Mean",
        "Each feature is averaged over the samples of the batch.",
        r"\mu = \frac{1}{B} \sum_{i=1}^{B} x_i",
        rf"\mu = \frac{{{_sum(at.column(at.done.x))}}}{{{at.done.count}}} = {at.one(at.done.mean)}",
        "μ",
        at.done.mean,
    )


def _deviation(at: _Numbers) -> Step:
    return Step(
        FORWARD,
        "Deviation",
        "How far each sample is from the mean. Whatever is added to all samples alike is gone from here on.",
        r"x_i - \mu",
        rf"x_{at.i} - \mu = {at.one(at.done.x)} - {at.one(at.done.mean, signed=True)} = {at.one(at.done.deviation)}",
        "x - μ",
        at.done.deviation,
    )


def _variance(at: _Numbers) -> Step:
    squares = " + ".join(f"{bracketed(value)}^2" for value in at.column(at.done.deviation))
    return Step(
        FORWARD,
        "Variance",
        "The mean of the squared deviations: divided by B, not by B - 1 (the biased variance).",
        r"\sigma^2 = \frac{1}{B} \sum_{i=1}^{B} (x_i - \mu)^2",
        rf"\sigma^2 = \frac{{{squares}}}{{{at.done.count}}} = {at.one(at.done.var)}",
        "σ²",
        at.done.var,
    )


def _x_hat(at: _Numbers) -> Step:
    return Step(
        FORWARD,
        "Normalized value x-hat",
        "Mean 0 and, apart from ε, variance 1. ε keeps the root above 0 when all samples are alike.",
        r"\hat{x}_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}}",
        rf"\hat{{x}}_{at.i} = \frac{{{at.one(at.done.deviation)}}}{{{at.root}}} = {at.one(at.done.x_hat)}",
        "x-hat",
        at.done.x_hat,
    )


def _output(at: _Numbers) -> Step:
    return Step(
        FORWARD,
        "Output y",
        "γ and β are learned: they let the layer choose its own scale and offset.",
        r"y_i = \gamma\, \hat{x}_i + \beta",
        rf"y_{at.i} = {at.one(at.done.gamma, signed=True)} \cdot {at.one(at.done.x_hat, signed=True)} + "
        rf"{at.one(at.done.beta, signed=True)} = {at.one(at.done.y)}",
        "y",
        at.done.y,
    )


def _to_beta(at: _Numbers) -> Step:
    return Step(
        BACKWARD,
        "Gradient of β",
        "∂L/∂y comes from above: how the loss changes with each output. β is added to every output, so it collects them all.",
        r"\frac{\partial L}{\partial \beta} = \sum_{i=1}^{B} \frac{\partial L}{\partial y_i}",
        rf"\frac{{\partial L}}{{\partial \beta}} = {_sum(at.column(at.back.dy))} = {at.one(at.back.dbeta)}",
        "∂L/∂β",
        at.back.dbeta,
    )


def _to_gamma(at: _Numbers) -> Step:
    products = _products(at.column(at.back.dy), at.column(at.done.x_hat))
    return Step(
        BACKWARD,
        "Gradient of γ",
        "γ multiplies x-hat, so each output's share is weighted by its own x-hat.",
        r"\frac{\partial L}{\partial \gamma} = \sum_{i=1}^{B} \frac{\partial L}{\partial y_i}\, \hat{x}_i",
        rf"\frac{{\partial L}}{{\partial \gamma}} = {products} = {at.one(at.back.dgamma)}",
        "∂L/∂γ",
        at.back.dgamma,
    )


def _to_x_hat(at: _Numbers) -> Step:
    return Step(
        BACKWARD,
        "Gradient of x-hat",
        "Back through the multiplication by γ.",
        r"\frac{\partial L}{\partial \hat{x}_i} = \gamma\, \frac{\partial L}{\partial y_i}",
        rf"\frac{{\partial L}}{{\partial \hat{{x}}_{at.i}}} = {at.one(at.done.gamma, signed=True)} \cdot "
        rf"{at.one(at.back.dy, signed=True)} = {at.one(at.back.dx_hat)}",
        "∂L/∂x-hat",
        at.back.dx_hat,
    )


def _through_mean(at: _Numbers) -> Step:
    return Step(
        BACKWARD,
        "Back through the mean",
        "Every sample moved the mean a little, and so moved all the others: that part of the gradient is the same for all.",
        r"\overline{d\hat{x}} = \frac{1}{B} \sum_{j=1}^{B} \frac{\partial L}{\partial \hat{x}_j}",
        rf"\overline{{d\hat{{x}}}} = \frac{{{_sum(at.column(at.back.dx_hat))}}}{{{at.done.count}}} = {at.one(at.back.mean_term)}",
        "through the mean",
        at.back.mean_term[:1],
    )


def _through_variance(at: _Numbers) -> Step:
    mean_product = (at.back.dx_hat * at.done.x_hat).mean(axis=0, keepdims=True)
    product = rf"{at.one(at.done.x_hat, signed=True)} \cdot {at.one(mean_product, signed=True)}"
    return Step(
        BACKWARD,
        "Back through the variance",
        "Every sample moved the variance too, more so the farther out it is: that part is in proportion to its x-hat.",
        r"\hat{x}_i\, \overline{d\hat{x}\, \hat{x}} = "
        r"\hat{x}_i\, \frac{1}{B} \sum_{j=1}^{B} \frac{\partial L}{\partial \hat{x}_j}\, \hat{x}_j",
        rf"\hat{{x}}_{at.i}\, \overline{{d\hat{{x}}\, \hat{{x}}}} = {product} = {at.one(at.back.var_term)}",
        "through the variance",
        at.back.var_term,
    )


def _to_x(at: _Numbers) -> Step:
    ways = (at.one(way, signed=way is not at.back.dx_hat) for way in (at.back.dx_hat, at.back.mean_term, at.back.var_term))
    return Step(
        BACKWARD,
        "Gradient of x",
        "The direct path minus the two others; with γ in front, γ / √(σ² + ε) [dy - mean(dy) - x-hat mean(dy x-hat)].",
        r"\frac{\partial L}{\partial x_i} = \frac{1}{\sqrt{\sigma^2 + \varepsilon}} \left[ "
        r"\frac{\partial L}{\partial \hat{x}_i} - \overline{d\hat{x}} - \hat{x}_i\, \overline{d\hat{x}\, \hat{x}} \right]",
        rf"\frac{{\partial L}}{{\partial x_{at.i}}} = \frac{{{' - '.join(ways)}}}{{{at.root}}} = {at.one(at.back.dx)}",
        "∂L/∂x",
        at.back.dx,
    )


def _to_bias(at: _Numbers) -> Step:
    total = at.back.dx.sum(axis=0, keepdims=True)
    return Step(
        BACKWARD,
        "Gradient of a bias before the norm",
        "A bias b is added to every sample alike, so it collects all of ∂L/∂x: always 0, apart from rounding. It never learns.",
        r"\frac{\partial L}{\partial b} = \sum_{i=1}^{B} \frac{\partial L}{\partial x_i} = 0",
        rf"\frac{{\partial L}}{{\partial b}} = {_sum(at.column(at.back.dx))} = {at.one(total)}",
        "∂L/∂b",
        total,
    )


_STEPS = (
    _mean,
    _deviation,
    _variance,
    _x_hat,
    _output,
    _to_beta,
    _to_gamma,
    _to_x_hat,
    _through_mean,
    _through_variance,
    _to_x,
    _to_bias,
)
