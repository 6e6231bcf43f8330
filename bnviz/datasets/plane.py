"""2-D point sets: hard or easy for a network, in a way that can be seen.

Every one draws balanced labels and points (n, 2) in float64, `noise` being the standard deviation of the Gaussian added to
each coordinate after the labels were drawn (blobs: on top of their own 0.2).
Sizes: spirals reach radius 3, circles 1 and 0.5, moons 1, xor the square of side 2, blobs lie on radius 1.
"""

import numpy as np
from numpy.typing import NDArray

from bnviz.config.models import DatasetConfig
from bnviz.datasets.types import Table
from bnviz.registry.datasets import DatasetEntry

Points = NDArray[np.float64]
Labels = NDArray[np.int64]

SPIRAL_RADIUS, SPIRAL_TURNS = 3.0, 1.75
XOR_GAP = 0.1  # half the width of the empty cross between the quadrants
BLOB_SPREAD = 0.2


def balanced(size: int, classes: int, rng: np.random.Generator) -> Labels:
    """Labels (size,) in random order; class sizes differ by at most one."""
    return rng.permutation(np.arange(size) % classes)


def noisy(points: Points, labels: Labels, config: DatasetConfig, rng: np.random.Generator) -> Table:
    """The points (n, 2) with the noise that is asked for."""
    return Table(points + rng.normal(0, 1, points.shape) * config.noise, labels)


def _on_circle(radius: Points | float, angle: Points) -> Points:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


@DatasetEntry(
    name="spirals", place=20, label="spirals", source="drawn by the seed", kind="plane", features=2, classes=2, noisy=True
)
def spirals(size: int, config: DatasetConfig, rng: np.random.Generator) -> Table:
    """Two spiral arms of 1.75 turns, half a turn apart."""
    labels = balanced(size, 2, rng)
    along = np.sqrt(rng.random(size))  # the square root spreads the points evenly over an arm's length
    points = _on_circle(SPIRAL_RADIUS * along, 2 * np.pi * SPIRAL_TURNS * along + np.pi * labels)
    return noisy(points, labels, config, rng)


@DatasetEntry(
    name="circles", place=30, label="circles", source="drawn by the seed", kind="plane", features=2, classes=2, noisy=True
)
def circles(size: int, config: DatasetConfig, rng: np.random.Generator) -> Table:
    """Class 1 on the inner circle (radius 0.5), class 0 on the outer one (radius 1)."""
    labels = balanced(size, 2, rng)
    points = _on_circle(np.where(labels == 0, 1.0, 0.5), rng.uniform(0, 2 * np.pi, size))
    return noisy(points, labels, config, rng)


@DatasetEntry(name="moons", place=40, label="moons", source="drawn by the seed", kind="plane", features=2, classes=2, noisy=True)
def moons(size: int, config: DatasetConfig, rng: np.random.Generator) -> Table:
    """Two half circles that reach into each other."""
    labels = balanced(size, 2, rng)
    upper = _on_circle(1.0, rng.uniform(0, np.pi, size))
    lower = np.array([1.0, 0.5]) - upper
    return noisy(np.where(labels[:, None] == 0, upper, lower), labels, config, rng)


@DatasetEntry(name="xor", place=50, label="xor", source="drawn by the seed", kind="plane", features=2, classes=2, noisy=True)
def xor(size: int, config: DatasetConfig, rng: np.random.Generator) -> Table:
    """Class 0 where the coordinates have the same sign, class 1 where they differ."""
    labels = balanced(size, 2, rng)
    distance = rng.uniform(XOR_GAP, 1, (size, 2))
    sign = rng.choice([-1.0, 1.0], size)
    points = distance * np.stack([sign, np.where(labels == 0, sign, -sign)], axis=1)
    return noisy(points, labels, config, rng)


@DatasetEntry(name="blobs", place=60, label="blobs", source="drawn by the seed", kind="plane", features=2, classes=3, noisy=True)
def blobs(size: int, config: DatasetConfig, rng: np.random.Generator) -> Table:
    """Three Gaussian clouds on a circle."""
    labels = balanced(size, 3, rng)
    centers = _on_circle(1.0, 2 * np.pi * labels / 3 + np.pi / 2)
    return noisy(centers + rng.normal(0, BLOB_SPREAD, centers.shape), labels, config, rng)


def extent(*parts: NDArray[np.floating], margin: float = 0.1) -> tuple[float, float, float, float]:
    """x0, x1, y0, y1 of the plane that holds all points with a margin (a share of the span) on every side."""
    points = np.concatenate(parts)
    low, high = points.min(axis=0), points.max(axis=0)
    pad = np.maximum(margin * (high - low), 1e-3)
    (x0, y0), (x1, y1) = low - pad, high + pad
    return float(x0), float(x1), float(y0), float(y1)
