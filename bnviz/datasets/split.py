"""Training and test rows of a table of a fixed size."""

import numpy as np
from numpy.typing import NDArray

from bnviz.datasets.types import Table


def _stratified_order(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Order the rows at random such that any stretch of them holds the classes in nearly their overall shares."""
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        place[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return np.argsort(place, kind="stable")


def stratified(table: Table, train_size: int, test_size: int, rng: np.random.Generator) -> tuple[Table, Table]:
    """Take disjoint training and test rows, both stratified."""
    order = _stratified_order(table.labels, rng)
    # shuffled again: batches taken in order must not be stratified
    train, test = rng.permutation(order[:train_size]), rng.permutation(order[train_size : train_size + test_size])
    return Table(table.inputs[train], table.labels[train]), Table(table.inputs[test], table.labels[test])


def as_held_out(table: Table, held_out: int, train_size: int, test_size: int, rng: np.random.Generator) -> tuple[Table, Table]:
    """Draw training and test rows at random, the test rows from the last `held_out`, the others from those before."""
    first = len(table.labels) - held_out
    # sorted, because the rows are read from disk; their order within the set has no meaning
    train = np.sort(rng.permutation(first)[:train_size])
    test = np.sort(first + rng.permutation(held_out)[:test_size])
    return Table(table.inputs[train], table.labels[train]), Table(table.inputs[test], table.labels[test])
