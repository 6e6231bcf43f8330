"""Experiment 10, train and inference: which statistics a net is tested with, how they come about, and what folding does."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.inference import folding, modes, shifted, start_up

EXPERIMENT = Experiment(
    id="inference",
    number=10,
    title="Train and inference",
    icon=":material/published_with_changes:",
    parts=(modes.PART, start_up.PART, shifted.PART, folding.PART),
)
