"""Experiment 4, gradients through depth: what batch norm does to them before and while a deep net trains."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.depth import escapes, gain, growth, rank, shattered, trainability

EXPERIMENT = Experiment(
    id="depth",
    number=4,
    title="Gradients through depth",
    icon=":material/stacked_line_chart:",
    parts=(gain.PART, growth.PART, escapes.PART, trainability.PART, shattered.PART, rank.PART),
)
