"""From a configuration and a seed to scaled arrays."""

import numpy as np

from bnviz.config.models import DatasetConfig
from bnviz.datasets import openml, plane, scale, table
from bnviz.datasets.types import Dataset, Table

GAUSSIAN_CLASSES = 10
TRAIN, TEST, SPLIT, SCALE = range(4)  # purposes: each has its own random stream, so none shifts another


def random_generator(seed: int, purpose: int) -> np.random.Generator:
    """The random stream of one purpose under one seed."""
    return np.random.default_rng(np.random.SeedSequence([seed, purpose]))


def _gaussian(size: int, features: int, rng: np.random.Generator) -> Table:
    """Independent N(0, 1) inputs; balanced labels of 10 classes that say nothing about them."""
    return Table(rng.standard_normal((size, features)), rng.permutation(np.arange(size) % GAUSSIAN_CLASSES))


def _made(config: DatasetConfig, size: int, rng: np.random.Generator) -> Table:
    if config.name == "gaussian":
        return _gaussian(size, config.features, rng)
    return plane.make(config.name, size, config.noise, rng)


def _parts(config: DatasetConfig, seed: int) -> tuple[Table, Table]:
    """Training and test rows as they come."""
    train_size, test_size = config.sizes
    if config.name in table.FILES:
        return table.split(table.read(config.name), train_size, test_size, random_generator(seed, SPLIT))
    if config.name in openml.SOURCES:
        return openml.split(openml.read(config.name), train_size, test_size, random_generator(seed, SPLIT))
    return _made(config, train_size, random_generator(seed, TRAIN)), _made(config, test_size, random_generator(seed, TEST))


def _names(config: DatasetConfig, features: int) -> tuple[str, ...]:
    if config.name in plane.MAKERS:
        return "x", "y"
    return table.NAMES.get(config.name) or tuple(f"feature {i}" for i in range(features))


def _class_count(name: str) -> int:
    """Classes of the whole data set: a small training set may miss some."""
    if name in plane.MAKERS:
        return plane.MAKERS[name][0]
    return {"wine": 3, "breast_cancer": 2}.get(name, 10)


def load(config: DatasetConfig, seed: int) -> Dataset:
    """Load a data set; the same arguments give the same bits.

    Args:
        config: name, sizes, noise and scale; its bounds are trusted.
        seed: at least 0; fixes the points or the split, their order, and the factors of `spread`.

    Returns:
        Inputs float32, labels int64; test_scale and test_shift are applied last, and the drawn plane is that of the data
        without them. MNIST pixels are 0..255, those of digits 0..16 where `input_scale` is raw.

    Raises:
        DatasetUnavailable: MNIST or Fashion-MNIST while the machine is offline and has no copy.
    """
    train, test = _parts(config, seed)
    train_inputs, test_inputs = scale.scale(config.input_scale, train.inputs, test.inputs, random_generator(seed, SCALE))
    return Dataset(
        train_inputs,
        train.labels,
        test_inputs * np.float32(config.test_scale) + np.float32(config.test_shift),
        test.labels,
        _names(config, train_inputs.shape[1]),
        _class_count(config.name),
        plane.extent(train_inputs, test_inputs) if config.name in plane.MAKERS else None,
    )
