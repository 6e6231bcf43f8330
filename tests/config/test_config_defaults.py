"""Defaults that depend on the data set."""

import pytest

from bnviz.config.models import RunConfig
from bnviz.registry.datasets import DATASETS


@pytest.mark.parametrize("name", DATASETS)
def test_the_name_of_a_data_set_is_enough(name: str) -> None:
    config = RunConfig.model_validate({"dataset": {"name": name}})
    train_size, test_size = config.dataset.sizes
    assert config.batch_size == config.probe_size == 64
    assert train_size + test_size <= (DATASETS[name].rows or 10**6)


def test_a_small_training_set_lowers_the_defaults_and_refuses_more() -> None:
    config = RunConfig.model_validate({"dataset": {"name": "wine", "train_size": 20}})
    assert (config.batch_size, config.probe_size) == (20, 20)
    assert RunConfig.model_validate_json(config.model_dump_json()).run_id == config.run_id
    with pytest.raises(ValueError, match="at most 20, the training samples"):
        RunConfig.model_validate({"dataset": {"name": "wine", "train_size": 20}, "probe_size": 21})
