"""Experiment 5, the learning rate: which rates work, and why the size of the weights takes part in it."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.learning_rate import decay, effective, least_squares, sweep

EXPERIMENT = Experiment(
    id="learning_rate",
    number=5,
    title="Learning rate",
    icon=":material/speed:",
    parts=(sweep.PART, effective.PART, decay.PART, least_squares.PART),
)
