"""What every registered data set promises. One that is added is tested here; its reference goes to `references.py`."""

from math import isqrt

import numpy as np
import pytest

from bnviz.config.models import DatasetConfig
from bnviz.datasets import Dataset, load
from bnviz.registry.datasets import DATASETS
from tests.datasets.references import REFERENCES

pytestmark = pytest.mark.usefixtures("shared_openml")
every = pytest.mark.parametrize("name", DATASETS)
scales = pytest.mark.parametrize("scale", ["standardized", "raw", "spread"])


def arrays(data: Dataset) -> tuple[np.ndarray, ...]:
    return data.train_inputs, data.train_labels, data.test_inputs, data.test_labels


def same(one: Dataset, other: Dataset) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(arrays(one), arrays(other), strict=True))


@every
def test_it_is_what_its_reference_says(name):
    assert name in REFERENCES, f"no reference for {name} in tests/datasets/references.py"
    REFERENCES[name](load(DatasetConfig(name=name, input_scale="raw", noise=0), 3))


def test_no_reference_is_left_of_a_data_set_that_is_gone():
    assert set(REFERENCES) == set(DATASETS)


@every
def test_the_entry_says_what_people_and_the_configuration_need(name):
    entry = DATASETS[name]
    assert entry.label
    assert entry.source
    assert entry.sentence.endswith(".")
    assert entry.kind != "plane" or entry.features == 2
    assert entry.kind != "image" or (entry.features and isqrt(entry.features) ** 2 == entry.features)
    assert entry.rows or not (entry.held_out or entry.download)
    if entry.rows:
        made = entry.load()()
        assert (len(made.inputs), len(made.labels)) == (entry.rows, entry.rows)
        assert made.inputs.shape[1] == entry.features
        assert set(made.labels.tolist()) == set(range(entry.classes))
        assert sum(entry.split) <= entry.rows


@every
@scales
def test_the_same_seed_gives_the_same_bits_and_another_seed_other_data(name, scale):
    config = DatasetConfig(name=name, input_scale=scale)
    first, again, other = load(config, 7), load(config, 7), load(config, 8)
    assert same(first, again)
    assert not any(a.tobytes() == b.tobytes() for a, b in zip(arrays(first), arrays(other), strict=True))


@every
@scales
def test_shapes_types_and_labels(name, scale):
    config, entry = DatasetConfig(name=name, input_scale=scale), DATASETS[name]
    data = load(config, 0)
    train, test = config.sizes
    assert (train, test) == entry.split
    assert data.train_inputs.shape == (train, config.feature_count)
    assert data.test_inputs.shape == (test, config.feature_count)
    assert data.train_inputs.dtype == data.test_inputs.dtype == np.float32
    assert data.train_labels.dtype == data.test_labels.dtype == np.int64
    assert all(np.isfinite(array).all() for array in arrays(data))
    assert data.class_count == entry.classes
    assert set(data.train_labels) == set(range(entry.classes)) >= set(data.test_labels)
    assert (data.extent is not None) == (entry.kind == "plane")


@every
def test_standardized_training_inputs_have_mean_0_and_variance_1(name):
    inputs = load(DatasetConfig(name=name), 0).train_inputs.astype(np.float64)
    constant = (inputs == inputs[0]).all(axis=0)
    assert (inputs[:, constant] == 0).all()
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(inputs[:, ~constant].std(axis=0), 1, rtol=1e-5)


@every
def test_training_rows_do_not_depend_on_the_test_size(name):
    small, large = (load(DatasetConfig(name=name, train_size=50, test_size=size), 0) for size in (10, 60))
    assert small.train_inputs.tobytes() == large.train_inputs.tobytes()


@every
def test_no_test_sample_is_a_training_sample(name):
    data = load(DatasetConfig(name=name, train_size=50, test_size=50), 0)
    train, test = ({row.tobytes() for row in inputs} for inputs in (data.train_inputs, data.test_inputs))
    assert len(train | test) == 100


@every
@scales
def test_two_training_samples_and_one_test_sample(name, scale):
    data = load(DatasetConfig(name=name, train_size=2, test_size=1, noise=0, input_scale=scale), 0)
    assert (len(data.train_inputs), len(data.test_inputs)) == (2, 1)
    assert all(np.isfinite(array).all() for array in arrays(data))


@every
def test_noise_and_features_matter_only_where_the_entry_says_so(name):
    entry, small = DATASETS[name], {"name": name, "train_size": 40, "test_size": 20}
    plain = load(DatasetConfig(**small), 0)
    assert same(plain, load(DatasetConfig(**small, noise=0.5), 0)) == (not entry.noisy)
    wide = load(DatasetConfig(**small, features=5), 0)
    assert wide.train_inputs.shape[1] == (entry.features or 5)


@every
def test_all_rows_can_be_used_and_no_more(name):
    entry = DATASETS[name]
    train = entry.most_train()
    if train is None:
        assert entry.most_test(1000) is None
        return
    test = entry.most_test(train)
    assert test
    assert train + test == entry.rows
    assert DatasetConfig(name=name, train_size=train).sizes == (train, min(test, entry.split[1]))
    for sizes in ({"train_size": train + 1}, {"train_size": train, "test_size": test + 1}):
        with pytest.raises(ValueError, match=r"at most|less than or equal"):
            DatasetConfig(name=name, **sizes)
    if not entry.download:  # tens of thousands of images would take a while
        data = load(DatasetConfig(name=name, train_size=train, test_size=test, input_scale="raw"), 0)
        labels = np.concatenate([data.train_labels, data.test_labels])
        assert np.bincount(labels).tolist() == np.bincount(entry.load()().labels).tolist()
