"""The three scales on which a network may get its inputs (see `DatasetConfig.input_scale`)."""

import numpy as np
from numpy.typing import NDArray

Inputs = NDArray[np.floating]


def standardize(train: Inputs, test: Inputs) -> tuple[Inputs, Inputs]:
    """Subtract the training set's mean and divide by its standard deviation (1/n), feature by feature.

    A feature that is constant over the training set becomes 0 in both sets: it has no scale to divide by.
    """
    train, test = train.astype(np.float64), test.astype(np.float64)
    mean, std = train.mean(axis=0), train.std(axis=0)
    constant = train.min(axis=0) == train.max(axis=0)  # exact, while the std of a constant may round above 0
    factor = np.where(constant, 0.0, 1 / np.where(constant | (std == 0), 1.0, std))
    return (train - mean) * factor, (test - mean) * factor


def spread_factors(features: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """One factor per feature, evenly spaced in the logarithm from 0.001 to 1000, in random order, shape (features,)."""
    return rng.permutation(10.0 ** np.linspace(-3, 3, features))


def scale(name: str, train: Inputs, test: Inputs, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Put both sets, each (samples, features), on the scale `name`, as float32."""
    if name != "raw":
        train, test = standardize(train, test)
    if name == "spread":
        factors = spread_factors(train.shape[1], rng)
        train, test = train * factors, test * factors
    return train.astype(np.float32), test.astype(np.float32)
