"""Defaults that depend on the data set."""

import pytest

from bnviz.config.models import DATASET_ROWS, RunConfig


@pytest.mark.parametrize("name", [*DATASET_ROWS, "moons", "mnist"])
def test_the_name_of_a_data_set_is_enough(name: str) -> None:
    config = RunConfig.model_validate({"dataset": {"name": name}})
    train_size, test_size = config.dataset.sizes
    assert config.batch_size == config.probe_size == 64
    assert train_size + test_size <= DATASET_ROWS.get(name, 10**6)


def test_a_small_training_set_lowers_the_defaults_and_refuses_more() -> None:
    config = RunConfig.model_validate({"dataset": {"name": "wine", "train_size": 20}})
    assert (config.batch_size, config.probe_size) == (20, 20)
    assert RunConfig.model_validate_json(config.model_dump_json()).run_id == config.run_id
    with pytest.raises(ValueError, match="at most 20, the training samples"):
        RunConfig.model_validate({"dataset": {"name": "wine", "train_size": 20}, "probe_size": 21})
