"""Experiment 13, convolution: batch norm per channel, its maps, and batches of two images."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.convolution import channels, pairs

EXPERIMENT = Experiment(
    id="convolution",
    number=13,
    title="Convolution",
    icon=":material/grid_on:",
    parts=(channels.PART, pairs.PART),
)
