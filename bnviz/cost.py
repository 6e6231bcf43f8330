"""What a run costs, from its configuration alone: a bound for hosts and the pace of the measurements."""

from math import isqrt

from bnviz.config import DATASET_FEATURES, ArmConfig, RunConfig

COST_CEILING = 2_000_000_000_000  # multiply-adds; a minute or two of one core on the class of machine that hosts the app
# Fitted to one core of a small server (see benchmarks/training.py): a step costs per layer and per multiply-add.
SECONDS_PER_LAYER = 110e-6
SECONDS_PER_MULTIPLY_ADD = 65e-12


class CostTooHigh(ValueError):
    """The configuration asks for more work than a run may cost."""

    def __init__(self, received: int) -> None:
        self.received, self.allowed = received, COST_CEILING
        super().__init__(
            f"this run costs {received:.3g} multiply-adds, allowed are {COST_CEILING:.3g}: "
            "lower steps, trials, width, depth or batch_size"
        )


def weights_of(arm: ArmConfig, features: int, classes: int) -> int:
    """Multiply-adds of one network's forward pass for one sample: for a dense one, the number of its linear weights."""
    if arm.architecture == "conv":
        return 9 * features * (arm.width + (arm.depth - 1) * arm.width**2) + features * arm.width * classes
    if arm.architecture == "recurrent":
        return features * arm.width + isqrt(features) * arm.width**2 + arm.width * classes
    return features * arm.width + (arm.depth - 1) * arm.width**2 + arm.width * classes


def step_multiply_adds(config: RunConfig) -> int:
    """Multiply-adds of one training step of all arms and trials: forward, and twice that backward."""
    features, classes = DATASET_FEATURES.get(config.dataset.name, config.dataset.features), 10
    weights = sum(weights_of(arm, features, classes) for arm in config.arms)
    return 3 * weights * config.trials * config.batch_size


def multiply_adds(config: RunConfig) -> int:
    """Multiply-adds of the whole training; step 0 alone counts as one step."""
    return step_multiply_adds(config) * max(config.steps, 1)


def estimated_step_seconds(config: RunConfig) -> float:
    """Rough seconds of one training step on one core."""
    features = DATASET_FEATURES.get(config.dataset.name, config.dataset.features)
    layers = sum(isqrt(features) if arm.architecture == "recurrent" else arm.depth + 1 for arm in config.arms)
    return SECONDS_PER_LAYER * layers + SECONDS_PER_MULTIPLY_ADD * step_multiply_adds(config)


def check_cost(config: RunConfig) -> None:
    """Refuse a configuration above the ceiling.

    Raises:
        CostTooHigh: it names what was received and what is allowed.
    """
    received = multiply_adds(config)
    if received > COST_CEILING:
        raise CostTooHigh(received)
