"""Experiment 11: the loss landscape, along the gradient and on a plane."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.landscape import bands, fidelity, surface

EXPERIMENT = Experiment(
    id="landscape",
    number=11,
    title="The loss landscape",
    icon=":material/landscape:",
    parts=(bands.PART, fidelity.PART, surface.PART),
)
