"""Random numbers as data."""

import numpy as np

from bnviz.config.models import DatasetConfig
from bnviz.datasets.types import Table
from bnviz.registry.datasets import DatasetEntry

CLASSES = 10


@DatasetEntry(
    name="gaussian", place=70, label="random numbers", source="drawn by the seed", kind="table", features=None, classes=10
)
def gaussian(size: int, config: DatasetConfig, rng: np.random.Generator) -> Table:
    """Independent N(0, 1) inputs; balanced labels of 10 classes that say nothing about them."""
    return Table(rng.standard_normal((size, config.features)), rng.permutation(np.arange(size) % CLASSES))
