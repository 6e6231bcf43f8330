"""2-D point sets: hard or easy for a network, in a way that one sees.

Every maker takes balanced labels and returns points (n, 2) in float64, `noise` being the standard deviation
of the Gaussian added to each coordinate after the labels were drawn (blobs: on top of their own 0.2).
Sizes: spirals reach radius 3, circles 1 and 0.5, moons 1, xor the square of side 2, blobs lie on radius 1.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bnviz.datasets.types import Table

Points = NDArray[np.float64]
Labels = NDArray[np.int64]

SPIRAL_RADIUS, SPIRAL_TURNS = 3.0, 1.75
XOR_GAP = 0.1  # half the width of the empty cross between the quadrants
BLOB_SPREAD = 0.2


def _on_circle(radius: Points | float, angle: Points) -> Points:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _spirals(labels: Labels, rng: np.random.Generator) -> Points:
    """Two arms of `SPIRAL_TURNS` turns, half a turn apart."""
    along = np.sqrt(rng.random(len(labels)))  # the square root spreads the points evenly over an arm's length
    return _on_circle(SPIRAL_RADIUS * along, 2 * np.pi * SPIRAL_TURNS * along + np.pi * labels)


def _circles(labels: Labels, rng: np.random.Generator) -> Points:
    """Class 1 on the inner circle (radius 0.5), class 0 on the outer one (radius 1)."""
    return _on_circle(np.where(labels == 0, 1.0, 0.5), rng.uniform(0, 2 * np.pi, len(labels)))


def _moons(labels: Labels, rng: np.random.Generator) -> Points:
    """Two half circles that reach into each other."""
    upper = _on_circle(1.0, rng.uniform(0, np.pi, len(labels)))
    lower = np.array([1.0, 0.5]) - upper
    return np.where(labels[:, None] == 0, upper, lower)


def _xor(labels: Labels, rng: np.random.Generator) -> Points:
    """Class 0 where the coordinates have the same sign, class 1 where they differ."""
    size = rng.uniform(XOR_GAP, 1, (len(labels), 2))
    sign = rng.choice([-1.0, 1.0], len(labels))
    return size * np.stack([sign, np.where(labels == 0, sign, -sign)], axis=1)


def _blobs(labels: Labels, rng: np.random.Generator) -> Points:
    """Three Gaussian clouds on a circle."""
    centers = _on_circle(1.0, 2 * np.pi * labels / 3 + np.pi / 2)
    return centers + rng.normal(0, BLOB_SPREAD, centers.shape)


MAKERS: dict[str, tuple[int, Callable[[Labels, np.random.Generator], Points]]] = {
    "spirals": (2, _spirals),
    "circles": (2, _circles),
    "moons": (2, _moons),
    "xor": (2, _xor),
    "blobs": (3, _blobs),
}  # name: (classes, maker)


def make(name: str, size: int, noise: float, rng: np.random.Generator) -> Table:
    """Draw `size` points; class sizes differ by at most one, in random order."""
    class_count, maker = MAKERS[name]
    labels = rng.permutation(np.arange(size) % class_count)
    points = maker(labels, rng)
    return Table(points + rng.normal(0, 1, points.shape) * noise, labels)


def extent(*parts: NDArray[np.floating], margin: float = 0.1) -> tuple[float, float, float, float]:
    """x0, x1, y0, y1 of the plane that holds all points with a margin (a share of the span) on every side."""
    points = np.concatenate(parts)
    low, high = points.min(axis=0), points.max(axis=0)
    pad = np.maximum(margin * (high - low), 1e-3)
    (x0, y0), (x1, y1) = low - pad, high + pad
    return float(x0), float(x1), float(y0), float(y1)
