"""Seeded data sets as plain NumPy arrays: `load(config, seed) -> Dataset`.

    plane.py   2-D point sets, made here          table.py   digits, wine, breast_cancer: scikit-learn's files
    scale.py   the three input scales             openml.py  MNIST and Fashion-MNIST, fetched once, then local

The same configuration and seed give the same bits. The training rows do not depend on the test size.
"""

from bnviz.datasets.loading import load, random_generator
from bnviz.datasets.types import Dataset, DatasetUnavailable

__all__ = ["Dataset", "DatasetUnavailable", "load", "random_generator"]
