"""Real data of a fixed size, read from the files that scikit-learn installs.

scikit-learn itself is not imported: that would cost a worker half a second and tens of megabytes for
what `np.loadtxt` does in 30 ms.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bnviz.datasets.types import DatasetUnavailable, Table
from bnviz.registry.datasets import DatasetEntry


def _folder() -> Path:
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise DatasetUnavailable(
            "scikit-learn is not installed; its files hold digits, wine and breast_cancer. Run: pip install scikit-learn"
        )
    return Path(spec.origin).parent / "datasets" / "data"


@cache
def _read(name: str, file: str, header: int) -> Table:
    """All rows of a file, float32, without its header lines; read once per process, so they are locked against writing.

    Raises:
        DatasetUnavailable: there is no such file.
    """
    try:
        rows = np.loadtxt(_folder() / file, delimiter=",", skiprows=header, dtype=np.float32)
    except OSError as error:
        raise DatasetUnavailable(
            f"{name}: scikit-learn's file {file} cannot be read ({error}). Choose another data set."
        ) from error
    table = Table(rows[:, :-1], rows[:, -1].astype(np.int64))
    table.inputs.flags.writeable = table.labels.flags.writeable = False
    return table


@DatasetEntry(
    name="digits",
    place=10,
    label="handwritten digits",
    source="E. Alpaydin, C. Kaynak, UCI Optical Recognition of Handwritten Digits (1998)",
    kind="image",
    features=64,
    classes=10,
    rows=1797,
    split=(1200, 200),
)
def digits() -> Table:
    """Images of 8 x 8 pixels, 0 to 16."""
    return _read("digits", "digits.csv.gz", header=0)


@DatasetEntry(
    name="wine",
    place=80,
    label="wine",
    source="M. Forina et al., UCI Wine (1991)",
    kind="table",
    features=13,
    classes=3,
    rows=178,
    split=(118, 60),
)
def wine() -> Table:
    """Chemical measurements of wines from three growers, on very different scales."""
    return _read("wine", "wine_data.csv", header=1)


@DatasetEntry(
    name="breast_cancer",
    place=90,
    label="breast cancer",
    source="W. Wolberg et al., UCI Breast Cancer Wisconsin, Diagnostic (1995)",
    kind="table",
    features=30,
    classes=2,
    rows=569,
    split=(400, 169),
)
def breast_cancer() -> Table:
    """Measurements of cell nuclei, benign or malignant."""
    return _read("breast_cancer", "breast_cancer.csv", header=1)
