"""All measurements of one step: a `State` becomes one `ArmMeasured` per arm."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnviz.config.models import RunConfig
from bnviz.datasets import Dataset
from bnviz.measure.moment import Moment, Results, State
from bnviz.records.records import ArmMeasured
from bnviz.registry.measures import ALL_TRIALS, MEASURES, SHARED, MeasureEntry, chosen


@dataclass(frozen=True, slots=True)
class Taken:
    """A measurement that a run takes."""

    entry: MeasureEntry
    function: Callable[[Moment], Results]
    filed: dict[str, tuple[str, str]]  # its results that are kept: table and name there
    done_with: frozenset[str]  # shared tensors that nothing wants that is taken later

    def add_to(self, tables: dict[str, dict[str, NDArray[Any]]], moment: Moment) -> None:
        """Measure, and file what is kept, in the shapes that the entry declares."""
        for name, values in take(self.entry, moment, self.function).items():
            if name in self.filed:
                table, key = self.filed[name]
                tables[table][key] = values
        moment.drop(self.done_with)


class Measurer:
    """Measures states of one run.

    The probe batch is the first `probe_size` training samples.

    Args:
        config: the run.
        dataset: that it trains on.
        keep: what to measure, as `bnviz.registry.measures.chosen` has it; None for what is always taken, with the extras of the
            configuration. What is not named costs nothing.

    Raises:
        UnknownMeasure: `keep` names something that does not exist.
    """

    def __init__(self, config: RunConfig, dataset: Dataset, keep: Collection[str] | None = None) -> None:
        if keep is None:
            keep = [*(name for name, entry in MEASURES.items() if entry.always), *config.extras]
        self.config, self.dataset = config, dataset
        self.probe = torch.from_numpy(dataset.train_inputs[: config.probe_size]).expand(config.trials, -1, -1)
        self.shown = config.trials if ALL_TRIALS in {*keep, *config.extras} else 1
        self.memories: list[dict[str, Any]] = [{} for _ in config.arms]
        plan = _plan(chosen(keep))
        self.own_work = [taken for taken in plan if taken.entry.cost == "own work"]
        self.shared_work = [taken for taken in plan if taken.entry.cost != "own work"]

    def measure(self, state: State) -> tuple[ArmMeasured, ...]:
        """Everything that is kept of one step; changes nothing."""
        with np.errstate(over="ignore"):  # what a diverging net puts out may be too large to scale
            return tuple(self._arm(moment) for moment in self.moments(state))

    def moments(self, state: State) -> list[Moment]:
        """A step as it is handed to the measurements, one arm after the other."""
        rest = (state.inputs, state.labels, self.probe, self.config, state.step, self.dataset, self.shown)
        return [Moment(arm, *rest, memory) for arm, memory in zip(state.arms, self.memories, strict=True)]

    def _arm(self, moment: Moment) -> ArmMeasured:
        tables: dict[str, dict[str, NDArray[Any]]] = {
            name: {} for name in ("curves", "layers", "percentiles", "histograms", "extras")
        }
        with torch.inference_mode():
            for taken in self.shared_work:
                taken.add_to(tables, moment)
        for taken in self.own_work:  # some of it needs autograd
            taken.add_to(tables, moment)
        return ArmMeasured(**tables, diverged_at=moment.arm.diverged_at.numpy().copy())


def _plan(wanted: dict[str, frozenset[str]]) -> Sequence[Taken]:
    """What is taken, in this order; each knows which shared tensors it is the last to want."""
    entries = [MEASURES[name] for name in wanted]
    plan = []
    for place, entry in enumerate(entries):
        later = frozenset[str]().union(*(other.shares for other in entries[place + 1 :]))
        filed = {result: entry.filed(result) for result in entry.results if result in wanted[entry.name]}
        plan.append(Taken(entry, entry.load(), filed, frozenset(SHARED) - later))
    return plan


def take(entry: MeasureEntry, moment: Moment, function: Callable[[Moment], Results] | None = None) -> dict[str, NDArray[Any]]:
    """The results of one measurement by name, in the shapes of its entry: float32, counts uint32.

    NaN (counts: 0) for the trials that have diverged.

    Args:
        entry: the measurement.
        moment: what it measures.
        function: its own, where that is loaded already.

    Raises:
        LookupError: it yields a result that it does not declare.
    """
    lost = None if entry.is_of_the_data else moment.lost
    taken = {}
    for name, values in (function or entry.load())(moment).items():
        if name not in entry.results:
            raise LookupError(f"{entry.name} yields {name}, which it does not declare: {', '.join(entry.results)}")
        taken[name] = _as_record(values, entry.results[name]["axes"], lost)
    return taken


def _as_record(values: Tensor | NDArray[Any], axes: tuple[str, ...], lost: NDArray[np.bool_] | None) -> NDArray[Any]:
    """The values as an array, without the trials that are lost."""
    is_count = axes[-1] == "bin"
    plain = values.numpy(force=True) if isinstance(values, Tensor) else values
    array = np.ascontiguousarray(plain, np.uint32 if is_count else np.float32)
    if lost is not None and axes[0] in ("trial", "shown"):
        array = array.copy()  # the values may be the step's own
        array[lost[: len(array)]] = 0 if is_count else np.nan
    return array
