"""From a configuration and a seed to scaled arrays."""

import numpy as np

from bnviz.config.models import DatasetConfig
from bnviz.datasets import plane, scale, split
from bnviz.datasets.types import Dataset, Table
from bnviz.registry.datasets import DATASETS

TRAIN, TEST, SPLIT, SCALE = range(4)  # purposes: each has its own random stream, so none shifts another


def random_generator(seed: int, purpose: int) -> np.random.Generator:
    """The random stream of one purpose under one seed."""
    return np.random.default_rng(np.random.SeedSequence([seed, purpose]))


def _parts(config: DatasetConfig, seed: int) -> tuple[Table, Table]:
    """Training and test rows as they come."""
    entry, (train_size, test_size) = DATASETS[config.name], config.sizes
    make = entry.load()
    if entry.rows is None:
        purposes = (train_size, TRAIN), (test_size, TEST)
        train, test = (make(size, config, random_generator(seed, purpose)) for size, purpose in purposes)
        return train, test
    rng = random_generator(seed, SPLIT)
    if entry.held_out:
        return split.as_held_out(make(), entry.held_out, train_size, test_size, rng)
    return split.stratified(make(), train_size, test_size, rng)


def load(config: DatasetConfig, seed: int) -> Dataset:
    """Load a data set; the same arguments give the same bits.

    Args:
        config: name, sizes, noise and scale; its bounds are trusted.
        seed: at least 0; fixes the points or the split, their order, and the factors of `spread`.

    Returns:
        Inputs float32, labels int64; test_scale and test_shift are applied last, and the drawn plane is that of the data
        without them. MNIST pixels are 0..255, those of digits 0..16 where `input_scale` is raw.

    Raises:
        DatasetUnavailable: one that is fetched, while the machine is offline and has no copy.
    """
    entry = DATASETS[config.name]
    train, test = _parts(config, seed)
    train_inputs, test_inputs = scale.scale(config.input_scale, train.inputs, test.inputs, random_generator(seed, SCALE))
    return Dataset(
        train_inputs,
        train.labels,
        test_inputs * np.float32(config.test_scale) + np.float32(config.test_shift),
        test.labels,
        entry.classes,  # of the whole data set: a small training set may miss some
        plane.extent(train_inputs, test_inputs) if entry.kind == "plane" else None,
    )
