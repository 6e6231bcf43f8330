"""Balance, scales, that the sets in the plane can be learned, and what is fetched; what all promise is in test_contract.py."""

import subprocess
import sys
from urllib.error import URLError

import numpy as np
import pytest

from bnviz.config.models import DatasetConfig
from bnviz.datasets import Dataset, DatasetUnavailable, load, openml
from bnviz.registry.datasets import DATASETS, PLANE_DATASETS

MADE = [name for name, entry in DATASETS.items() if entry.rows is None]
FETCHED = [name for name, entry in DATASETS.items() if entry.download]


@pytest.mark.parametrize("name", MADE)
def test_made_classes_are_balanced_and_shuffled(name):
    data = load(DatasetConfig(name=name, train_size=601, test_size=200), 1)
    for labels in (data.train_labels, data.test_labels):
        counts = np.bincount(labels, minlength=data.class_count)
        assert counts.max() - counts.min() <= 1
        assert not np.array_equal(labels, np.arange(len(labels)) % data.class_count)


def _standardized_naively(train: np.ndarray, part: np.ndarray) -> np.ndarray:
    """One feature, one row at a time, in Python floats."""
    out = np.zeros(part.shape)
    for j in range(train.shape[1]):
        column = [float(value) for value in train[:, j]]
        mean = sum(column) / len(column)
        std = (sum((value - mean) ** 2 for value in column) / len(column)) ** 0.5
        for i in range(len(part)):
            out[i, j] = 0.0 if len(set(column)) == 1 else (float(part[i, j]) - mean) / std
    return out


@pytest.mark.parametrize("name", ["digits", "wine", "breast_cancer", "moons"])
def test_standardized_against_a_naive_loop(name):
    raw = load(DatasetConfig(name=name, train_size=60, test_size=20, input_scale="raw"), 5)
    data = load(DatasetConfig(name=name, train_size=60, test_size=20), 5)
    for part, got in ((raw.train_inputs, data.train_inputs), (raw.test_inputs, data.test_inputs)):
        # 2-D points are made in float64 and rounded only in `raw`: one float32 rounding of values of at most about 2
        atol = 1e-6 if name == "moons" else 1e-12
        np.testing.assert_allclose(got, _standardized_naively(raw.train_inputs, part), rtol=1e-6, atol=atol)


def test_a_constant_pixel_stays_zero():
    raw, data = (load(DatasetConfig(input_scale=scale), 0) for scale in ("raw", "standardized"))
    constant = raw.train_inputs.std(axis=0) == 0
    assert 1 <= constant.sum() < 20  # the corners of the digits are always empty
    assert (data.train_inputs[:, constant] == 0).all()
    assert (data.test_inputs[:, constant] == 0).all()
    np.testing.assert_allclose(data.train_inputs[:, ~constant].std(axis=0, dtype=np.float64), 1, rtol=1e-5)


def test_raw_scales_are_those_of_the_files():
    digits = load(DatasetConfig(input_scale="raw"), 0)
    assert digits.train_inputs.min() == 0
    assert digits.train_inputs.max() == 16
    wine = load(DatasetConfig(name="wine", input_scale="raw"), 0).train_inputs.std(axis=0)
    assert wine.max() / wine.min() > 1000  # proline against the nonflavanoid phenols


def test_spread_is_standardized_times_a_permuted_grid():
    plain = load(DatasetConfig(name="breast_cancer"), 2)
    data = load(DatasetConfig(name="breast_cancer", input_scale="spread"), 2)
    std = data.train_inputs.std(axis=0, dtype=np.float64)
    np.testing.assert_allclose(np.sort(std), 10 ** np.linspace(-3, 3, 30), rtol=1e-5)
    assert not np.array_equal(np.sort(std), std)
    np.testing.assert_allclose(data.test_inputs, plain.test_inputs * std, rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("name", PLANE_DATASETS)
def test_the_plane_holds_all_points_with_a_margin(name):
    data = load(DatasetConfig(name=name, noise=0.5), 0)
    points = np.concatenate([data.train_inputs, data.test_inputs])
    assert data.extent is not None
    x0, x1, y0, y1 = data.extent
    for low, high, values in ((x0, x1, points[:, 0]), (y0, y1, points[:, 1])):
        span = values.max() - values.min()
        assert low == pytest.approx(values.min() - 0.1 * span, rel=1e-4)
        assert high == pytest.approx(values.max() + 0.1 * span, rel=1e-4)


def _nearest_neighbour_accuracy(data: Dataset) -> float:
    distance = ((data.test_inputs[:, None] - data.train_inputs[None]) ** 2).sum(axis=2)
    return float((data.train_labels[distance.argmin(axis=1)] == data.test_labels).mean())


@pytest.mark.parametrize("name", PLANE_DATASETS)
def test_plane_sets_are_learnable_and_noise_makes_them_harder(name):
    clean, default, hard = (_nearest_neighbour_accuracy(load(DatasetConfig(name=name, noise=noise), 0)) for noise in (0, 0.1, 2))
    assert clean > 0.95
    assert default > 0.8
    assert hard < default - 0.2


@pytest.mark.parametrize("name", ["spirals", "circles", "xor"])
def test_no_line_separates_the_hard_sets(name):
    data = load(DatasetConfig(name=name), 0)
    design = np.column_stack([data.train_inputs, np.ones(len(data.train_inputs))])
    weights, *_ = np.linalg.lstsq(design, 2.0 * data.train_labels - 1, rcond=None)
    assert ((design @ weights > 0) == (data.train_labels == 1)).mean() < 0.7


def test_one_feature():
    for scale in ("standardized", "raw", "spread"):
        data = load(DatasetConfig(name="gaussian", features=1, input_scale=scale), 0)
        assert data.train_inputs.shape == (1000, 1)
        assert np.isfinite(data.train_inputs).all()


@pytest.mark.parametrize("name", FETCHED)
@pytest.mark.parametrize(
    "error", [URLError("no route to host"), TimeoutError("timed out"), ConnectionResetError(), ValueError("md5")]
)
def test_offline_says_what_to_do(name, error, monkeypatch, tmp_path):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))

    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fail)
    with pytest.raises(DatasetUnavailable, match=f"{name} is not on this machine.*choose digits"):
        load(DatasetConfig(name=name), 0)
    assert not list(tmp_path.rglob("*.npy"))


def test_mnist_is_fetched_once(fake_openml):
    config = DatasetConfig(name="mnist", train_size=500, test_size=300, input_scale="raw")
    data, again = load(config, 0), load(config, 0)
    assert fake_openml == ["mnist_784"]
    assert data.train_inputs.tobytes() == again.train_inputs.tobytes()


def test_mnist_can_be_used_where_it_cannot_be_kept(fake_openml, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "save", fail)
    config = DatasetConfig(name="mnist", train_size=20, test_size=10)
    assert load(config, 0).train_inputs.tobytes() == load(config, 0).train_inputs.tobytes()
    assert len(fake_openml) == 2


def test_a_damaged_copy_is_reported(fake_openml, tmp_path):
    load(DatasetConfig(name="mnist", train_size=20, test_size=10), 0)
    (pixels,) = tmp_path.rglob("mnist-pixels.npy")
    pixels.write_bytes(b"not an array")
    with pytest.raises(DatasetUnavailable, match="data folder cannot be used"):
        load(DatasetConfig(name="mnist", train_size=20, test_size=10), 0)


def test_the_network_timeout_is_set_and_taken_back(monkeypatch, tmp_path):
    import socket

    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    seen = []

    def fetch(name, **options):
        seen.append(socket.getdefaulttimeout())
        raise OSError("offline")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
    before = socket.getdefaulttimeout()
    with pytest.raises(DatasetUnavailable):
        load(DatasetConfig(name="fashion_mnist"), 0)
    assert seen == [openml.TIMEOUT_SECONDS]
    assert socket.getdefaulttimeout() == before


def test_loading_digits_imports_neither_scikit_learn_nor_torch():
    code = (
        "import sys; from bnviz.config.models import DatasetConfig; from bnviz.datasets import load; load(DatasetConfig(), 0); "
        "print([name for name in ('sklearn', 'torch', 'scipy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["digits", "spirals"])
def test_test_inputs_are_scaled_then_shifted_and_nothing_else_changes(name):
    plain, shifted = load(DatasetConfig(name=name), 0), load(DatasetConfig(name=name, test_scale=-2, test_shift=0.5), 0)
    np.testing.assert_allclose(shifted.test_inputs, -2 * plain.test_inputs + 0.5, rtol=1e-6)
    assert shifted.test_inputs.dtype == np.float32
    assert shifted.train_inputs.tobytes() == plain.train_inputs.tobytes()
    assert shifted.test_labels.tobytes() == plain.test_labels.tobytes()
    assert shifted.extent == plain.extent
