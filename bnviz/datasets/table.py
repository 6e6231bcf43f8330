"""Real data of a fixed size, read from the files that scikit-learn installs.

scikit-learn itself is not imported: that would cost a worker half a second and tens of megabytes for
what `np.loadtxt` does in 30 ms.

References:
    Digits: E. Alpaydin, C. Kaynak, UCI Optical Recognition of Handwritten Digits (1998), 8x8 pixels of 0..16.
    Wine: M. Forina et al., UCI Wine (1991). Breast cancer: W. Wolberg et al., UCI WDBC (1995).
"""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnviz.datasets.types import DatasetUnavailable, Table

FILES = {"digits": ("digits.csv.gz", 0), "wine": ("wine_data.csv", 1), "breast_cancer": ("breast_cancer.csv", 1)}  # header lines

_MEASURES = (
    *("radius", "texture", "perimeter", "area", "smoothness", "compactness"),
    *("concavity", "concave points", "symmetry", "fractal dimension"),
)
NAMES: dict[str, tuple[str, ...]] = {
    "digits": tuple(f"pixel {row},{column}" for row in range(8) for column in range(8)),
    "wine": (
        *("alcohol", "malic acid", "ash", "alcalinity of ash", "magnesium", "total phenols", "flavanoids"),
        *("nonflavanoid phenols", "proanthocyanins", "color intensity", "hue", "OD280/OD315 of diluted wines", "proline"),
    ),
    "breast_cancer": (
        *(f"mean {name}" for name in _MEASURES),
        *(f"{name} error" for name in _MEASURES),
        *(f"worst {name}" for name in _MEASURES),
    ),
}


def _folder() -> Path:
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise DatasetUnavailable(
            "scikit-learn is not installed; its files hold digits, wine and breast_cancer. Run: pip install scikit-learn"
        )
    return Path(spec.origin).parent / "datasets" / "data"


@lru_cache(maxsize=len(FILES))
def read(name: str) -> Table:
    """Read all rows of `name`, float32; read once per process, so the arrays are locked against writing."""
    file, header = FILES[name]
    try:
        rows = np.loadtxt(_folder() / file, delimiter=",", skiprows=header, dtype=np.float32)
    except OSError as error:
        raise DatasetUnavailable(
            f"{name}: scikit-learn's file {file} cannot be read ({error}). Choose another data set."
        ) from error
    table = Table(rows[:, :-1], rows[:, -1].astype(np.int64))
    table.inputs.flags.writeable = table.labels.flags.writeable = False
    return table


def stratified_order(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Order the rows, shape (rows,), at random such that any stretch of them holds the classes in nearly their overall shares."""
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        place[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return np.argsort(place, kind="stable")


def split(table: Table, train_size: int, test_size: int, rng: np.random.Generator) -> tuple[Table, Table]:
    """Take disjoint training and test rows, both stratified."""
    order = stratified_order(table.labels, rng)
    # shuffled again: batches taken in order must not be stratified
    train, test = rng.permutation(order[:train_size]), rng.permutation(order[train_size : train_size + test_size])
    return Table(table.inputs[train], table.labels[train]), Table(table.inputs[test], table.labels[test])
