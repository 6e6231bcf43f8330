"""What every data set must be, told independently of how it is made: one check a name, on raw data without noise."""

from collections.abc import Callable

import numpy as np
import pytest

from bnviz.datasets import Dataset


def _samples(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """All inputs in float64 and their labels."""
    inputs = np.concatenate([data.train_inputs, data.test_inputs]).astype(np.float64)
    return inputs, np.concatenate([data.train_labels, data.test_labels])


def _spirals(data: Dataset) -> None:
    """r = 3 s, angle = 3.5 pi s + pi label."""
    points, labels = _samples(data)
    turned = np.arctan2(points[:, 1], points[:, 0]) - 3.5 * np.pi * np.hypot(*points.T) / 3
    np.testing.assert_allclose(np.cos(turned), np.where(labels == 0, 1, -1), atol=1e-4)


def _circles(data: Dataset) -> None:
    points, labels = _samples(data)
    np.testing.assert_allclose(np.hypot(*points.T), np.where(labels == 0, 1, 0.5), rtol=1e-6)


def _moons(data: Dataset) -> None:
    """The upper half of the unit circle; the lower half of the one around (1, 0.5)."""
    points, labels = _samples(data)
    upper, lower = points[labels == 0], points[labels == 1] - [1, 0.5]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, rtol=1e-6)
    np.testing.assert_allclose(np.hypot(*lower.T), 1, rtol=1e-6)
    assert upper[:, 1].min() > -1e-6
    assert lower[:, 1].max() < 1e-6


def _xor(data: Dataset) -> None:
    points, labels = _samples(data)
    assert ((points[:, 0] * points[:, 1] < 0) == (labels == 1)).all()
    assert np.abs(points).min() > 0.1
    assert np.abs(points).max() < 1


def _blobs(data: Dataset) -> None:
    """Clouds with a standard deviation of 0.2 around the corners of a triangle."""
    points, labels = _samples(data)
    for label, degrees in enumerate((90, 210, 330)):
        own = points[labels == label]
        corner = [np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]
        np.testing.assert_allclose(own.mean(axis=0), corner, atol=5 * 0.2 / np.sqrt(len(own)))
        np.testing.assert_allclose(own.std(axis=0), 0.2, rtol=5 / np.sqrt(2 * len(own)))


def _gaussian(data: Dataset) -> None:
    """Independent, N(0, 1), whatever the label: within five standard errors."""
    inputs, labels = _samples(data)
    error = 5 / np.sqrt(len(inputs))
    assert np.abs(inputs.mean(axis=0)).max() < error
    assert np.abs(inputs.T @ inputs / len(inputs) - np.eye(inputs.shape[1])).max() < np.sqrt(2) * error
    by_class = np.stack([inputs[labels == label].mean(axis=0) for label in range(10)])
    assert np.abs(by_class).max() < error * np.sqrt(10)


def _of_scikit_learn(name: str) -> Callable[[Dataset], None]:
    """All samples are rows that scikit-learn's own loader returns, with their labels, none of them twice; shares as there."""

    def check(data: Dataset) -> None:
        inputs, labels = getattr(pytest.importorskip("sklearn.datasets"), f"load_{name}")(return_X_y=True)
        rows = {(*row, label) for row, label in zip(inputs.astype(np.float32).tolist(), labels.tolist(), strict=True)}
        assert len(rows) == len(inputs), "no row occurs twice, so equal rows are the same sample"
        ours = [(*row, label) for row, label in zip(*(part.tolist() for part in _samples(data)), strict=True)]
        assert set(ours) <= rows
        assert len(set(ours)) == len(ours)
        share = np.bincount(labels) / len(labels)
        for part in (data.train_labels, data.test_labels):
            assert np.abs(np.bincount(part, minlength=len(share)) - share * len(part)).max() <= 2

    return check


def _as_its_authors_split_it(data: Dataset) -> None:
    """Of the made-up images: training samples are of the first 60,000 rows, test samples of the last 10,000."""
    parts = (data.train_inputs, data.train_labels, 0, 60_000), (data.test_inputs, data.test_labels, 60_000, 70_000)
    for inputs, labels, low, high in parts:
        rows = (inputs[:, :3] @ [1, 256, 65536]).astype(np.int64)
        assert len(np.unique(rows)) == len(rows)
        assert low <= rows.min()
        assert rows.max() < high
        np.testing.assert_array_equal(rows % 10, labels)


REFERENCES: dict[str, Callable[[Dataset], None]] = {
    "spirals": _spirals,
    "circles": _circles,
    "moons": _moons,
    "xor": _xor,
    "blobs": _blobs,
    "gaussian": _gaussian,
    "digits": _of_scikit_learn("digits"),
    "wine": _of_scikit_learn("wine"),
    "breast_cancer": _of_scikit_learn("breast_cancer"),
    "mnist": _as_its_authors_split_it,
    "fashion_mnist": _as_its_authors_split_it,
}
