"""Inside one batch: its arithmetic, forward and backward, and what goes wrong when the gradient leaves a part of it out."""

from bnviz.experiments.kit.base import Experiment
from bnviz.experiments.parts.inside import arithmetic, detached

EXPERIMENT = Experiment("inside", 1, "Inside one batch", ":material/calculate:", (arithmetic.PART, detached.PART))
