"""Experiment 2, the race: twins with and without batch norm; who learns in fewer steps, and what their layers are given."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.race import classic, figure_one, small_lr
from bnviz.experiments.parts.race.verdict import RaceVerdict

EXPERIMENT = Experiment(
    id="race",
    number=2,
    title="The race",
    icon=":material/sprint:",
    parts=(classic.PART, figure_one.PART, small_lr.PART),
)

__all__ = ["EXPERIMENT", "RaceVerdict"]
