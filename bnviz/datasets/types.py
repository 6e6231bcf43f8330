"""What a data set is, once loaded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class DatasetUnavailable(RuntimeError):
    """The data set has to be fetched and cannot be; the message is shown to the visitor."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as they come: `inputs` (n, F) and `labels` int64 (n,)."""

    inputs: NDArray[np.floating]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Training and test samples, scaled as the configuration asks. No value is NaN or infinite."""

    train_inputs: NDArray[np.float32]  # (n, F)
    train_labels: NDArray[np.int64]  # (n,), 0 .. class_count - 1
    test_inputs: NDArray[np.float32]  # (m, F)
    test_labels: NDArray[np.int64]  # (m,)
    class_count: int
    extent: tuple[float, float, float, float] | None  # 2-D data: x0, x1, y0, y1 of the drawn plane; else None
