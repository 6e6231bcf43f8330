"""OpenML as the tests have it: made-up images that tell their row."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest


def fake_fetch(fetched: list[str]) -> Any:
    """A stand-in for `fetch_openml`: 70,000 images whose first three pixels tell the row; notes what was fetched."""

    def fetch(name: str, **_options: object) -> tuple[np.ndarray, np.ndarray]:
        fetched.append(name)
        pixels = np.zeros((70_000, 784), dtype=np.uint8)
        rows = np.arange(70_000)
        pixels[:, 0], pixels[:, 1], pixels[:, 2] = rows % 256, rows // 256 % 256, rows // 65536
        return pixels, (rows % 10).astype(str)

    return fetch


@pytest.fixture
def fake_openml(monkeypatch, tmp_path) -> list[str]:
    """An empty data folder, and the list of fetches."""
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    fetched: list[str] = []
    monkeypatch.setattr("sklearn.datasets.fetch_openml", fake_fetch(fetched))
    return fetched


@pytest.fixture(scope="module")
def shared_openml(tmp_path_factory) -> Iterator[None]:
    """A data folder that all tests of a module fill and read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIKIT_LEARN_DATA", str(tmp_path_factory.mktemp("openml")))
        patch.setattr("sklearn.datasets.fetch_openml", fake_fetch([]))
        yield
