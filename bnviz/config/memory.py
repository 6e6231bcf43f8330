"""What a run takes of memory, from its configuration alone."""

from collections.abc import Collection
from math import isqrt

from bnviz.config.cost import CLASSES, features_of, weights_of
from bnviz.config.models import ArmConfig, RunConfig
from bnviz.registry.measures import ALL_TRIALS, MEASURE_OF, MEASURES
from bnviz.registry.norms import NORMS
from bnviz.registry.optimizers import OPTIMIZERS

FLOAT = 4  # bytes
# Samples of one pass of the costly measurements in `bnviz.measure`, and batches; a test compares them.
LINE_POINTS, GRID_POINTS = 128, 2304  # of autocorrelation and decision_boundary
DRAWS = 256  # batches of batch_noise


def estimated_bytes(config: RunConfig, extras: Collection[str] = ()) -> int:
    """Roughly the largest memory that a run needs at once, on top of what its process holds before.

    The data; of every arm the parameters with all that has their shape; and the larger of a training step, whose tensors
    wait for the backward pass in all arms, and a measurement, which is of one arm at a time. It counts as
    many tensors of each shape as were seen alive together: it is meant to be right within a factor of two, and seldom too low.

    Args:
        config: the run.
        extras: measurements or results of them besides those of the configuration, as a study asks for.
    """
    asked = {MEASURE_OF.get(name, name) for name in (*config.extras, *extras)}
    training = sum(_training(arm, config) for arm in config.arms)
    measuring = max(_measuring(arm, config, asked) for arm in config.arms)
    resting = sum(_copies_of_parameters(arm) * _parameters(arm, config) for arm in config.arms)
    return FLOAT * (_data(config) + resting + max(training, measuring))


def _shape(arm: ArmConfig, features: int) -> tuple[int, int]:
    """(layers, units of a layer): in a convolution the positions of all channels, in a recurrent net one layer per time step."""
    if arm.architecture == "conv":
        return arm.depth, arm.width * features
    return (isqrt(features), arm.width) if arm.architecture == "recurrent" else (arm.depth, arm.width)


def _parameters(arm: ArmConfig, config: RunConfig) -> int:
    """Weights, biases, gammas and betas of all trials of an arm."""
    width, features = arm.width, features_of(config)
    if arm.architecture == "conv":
        weights = 9 * width + 9 * (arm.depth - 1) * width**2 + features * width * CLASSES
    elif arm.architecture == "recurrent":
        weights = isqrt(features) * width + width**2 + width * CLASSES
    else:
        weights = weights_of(arm, features, CLASSES)
    return config.trials * (weights + 3 * arm.depth * width + CLASSES + 2 * features * arm.norm_on_input)


def _copies_of_parameters(arm: ArmConfig) -> int:
    """Tensors of the shape of the parameters: themselves, their start, gradients and direction of two steps, the optimizer's."""
    swept = arm.per_trial
    entry = OPTIMIZERS[arm.optimizer]
    optimizer = entry.copies + entry.momentum_copies * bool(arm.momentum or swept.momentum)
    decay = bool(arm.weight_decay or swept.weight_decay)
    return 6 + optimizer + decay + sum(map(bool, (swept.lr, swept.momentum, swept.weight_decay)))


def _inputs(arm: ArmConfig, features: int) -> int:
    """The features of a sample as often as a pass holds them: once, and where they are normalized four times more."""
    return features * (5 if arm.norm_on_input else 1)


def _kept(arm: ArmConfig) -> int:
    """Tensors of a layer's shape that wait for the backward pass, and its own."""
    own, normalizing, dropping = 5 + arm.residual, NORMS[arm.norm].kept_tensors, 3 * bool(arm.dropout)
    if arm.architecture == "conv":  # each is copied to another order of the axes and back
        return own + 4 + 3 * normalizing + dropping
    if arm.architecture == "recurrent":  # the terms of the input and of the state, and their sum
        return 3 * (own + normalizing) + dropping
    return own + normalizing + dropping


def _training(arm: ArmConfig, config: RunConfig) -> int:
    layers, units = _shape(arm, features_of(config))
    return config.trials * config.batch_size * (_kept(arm) * layers * units + 4 * CLASSES)


def _measuring(arm: ArmConfig, config: RunConfig, asked: Collection[str]) -> int:
    """The largest of the passes that measure an arm, with the step's gradients of the pre-norms beside them."""
    layers, units = _shape(arm, features_of(config))
    shown = config.trials if ALL_TRIALS in asked else 1
    probe = config.probe_size * layers * units * (10 * config.trials + 12 * shown)
    passed = (6 if arm.architecture == "conv" else 4) * units + 4 * CLASSES + 4 * features_of(config) * arm.norm_on_input
    test = config.trials * config.dataset.sizes[1] * passed
    extras = [_extra(name, arm, config) for name in asked]
    return config.trials * config.batch_size * layers * units + max(probe, test, *extras)


def _extra(name: str, arm: ArmConfig, config: RunConfig) -> int:
    """What a costly measurement needs; those that need no more than the probe's pass are not counted again."""
    features, trials = features_of(config), config.trials
    layers, units = _shape(arm, features)
    declared = MEASURES[name].copies if name in MEASURES else 0
    copies = layers if declared == "layer" else declared
    if name == "surface":
        return copies * (5 * _parameters(arm, config) + trials * config.probe_size * (8 * units + _inputs(arm, features)))
    if copies:
        kept = _kept(arm) - 3  # nobody asks for the layers' own tensors
        samples = trials * config.batch_size * (kept * layers * units + _inputs(arm, features))
        return copies * (3 * _parameters(arm, config) + samples)
    if name == "autocorrelation":
        return LINE_POINTS * (trials * _kept(arm) * layers * units + 6 * features)
    if name == "decision_boundary":  # of the first trial
        return GRID_POINTS * 4 * units
    if name == "batch_noise":
        drawn = 2 * units * (3 * DRAWS * config.batch_size + 4 * config.dataset.sizes[0])  # in float64
        return trials * config.dataset.sizes[0] * 5 * layers * units + drawn
    doubled = {"rank": 20, "layer_output": 20}.get(name, 0)
    return doubled * trials * config.probe_size * layers * units


def _data(config: RunConfig) -> int:
    """The samples while they are scaled, in float64; the order of an epoch, int64; the batches of two steps."""
    features, (train, test) = features_of(config), config.dataset.sizes
    orders = 4 * train * len(set(config.trial_seeds) or range(config.trials))
    passed = 2 + 4 * any(arm.norm_on_input for arm in config.arms)
    return 8 * (train + test) * features + orders + passed * config.trials * config.batch_size * features
