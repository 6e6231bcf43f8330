"""Experiment 7, dead and saturated units: which units stop learning, from birth or while the net trains."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.dead_units import born_dead, saturation, units_map

EXPERIMENT = Experiment(
    id="dead_units",
    number=7,
    title="Dead and saturated units",
    icon=":material/skull:",
    parts=(units_map.PART, born_dead.PART, saturation.PART),
)
