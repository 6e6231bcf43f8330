"""Experiment 6: what batch norm makes of badly scaled initial weights and of badly scaled inputs."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.init_and_scale import gain, scale

EXPERIMENT = Experiment(
    id="init_and_scale",
    number=6,
    title="Initialization and input scale",
    icon=":material/tune:",
    parts=(gain.PART, scale.PART),
)
