"""Seeded data sets as plain NumPy arrays: `load(config, seed) -> Dataset`.

    plane.py     2-D point sets                table.py  digits, wine, breast_cancer: scikit-learn's files
    gaussian.py  random numbers                openml.py MNIST and Fashion-MNIST, fetched once, then local
    split.py     training and test rows        scale.py  the three input scales

Each stands below its `DatasetEntry`; a new one is a function with an entry, in one of these files or in one of its own.
The same configuration and seed give the same bits. The training rows do not depend on the test size.
"""

from bnviz.datasets.loading import load, random_generator
from bnviz.datasets.types import Dataset, DatasetUnavailable

__all__ = ["Dataset", "DatasetUnavailable", "load", "random_generator"]
