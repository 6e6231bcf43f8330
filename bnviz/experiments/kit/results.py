"""What a study has measured so far, by stage: what charts and verdicts are made from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bnviz.records.records import ArmMeasured, StageMeasured


class Results:
    """The measurements of a study, in order.

    Args:
        keys: of the study's stages, in order.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = tuple(keys)
        self._measured: dict[str, list[StageMeasured]] = {key: [] for key in keys}
        self.now: StageMeasured | None = None

    def add(self, measured: StageMeasured) -> None:
        """Take the next measurement."""
        self.now = measured
        self._measured[self.keys[measured.stage]].append(measured)

    @property
    def key(self) -> str:
        """The stage that was measured last. Raises LookupError while nothing was."""
        if self.now is None:
            raise LookupError("nothing was measured yet")
        return self.keys[self.now.stage]

    def history(self, key: str) -> list[StageMeasured]:
        """All measurements of a stage so far."""
        return self._measured[key]

    def last(self, key: str) -> StageMeasured | None:
        """The newest measurement of a stage; None while there is none."""
        return self._measured[key][-1] if self._measured[key] else None

    def finished(self, *keys: str) -> bool:
        """Whether these stages (all, when none is named) have been measured to their end."""
        return all((last := self.last(key)) is not None and last.is_last for key in keys or self.keys)

    def arm(self, key: str, arm: int = 0) -> ArmMeasured | None:
        """What an arm of a training stage measured last."""
        last = self.last(key)
        return last.arms[arm] if last else None

    def steps(self, key: str) -> NDArray[np.int64]:
        """The measured steps of a stage, shape (n,)."""
        return np.array([measured.step for measured in self._measured[key]], np.int64)

    def curve(self, key: str, measure: str, arm: int = 0) -> NDArray[np.float64]:
        """A curve, layer measure or extra of an arm over the measured steps, shape (n, ...) as recorded."""
        rows = [_find(measured.arms[arm], measure) for measured in self._measured[key]]
        return np.array(rows, np.float64)

    def value(self, key: str, name: str) -> NDArray[np.float64] | None:
        """A value of a probe as last measured; None while there is none."""
        last = self.last(key)
        return last.values.get(name) if last else None


def _find(arm: ArmMeasured, measure: str) -> NDArray[np.float32]:
    for table in (arm.curves, arm.layers, arm.extras):
        if measure in table:
            return table[measure]
    raise KeyError(f"{measure} was not kept; kept: {', '.join([*arm.curves, *arm.layers, *arm.extras])}")
