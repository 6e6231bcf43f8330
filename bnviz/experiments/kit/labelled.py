"""Arrays whose axes and places have names, so that nothing agrees by position.

errors = Labelled(values, {"arm": ("none", "batch"), "seed": (0, 1, 2)})
errors.at(arm="batch") / errors.at(arm="none")               seed by seed
errors.over("seed")                                          the median over the seeds, by arm
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Axes = Mapping[str, tuple[Any, ...]]  # name of an axis: the names of its places, in order


@dataclass(frozen=True)
class Labelled:
    """An array with names.

    Args:
        values: of as many axes as `axes` names, each as long as its places.
        axes: in the order of the array's.

    Raises:
        ValueError: the shape does not fit.
    """

    values: FloatArray
    axes: Axes

    def __post_init__(self) -> None:
        wanted = tuple(len(places) for places in self.axes.values())
        if self.values.shape != wanted:
            raise ValueError(f"axes {', '.join(self.axes)}: received shape {self.values.shape}, wanted {wanted}")

    def at(self, **places: Any) -> "Labelled":
        """The part at these places, without their axes.

        Raises:
            LookupError: there is no such axis, or no such place on it.
        """
        values, axes = self.values, dict(self.axes)
        for axis, place in places.items():
            if axis not in axes or place not in axes[axis]:
                raise LookupError(f"{axis} {place!r}: there are {axes.get(axis) or ', '.join(axes)}")
            values = np.asarray(values.take(axes[axis].index(place), axis=list(axes).index(axis)))
            del axes[axis]
        return Labelled(values, axes)

    def over(self, axis: str, reduce: Callable[..., Any] = np.median) -> "Labelled":
        """An axis reduced to one number: its median, or what another function of (array, axis) makes of it."""
        place = list(self.axes).index(axis)
        rest = {name: places for name, places in self.axes.items() if name != axis}
        return Labelled(np.asarray(reduce(self.values, axis=place), np.float64), rest)

    def over_all(self, reduce: Callable[[FloatArray], float], *axes: str) -> "Labelled":
        """Those of the axes that there are reduced together to one number, by a function of a flat array."""
        rest = {name: places for name, places in self.axes.items() if name not in axes}
        gone = [name for name in self.axes if name not in rest]
        flat = self.rows(*rest, *gone).reshape([*(len(places) for places in rest.values()), -1])
        return Labelled(np.apply_along_axis(reduce, -1, flat), rest)

    def since(self, axis: str, first: Any) -> "Labelled":
        """The part from a place of an axis on."""
        start = self.axes[axis].index(first)
        values = self.values.take(range(start, len(self.axes[axis])), axis=list(self.axes).index(axis))
        return Labelled(values, {**self.axes, axis: self.axes[axis][start:]})

    def renamed(self, axis: str, name: str, places: tuple[Any, ...]) -> "Labelled":
        """The same values with another name and other places for an axis. Raises ValueError where their number differs."""
        return Labelled(
            self.values, {name if old == axis else old: places if old == axis else these for old, these in self.axes.items()}
        )

    def rows(self, *axes: str) -> FloatArray:
        """The array with its axes in this order, which must name all of them: its shape is theirs.

        Raises:
            ValueError: they are not those of the array.
        """
        if sorted(axes) != sorted(self.axes):
            raise ValueError(f"axes {', '.join(axes)}: there are {', '.join(self.axes)}")
        return self.values.transpose([list(self.axes).index(axis) for axis in axes])

    def along(self, axis: str) -> Iterator[tuple[Any, "Labelled"]]:
        """Each place of an axis, and the part there."""
        for place in self.axes[axis]:
            yield place, self.at(**{axis: place})

    def map(self, function: Callable[[FloatArray], FloatArray]) -> "Labelled":
        """The same places, other values: of a function that works element by element."""
        return Labelled(function(self.values), self.axes)

    def __truediv__(self, other: "Labelled | float") -> "Labelled":
        return self._with(other, np.divide)

    def __sub__(self, other: "Labelled | float") -> "Labelled":
        return self._with(other, np.subtract)

    def __mul__(self, factor: float) -> "Labelled":
        return Labelled(self.values * factor, self.axes)

    __rmul__ = __mul__

    def _with(self, other: "Labelled | float", operation: Callable[[Any, Any], FloatArray]) -> "Labelled":
        if isinstance(other, Labelled):
            if dict(other.axes) != dict(self.axes):
                raise ValueError(f"axes {dict(self.axes)} and {dict(other.axes)}: they must be the same")
            other_values: Any = other.values
        else:
            other_values = other
        with np.errstate(divide="ignore", invalid="ignore"):
            return Labelled(operation(self.values, other_values), self.axes)


def known_median(values: FloatArray) -> float:
    """Median of the numbers of a flat array that are not NaN, NaN where there is none: for `over_all`."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else np.nan


def stacked(axis: str, parts: Mapping[Any, Labelled]) -> Labelled:
    """Arrays of the same axes as one, with a new first axis that names them. Raises ValueError where their axes differ."""
    first = next(iter(parts.values()))
    if any(dict(part.axes) != dict(first.axes) for part in parts.values()):
        raise ValueError(f"{axis}: the parts have different axes")
    return Labelled(np.stack([part.values for part in parts.values()]), {axis: tuple(parts), **first.axes})


def unknown(**axes: tuple[Any, ...]) -> Labelled:
    """NaN at every place of these axes: what is not measured yet."""
    return Labelled(np.full([len(places) for places in axes.values()], np.nan), axes)


def laid_on(found: Labelled, axis: str, places: tuple[Any, ...]) -> Labelled:
    """The same on all these places of an axis, which comes first: NaN where it has none.

    Raises:
        LookupError: it has a place that is not among them.
    """
    if extra := [place for place in found.axes[axis] if place not in places]:
        raise LookupError(f"{axis}: received {extra[0]!r}, which is none of {places}")
    rest = {name: others for name, others in found.axes.items() if name != axis}
    values = np.full([len(places), *map(len, rest.values())], np.nan)
    values[[places.index(place) for place in found.axes[axis]]] = found.rows(axis, *rest)
    return Labelled(values, {axis: places, **rest})
