"""Experiment 3: internal covariate shift, as distributions that move and as gradients that move."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.covariate_shift import deep_linear, drift_and_shift, noisy

EXPERIMENT = Experiment(
    id="covariate_shift",
    number=3,
    title="Internal covariate shift",
    icon=":material/waves:",
    parts=(drift_and_shift.PART, noisy.PART, deep_linear.PART),
)
