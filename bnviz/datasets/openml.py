"""MNIST and Fashion-MNIST from OpenML through scikit-learn, fetched once and then read from disk.

scikit-learn needs half a minute and over a gigabyte to parse the file, so the pixels are kept next to its
own download (`~/scikit_learn_data`, or where the variable SCIKIT_LEARN_DATA points) as one byte each and
mapped from there: a run reads only the rows that it trains on.
"""

import contextlib
import socket
import warnings
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import numpy as np

from bnviz.datasets.types import DatasetUnavailable, Table
from bnviz.registry.datasets import DatasetEntry

TIMEOUT_SECONDS = 20.0  # without an answer from the network


@contextlib.contextmanager
def _network_timeout(seconds: float) -> Iterator[None]:
    """Bound every wait on the network; scikit-learn's loader takes no timeout of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _fetch(name: str, source: str) -> Table:
    from sklearn.datasets import fetch_openml  # here, because it is slow to import and only needed the first time

    try:
        with _network_timeout(TIMEOUT_SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "retrying": what counts is whether it worked in the end
            inputs, labels = fetch_openml(source, version=1, as_frame=False, return_X_y=True, n_retries=1, delay=0.5)
    except (OSError, HTTPException, EOFError, ValueError) as error:  # URLError and timeouts are OSErrors
        reason = str(error) or type(error).__name__
        raise DatasetUnavailable(
            f"{name} is not on this machine yet and could not be fetched from openml.org ({reason}). "
            "Connect to the internet and try again, or choose digits, which needs no network."
        ) from error
    return Table(np.asarray(inputs), np.asarray(labels).astype(np.int64))


def _cache(name: str) -> tuple[Path, Path]:
    from sklearn.datasets import get_data_home

    folder = Path(get_data_home()) / "bnviz"
    return folder / f"{name}-pixels.npy", folder / f"{name}-labels.npy"


def _save(path: Path, array: np.ndarray) -> None:
    """Write next to the target and move it there, so that another run never reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{socket.gethostname()}-{id(array)}.partial.npy")
    np.save(partial, array, allow_pickle=False)
    partial.replace(path)


def _read(name: str, source: str) -> Table:
    """All rows of `source` on OpenML: pixels uint8 (n, 784), mapped from disk where they could be kept, and labels.

    Raises:
        DatasetUnavailable: not on disk yet and OpenML cannot be reached, or no folder to keep it in.
    """
    try:
        pixels, labels = _cache(name)
        if pixels.exists() and labels.exists():
            return Table(np.load(pixels, mmap_mode="r", allow_pickle=False), np.load(labels, allow_pickle=False))
    except (OSError, ValueError) as error:  # a folder that may not be made; a damaged file
        raise DatasetUnavailable(f"{name}: scikit-learn's data folder cannot be used ({error}). Choose digits.") from error
    table = _fetch(name, source)
    with contextlib.suppress(OSError):  # a full or read-only disk: it is fetched again next time
        _save(labels, table.labels)
        _save(pixels, table.inputs.astype(np.uint8))
    return table


@DatasetEntry(
    name="mnist",
    place=100,
    label="MNIST",
    source="Y. LeCun, C. Cortes, C. Burges, The MNIST Database (1998), from OpenML",
    kind="image",
    features=784,
    classes=10,
    rows=70_000,
    held_out=10_000,
    download=True,
)
def mnist() -> Table:
    """Images of handwritten digits, 28 x 28 pixels, 0 to 255."""
    return _read("mnist", "mnist_784")


@DatasetEntry(
    name="fashion_mnist",
    place=110,
    label="Fashion-MNIST",
    source="H. Xiao, K. Rasul, R. Vollgraf 2017, arXiv:1708.07747, from OpenML",
    kind="image",
    features=784,
    classes=10,
    rows=70_000,
    held_out=10_000,
    download=True,
)
def fashion_mnist() -> Table:
    """Images of clothes, 28 x 28 pixels, 0 to 255."""
    return _read("fashion_mnist", "Fashion-MNIST")
