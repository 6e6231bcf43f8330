"""Experiment 8, the norm's place: before or after the activation."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.placement import order

EXPERIMENT = Experiment(
    id="placement",
    number=8,
    title="Before or after",
    icon=":material/swap_vert:",
    parts=(order.PART,),
)
