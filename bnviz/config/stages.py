"""The pieces of a study."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bnviz.config.cost import estimated_step_seconds
from bnviz.config.models import RunConfig


@dataclass(frozen=True)
class Stage:
    """One piece of a study: a run that trains, or a probe, a function of `bnviz.probes` that measures without training.

    Args:
        key: names the stage in `Results`; unique in a study.
        label: for the playback bar, "batch of 8".
        run: what trains; None for a probe.
        keep: of a run, names of the measurements, or of single results, to take and to keep.
        probe: name of a module of `bnviz.probes`.
        options: of the probe, JSON values.
        seconds: estimated, for the progress; worked out for a run.
        trial_axes: what the trials of a run are, `{"lr": rates, "seed": seeds}`, the last axis fastest; empty: a seed each.
        arm_names: of a run's arms, in order, where neither their own names nor their norms tell them apart.
    """

    key: str
    label: str
    run: RunConfig | None = None
    keep: tuple[str, ...] = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
    probe: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 1.0
    trial_axes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])
    arm_names: tuple[str, ...] = ()

    @property
    def estimated_seconds(self) -> float:
        """Seconds that the stage takes on one core, roughly."""
        return self.seconds if self.run is None else estimated_step_seconds(self.run) * max(self.run.steps, 1)
