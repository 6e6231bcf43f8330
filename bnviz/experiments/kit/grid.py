"""The named axes of a study: a stage, an arm or a trial for each point of a grid.

grid = Grid("{activation}_{batch_size}", activation=("relu", "tanh"), batch_size=(8, 64))
for point in grid: ...                     {"activation": "relu", "batch_size": 8}, ...
grid.key(activation="relu", batch_size=8)  "relu_8", the key of its stage
grid.collect(results, newest)              one array with the axes activation, batch_size, and those of each stage
grid.unfolded(found)                       one array with these axes instead of its axis arm, whose places are the keys
Grid(lr=rates, seed=seeds).places("lr")    the rate of each trial, the seeds next to each other
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from bnviz.experiments.kit.labelled import Labelled
from bnviz.experiments.kit.results import Results

Point = dict[str, Any]
Take = Callable[[Results, str], Labelled]  # from a stage that was measured, by its key


class Grid:
    """Stages, arms or trials by named axes.

    Args:
        template: of the stages' keys, or of the arms' names; trials have none.
        axes: places of each axis, in order; the last one runs fastest.
    """

    def __init__(self, template: str = "", **axes: tuple[Any, ...]) -> None:
        self.template, self.axes = template, axes

    def __iter__(self) -> Iterator[Point]:
        """Every point, the last axis fastest."""
        for places in product(*self.axes.values()):
            yield dict(zip(self.axes, places, strict=True))

    def key(self, **point: Any) -> str:
        """The key of a point's stage, or the name of its arm."""
        return self.template.format(**point)

    def places(self, axis: str) -> tuple[Any, ...]:
        """The place of every point on an axis."""
        return tuple(point[axis] for point in self)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all points, in their order."""
        return tuple(self.key(**point) for point in self)

    def collect(self, results: Results, take: Take) -> Labelled:
        """What `take` says of each stage, as one array whose first axes are the grid's; NaN for stages not measured yet.

        Raises:
            LookupError: none was measured.
            ValueError: the stages differ in their axes.
        """
        found = {key: take(results, key) for key in self.keys if results.last(key) is not None}
        if not found:
            raise LookupError("nothing was measured yet")
        first = next(iter(found.values()))
        if any(dict(each.axes) != dict(first.axes) for each in found.values()):
            raise ValueError("the stages of a grid differ in their axes")
        blank = np.full_like(first.values, np.nan)
        rows = np.stack([found[key].values if key in found else blank for key in self.keys])
        axes = {**self.axes, **first.axes}
        return Labelled(rows.reshape([len(places) for places in axes.values()]), axes)

    def unfolded(self, found: Labelled, axis: str = "arm") -> Labelled:
        """An array with the grid's axes, first, in place of one whose places are the grid's keys.

        Raises:
            LookupError: the array does not have that axis, or not all of these places.
        """
        rest = {name: places for name, places in found.axes.items() if name != axis}
        rows = np.stack([found.at(**{axis: key}).values for key in self.keys])
        axes = {**self.axes, **rest}
        return Labelled(rows.reshape([len(places) for places in axes.values()]), axes)
