"""Gradient descent on least squares, as it is and with the weights normalized as batch norm normalizes them.

loss(v) = 1/2 (v - v*)' S (v - v*)        S: covariance of the inputs, v = w for the plain problem
v = g w / sqrt(w' S w)                    normalized: g the length, w the direction
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Length = Literal["best", "same_rate"]

FRAMES = 40
DIVERGED = 1e9  # an error above this is infinite


@dataclass
class _Problem:
    """Diagonal S with eigenvalues from 1 / condition to 1, and optima v* of S-norm 1, one per seed."""

    eigenvalues: FloatArray  # (dimension,)
    optimum: FloatArray  # (seeds, dimension)

    def error(self, v: FloatArray) -> FloatArray:
        """Loss over that of v = 0: the share of the target's variance that is not explained; v: (..., seeds, dimension)."""
        return ((v - self.optimum) ** 2 @ self.eigenvalues) / (self.optimum**2 @ self.eigenvalues)

    def gradient(self, v: FloatArray) -> FloatArray:
        """Of the plain loss."""
        return self.eigenvalues * (v - self.optimum)


class _Normalized:
    """GD on the direction w; the length g is the best one for each w, or takes steps of the same rate."""

    def __init__(self, problem: _Problem, start: FloatArray, rates: FloatArray, length: Length) -> None:
        self.problem, self.rates, self.length = problem, rates, length
        self.w = np.broadcast_to(start, (len(rates), *start.shape)).copy()
        self.g = self._best()

    def _size(self) -> FloatArray:
        return np.sqrt(self.w**2 @ self.problem.eigenvalues)

    def _best(self) -> FloatArray:
        return (self.w * self.problem.optimum) @ self.problem.eigenvalues / self._size()

    @property
    def v(self) -> FloatArray:
        """The weights that the function sees, (rates, seeds, dimension)."""
        return (self.g / self._size())[..., None] * self.w

    @property
    def effective_rate(self) -> FloatArray:
        """Rate at which v turns, comparable to a rate of the plain problem: rate * (g / |w|_S)^2, (rates, seeds)."""
        return self.rates[:, None] * (self.g / self._size()) ** 2

    def step(self) -> None:
        """One step; the gradient by the chain rule through v, whose size does not depend on w's."""
        size = self._size()
        unit = self.w / size[..., None]
        outer = self.problem.gradient(self.g[..., None] * unit)
        along = (outer * unit).sum(-1)  # dL/dg
        gradient = (self.g / size)[..., None] * (outer - along[..., None] * (self.problem.eigenvalues * unit))
        self.w -= self.rates[:, None, None] * gradient
        self.g = self._best() if self.length == "best" else self.g - self.rates[:, None] * along


def problem(dimension: int, condition: float, seeds: int, seed: int = 0) -> tuple[_Problem, FloatArray]:
    """The problem and a random start w, (seeds, dimension), of norm 1."""
    eigenvalues = np.geomspace(1 / condition, 1, dimension) if dimension > 1 else np.ones(1)
    draws = [np.random.default_rng([seed, trial]).standard_normal((2, dimension)) for trial in range(seeds)]
    optimum, start = np.array(draws).transpose(1, 0, 2)
    optimum = optimum / np.sqrt(optimum**2 @ eigenvalues)[:, None]
    return _Problem(eigenvalues, optimum), start / np.linalg.norm(start, axis=1, keepdims=True)


def probe(
    rates: Sequence[float],
    seeds: int = 3,
    dimension: int = 20,
    condition: float = 30.0,
    steps: int = 2000,
    length: Length = "best",
    seed: int = 0,
) -> Iterator[tuple[float, dict[str, FloatArray]]]:
    """Run gradient descent on both problems at all rates; both start from the same function.

    Args:
        rates: learning rates.
        seeds: random optima and starts.
        dimension: of the weights.
        condition: largest over smallest eigenvalue of the inputs' covariance; the largest is 1.
        steps: of gradient descent, full batch.
        length: "best": the normalized problem's length is optimal for its direction at each step (then only the direction
            is left to learn); "same_rate": it takes gradient steps of the same rate.
        seed: of the problems.

    Yields:
        Share done, and `errors` (2, frames, rates, seeds) for plain and normalized: loss over the loss of v = 0, NaN
        where not reached yet, infinite where diverged; `effective_rates` (2, rates, seeds); `steps` (frames,).

    References:
        Kohler et al. 2019, Exponential convergence rates for Batch Normalization, arXiv:1805.10694.
        Cai, Li & Shen 2019, A Quantitative Analysis of the Effect of Batch Normalization on Gradient Descent,
        arXiv:1810.00122: convergence for any rate of the direction, if the length's is at most 1.
    """
    quadratic, start = problem(dimension, condition, seeds, seed)
    rate = np.asarray(rates, np.float64)
    normalized = _Normalized(quadratic, start, rate, length)
    plain = normalized.v
    frames = frame_steps(steps)
    errors = np.full((2, len(frames), len(rate), seeds), np.nan)
    lost = np.zeros((2, len(rate), seeds), bool)  # for good: a length that has overflowed may look like a small one again
    with np.errstate(all="ignore"):  # what diverges overflows, and is called infinite
        for step in range(steps + 1):
            now = np.array([quadratic.error(plain), quadratic.error(normalized.v)])
            lost |= ~(now < DIVERGED)
            if step in frames:
                errors[:, frames.index(step)] = np.where(lost, np.inf, now)
                effective = np.array([np.broadcast_to(rate[:, None], normalized.g.shape), normalized.effective_rate])
                yield step / steps, {"errors": errors.copy(), "effective_rates": effective, "steps": np.array(frames, np.float64)}
            plain = plain - rate[:, None, None] * quadratic.gradient(plain)
            normalized.step()


def frame_steps(steps: int) -> list[int]:
    """Steps that are shown: 0, then evenly spaced in the logarithm."""
    return [0, *sorted(set(np.rint(np.geomspace(1, steps, FRAMES)).astype(int).tolist()))]
