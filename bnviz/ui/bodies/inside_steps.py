"""The steps through one batch: for each its formula, the same with the numbers put in, and a table. Knows no Streamlit."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnviz.arithmetic import Backward, Forward

FloatArray = NDArray[np.float64]
FORWARD, BACKWARD = "forward", "backward"
ALL = "all samples"


@dataclass(frozen=True)
class Step:
    """One step: `formula` and `filled` are LaTeX, `values` has a row a sample, or one for the whole batch."""

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
    return (*_forward(numbers), *_backward(numbers))


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


def _forward(at: _Numbers) -> tuple[Step, ...]:
    done, i, count = at.done, at.sample + 1, at.done.count
    squares = " + ".join(f"{bracketed(value)}^2" for value in at.column(done.deviation))
    mean, variance = at.one(done.mean), at.one(done.var)
    return (
        Step(
            FORWARD,
            "Mean",
            "Each feature is averaged over the samples of the batch.",
            r"\mu = \frac{1}{B} \sum_{i=1}^{B} x_i",
            rf"\mu = \frac{{{_sum(at.column(done.x))}}}{{{count}}} = {mean}",
            "μ",
            done.mean,
        ),
        Step(
            FORWARD,
            "Deviation",
            "How far each sample is from the mean. Whatever is added to all samples alike is gone from here on.",
            r"x_i - \mu",
            rf"x_{i} - \mu = {at.one(done.x)} - {at.one(done.mean, signed=True)} = {at.one(done.deviation)}",
            "x - μ",
            done.deviation,
        ),
        Step(
            FORWARD,
            "Variance",
            "The mean of the squared deviations: divided by B, not by B - 1 (the biased variance).",
            r"\sigma^2 = \frac{1}{B} \sum_{i=1}^{B} (x_i - \mu)^2",
            rf"\sigma^2 = \frac{{{squares}}}{{{count}}} = {variance}",
            "σ²",
            done.var,
        ),
        Step(
            FORWARD,
            "Normalized value x-hat",
            "Mean 0 and, but for ε, variance 1. ε keeps the root above 0 when all samples are alike.",
            r"\hat{x}_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}}",
            rf"\hat{{x}}_{i} = \frac{{{at.one(done.deviation)}}}{{{at.root}}} = {at.one(done.x_hat)}",
            "x-hat",
            done.x_hat,
        ),
        Step(
            FORWARD,
            "Output y",
            "γ and β are learned: they let the layer choose its own scale and offset.",
            r"y_i = \gamma\, \hat{x}_i + \beta",
            rf"y_{i} = {at.one(done.gamma, signed=True)} \cdot {at.one(done.x_hat, signed=True)} + "
            rf"{at.one(done.beta, signed=True)} = {at.one(done.y)}",
            "y",
            done.y,
        ),
    )


def _backward(at: _Numbers) -> tuple[Step, ...]:
    return (*_to_parameters(at), *_to_inputs(at))


def _to_parameters(at: _Numbers) -> tuple[Step, ...]:
    done, back = at.done, at.back
    dy = at.column(back.dy)
    return (
        Step(
            BACKWARD,
            "Gradient of β",
            "From above comes ∂L/∂y, how the loss changes with each output. β is added to every output, so it collects them all.",
            r"\frac{\partial L}{\partial \beta} = \sum_{i=1}^{B} \frac{\partial L}{\partial y_i}",
            rf"\frac{{\partial L}}{{\partial \beta}} = {_sum(dy)} = {at.one(back.dbeta)}",
            "∂L/∂β",
            back.dbeta,
        ),
        Step(
            BACKWARD,
            "Gradient of γ",
            "γ multiplies x-hat, so each output's share is weighted by its own x-hat.",
            r"\frac{\partial L}{\partial \gamma} = \sum_{i=1}^{B} \frac{\partial L}{\partial y_i}\, \hat{x}_i",
            rf"\frac{{\partial L}}{{\partial \gamma}} = {_products(dy, at.column(done.x_hat))} = {at.one(back.dgamma)}",
            "∂L/∂γ",
            back.dgamma,
        ),
        Step(
            BACKWARD,
            "Gradient of x-hat",
            "Back through the multiplication by γ.",
            r"\frac{\partial L}{\partial \hat{x}_i} = \gamma\, \frac{\partial L}{\partial y_i}",
            rf"\frac{{\partial L}}{{\partial \hat{{x}}_{at.sample + 1}}} = {at.one(done.gamma, signed=True)} \cdot "
            rf"{at.one(back.dy, signed=True)} = {at.one(back.dx_hat)}",
            "∂L/∂x-hat",
            back.dx_hat,
        ),
    )


def _to_inputs(at: _Numbers) -> tuple[Step, ...]:
    done, back, i = at.done, at.back, at.sample + 1
    products = (back.dx_hat * done.x_hat).mean(axis=0, keepdims=True)
    dx_hat, mean, product = at.one(back.dx_hat), at.one(back.mean_term, signed=True), at.one(products, signed=True)
    x_hat, var_term = at.one(done.x_hat, signed=True), at.one(back.var_term, signed=True)
    total = back.dx.sum(axis=0, keepdims=True)
    return (
        Step(
            BACKWARD,
            "Back through the mean",
            "Every sample moved the mean a little, and so moved all the others: that part of the gradient is the same for all.",
            r"\overline{d\hat{x}} = \frac{1}{B} \sum_{j=1}^{B} \frac{\partial L}{\partial \hat{x}_j}",
            rf"\overline{{d\hat{{x}}}} = \frac{{{_sum(at.column(back.dx_hat))}}}{{{done.count}}} = {at.one(back.mean_term)}",
            "through the mean",
            back.mean_term[:1],
        ),
        Step(
            BACKWARD,
            "Back through the variance",
            "Every sample moved the variance too, the more the farther out it is: that part goes with its x-hat.",
            r"\hat{x}_i\, \overline{d\hat{x}\, \hat{x}} = "
            r"\hat{x}_i\, \frac{1}{B} \sum_{j=1}^{B} \frac{\partial L}{\partial \hat{x}_j}\, \hat{x}_j",
            rf"\hat{{x}}_{i}\, \overline{{d\hat{{x}}\, \hat{{x}}}} = {x_hat} \cdot {product} = {at.one(back.var_term)}",
            "through the variance",
            back.var_term,
        ),
        Step(
            BACKWARD,
            "Gradient of x",
            "The straight way less the two others; with γ in front, γ / √(σ² + ε) [dy - mean(dy) - x-hat mean(dy x-hat)].",
            r"\frac{\partial L}{\partial x_i} = \frac{1}{\sqrt{\sigma^2 + \varepsilon}} \left[ "
            r"\frac{\partial L}{\partial \hat{x}_i} - \overline{d\hat{x}} - \hat{x}_i\, \overline{d\hat{x}\, \hat{x}} \right]",
            rf"\frac{{\partial L}}{{\partial x_{i}}} = \frac{{{dx_hat} - {mean} - {var_term}}}{{{at.root}}} = {at.one(back.dx)}",
            "∂L/∂x",
            back.dx,
        ),
        Step(
            BACKWARD,
            "Gradient of a bias before the norm",
            "A bias b is added to every sample alike, so it collects all of ∂L/∂x: always 0, but for rounding. It never learns.",
            r"\frac{\partial L}{\partial b} = \sum_{i=1}^{B} \frac{\partial L}{\partial x_i} = 0",
            rf"\frac{{\partial L}}{{\partial b}} = {_sum(at.column(back.dx))} = {at.one(total)}",
            "∂L/∂b",
            total,
        ),
    )
