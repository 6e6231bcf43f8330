"""Experiment 12, other norms: six of them in one race, where batch norm fails, and a recurrent net."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.other_norms import gamma, race, recurrent, stress

EXPERIMENT = Experiment(
    id="other_norms",
    number=12,
    title="Other norms",
    icon=":material/compare_arrows:",
    parts=(race.PART, stress.TINY, stress.SINGLE, recurrent.PART, gamma.PART),
)
