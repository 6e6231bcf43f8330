"""What a run costs in work, from its configuration alone: the pace of the measurements, the progress of a study."""

from math import isqrt

from bnviz.config.models import ArmConfig, RunConfig
from bnviz.registry.datasets import MOST_CLASSES as CLASSES

# Fitted to one core of a small server (see benchmarks/training.py): a step costs per layer and per multiply-add.
SECONDS_PER_LAYER = 110e-6
SECONDS_PER_MULTIPLY_ADD = 65e-12


def weights_of(arm: ArmConfig, features: int, classes: int) -> int:
    """Multiply-adds of one network's forward pass for one sample: for a dense one, the number of its linear weights."""
    if arm.architecture == "conv":
        return 9 * features * (arm.width + (arm.depth - 1) * arm.width**2) + features * arm.width * classes
    if arm.architecture == "recurrent":
        return features * arm.width + isqrt(features) * arm.width**2 + arm.width * classes
    return features * arm.width + (arm.depth - 1) * arm.width**2 + arm.width * classes


def step_multiply_adds(config: RunConfig) -> int:
    """Multiply-adds of one training step of all arms and trials: forward, and twice that backward."""
    weights = sum(weights_of(arm, features_of(config), CLASSES) for arm in config.arms)
    return 3 * weights * config.trials * config.batch_size


def multiply_adds(config: RunConfig) -> int:
    """Multiply-adds of the whole training; step 0 alone counts as one step."""
    return step_multiply_adds(config) * max(config.steps, 1)


def estimated_step_seconds(config: RunConfig) -> float:
    """Rough seconds of one training step on one core."""
    features = features_of(config)
    layers = sum(isqrt(features) if arm.architecture == "recurrent" else arm.depth + 1 for arm in config.arms)
    return SECONDS_PER_LAYER * layers + SECONDS_PER_MULTIPLY_ADD * step_multiply_adds(config)


def features_of(config: RunConfig) -> int:
    """Input features of the run's data set."""
    return config.dataset.feature_count
